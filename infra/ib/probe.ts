/** Whether a gateway answers at all: it is asked for its version, and left before any client id is named, so that no session begins. */
import { connect } from 'node:net'
import type { Clock } from '../../domain/ports/clock.ts'

const versions = 'v100..193'

/** @param withinMs machine time */
export const answers = ({ host, port }: { host: string; port: number }, clock: Pick<Clock, 'after'>, withinMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const length = Buffer.alloc(4)
    length.writeInt32BE(versions.length)
    const socket = connect({ host, port }, () => socket.write(Buffer.concat([Buffer.from('API\0'), length, Buffer.from(versions)])))
    const stop = (answered: boolean) => {
      callOff()
      socket.destroy()
      resolve(answered)
    }
    const callOff = clock.after(withinMs, () => stop(false))
    let heard = 0
    socket.on('data', (data) => {
      heard += data.length
      if (heard > 4) stop(true)
    })
    socket.on('error', () => stop(false))
    socket.on('close', () => stop(false))
  })
