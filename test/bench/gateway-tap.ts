/**
 * A line to the gateway that tells when bytes with a mark went by. It runs in a thread of its own: in ours it would hear of an order only
 * when this process has nothing better to do.
 */
import { connect, createServer } from 'node:net'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

export type GatewayTap = {
  port: number
  /** Resolves when the mark is watched for, with what resolves when it went by: at which time, in epoch milliseconds as `wallTime` has them. */
  watch(mark: string): Promise<{ passed: Promise<number> }>
  end(): Promise<void>
}

/** In parts of a millisecond, and the same in every thread. */
export const wallTime = (): number => performance.timeOrigin + performance.now()

const patienceMs = 10_000

/** @param port of the gateway */
export const openTap = async (port: number): Promise<GatewayTap> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: { port } })
  const answer = () => new Promise<number>((resolve) => worker.once('message', resolve))
  return {
    port: await answer(),
    watch: async (mark) => {
      const heard = answer()
      worker.postMessage(mark)
      await heard
      let late: NodeJS.Timeout | undefined
      const tooLate = new Promise<never>((_, reject) => {
        late = setTimeout(() => reject(new Error(`${mark} did not come to the socket within ${patienceMs / 1_000} s`)), patienceMs)
      })
      return { passed: Promise.race([answer(), tooLate]).finally(() => clearTimeout(late)) }
    },
    end: async () => void (await worker.terminate()),
  }
}

const tap = (gatewayPort: number): void => {
  let watched: Buffer | undefined
  parentPort!.on('message', (mark: string) => {
    watched = Buffer.from(mark)
    parentPort!.postMessage(0)
  })
  const server = createServer({ noDelay: true }, (client) => {
    const gateway = connect({ port: gatewayPort, host: '127.0.0.1', noDelay: true })
    client.on('data', (bytes) => {
      const time = wallTime()
      if (watched !== undefined && bytes.includes(watched)) {
        watched = undefined
        parentPort!.postMessage(time)
      }
      gateway.write(bytes)
    })
    gateway.on('data', (bytes) => client.write(bytes))
    for (const [socket, other] of [
      [client, gateway],
      [gateway, client],
    ] as const)
      socket.on('close', () => other.destroy()).on('error', () => other.destroy())
  })
  server.listen(0, '127.0.0.1', () => parentPort!.postMessage((server.address() as { port: number }).port))
}

if (!isMainThread) tap((workerData as { port: number }).port)
