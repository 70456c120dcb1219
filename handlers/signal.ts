/**
 * A strategy's id is an intent: compute its signal from closed bars and record it. No order comes of it.
 * Whatever keeps the signal from being computed is recorded by name (`SignalFailed`); the book is held then, never sold.
 */
import { averageVolumeOf } from '../domain/average-volume.ts'
import { closedBars } from '../domain/bars.ts'
import { nextSession } from '../domain/calendar.ts'
import { SignalBody } from '../domain/commands.ts'
import { canonical, sha256 } from '../domain/commit.ts'
import { parametersOf, settingOf, strategySettingOf } from '../domain/configuration.ts'
import { decimal } from '../domain/decimal.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import type { Instrument, Ledger } from '../domain/ledger.ts'
import { type Broker, type BrokerQuote, BrokerUnavailable, type Contract, type HistoricalBar } from '../domain/ports/broker.ts'
import { fromIso, isoTime } from '../domain/ports/clock.ts'
import { randomFrom } from '../domain/random.ts'
import { withoutSecrets } from '../domain/secrets.ts'
import { type Bar, type BarsRequest, parametersWith, type Signal, type Strategy, signalFault, strategyId } from '../domain/strategy.ts'
import { isTrading } from '../domain/trading-days.ts'
import { defineHandler } from './handler.ts'
import { changedInstruments, changesIn, instrumentOf, newlyResolved } from './instruments.ts'

type Failure = { code: string; text: string }
/** Answers of the broker by instrument key; a refused question is an answer too. */
type SignalFacts = {
  /** Market time at which the broker was asked: a bar that ran then is not closed, however late it is decided about. */
  asked: number
  contracts: Readonly<Record<string, Contract[] | Failure>>
  bars: Readonly<Record<string, HistoricalBar[] | Failure>>
  /** Where they were asked for, and there is one. */
  quotes?: readonly BrokerQuote[]
}

const isFailure = (value: object): value is Failure => 'code' in value && 'text' in value

/** The broker's no is a fact about the signal; a line that is down is none, and is passed on. */
const orRefusal = async <T>(code: string, question: Promise<T>): Promise<T | Failure> => {
  try {
    return await question
  } catch (error) {
    if (error instanceof BrokerUnavailable && error.why === 'refused') return { code, text: error.message }
    throw error
  }
}

/** Who is asked for contracts and bars: the broker, or a catalogue of what it once said. */
export type BarSource = Pick<Broker, 'contracts' | 'bars'>

const gatherInstrument = async (source: BarSource, strategy: Strategy, key: string) => {
  const contracts = await orRefusal('INSTRUMENT_REFUSED', source.contracts(strategy.instruments[key]!))
  const request = strategy.bars.find((candidate) => candidate.instrument === key)
  const contract = isFailure(contracts) || contracts.length !== 1 ? undefined : contracts[0]
  if (request === undefined || contract === undefined) return { contracts, bars: [] }
  const { size, duration, whatToShow, regularHoursOnly } = request
  return { contracts, bars: await orRefusal('BARS_REFUSED', source.bars({ contract, size, duration, whatToShow, regularHoursOnly })) }
}

/** @param now market time of the question */
export const gatherSignal = async (source: BarSource, now: number, strategy: Strategy): Promise<SignalFacts> => {
  const answers = await Promise.all(
    Object.keys(strategy.instruments).map(async (key) => [key, await gatherInstrument(source, strategy, key)] as const),
  )
  return {
    asked: now,
    contracts: Object.fromEntries(answers.map(([key, { contracts }]) => [key, contracts])),
    bars: Object.fromEntries(answers.map(([key, { bars }]) => [key, bars])),
  }
}

/** While its market is open, for outside of its hours a quote is of no moment that one could name. */
const gatherWithQuotes = async (broker: Broker, now: number, strategy: Strategy): Promise<SignalFacts> => {
  const facts = await gatherSignal(broker, now, strategy)
  const found = Object.values(facts.contracts).flatMap((contracts) => (isFailure(contracts) || contracts.length !== 1 ? [] : contracts))
  const open = found.filter(({ hours }) => isTrading(hours, now))
  return open.length === 0 ? facts : { ...facts, quotes: await broker.quotes(open) }
}

// ── Deciding ──

type Resolved = { key: string; instrument: Instrument }

const resolve = (strategy: Strategy, contracts: SignalFacts['contracts']): Resolved[] | Failure => {
  const resolved: Resolved[] = []
  for (const [key, declared] of Object.entries(strategy.instruments)) {
    const matches = contracts[key] ?? []
    if (isFailure(matches)) return matches
    const instrument = instrumentOf(declared, matches)
    if ('code' in instrument) return instrument
    resolved.push({ key, instrument })
  }
  return resolved
}

type Computed = {
  bars: Record<string, Bar[]>
  used: EventData<'SignalGenerated'>['bars']
  prices: EventData<'SignalGenerated'>['prices']
  lastSession: string
}

const closeBars = (strategy: Strategy, resolved: readonly Resolved[], facts: SignalFacts): Computed | Failure => {
  if (strategy.bars.length === 0) return { code: 'BARS_INCOMPLETE', text: 'it asks for no bars, so nothing says how fresh it is' }
  const computed: Computed = { bars: {}, used: [], prices: [], lastSession: '' }
  for (const { key, instrument } of resolved) {
    const request = strategy.bars.find((candidate) => candidate.instrument === key)
    if (request === undefined) continue
    const received = facts.bars[key] ?? []
    if (isFailure(received)) return { ...received, text: `${instrument.symbol}: ${received.text}` }
    const closed = closedBars(received, request, facts.asked)
    if ('code' in closed) return { code: closed.code, text: `${instrument.symbol}: ${closed.text}` }
    computed.bars[key] = closed.bars
    record(computed, request, instrument, { ...closed, quote: facts.quotes?.find(({ conId }) => conId === instrument.conId) })
  }
  return computed
}

const record = (
  computed: Computed,
  { size }: BarsRequest,
  { conId, symbol }: Instrument,
  { bars, lastEnd, lastSession, quote }: { bars: Bar[]; lastEnd: number; lastSession: string; quote: BrokerQuote | undefined },
): void => {
  const last = bars.at(-1)!
  const averageVolume = averageVolumeOf(bars, size)
  computed.used.push({ conId, symbol, size, from: bars[0]!.start, to: last.start, count: bars.length, hash: sha256(canonical(bars)) })
  computed.prices.push({
    conId,
    ...(quote !== undefined && fromIso(quote.at) > lastEnd
      ? { value: quote.price, at: quote.at, source: quote.delayed ? 'delayed quote' : 'quote' }
      : { value: decimal(last.close), at: isoTime(lastEnd), source: `close of the bar of ${size} from ${last.start}` }),
    ...(averageVolume === undefined ? {} : { averageVolume }),
  })
  // The oldest of the latest bars counts: a signal is no fresher than its stalest input.
  computed.lastSession = computed.lastSession === '' || lastSession < computed.lastSession ? lastSession : computed.lastSession
}

const generated = (
  strategy: Strategy,
  resolved: readonly Resolved[],
  signal: Signal,
  { used, prices, lastSession }: Computed,
  parameters: object,
  dryRun: boolean,
): DomainEvent => {
  const targets = signal.kind === 'neutral' ? [] : signal.targets
  return event('SignalGenerated', {
    strategy: strategyId(strategy),
    dryRun,
    kind: signal.kind,
    targets: targets.map((target) => {
      const { conId, symbol } = resolved.find(({ key }) => key === target.instrument)!.instrument
      return { conId, symbol, ...('weight' in target ? { weight: decimal(target.weight) } : { quantity: target.quantity }) }
    }),
    reason: signal.reason,
    indicators: signal.indicators,
    bars: used,
    prices,
    lastSession,
    freshUntil: isoTime(nextSession(lastSession).close),
    parameters: parameters as Record<string, unknown>,
  })
}

/** `SignalGenerated` or `SignalFailed`, and what has to stand in the same commit. */
export const computeSignal = (
  ledger: Readonly<Ledger>,
  strategy: Strategy,
  command: { id: string; body: { dryRun?: boolean } },
  facts: SignalFacts,
): DomainEvent[] => {
  const id = strategyId(strategy)
  const dryRun = (command.body.dryRun ?? false) || strategySettingOf(ledger.configuration, id, 'mode') === 'dry'
  const failed = ({ code, text }: Failure) => event('SignalFailed', { strategy: id, dryRun, code, text })
  if (!strategySettingOf(ledger.configuration, id, 'enabled')) return [failed({ code: 'STRATEGY_DISABLED', text: `${id} is disabled` })]
  const resolved = resolve(strategy, facts.contracts)
  if (!Array.isArray(resolved)) return [failed(resolved)]
  const instruments = resolved.map(({ instrument }) => instrument)
  const changes = changesIn(ledger, instruments)
  const blocked = instruments.find(({ conId }) => ledger.discrepancies[conId]?.kind === 'instrumentChanged')
  if (changes.length > 0 || blocked !== undefined)
    return [
      ...(dryRun ? [] : changedInstruments(ledger, changes)), // a dry run blocks nothing
      failed({ code: 'INSTRUMENT_CHANGED', text: 'one of its instruments is another contract than before' }),
    ]
  const found = newlyResolved(ledger, instruments)
  const parameters = parametersWith(strategy, parametersOf(ledger.configuration, id))
  if (!parameters.ok) return [...found, failed({ code: 'PARAMETERS_INVALID', text: parameters.problem })]
  const computed = closeBars(strategy, resolved, facts)
  if ('code' in computed) return [...found, failed(computed)]
  // What is its own it may change as it likes: neither what is recorded nor the next signal is touched by it.
  const own = structuredClone({ bars: computed.bars, parameters: parameters.value })
  const signal = ask(strategy, { ...own, random: randomFrom(command.id) })
  if ('code' in signal) return [...found, failed(signal)]
  return [...found, generated(strategy, resolved, signal, computed, parameters.value, dryRun)]
}

/** A strategy is the user's own code: what it throws fails its signal, and nothing else. */
const ask = (strategy: Strategy, inputs: Parameters<Strategy['signal']>[0]): Signal | Failure => {
  try {
    const signal = strategy.signal(inputs)
    const fault = signalFault(strategy, signal)
    return fault === undefined ? signal : { code: 'SIGNAL_INVALID', text: fault }
  } catch (error) {
    return { code: 'STRATEGY_THREW', text: withoutSecrets(error instanceof Error ? error.message : String(error)) }
  }
}

export const signal = (strategy: Strategy) =>
  defineHandler({
    body: SignalBody,
    needsBroker: true,
    gather: ({ broker, now }, _, { configuration }) =>
      (settingOf(configuration, 'prices.quotes') ? gatherWithQuotes : gatherSignal)(broker, now, strategy),
    decide: ({ ledger, command, facts }) => computeSignal(ledger, strategy, command, facts),
  })
