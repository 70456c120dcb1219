/**
 * Given facts, when something is decided, then see what comes of it.
 * Steps are folded through the real fold, one commit each, encoded and decoded like anything in the journal.
 */
import type { AllocationFacts, AllocationRequest } from '../domain/commander/commander.ts'
import { type Cause, genesisHash, store } from '../domain/commit.ts'
import type { Configuration } from '../domain/configuration.ts'
import type { Decimal } from '../domain/decimal.ts'
import { isRefusal, type Refusal } from '../domain/errors.ts'
import { type DomainEvent, type EventData, type EventType, event, toStored } from '../domain/events.ts'
import { fold } from '../domain/fold.ts'
import { initialLedger, type Ledger } from '../domain/ledger.ts'

// ── Folding ──

type Moment = { readonly time: string }
type Together = { readonly events: readonly DomainEvent[]; readonly cause?: Cause }
/** One event is one commit; events that belong in one commit come through `together`; `at` sets the time of all that follows. */
export type Step = DomainEvent | Together | Moment | readonly Step[]

/** 10:00 on a Tuesday in New York, half an hour after the open. */
export const tuesday = '2024-01-09T15:00:00.000Z'
export const mondayClose = '2024-01-08T21:00:00.000Z'
export const tuesdayClose = '2024-01-09T21:00:00.000Z'

/** What follows is recorded at this ISO time. */
export const at = (time: string): Moment => ({ time })
export const together = (...events: DomainEvent[]): Together => ({ events })
/** A commit of a command, or of a step of a pipeline. */
export const caused = (cause: Extract<Cause, { kind: 'command' }>, ...events: DomainEvent[]): Together => ({ events, cause })
export const command = (id: string, type: string, more: { pipeline?: string; publishedAt?: string } = {}) =>
  ({ kind: 'command', id, type, publishedAt: tuesday, source: 'test', ...more }) as const

/** Deep, so that a decision that changes what it reads throws. */
export const frozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen)
  return value
}

const record = (ledger: Ledger, { events, cause }: Together, recordedAt: string): void => {
  const position = ledger.position + 1
  const previousHash = ledger.position === 0 ? genesisHash : ledger.hash
  const because = cause ?? { kind: 'broker', report: 'test' }
  const commit = {
    position,
    epoch: Math.max(ledger.epoch, 1),
    recordedAt,
    cause: because,
    events: toStored(events, recordedAt),
    previousHash,
  }
  fold(ledger, store(commit))
}

/** Folds the steps onto a copy of the ledger. */
export const continued = (before: Ledger, ...steps: Step[]): Ledger => {
  const ledger = structuredClone(before)
  let time = ledger.position === 0 ? tuesday : ledger.recordedAt
  const take = (step: Step): void => {
    if (Array.isArray(step)) for (const inner of step as readonly Step[]) take(inner)
    else if ('time' in step) time = step.time
    else if ('events' in step) record(ledger, step, time)
    else record(ledger, { events: [step as DomainEvent] }, time)
  }
  take(steps)
  return ledger
}

export const ledgerOf = (...steps: Step[]): Ledger => continued(initialLedger(), ...steps)

/** `given(…steps).when(decide)`: the decision sees the ledger frozen. */
export const given = (...steps: Step[]) => {
  const ledger = frozen(ledgerOf(...steps))
  return { ledger, when: <R>(decide: (ledger: Ledger) => R): R => decide(ledger) }
}

/** The data of all events of one type, in their order. */
export const dataOf = <T extends EventType>(events: readonly DomainEvent[], type: T): EventData<T>[] =>
  events.flatMap((found) => (found.type === type ? [found.data as EventData<T>] : []))

/** @throws Error when it was refused */
export const accepted = (decision: DomainEvent[] | Refusal): DomainEvent[] => {
  if (isRefusal(decision)) throw new Error(`refused: ${decision.refusal} ${decision.text}`)
  return decision
}

// ── Fixtures: an account that trades SPY and VIXY ──

export type Traded = Pick<
  EventData<'InstrumentResolved'>,
  'conId' | 'symbol' | 'currency' | 'multiplier' | 'sizeStep' | 'minTick' | 'secType'
>

export const SPY: Traded = {
  ...{ conId: 756733, symbol: 'SPY', secType: 'STK', currency: 'USD' },
  ...{ multiplier: '1', sizeStep: '1', minTick: '0.01' },
}
export const VIXY: Traded = { ...SPY, conId: 80011, symbol: 'VIXY' }

export const resolved = (instrument: Traded): DomainEvent => {
  const { symbol, secType, currency } = instrument
  const exchange = 'SMART'
  return event('InstrumentResolved', { declared: { symbol, secType, exchange, currency }, exchange, ...instrument })
}

export const configured = (changes: Configuration): DomainEvent =>
  event('ConfigurationChanged', {
    changes: Object.fromEntries(Object.entries(changes).map(([name, to]) => [name, { from: null, to }])),
  })

export const connected = (nextValidId = 1): DomainEvent =>
  event('GatewayConnected', { account: 'DU1234567', nextValidId, serverVersion: 193 })

/** A journal that may trade: started, connected, resumed, both instruments known. */
export const ready: readonly DomainEvent[] = [
  event('EngineStarted', { epoch: 1, mode: 'paper' }),
  connected(),
  event('TradingResumed', { reason: 'test' }),
  resolved(SPY),
  resolved(VIXY),
]

type Holding = { instrument: Traded; quantity: Decimal; marketPrice?: Decimal }
type Reconciled = EventData<'PositionReconciled'>
type SnapshotDetails = { [K in keyof Reconciled]?: Reconciled[K] | undefined } & { holdings?: readonly Holding[] }

/** The account as the broker shows it: 100 000 USD unless told otherwise. `netLiquidation: undefined` leaves it out. */
export const snapshot = ({ holdings = [], ...details }: SnapshotDetails = {}): DomainEvent => {
  const positions = holdings.map(({ instrument: { conId, symbol, secType, currency }, quantity, marketPrice }) => ({
    ...{ conId, symbol, secType, currency, quantity, averageCost: '0' },
    ...(marketPrice === undefined ? {} : { marketPrice }),
  }))
  const data = {
    ...{ account: 'DU1234567', takenAt: tuesday, asked: 0, baseCurrency: 'USD', netLiquidation: '100000' },
    ...{ exchangeRates: { USD: '1' }, cash: { USD: '100000' } },
    ...{ positions, openOrders: [], manual: [], differences: [], missing: [], unjudged: [] },
    ...details,
  }
  return event('PositionReconciled', Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined)) as Reconciled)
}

/** A holding that somebody put into a book by hand. */
export const booked = (strategy: string, { conId, symbol }: Traded, quantity: Decimal): DomainEvent =>
  event('DiscrepancyExplained', {
    ...{ conId, symbol, quantity, as: 'book', unexplained: '0', reason: 'test' },
    moves: [{ holder: strategy, quantity }],
  })

export type Target = { instrument: Traded; weight?: Decimal; quantity?: Decimal }
type SignalDetails = Partial<EventData<'SignalGenerated'>> & { price?: Decimal; pricedAt?: string }

const spoken = (strategy: string, targets: readonly Target[], priced: readonly Traded[], details: SignalDetails): DomainEvent => {
  const { price = '100', pricedAt = mondayClose, ...others } = details
  return event('SignalGenerated', {
    ...{ strategy, dryRun: false, kind: 'targets', reason: 'test', indicators: {}, bars: [] },
    targets: targets.map(({ instrument: { conId, symbol }, ...wanted }) => ({ conId, symbol, ...wanted })),
    prices: priced.map(({ conId }) => ({ conId, value: price, at: pricedAt, source: 'bar' })),
    ...{ lastSession: '2024-01-08', freshUntil: tuesdayClose },
    ...others,
  })
}

/** Fresh targets with a price of 100 each, unless told otherwise. */
export const wants = (strategy: string, targets: readonly Target[], details: SignalDetails = {}): DomainEvent =>
  spoken(
    strategy,
    targets,
    targets.map(({ instrument }) => instrument),
    details,
  )

/** A fresh neutral signal, with the prices of its bars. */
export const neutral = (strategy: string, priced: readonly Traded[] = [SPY, VIXY], details: SignalDetails = {}): DomainEvent =>
  spoken(strategy, [], priced, { kind: 'neutral', ...details })

export const failed = (strategy: string): DomainEvent =>
  event('SignalFailed', { strategy, dryRun: false, code: 'BARS_STALE', text: 'the last bar is missing' })

/** The quantities in force, as an earlier signal set them. */
export const stands = (
  strategy: string,
  targets: readonly { instrument: Traded; quantity: Decimal }[],
  factor: Decimal = '0.9',
): DomainEvent =>
  event('StandingTargetsSet', {
    ...{ strategy, signal: 1, factor },
    targets: targets.map(({ instrument: { conId, symbol }, quantity }) => ({ conId, symbol, quantity })),
  })

type OrderDetails = Partial<EventData<'OrderPlanned'>>

/** One order of ours; the shares sum to its quantity. */
export const ordered = (orderRef: string, instrument: Traded, shares: Record<string, Decimal>, details: OrderDetails = {}): DomainEvent => {
  const { conId, symbol, secType, currency, sizeStep } = instrument
  const quantity = String(Object.values(shares).reduce((total, share) => total + Number(share), 0))
  return event('OrderPlanned', {
    ...{ orderRef, orderId: 1, account: 'DU1234567', conId, symbol, secType, exchange: 'SMART', currency, sizeStep },
    ...{ quantity, type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false, reduces: false, referencePrice: '100' },
    shares: Object.entries(shares).map(([strategy, share]) => ({ strategy, quantity: share })),
    ...{ inForceUntil: tuesdayClose, decision: 'test' },
    ...details,
  })
}

export const filled = (
  orderRef: string,
  { conId, symbol }: Traded,
  executionId: string,
  shares: Record<string, Decimal>,
  price: Decimal = '100',
): DomainEvent => {
  const quantity = String(Object.values(shares).reduce((total, share) => total + Number(share), 0))
  const split = Object.entries(shares).map(([strategy, share]) => ({ strategy, quantity: share }))
  return event('FillReceived', { orderRef, executionId, conId, symbol, quantity, price, shares: split })
}

export const closed = (orderRef: string, how: EventData<'OrderClosed'>['how'], quantity: Decimal = '0'): DomainEvent =>
  event('OrderClosed', { orderRef, how, filled: quantity, text: 'test' })

// ── Asking the commander ──

export const facts = (more: Partial<AllocationFacts> = {}): AllocationFacts => ({
  ...{ gatewayReady: true, decision: 'allocation-1', step: 'allocation-1:allocation', round: 1 },
  knownStrategies: ['trend', 'hedge', 'carry'],
  ...more,
})

export const request = (more: Partial<AllocationRequest> = {}): AllocationRequest => ({ dryRun: false, ...more })
