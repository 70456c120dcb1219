/**
 * Faults by a plan: at a time, every day, every so many seconds, or when something happens; with a chance that the seed decides. The
 * same plan, seed and requests give the same faults. A plan is a list in YAML or JSON, or one JSON object a line:
 *
 *     - at: 2019-06-03T10:00:00-04:00
 *       do: { fault: linkDown }
 *     - when: order
 *       nth: 3
 *       do: [{ fault: dropConnections, when: afterAck }, { wait: 60 }, { fault: clear }]
 */
import { readFileSync } from 'node:fs'
import * as t from 'io-ts'
import { parse } from 'yaml'
import { addDays, newYorkDate, newYorkTime } from '../../domain/calendar.ts'
import { decode } from '../../domain/decode.ts'
import { randomFrom } from '../../domain/random.ts'
import type { Clock } from './clock.ts'
import { counted, oneOf, positive, whole } from './fault-row.ts'
import { type Happened, type Happening, happeningKinds } from './happenings.ts'
import { requests } from './requests.ts'
import { instantOf } from './time-text.ts'

/** A fault, or a wait of so many seconds of simulated time before the next step. */
export type Step = { fault: string } | { wait: number }

const Probability = new t.Type<number>(
  'a probability, above 0 and at most 1',
  t.number.is,
  (value, context) => (typeof value === 'number' && value > 0 && value <= 1 ? t.success(value) : t.failure(value, context)),
  t.identity,
)
const DayTime = new t.Type<string>(
  'a time in New York as 23:45',
  t.string.is,
  (value, context) => (typeof value === 'string' && /^([01]\d|2[0-3]):[0-5]\d$/.test(value) ? t.success(value) : t.failure(value, context)),
  t.identity,
)

const fields = {
  at: t.string,
  daily: DayTime,
  each: positive,
  when: oneOf(happeningKinds),
  request: t.string,
  orderRef: t.string,
  clientId: whole,
  nth: counted,
  every: counted,
  chance: Probability,
  times: counted,
  do: t.unknown,
}

/**
 * When: one of `at` (a date or an ISO time with its zone), `daily` (a time in New York), `each` (seconds of simulated time) and `when`
 * (something happens, narrowed by `clientId`, `orderRef`, `request`). Then `nth` takes one of these alone, `every` each so-manieth,
 * `chance` lets the seed decide, and `times` is the most that it is carried out.
 */
export type Entry = t.TypeOfPartialProps<Omit<typeof fields, 'do'>> & { do: readonly Step[] }

const narrowing = ['request', 'orderRef', 'clientId', 'nth', 'every'] as const

/** @throws Error with one line that names the entry and what is wrong with it */
export const readScript = (given: unknown, checkFault: (body: unknown) => void): Entry[] => {
  if (!Array.isArray(given)) throw new Error('a script is a list of entries')
  return given.map((entry, place) => {
    try {
      return readEntry(entry, checkFault)
    } catch (error) {
      throw new Error(`entry ${place + 1}: ${(error as Error).message}`, { cause: error })
    }
  })
}

const readEntry = (given: unknown, checkFault: (body: unknown) => void): Entry => {
  const decoded = decode(t.intersection([t.UnknownRecord, t.partial(fields)]), given)
  if (!decoded.ok) throw new Error(decoded.problem)
  const { do: steps, ...entry } = decoded.value
  const extra = Object.keys(entry).find((name) => !(name in fields))
  if (extra !== undefined) throw new Error(`${extra}: there are ${Object.keys(fields).join(', ')}`)
  const triggers = (['at', 'daily', 'each', 'when'] as const).filter((name) => entry[name] !== undefined)
  if (triggers.length !== 1) throw new Error('it needs one of at, daily, each and when')
  const stray = triggers[0] === 'when' ? undefined : narrowing.find((name) => entry[name] !== undefined)
  if (stray !== undefined) throw new Error(`${stray}: goes with when`)
  if (entry.nth !== undefined && (entry.every !== undefined || entry.chance !== undefined))
    throw new Error('nth: goes neither with every nor with chance')
  if (entry.at !== undefined && instantOf(entry.at) === undefined)
    throw new Error(`at: ${JSON.stringify(entry.at)} is neither a date nor an ISO time with its zone`)
  if (entry.request !== undefined && (entry.when !== 'message' || !requestNames.has(entry.request)))
    throw new Error(`request: goes with when message, and is one of ${[...requestNames].join(', ')}`)
  if (entry.orderRef !== undefined && entry.when !== 'order' && entry.when !== 'execution')
    throw new Error('orderRef: goes with when order or execution')
  if (steps === undefined) throw new Error('do: expected a fault or a list of faults and waits, got nothing')
  return { ...entry, do: (Array.isArray(steps) ? steps : [steps]).map((step) => readStep(step, checkFault)) }
}

const requestNames: ReadonlySet<string> = new Set(Object.values(requests).map(({ name }) => name))

const Wait = t.strict({ wait: positive })

const readStep = (step: unknown, checkFault: (body: unknown) => void): Step => {
  if (typeof step === 'object' && step !== null && 'wait' in step && Object.keys(step).length === 1) {
    const decoded = decode(Wait, step)
    if (!decoded.ok) throw new Error(`do: ${decoded.problem}`)
    return decoded.value
  }
  try {
    checkFault(step)
  } catch (error) {
    throw new Error(`do: ${(error as Error).message}`, { cause: error })
  }
  return step as Step
}

/** A list in YAML or JSON, or a JSON object a line. @throws Error with one line that names what is wrong */
export const readScriptText = (text: string, checkFault: (body: unknown) => void): Entry[] => {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return readScript(lines.every((line) => line.startsWith('{')) ? lines.map(jsonOf) : yamlOf(text), checkFault)
}

const jsonOf = (line: string, place: number): unknown => {
  try {
    return JSON.parse(line)
  } catch {
    throw new Error(`entry ${place + 1}: the line is not JSON`)
  }
}

const yamlOf = (text: string): unknown => {
  try {
    return parse(text)
  } catch (error) {
    throw new Error(`it is not YAML: ${(error as Error).message.split('\n')[0]}`, { cause: error })
  }
}

/** @throws Error naming the file and what is wrong with it */
export const readScriptFile = (path: string, checkFault: (body: unknown) => void): Entry[] => {
  try {
    return readScriptText(readFileSync(path, 'utf8'), checkFault)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error })
  }
}

// ── Carrying it out ──

export type Script = {
  /** @throws Error naming the entry whose time has passed */
  add: (entries: readonly Entry[]) => void
  happened: Happened
  /** Each entry with how often what it waits for came, how often it was carried out, and what went wrong last. */
  told: () => object[]
  clear: () => void
}

type Running = { entry: Entry; came: number; done: number; problem?: string; random: () => number; over: boolean }

/** What `run` throws is told with the entry. */
export type Faults = { run: (body: object) => object; touchesBroker: (body: { fault: string }) => boolean }

/** `seed` decides all chances. */
export const createScript = (seed: number, clock: Clock, faults: Faults): Script => {
  const all: Running[] = []
  let added = 0
  let acting = false

  const isSpent = ({ entry, done, over }: Running): boolean =>
    over || done >= (entry.times ?? (isOnce(entry) ? 1 : Number.POSITIVE_INFINITY))
  const isOnce = ({ at, nth, every, chance, when }: Entry): boolean =>
    at !== undefined || nth !== undefined || (when !== undefined && every === undefined && chance === undefined)

  const consider = (running: Running, inReport = false): void => {
    if (isSpent(running)) return
    const { entry, random } = running
    running.came += 1
    if (entry.nth !== undefined && running.came !== entry.nth) return
    if (entry.every !== undefined && running.came % entry.every !== 0) return
    if (entry.chance !== undefined && random() >= entry.chance) return
    running.done += 1
    carryOut(running, entry.do, inReport)
  }

  /** In the middle of a report the broker is not touched: what would waits until it is done with the moment. */
  const carryOut = (running: Running, steps: readonly Step[], inReport = false): void => {
    const [step, ...rest] = steps
    if (step === undefined || running.over) return
    if ('wait' in step) {
      clock.at(clock.now() + step.wait * 1000, () => carryOut(running, rest))
      return
    }
    if (inReport && faults.touchesBroker(step)) {
      clock.at(clock.now(), () => carryOut(running, steps))
      return
    }
    act(running, step)
    carryOut(running, rest, inReport)
  }

  /** What it brings about sets off no other entry: an execution that is corrected at each execution would never end. */
  const act = (running: Running, step: { fault: string }): void => {
    const trouble = (error: Error): void => {
      running.problem = error.message
    }
    acting = true
    try {
      Promise.resolve(faults.run(step)).catch(trouble)
    } catch (error) {
      trouble(error as Error)
    } finally {
      acting = false
    }
  }

  /** By the clock, again and again while there is something left to do. */
  const plan = (running: Running, time: number, next: (time: number) => number): void => {
    clock.at(time, () => {
      if (isSpent(running)) return
      consider(running)
      if (!isSpent(running)) plan(running, next(time), next)
    })
  }

  const begin = (running: Running): void => {
    const { at, daily, each } = running.entry
    if (at !== undefined) clock.at(instantOf(at)!, () => consider(running))
    if (each !== undefined) plan(running, clock.now() + each * 1000, (time) => time + each * 1000)
    if (daily !== undefined) {
      const today = newYorkTime(newYorkDate(clock.now()), daily)
      const next = (time: number): number => newYorkTime(addDays(newYorkDate(time), 1), daily)
      plan(running, today > clock.now() ? today : next(clock.now()), next)
    }
  }

  const fits = ({ when, clientId, orderRef, request }: Entry, happening: Happening): boolean =>
    when === happening.kind &&
    (clientId === undefined || clientId === happening.clientId) &&
    (orderRef === undefined || ('orderRef' in happening && orderRef === happening.orderRef)) &&
    (request === undefined || ('name' in happening && request === happening.name))

  return {
    add: (entries) => {
      const past = entries.findIndex(({ at }) => at !== undefined && instantOf(at)! < clock.now())
      if (past >= 0)
        throw new Error(`entry ${past + 1}: at: ${entries[past]!.at} is before the clock, ${new Date(clock.now()).toISOString()}`)
      for (const entry of entries) {
        const running: Running = { entry, came: 0, done: 0, random: randomFrom(`${seed}|script|${++added}`), over: false }
        all.push(running)
        begin(running)
      }
    },
    happened: (happening) => {
      if (acting) return
      for (const running of [...all]) if (fits(running.entry, happening)) consider(running, happening.kind === 'execution')
    },
    told: () => all.map(({ entry, came, done, problem }) => ({ ...entry, came, done, ...(problem === undefined ? {} : { problem }) })),
    clear: () => {
      for (const running of all.splice(0)) running.over = true
    },
  }
}
