/**
 * `executions/{id}`: the audit of one allocation, by the id of the command that asked for it. Its last round's decision, and
 * every order of all its rounds with what became of it. `status` speaks of the orders; `outcome` is how the pipeline itself ended.
 */
import { absolute, add, type Decimal, isZero, toNumber } from '../domain/decimal.ts'
import type { DomainEvent, EventData, Note } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { executionOf, isOpen, type Order } from '../domain/order.ts'
import type { Document, DocumentWrite, Json } from '../domain/ports/documents.ts'
import { recall } from '../domain/remembered.ts'
import { storedBeside } from './details.ts'
import { placedLine } from './order-lines.ts'
import { portfolioPath } from './portfolio.ts'
import { intentPath } from './strategies.ts'
import { actionOf, commandOf, numberOr, numbersOf, type View, type ViewInput } from './view.ts'

type Decided = EventData<'AllocationDecided'>
type Status = 'running' | 'completed' | 'partial_success' | 'failed'

// ── What became of its orders ──

const statusOf = (ledger: Readonly<Ledger>, id: string, orders: readonly Order[], outcome: Status): Status => {
  if (ledger.pipelines[id] !== undefined || orders.some(isOpen)) return 'running'
  if (orders.length === 0) return outcome
  if (orders.every(({ how }) => how === 'filled')) return 'completed'
  return orders.every(({ filled }) => isZero(filled)) ? 'failed' : 'partial_success'
}

const wish = ({ quantity, symbol }: { quantity: Decimal; symbol: string }): string =>
  `${actionOf(quantity)} ${absolute(quantity)} ${symbol}`
const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

/** Nobody reads a sentence of a thousand orders; each has its line below. */
const shownWishes = 50
const wishes = (orders: readonly { quantity: Decimal; symbol: string }[]): string =>
  `${orders.slice(0, shownWishes).map(wish).join(', ')}${orders.length > shownWishes ? ` and ${orders.length - shownWishes} more` : ''}`

const placedSummary = (orders: readonly { quantity: Decimal; symbol: string }[]): string =>
  `Placed ${counted(orders.length, 'order')}: ${wishes(orders)}.`

const soFar = ({ commit, ledger, orders: index }: ViewInput, id: string, outcome: Status): { [key: string]: Json } => {
  const orders = index.of(id)
  return {
    updated_at: commit.recordedAt,
    status: statusOf(ledger, id, orders, outcome),
    orders_placed: orders.map((order) => placedLine(ledger, order)),
    ...(orders.length === 0 ? {} : { summary: placedSummary(orders) }),
  }
}

// ── The decision ──

/** One line an instrument; `by_strategy` shows each strategy's part. */
const perInstrument = (targets: Decided['targets'], figure: 'wanted' | 'target'): Json => {
  const lines = new Map<number, { symbol: string; quantity: Decimal; by_strategy: Record<string, number> }>()
  for (const target of targets) {
    const line = lines.get(target.conId) ?? { symbol: target.symbol, quantity: '0', by_strategy: {} }
    line.quantity = add(line.quantity, target[figure])
    line.by_strategy[target.strategy] = toNumber(target[figure])
    lines.set(target.conId, line)
  }
  return [...lines].map(([conId, line]) => ({ conId, ...line, quantity: toNumber(line.quantity) }))
}

const diffOf = (targets: Decided['targets']): Json =>
  targets.map(({ strategy, conId, symbol, weight, target, book, inFlight, difference }) => ({
    strategy,
    conId,
    symbol,
    weight: numberOr(weight, null),
    target: toNumber(target),
    current: toNumber(book),
    in_flight: toNumber(inFlight),
    difference: toNumber(difference),
  }))

const numeric = (text: string): number | string => (text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text)

const noteLine = ({ code, text, strategy, conId, numbers }: Note): Json => ({
  code,
  text,
  ...(strategy === undefined ? {} : { strategy }),
  ...(conId === undefined ? {} : { conId }),
  ...(numbers === undefined ? {} : { numbers: Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, numeric(value)])) }),
})

const orderOf = ({
  conId,
  symbol,
  quantity,
  type,
  limitPrice,
  reduces,
}: NonNullable<Decided['shadows']>[number]['orders'][number]): { [key: string]: Json } => ({
  conId,
  symbol,
  action: actionOf(quantity),
  totalQuantity: toNumber(absolute(quantity)),
  orderType: type,
  lmtPrice: numberOr(limitPrice, null),
  reduces,
})

const decisionOf = (data: Decided): Json => ({
  round: data.round,
  exposure: toNumber(data.exposure),
  strategies: data.strategies.map(({ strategy, verdict, allocation }) => ({ strategy, verdict, allocation: toNumber(allocation) })),
  aggregated_target: perInstrument(data.targets, 'wanted'),
  final_target: perInstrument(data.targets, 'target'),
  diff: diffOf(data.targets),
  prices: data.instruments.map(({ conId, symbol, currency, price, marketPrice, exchangeRate, blocked }) => ({
    conId,
    symbol,
    currency,
    price: numberOr(price?.value, null),
    price_at: price?.at ?? null,
    price_source: price?.source ?? null,
    market_price: numberOr(marketPrice, null),
    exchange_rate: numberOr(exchangeRate, null),
    blocked: blocked ?? null,
  })),
  orders: data.orders.map(({ orderRef, ...order }) => ({ orderRef, ...orderOf(order) })),
  cancels: [...data.cancels],
  notes: data.notes.map(noteLine),
  ...(data.shadows === undefined ? {} : { shadows: data.shadows.map(shadowOf) }),
})

/** What a strategy in the shadow would have done; nothing of it was sent. */
const shadowOf = ({ strategy, targets, orders, notes }: NonNullable<Decided['shadows']>[number]): Json => ({
  strategy,
  diff: diffOf(targets.map((target) => ({ strategy, ...target }))),
  orders: orders.map(orderOf),
  notes: notes.map(noteLine),
})

const strategiesNoted = (notes: readonly Note[], ...codes: string[]): string[] => [
  ...new Set(notes.flatMap(({ code, strategy }) => (codes.includes(code) && strategy !== undefined ? [strategy] : []))),
]

/** `strategies/x/intent/latest@time`, the time being the document's `updated_at` then. */
const intentRefs = ({ ledger }: ViewInput, id: string, data: Decided): string[] =>
  Object.entries(data.signals).map(([strategy, position]) => {
    const real = [ledger.signals[strategy], ledger.failures[strategy]].find((word) => word?.position === position)
    const pipeline = ledger.pipelines[id]
    const dry = [pipeline?.drySignals[strategy], pipeline?.dryFailures[strategy]].find((word) => word?.position === position)
    return `${intentPath(strategy, real === undefined && dry !== undefined)}@${(real ?? dry)?.at ?? `position ${position}`}`
  })

const decidedSummary = (data: Decided): string => {
  const cancels = data.cancels.length === 0 ? '' : ` Asked to cancel ${counted(data.cancels.length, 'order')}.`
  const refused = data.wouldRefuse === undefined ? '' : ` A real one would be refused: ${data.wouldRefuse}.`
  if (data.orders.length === 0) return `${data.dryRun ? 'Dry run: no' : 'No'} order.${cancels}${refused}`
  return data.dryRun
    ? `Dry run: would place ${counted(data.orders.length, 'order')}: ${wishes(data.orders)}.${cancels}${refused}`
    : `${placedSummary(data.orders)}${cancels}`
}

const decided = (input: ViewInput, id: string, data: Decided): Document => {
  const { commit, ledger, mode } = input
  return {
    executed_at: commit.recordedAt,
    dryRun: data.dryRun,
    summary: decidedSummary(data),
    context: {
      position: commit.position,
      portfolio_snapshot_ref: `${portfolioPath(mode)}@${data.snapshot.takenAt}`,
      snapshot_position: data.snapshot.position,
      net_liquidation: numberOr(data.snapshot.netLiquidation, null),
      currency: data.snapshot.currency ?? null,
      configuration_position: data.configuration,
      strategy_intents_refs: intentRefs(input, id, data),
      missing_strategies: strategiesNoted(data.notes, 'SIGNAL_MISSING', 'SIGNAL_FAILED'),
      stale_strategies: strategiesNoted(data.notes, 'SIGNAL_STALE'),
    },
    decision: decisionOf(data),
    // Without a pipeline this commit is the execution's first, and its trigger is the commit's own.
    ...(ledger.pipelines[id] === undefined ? triggerOf(input) : {}),
  }
}

const triggerOf = ({ commit: { cause } }: ViewInput): { [key: string]: Json } =>
  cause.kind === 'command'
    ? {
        type: cause.type,
        trigger: cause.source === 'scheduler' || cause.job !== undefined ? 'scheduled' : 'manual',
        source: cause.source,
        actor: cause.actor ?? null,
        job: cause.job ?? null,
        correlationId: cause.correlationId ?? null,
      }
    : { type: cause.kind, trigger: 'manual', source: cause.kind, actor: null, job: null, correlationId: null }

// ── A day ──

const dayOf = ({ session, flat, enforcedFlat, books, openOrders, mismatches, ...money }: EventData<'DayClosed'>): Json => ({
  session,
  flat,
  enforced_flat: enforcedFlat,
  currency: money.currency ?? null,
  net_liquidation: numberOr(money.netLiquidation, null),
  profit: numberOr(money.profit, null),
  since: money.since ?? null,
  books: books.map(({ strategy, holdings, profit }) => ({ strategy, holdings: numbersOf(holdings), profit: numberOr(profit, null) })),
  open_orders: openOrders.map(({ quantity, filled, ...order }) => ({ ...order, quantity: toNumber(quantity), filled: toNumber(filled) })),
  mismatches: mismatches.map((mismatch) => ({ ...mismatch })),
})

// ── One commit ──

const begun = (input: ViewInput, id: string): DocumentWrite => ({
  kind: 'set',
  path: `executions/${id}`,
  data: {
    ...triggerOf(input),
    started_at: input.commit.recordedAt,
    executed_at: null,
    finished_at: null,
    outcome: null,
    dryRun: false,
    context: null,
    decision: null,
    summary: null,
    ...soFar(input, id, 'running'),
  },
})

const outcomeStatus = (outcome: EventData<'PipelineEnded'>['outcome']): Status =>
  outcome === 'completed' || outcome === 'partial_success' ? outcome : 'failed'

/** How it ended is its summary only where no order says more; a pipeline that did all it should leaves its decision's words. */
const finished = (input: ViewInput, data: EventData<'PipelineEnded'>): DocumentWrite => ({
  kind: 'merge',
  path: `executions/${data.pipeline}`,
  data: {
    finished_at: input.commit.recordedAt,
    outcome: { status: data.outcome, code: data.code ?? null, text: data.text },
    ...(data.outcome === 'completed' ? {} : { summary: data.text }),
    ...soFar(input, data.pipeline, outcomeStatus(data.outcome)),
  },
})

/** The executions whose orders this event says something of. */
const touched = (event: DomainEvent, ledger: Readonly<Ledger>): string | undefined => {
  switch (event.type) {
    case 'OrderPlanned':
    case 'OrderPlaced':
    case 'FillReceived':
    case 'OrderClosed':
    case 'OrderUnresolved':
      return ledger.orders[event.data.orderRef]?.decision
    case 'CommissionReported': {
      const orderRef = recall(ledger.executions, executionOf(event.data.executionId))?.orderRef
      return orderRef === null || orderRef === undefined ? undefined : ledger.orders[orderRef]?.decision
    }
    default:
      return undefined
  }
}

/** What an execution may hold of its decision and of its orders, in bytes; together with all else they stay below 700 kB. */
const room = { decision: 450_000, orders_placed: 150_000 }

/** Orders change with every report, so their rows keep their places; a decision never does. */
const fitting = (write: DocumentWrite): DocumentWrite[] => {
  if (write.kind === 'delete') return [write]
  const { path: of } = write
  const { decision, orders_placed, ...rest } = write.data
  const data: Record<string, Json> = { ...rest }
  const beside: DocumentWrite[] = []
  const keep = (field: 'decision' | 'orders_placed', value: Json | undefined, changes: boolean): void => {
    if (value === undefined) return
    const stored = storedBeside(value, { of, field, most: room[field], changes })
    data[field] = stored.value
    beside.push(...stored.writes)
  }
  keep('decision', decision, false)
  keep('orders_placed', orders_placed, true)
  return [{ ...write, data }, ...beside]
}

export const executionsView: View = (input) => {
  const { commit, events, ledger } = input
  const own = commandOf(commit.cause)
  const writes = new Map<string, DocumentWrite[]>()
  const write = (id: string, one: DocumentWrite): void => void writes.set(id, [...(writes.get(id) ?? []), one])
  const ids = new Set(events.flatMap((event) => touched(event, ledger) ?? []))
  for (const event of events) {
    if (event.type === 'PipelineStarted') write(event.data.pipeline, begun(input, event.data.pipeline))
    if (event.type === 'AllocationDecided' && own !== undefined) {
      const data = { ...soFar(input, own, 'completed'), ...decided(input, own, event.data) }
      write(own, { kind: 'merge', path: `executions/${own}`, data })
      ids.delete(own)
    }
    if (event.type === 'DayClosed' && own !== undefined)
      write(own, { kind: 'merge', path: `executions/${own}`, data: { day: dayOf(event.data), updated_at: commit.recordedAt } })
    if (event.type === 'PipelineEnded') {
      write(event.data.pipeline, finished(input, event.data))
      ids.delete(event.data.pipeline)
    }
  }
  const planned = new Set(events.flatMap((event) => (event.type === 'OrderPlanned' ? [event.data.decision] : [])))
  for (const id of ids) {
    const first = planned.has(id) ? { executed_at: commit.recordedAt, ...(ledger.pipelines[id] === undefined ? triggerOf(input) : {}) } : {}
    write(id, { kind: 'merge', path: `executions/${id}`, data: { ...first, ...soFar(input, id, 'completed') } })
  }
  return [...writes.values()].flat().flatMap(fitting)
}
