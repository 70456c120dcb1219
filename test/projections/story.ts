/** Commits told one after another, and the documents they give: `documentsOf(view, started, signalled(…))`. */
import { type Cause, type Commit, genesisHash, type StoredCommit, store } from '../../domain/commit.ts'
import { type DomainEvent, type EventData, event, toStored } from '../../domain/events.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { applyTo } from '../../projections/batch.ts'
import { createReplay } from '../../projections/replay.ts'
import type { View } from '../../projections/view.ts'

/** One commit to be: why, and what. */
export type Told = { cause: Cause; events: DomainEvent[]; epoch?: number }

/** Commit n is recorded n minutes after the start. */
export const at = (position: number): string => new Date(Date.parse('2026-11-20T21:00:00.000Z') + position * 60_000).toISOString()

export const commitsOf = (
  told: readonly Told[],
  after: { position: number; hash: string } = { position: 0, hash: genesisHash },
): StoredCommit[] => {
  let previous = after
  return told.map(({ cause, events, epoch = 1 }) => {
    const position = previous.position + 1
    const recordedAt = at(position)
    const commit: Commit = { position, epoch, recordedAt, cause, events: toStored(events, recordedAt), previousHash: previous.hash }
    const stored = store(commit)
    previous = stored
    return stored
  })
}

/** The documents of one view, or of several, by path. */
export const documentsOf = (views: View | readonly View[], ...told: Told[]): Map<string, Document> => {
  const documents = new Map<string, Document>()
  const replay = createReplay([views].flat() as View[], 'paper')
  for (const stored of commitsOf(told)) applyTo(documents, replay.step(stored, false))
  return documents
}

/** The paths that the last commit writes. */
export const pathsOfLast = (view: View, ...told: Told[]): string[] => {
  const replay = createReplay([view], 'paper')
  const writes = commitsOf(told).map((stored) => replay.step(stored, false))
  return writes.at(-1)!.map(({ kind, path }) => (kind === 'delete' ? `-${path}` : path))
}

// ── Who says it ──

export const engine = (reason: string, ...events: DomainEvent[]): Told => ({ cause: { kind: 'engine', reason }, events })
export const broker = (...events: DomainEvent[]): Told => ({ cause: { kind: 'broker', report: 'execution' }, events })
export const command = (type: string, id: string, ...events: DomainEvent[]): Told => ({
  cause: { kind: 'command', id, type, publishedAt: at(0), source: 'http', actor: 'desk' },
  events,
})
export const scheduled = (type: string, id: string, ...events: DomainEvent[]): Told => ({
  cause: { kind: 'command', id, type, publishedAt: at(0), source: 'scheduler', job: 'daily' },
  events,
})
/** A step of a pipeline, with the publish time and source that it inherits. */
export const step = (pipeline: string, name: string, type: string, ...events: DomainEvent[]): Told => ({
  cause: { kind: 'command', id: `${pipeline}:${name}`, type, publishedAt: at(0), source: 'scheduler', job: 'daily', pipeline },
  events,
})

// ── What they say ──

export const SPY = { conId: 756733, symbol: 'SPY' }
export const VIXY = { conId: 9001, symbol: 'VIXY' }

export const started = engine('start', event('EngineStarted', { epoch: 1, mode: 'paper' }))
export const connected = broker(event('GatewayConnected', { account: 'DU1', nextValidId: 1, serverVersion: 178 }))

export const resolved = ({ conId, symbol }: typeof SPY): DomainEvent =>
  event('InstrumentResolved', {
    declared: { symbol, secType: 'STK', exchange: 'SMART', currency: 'USD' },
    conId,
    symbol,
    secType: 'STK',
    exchange: 'SMART',
    currency: 'USD',
    multiplier: '1',
    sizeStep: '1',
    minTick: '0.01',
  })

export const changed = (changes: Record<string, unknown>): DomainEvent =>
  event('ConfigurationChanged', { changes: Object.fromEntries(Object.entries(changes).map(([name, to]) => [name, { from: null, to }])) })

export const signal = (strategy: string, data: Partial<EventData<'SignalGenerated'>> = {}): DomainEvent =>
  event('SignalGenerated', {
    strategy,
    dryRun: false,
    kind: 'targets',
    targets: [{ ...SPY, weight: '0.5' }],
    reason: 'it goes up',
    indicators: { macd: 1.25 },
    bars: [{ ...SPY, size: '1 day', from: '2026-01-02', to: '2026-11-19', count: 200, hash: 'aa' }],
    prices: [{ conId: SPY.conId, value: '450', at: '2026-11-19T21:00:00.000Z', source: 'bar' }],
    lastSession: '2026-11-19',
    freshUntil: '2026-11-20T21:00:00.000Z',
    ...data,
  })

export const snapshot = (data: Partial<EventData<'PositionReconciled'>> = {}): DomainEvent =>
  event('PositionReconciled', {
    account: 'DU1',
    takenAt: '2026-11-20T20:59:00.000Z',
    asked: 0,
    exchangeRates: {},
    cash: { USD: '100000' },
    positions: [],
    openOrders: [],
    manual: [],
    differences: [],
    missing: [],
    unjudged: [],
    baseCurrency: 'USD',
    netLiquidation: '100000',
    availableFunds: '90000.5',
    grossPositionValue: '0',
    ...data,
  })

export const planned = (orderRef: string, data: Partial<EventData<'OrderPlanned'>> = {}): DomainEvent =>
  event('OrderPlanned', {
    orderRef,
    orderId: 1,
    account: 'DU1',
    ...SPY,
    secType: 'STK',
    exchange: 'SMART',
    currency: 'USD',
    quantity: '20',
    type: 'LMT',
    limitPrice: '472.5',
    timeInForce: 'DAY',
    outsideRegularHours: false,
    reduces: false,
    referencePrice: '450',
    sizeStep: '1',
    shares: [{ strategy: 'dummy', quantity: '20' }],
    inForceUntil: '2026-11-23T21:00:00.000Z',
    decision: 'alloc-1',
    ...data,
  })

export const placed = (orderRef: string): DomainEvent =>
  event('OrderPlaced', { orderRef, orderId: 1, permId: 77, evidence: 'status Submitted' })

export const filled = (
  orderRef: string,
  executionId: string,
  quantity: string,
  data: Partial<EventData<'FillReceived'>> = {},
): DomainEvent =>
  event('FillReceived', { orderRef, executionId, ...SPY, quantity, price: '450', shares: [{ strategy: 'dummy', quantity }], ...data })

export const closed = (orderRef: string, how: EventData<'OrderClosed'>['how'], quantity = '0'): DomainEvent =>
  event('OrderClosed', { orderRef, how, filled: quantity, text: `it was ${how}` })

export const decision = (data: Partial<EventData<'AllocationDecided'>> = {}): DomainEvent =>
  event('AllocationDecided', {
    dryRun: false,
    round: 1,
    snapshot: { position: 3, takenAt: '2026-11-20T20:59:00.000Z', netLiquidation: '100000', currency: 'USD' },
    signals: {},
    configuration: 0,
    exposure: '0.9',
    instruments: [
      { ...SPY, currency: 'USD', multiplier: '1', sizeStep: '1', minTick: '0.01', price: { value: '450', at: at(0), source: 'bar' } },
    ],
    strategies: [{ strategy: 'dummy', verdict: 'targets', allocation: '0.6' }],
    targets: [{ strategy: 'dummy', ...SPY, wanted: '30', target: '20', book: '0', inFlight: '0', difference: '20', weight: '0.5' }],
    orders: [],
    cancels: [],
    notes: [],
    ...data,
  })

/** What an order looks like inside a decision. */
export const wished = (orderRef: string, quantity: string): EventData<'AllocationDecided'>['orders'][number] => ({
  orderRef,
  ...SPY,
  quantity,
  type: 'LMT',
  reduces: false,
  referencePrice: '450',
  limitPrice: '472.5',
  shares: [{ strategy: 'dummy', quantity }],
})

export const pipelineStarted = (pipeline: string): DomainEvent =>
  event('PipelineStarted', { pipeline, plan: {}, validUntil: at(30), endsBy: at(40) })
export const pipelineEnded = (pipeline: string, outcome: EventData<'PipelineEnded'>['outcome'], text = 'all done'): DomainEvent =>
  event('PipelineEnded', { pipeline, outcome, text })
