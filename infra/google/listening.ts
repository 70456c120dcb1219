/**
 * A listener of Firestore that outlives its errors. The client gives up at some errors, and after others waits on its own for
 * minutes: whatever happens, a listener that has heard nothing for a while is replaced by a new one, and each new one says so,
 * since something may have been missed.
 */
import type { Clock } from '../../domain/ports/clock.ts'
import { backOffMs } from './firestore-calls.ts'

/** The net below keep-alive and the client's own reconnecting. A quiet collection, and whoever looks again then, costs reads so often. */
const anewAfterMs = 300_000

/** Begins one genuine listener: `query.onSnapshot(heard, failed)`. Returns the way to end it. */
export type Listen = (heard: () => void, failed: () => void) => () => void

/** Calls `heard` at every change and at every new beginning, also spuriously. Returns the way to end it all. */
export const keepListening = (listen: Listen, clock: Pick<Clock, 'after'>, heard: () => void): (() => void) => {
  let failures = 0
  let ended = false
  let endListener = () => {}
  let callOff = () => {}

  const wait = (milliseconds: number): void => {
    callOff()
    callOff = clock.after(milliseconds, begin)
  }
  const begin = (): void => {
    endListener()
    wait(anewAfterMs)
    let own = true
    const end = listen(
      () => {
        if (!own || ended) return
        failures = 0
        wait(anewAfterMs)
        heard()
      },
      () => {
        if (!own || ended) return
        failures += 1
        wait(backOffMs(failures))
      },
    )
    endListener = () => {
      own = false
      end()
    }
  }
  begin()
  return () => {
    ended = true
    callOff()
    endListener()
  }
}
