/**
 * Every command that has a codec of its own, and the envelope in which any command travels.
 * A strategy's id is a command type too; its body is `SignalBody`.
 */
import * as t from 'io-ts'
import { whatToShowWords } from './bar-series.ts'
import { barMinutes } from './bar-times.ts'
import { type Cause, canonical } from './commit.ts'
import { Changes } from './configuration.ts'
import { DecimalText } from './decimal.ts'
import { type Decoded, decode } from './decode.ts'
import { DurationText } from './durations.ts'

/** A codec of an object that shows its fields, so that a description of it can be made from it. */
export type Fields<R extends t.Props, O extends t.Props> = t.Type<t.TypeOf<t.TypeC<R>> & t.TypeOf<t.PartialC<O>>, unknown, unknown> & {
  readonly required: R
  readonly optional: O
}

/** An object with these fields and no others: a misspelt field is an error, not a default. */
export const body = <R extends t.Props, O extends t.Props>(required: R, optional: O): Fields<R, O> => {
  const known = new Set([...Object.keys(required), ...Object.keys(optional)])
  const shape = t.intersection([t.type(required), t.partial(optional)])
  const codec = new t.Type<t.TypeOf<typeof shape>, unknown, unknown>(
    'body',
    shape.is,
    (input, context) => {
      const unknown = typeof input === 'object' && input !== null ? Object.keys(input).find((key) => !known.has(key)) : undefined
      if (unknown !== undefined) return t.failure(input, context, `"${unknown}" is not a field of this command`)
      // In the name of the shape: the numbers of its halves mean nothing to whoever reads what is wrong.
      return shape.validate(input, [...context.slice(0, -1), { ...context.at(-1)!, type: shape }])
    },
    t.identity,
  )
  return Object.assign(codec, { required, optional })
}

/** `limits`: what `fits` demands, in the words of JSON schema. */
const within = (name: string, fits: (value: number) => boolean, limits: { minimum?: number; maximum?: number } = {}) =>
  Object.assign(t.refinement(t.number, fits, name), { limits })
const Minutes = within('minutes from 1 to 1440', (value) => value >= 1 && value <= 1440, { minimum: 1, maximum: 1440 })
const Names = t.array(t.string)
const NonEmpty = Object.assign(
  t.refinement(t.string, (text) => text.trim() !== '', 'a text that is not empty'),
  { limits: { minLength: 1, pattern: '\\S' } },
)

const shaped = (name: string, pattern: string) =>
  Object.assign(
    t.refinement(t.string, (text) => new RegExp(`^(${pattern})$`).test(text), name),
    { limits: { pattern: `^(${pattern})$` } },
  )
const offset = 'a fraction of the reference price from -1 to 1, or ticks such as "3 ticks"'
const timeOfDay = '([01]\\d|2[0-3]):[0-5]\\d New York'
const isoTime = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?(Z|[+-]\\d\\d:\\d\\d)'

/**
 * How the increases of a decision go out; a reduction always goes at market, for the day. `limitOffset`: how far the limit lies from the
 * reference, a buy above it, a sell below; less than 0 waits for a better price. Which of them go together: commander/order-properties.ts.
 */
export const OrderProperties = body(
  {},
  {
    type: t.keyof({ MKT: null, LMT: null, MOC: null, LOC: null }),
    limitOffset: t.union([
      within(offset, (value) => value >= -1 && value <= 1, { minimum: -1, maximum: 1 }),
      shaped(offset, '-?\\d{1,6} ticks?'),
    ]),
    timeInForce: t.keyof({ DAY: null, GTC: null, GTD: null, OPG: null }),
    goodTillDate: shaped('a date such as 2026-11-23', '\\d{4}-\\d\\d-\\d\\d'),
    goodAfterTime: shaped('an ISO time with its zone, or a time such as "10:30 New York"', `${timeOfDay}|${isoTime}`),
    outsideRegularHours: t.boolean,
    algo: t.keyof({ none: null, Adaptive: null }),
    adaptivePriority: t.keyof({ Urgent: null, Normal: null, Patient: null }),
  },
)
export type OrderProperties = t.TypeOf<typeof OrderProperties>

export const SignalBody = body({}, { dryRun: t.boolean })
export const ReconcileBody = body({}, {})
export const SummaryBody = body({}, {})
export const TradeReconciliationBody = body({}, {})
export const CashBalancerBody = body({}, { dryRun: t.boolean })
export const AllocationBody = body({}, { dryRun: t.boolean, strategies: Names, freshMinutes: Minutes, orderProperties: OrderProperties })
export const OrchestratorBody = body(
  {},
  { strategies: Names, dryRun: t.boolean, runReconcile: t.boolean, freshMinutes: Minutes, orderProperties: OrderProperties },
)
/** `strategies`: whose books; all of ours where it is left out. */
export const CloseAllBody = body({}, { dryRun: t.boolean, strategies: Names, includeManual: t.boolean, reason: NonEmpty })
/** `resetPeaks`: after a withdrawal, which is no loss. */
export const RiskCheckBody = body({}, { resetPeaks: t.boolean, reason: NonEmpty })
export const EodCheckBody = body({}, {})
export const HaltBody = body({}, { reason: NonEmpty, cancelWorking: t.boolean })
export const ResumeBody = body({}, { reason: NonEmpty })
export const ConfigureBody = body({ changes: Changes }, { reason: NonEmpty })
export const CancelOrderBody = body({ orderRef: NonEmpty }, { reason: NonEmpty })
export const ResolveOrderBody = body(
  { orderRef: NonEmpty, as: t.keyof({ lost: null, expired: null, cancelled: null, rejected: null }), reason: NonEmpty },
  {},
)
/**
 * `quantity` is needed but with `ratio` ("2:1", new for old, as `corporateAction`; `price` is what was paid for a whole new share where
 * fractions were paid in cash). `from`: nothing is unexplained, a quantity moves from `manual` into the book of `strategy` (as `book`) or from
 * a strategy's book to `manual` (as `manual`), signed as it is held.
 */
export const ExplainBody = body(
  {
    instrument: t.union([NonEmpty, t.number]),
    as: t.keyof({ manual: null, book: null, fill: null, corporateAction: null }),
  },
  { quantity: DecimalText, strategy: NonEmpty, from: NonEmpty, orderRef: NonEmpty, price: DecimalText, ratio: NonEmpty, reason: NonEmpty },
)

/** `instrument`: as strategies declare one, or the symbol or contract id of one that is known here. All else in IB's words. */
export const CollectMarketDataBody = body(
  {
    instrument: t.union([
      NonEmpty,
      body(
        { symbol: NonEmpty, secType: t.keyof({ STK: null, IND: null, FUT: null, CASH: null }), exchange: NonEmpty, currency: NonEmpty },
        { primaryExchange: NonEmpty },
      ),
    ]),
    barSize: t.keyof({ ...barMinutes, '1 day': null }),
    duration: DurationText,
    whatToShow: t.keyof(Object.fromEntries(whatToShowWords.map((word) => [word, null])) as Record<(typeof whatToShowWords)[number], null>),
  },
  { regularHoursOnly: t.boolean },
)

/** A command as the engine takes it: what will be the cause of its commit, and the body. */
export type Command<B = unknown> = Omit<Extract<Cause, { kind: 'command' }>, 'kind'> & { body: B }

/** Longer than anybody writes, and far from what a commit can hold: a message must not be able to stop the engine. */
export const longestBody = 64_000
const longestAttribute = 256

const idShape = /^[A-Za-z0-9][A-Za-z0-9._@:-]{0,95}$/

/** Ids become document names and are extended by steps. */
export const isCommandId = (id: string): boolean => idShape.test(id) && !id.includes('..')

/**
 * Reads the envelope of a message. `slotOf` gives the time slot of a job at a publish time: a job's command without an id is named by it.
 * The body is read later, by the codec of its handler: a bad body is a refusal with a trace, a bad envelope a dead letter.
 */
export const readEnvelope = (
  message: { id: string; data: string; publishedAt: string; attributes: Readonly<Record<string, string>> },
  slotOf: (job: string, publishedAt: string) => string | undefined,
): Decoded<Command> => {
  const { attributes, publishedAt } = message
  const type = attributes['type']
  if (type === undefined || type === '') return { ok: false, problem: 'the attribute "type" is missing' }
  if (message.data.length > longestBody)
    return { ok: false, problem: `the body has ${message.data.length} characters, at most ${longestBody} are taken` }
  const long = Object.keys(attributes).find((name) => attributes[name]!.length > longestAttribute)
  if (long !== undefined) return { ok: false, problem: `the attribute "${long}" has more than ${longestAttribute} characters` }
  const garbled = Object.keys(attributes).find((name) => !attributes[name]!.isWellFormed())
  if (garbled !== undefined) return { ok: false, problem: `the attribute "${garbled}" is not Unicode text` }
  const body = decodeJson(message.data)
  if (!body.ok) return body
  const job = attributes['job']
  const slot = job === undefined ? undefined : slotOf(job, publishedAt)
  const id = attributes['id'] ?? (slot === undefined ? message.id : `${job}@${slot}`)
  if (!isCommandId(id))
    return {
      ok: false,
      problem: `the id ${JSON.stringify(id)} must begin with a letter or digit and have at most 96 letters, digits and ._@:-`,
    }
  const optional = (name: 'actor' | 'correlationId' | 'digest' | 'job') =>
    attributes[name] === undefined ? {} : { [name]: attributes[name] }
  return {
    ok: true,
    value: {
      id,
      type,
      publishedAt,
      source: attributes['source'] ?? 'unknown',
      ...optional('actor'),
      ...optional('correlationId'),
      ...optional('digest'),
      ...optional('job'),
      body: body.value,
    },
  }
}

const decodeJson = (data: string): Decoded<Record<string, unknown>> => {
  if (data.trim() === '') return { ok: true, value: {} }
  let value: unknown
  try {
    value = JSON.parse(data)
  } catch {
    return { ok: false, problem: 'the body is not JSON' }
  }
  try {
    canonical(value) // what comes of it could never be stored, not even a halt with such a reason
  } catch {
    return { ok: false, problem: 'the body holds text that is not Unicode, or is nested too deeply' }
  }
  return decode(t.UnknownRecord, value)
}
