/**
 * The time of a whole world, in one thread: whatever happens is an appointment, and appointments are kept one at a time.
 * Machine time passes from appointment to appointment. Market time goes with it, and may be moved ahead by itself over empty hours.
 */

type Appointment = { time: number; number: number; run: () => void }

export type WorldClock = {
  /** Market time in epoch milliseconds. */
  now(): number
  /** Machine time in milliseconds. */
  monotonic(): number
  at(marketTime: number, run: () => void): () => void
  after(milliseconds: number, run: () => void): () => void
  /** Keeps all appointments of the next so many milliseconds of machine time. @throws TooBusy */
  pass(milliseconds: number): Promise<void>
  /** Moves market time on; at every market appointment on the way, machine time passes a little so that its consequences settle. */
  skipTo(marketTime: number): Promise<void>
  /** Appointments kept so far. */
  kept(): number
}

/** More appointments than any sound history needs: something calls itself for ever. */
export class TooBusy extends Error {
  override name = 'TooBusy'
}

const mostAppointments = 200_000
/** What one market appointment sets off is over after this, when nothing fails. */
const settleMs = 2_000

/** All that can run without an appointment has run: promises are kept in one turn of the event loop. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** In order of time, then of making. */
const createAgenda = () => {
  const appointments: Appointment[] = []
  let made = 0
  return {
    first: (): Appointment | undefined => appointments[0],
    add: (time: number, run: () => void): (() => void) => {
      made += 1
      const appointment = { time, number: made, run }
      let place = appointments.length
      while (place > 0 && appointments[place - 1]!.time > time) place--
      appointments.splice(place, 0, appointment)
      return () => {
        const index = appointments.indexOf(appointment)
        if (index >= 0) appointments.splice(index, 1)
      }
    },
    remove: (): void => void appointments.shift(),
  }
}

/** @param start market time in epoch milliseconds */
export const createWorldClock = (start: number): WorldClock => {
  const machine = createAgenda()
  const market = createAgenda()
  let monotonic = 0
  let ahead = start
  let kept = 0

  const keep = async (agenda: typeof machine, { run }: Appointment): Promise<void> => {
    agenda.remove()
    kept += 1
    if (kept > mostAppointments) throw new TooBusy(`more than ${mostAppointments} appointments`)
    run()
    await settled()
  }

  const pass = async (milliseconds: number): Promise<void> => {
    const end = monotonic + milliseconds
    await settled()
    for (;;) {
      const byMachine = machine.first()
      const byMarket = market.first()
      const machineTime = byMachine?.time ?? Number.POSITIVE_INFINITY
      const marketTime = byMarket === undefined ? Number.POSITIVE_INFINITY : byMarket.time - ahead
      if (Math.min(machineTime, marketTime) > end) break
      monotonic = Math.max(monotonic, Math.min(machineTime, marketTime))
      await (machineTime <= marketTime ? keep(machine, byMachine!) : keep(market, byMarket!))
    }
    monotonic = end
  }

  return {
    now: () => ahead + monotonic,
    monotonic: () => monotonic,
    at: (time, run) => market.add(time, run),
    after: (milliseconds, run) => machine.add(monotonic + milliseconds, run),
    pass,
    skipTo: async (time) => {
      for (;;) {
        const next = market.first()
        const to = Math.min(time, next?.time ?? time)
        ahead = Math.max(ahead, to - monotonic)
        if (ahead + monotonic >= time) return
        await pass(settleMs)
      }
    },
    kept: () => kept,
  }
}
