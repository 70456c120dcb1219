/**
 * `collect-market-data`: bars from the broker into the catalogue, once. The catalogue is written while facts are gathered, before the
 * decision is in the journal: asked again, what is there already is not added again.
 */
import { type BarSeries, calendarOf, type Gaps, gapsIn, monthOf, monthsBetween, onlyClosed, type Revision } from '../domain/bar-series.ts'
import { problemIn } from '../domain/bars.ts'
import { addDays, newYorkDate } from '../domain/calendar.ts'
import { CollectMarketDataBody } from '../domain/commands.ts'
import { canonical, sha256 } from '../domain/commit.ts'
import { decimal } from '../domain/decimal.ts'
import { endOfDate, mostRequests, pieceStart, planRequests, type RequestPlan, readDuration, startOn } from '../domain/durations.ts'
import { isRefusal, type Refusal, refuse } from '../domain/errors.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import type { Instrument, Ledger } from '../domain/ledger.ts'
import { type BarCatalogue, BarsUnavailable } from '../domain/ports/bar-catalogue.ts'
import type { Broker, HistoricalBar } from '../domain/ports/broker.ts'
import { isoTime } from '../domain/ports/clock.ts'
import type { DeclaredInstrument } from '../domain/strategy.ts'
import { defineHandler, type Ports } from './handler.ts'
import { changesIn, instrumentOf, newlyResolved } from './instruments.ts'

type Wanted = {
  instrument: string | DeclaredInstrument
  barSize: BarSeries['size']
  duration: string
  whatToShow: BarSeries['whatToShow']
  regularHoursOnly?: boolean
}

/** `declared`: by the command itself, so that the ledger may not know it yet. `from` is null when there was no closed bar at all. */
type Collected = {
  instrument: Instrument
  declared: boolean
  series: BarSeries
  asked: string
  from: string | null
  to: string
  count: number
  hash: string
  added: number
  changed: readonly Revision[]
  gaps: Gaps | undefined
  partitions: string[]
  isBehind: boolean
}

// ── Which instrument ──

/** By its symbol or contract id, one that a decision named before. */
const knownInstrument = (ledger: Readonly<Ledger>, name: string): Instrument | Refusal => {
  const known = Object.values(ledger.instruments)
  const found = known.filter(({ conId, symbol }) => symbol === name || String(conId) === name)
  if (found.length === 0)
    return refuse('INSTRUMENT_UNKNOWN', `${name}; declare it: { "symbol", "secType", "exchange", "currency" }`, {
      known: known.map(({ symbol }) => symbol).sort(),
    })
  if (found.length > 1)
    return refuse('INSTRUMENT_AMBIGUOUS', `${name} is contract ${found.map(({ conId }) => conId).join(' and ')}; name the id`)
  return found[0]!
}

const declaredInstrument = async (broker: Broker, declared: DeclaredInstrument): Promise<Instrument | Refusal> => {
  const instrument = instrumentOf(declared, await broker.contracts(declared))
  return 'code' in instrument ? refuse(instrument.code, instrument.text) : instrument
}

// ── Asking ──

type Request = Parameters<Broker['bars']>[0]

/** From the newest answer to the oldest: a duration goes back from its end. */
async function* answersTo(
  broker: Broker,
  request: Omit<Request, 'duration' | 'end'>,
  plan: RequestPlan,
  now: number,
): AsyncGenerator<HistoricalBar[]> {
  if (plan.kind === 'whole') {
    yield await broker.bars({ ...request, duration: plan.duration })
    return
  }
  for (let end = now, piece = 0; ; piece++) {
    const bars = await broker.bars({ ...request, duration: plan.duration, ...(piece === 0 ? {} : { end: isoTime(end) }) })
    yield bars
    const [first] = bars
    if (first === undefined) return // history begins here
    const reached = request.size === '1 day' ? first.start : newYorkDate(Date.parse(first.start))
    const planned = pieceStart(plan.duration, end)
    // What the answer lacks at its begin is asked for again with the next piece, so that no hole is left between two.
    const covered = reached > planned ? reached : planned
    const next = endOfDate(addDays(covered, -1))
    if (covered <= plan.from || next >= end) return // a broker that does not go back would be asked for ever
    end = next
  }
}

const gather = async ({ broker, catalogue, now }: Ports, body: Wanted, ledger: Readonly<Ledger>): Promise<Collected | Refusal> => {
  const { barSize: size, whatToShow, regularHoursOnly = true } = body
  const plan = planRequests(readDuration(body.duration)!, size, whatToShow !== 'ADJUSTED_LAST', now)
  if (plan.kind === 'pieces' && plan.count > mostRequests)
    return refuse('REQUEST_TOO_LARGE', `${body.duration} of ${size} takes more than ${mostRequests} requests of ${plan.duration}`)
  const declared = typeof body.instrument !== 'string'
  const instrument =
    typeof body.instrument === 'string' ? knownInstrument(ledger, body.instrument) : await declaredInstrument(broker, body.instrument)
  if (isRefusal(instrument)) return instrument
  const series: BarSeries = { conId: instrument.conId, symbol: instrument.symbol, size, whatToShow, regularHoursOnly }
  const request = { contract: instrument, size, whatToShow, regularHoursOnly }
  try {
    const collected = await collect(answersTo(broker, request, plan, now), catalogue, series, {
      ...{ instrument, now },
      begin: plan.kind === 'pieces' ? startOn(plan.from, size) : '', // one answer is taken as it is: the broker knows its sessions
    })
    return isRefusal(collected) ? collected : { ...collected, instrument, declared, series, asked: plan.from }
  } catch (error) {
    if (error instanceof BarsUnavailable) return refuse(refusals[error.why], error.message)
    throw error
  }
}

const refusals = { damaged: 'CATALOGUE_DAMAGED', refused: 'CATALOGUE_REFUSED', unreachable: 'CATALOGUE_UNREACHABLE' } as const

/** Each answer is kept before the next one is asked for. */
const collect = async (
  answers: AsyncGenerator<HistoricalBar[]>,
  catalogue: BarCatalogue,
  series: BarSeries,
  { instrument, begin, now }: { instrument: Instrument; begin: string; now: number },
) => {
  const calendar = calendarOf(instrument)
  const changed: Revision[] = []
  let [added, first] = [0, undefined as string | undefined]
  for await (const answer of answers) {
    const bars = onlyClosed(answer, series, calendar, now).filter(({ start }) => start >= begin)
    const problem = problemIn(bars)
    if (problem !== undefined) return refuse('BARS_INVALID', `${series.symbol}: ${problem}`)
    const merged = await catalogue.merge(series, bars)
    added += merged.added
    changed.push(...merged.changed)
    if (bars[0] !== undefined && (first === undefined || bars[0].start < first)) first = bars[0].start
  }
  if (first === undefined)
    return { from: null, to: '', count: 0, hash: '', added, changed, gaps: undefined, partitions: [], isBehind: false }
  const bars = await catalogue.read(series, { from: first, to: isoTime(now) })
  const to = bars.at(-1)!.start
  return {
    ...{ from: first, to, count: bars.length, hash: sha256(canonical(bars)), added, changed },
    gaps: gapsIn(bars, first, series, calendar, now),
    partitions: monthsBetween(first, to),
    isBehind: changed.length > 0 && (await catalogue.months(series))[0]! < monthOf(first),
  }
}

// ── Deciding ──

const namedRevisions = 20

const collectedEvent = (facts: Collected & { from: string }): EventData<'MarketDataCollected'> => {
  const { series, asked, from, to, count, hash, added, changed, gaps, partitions, isBehind } = facts
  return {
    ...series,
    ...{ asked, from, to, count, hash, added, changed: changed.length },
    revisions: changed
      .slice(0, namedRevisions)
      .map(({ start, before, after }) => ({ start, before: decimal(before.close), after: decimal(after.close) })),
    gaps: gaps ?? null,
    partitions,
    ...(isBehind ? { warning: `bars before ${from} were not asked for: after a split or a dividend they are told differently too` } : {}),
  }
}

export const collectMarketData = defineHandler({
  body: CollectMarketDataBody,
  needsBroker: true,
  gather: (ports, { body }, ledger) => gather(ports, body, ledger),
  decide: ({ ledger, facts }): DomainEvent[] | Refusal => {
    if (isRefusal(facts)) return facts
    const { instrument, declared, from, asked } = facts
    // Another contract under a name whose old one is held is for the signal to find, and for a person to look at.
    const found = declared && changesIn(ledger, [instrument]).length === 0 ? newlyResolved(ledger, [instrument]) : []
    if (from === null) {
      const text = `${instrument.symbol}: the broker sent no closed bar from ${asked} on`
      return [...found, event('CommandCompleted', { result: { changed: false, text } })]
    }
    return [...found, event('MarketDataCollected', collectedEvent({ ...facts, from }))]
  },
})
