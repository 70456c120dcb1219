/** Ports of a process that may be killed: from then on nothing is asked of them, and no answer comes. */
import type { Bus, Delivery } from '../../../domain/ports/bus.ts'
import type { Clock } from '../../../domain/ports/clock.ts'

export const never = <Value>(): Promise<Value> => new Promise(() => {})

/** Every method that answers with a promise. */
export const mortal = <Port extends object>(port: Port, dead: AbortSignal): Port =>
  new Proxy(port, {
    get: (target, name) => {
      const found = Reflect.get(target, name)
      if (typeof found !== 'function') return found
      return (...given: unknown[]) => {
        if (dead.aborted) return never()
        const answer = found.apply(target, given)
        return answer instanceof Promise ? answer.then((value) => (dead.aborted ? never() : value)) : answer
      }
    },
  })

/** Its timers end with it. */
export const mortalClock = ({ now, at, monotonic, after }: Clock, dead: AbortSignal): Clock => {
  const open = new Set<() => void>()
  dead.addEventListener('abort', () => {
    for (const callOff of open) callOff()
  })
  const ending =
    (set: Clock['at']): Clock['at'] =>
    (when, run) => {
      if (dead.aborted) return () => {}
      const callOff = set(when, () => {
        open.delete(callOff)
        run()
      })
      open.add(callOff)
      return () => {
        open.delete(callOff)
        callOff()
      }
    }
  return { now, monotonic, at: ending(at), after: ending(after) }
}

/** What was delivered dies with its reader. */
export const mortalBus = (bus: Bus, dead: AbortSignal): Bus => ({
  ...mortal(bus, dead),
  publish: mortal(bus, dead).publish,
  subscribe: (subscription, consume) =>
    bus.subscribe(subscription, (delivery: Delivery) => dead.aborted || consume(mortal(delivery, dead))),
})
