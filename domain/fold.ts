/**
 * How each event changes the ledger.
 *
 * The fold works in place. It has one owner, the one who folds; replay runs near the speed of JSON.parse that way.
 * Who reads the ledger across an await must take what it needs before.
 */
import { bookCommission, bookFill, bookRates, bookTrade, currencyOf, settleBooks } from './books/booking.ts'
import { ratioOf } from './books/ratio.ts'
import type { Cause, Commit } from './commit.ts'
import type { Value } from './configuration.ts'
import { add, type Decimal, isZero, negate, subtract } from './decimal.ts'
import { type DomainEvent, type EventData, fromStored } from './events.ts'
import { type Discrepancy, declaredKey, type Ledger, type Moment, type Pipeline } from './ledger.ts'
import { applyFill, executionOf, isOpen, plannedOrder, type Share } from './order.ts'
import { forgetBefore, recall, remember } from './remembered.ts'
import { breachKey } from './risk/drawdown.ts'
import { performanceAfter, withPeaksReset } from './risk/performance.ts'
import { unreachable } from './unreachable.ts'

/** Ids of executions and closed orders stay at least this long, against late reports. */
const memory = 35 * 24 * 60 * 60 * 1000

type Place = { position: number; epoch: number; recordedAt: string; cause: Cause }

const momentOf = ({ position, recordedAt }: Place): Moment => ({ position, recordedAt })

const move = (holdings: Record<string, Decimal>, conId: number, quantity: Decimal): void => {
  const total = add(holdings[conId] ?? '0', quantity)
  if (isZero(total)) delete holdings[conId]
  else holdings[conId] = total
}

const bookOf = (ledger: Ledger, strategy: string): Record<string, Decimal> => {
  let book = ledger.books[strategy]
  if (book === undefined) {
    book = {}
    ledger.books[strategy] = book
  }
  return book
}

/** A close-all that was asked to sells what is `manual` too: then that has a share like a book. */
const holdingsOf = (ledger: Ledger, holder: string): Record<string, Decimal> =>
  holder === 'manual' ? ledger.manual : bookOf(ledger, holder)

const moveShares = (ledger: Ledger, conId: number, shares: readonly Share[], direction: 1 | -1): void => {
  ledger.ours[conId] = true
  for (const share of shares) move(holdingsOf(ledger, share.strategy), conId, direction === 1 ? share.quantity : negate(share.quantity))
}

/** A halt that comes late switches off all the same; it does not make a resume of before an earlier-decided one valid again. */
const later = (before: string | null, publishedAt: string): string => (before !== null && before > publishedAt ? before : publishedAt)

/** These speak of something else than an unexplained quantity, and stay when that is explained or disappears. */
const standsAlone = (discrepancy: Discrepancy | undefined): boolean =>
  discrepancy?.kind === 'againstBook' ||
  discrepancy?.kind === 'instrumentChanged' ||
  discrepancy?.kind === 'orphanOrder' ||
  discrepancy?.kind === 'trade'

/** What is unexplained is explained first; a hand trade against a book, or another contract under an old name, by itself. */
const explainPart = (ledger: Ledger, conId: number, quantity: Decimal, left: Decimal): void => {
  const discrepancy = ledger.discrepancies[conId]
  const unexplained = isZero(quantity) ? undefined : ledger.unexplained[conId]
  if (unexplained !== undefined) {
    if (isZero(left)) delete ledger.unexplained[conId]
    else unexplained.quantity = left
    if (standsAlone(discrepancy)) return
  }
  if (isZero(left)) delete ledger.discrepancies[conId]
  else if (discrepancy !== undefined) discrepancy.quantity = left
}

const recordFill = (ledger: Ledger, data: EventData<'FillReceived'>, at: Place, time = at.recordedAt): void => {
  const order = ledger.orders[data.orderRef]
  if (order === undefined) return
  const replaced = applyFill(order, data)
  // A currency pair moves cash; no book and nobody else holds it.
  if (order.secType !== 'CASH') {
    if (replaced !== undefined) moveShares(ledger, data.conId, replaced.shares, -1)
    moveShares(ledger, data.conId, data.shares, 1)
    bookFill(ledger, { ...data, currency: order.currency, time }, replaced, at.recordedAt)
  }
  const { executionId, conId, quantity, orderRef } = data
  const counted = { executionId, conId, quantity, orderRef, holder: 'books', at: time } as const
  remember(ledger.executions, at.recordedAt, executionOf(executionId), counted)
  ledger.reportedAt[data.conId] = at.position
}

const recordCross = (ledger: Ledger, { conId, price, moves }: EventData<'PositionsCrossed'>, at: Place, time = at.recordedAt): void => {
  moveShares(ledger, conId, moves, 1)
  bookTrade(ledger, { conId, shares: moves, price, time, currency: currencyOf(ledger, conId) }, at.recordedAt)
}

/** What a book gets from `manual` or from nobody, or gives back, is a trade of the book at the price that was named. */
const recordExplanation = (ledger: Ledger, data: EventData<'DiscrepancyExplained'>, at: Place, time = at.recordedAt): void => {
  const { conId, moves, as, ratio = '', price } = data
  const shares = moves.map(({ holder, quantity }) => ({ strategy: holder, quantity }))
  const corporateAction = as === 'corporateAction' ? { corporateAction: { ratio: ratioOf(ratio) ?? null } } : {}
  const traded = { conId, shares, price: price?.value ?? null, time, currency: currencyOf(ledger, conId), ...corporateAction }
  bookTrade(ledger, traded, at.recordedAt)
  if (as === 'corporateAction') ledger.corporateActions[conId] = ledger.unexplained[conId]?.since ?? at.recordedAt
  for (const { strategy, quantity } of shares) {
    if (strategy !== 'manual') ledger.ours[conId] = true
    move(holdingsOf(ledger, strategy), conId, quantity)
  }
  explainPart(ledger, conId, data.quantity, data.unexplained)
}

const recordForeignExecution = (ledger: Ledger, data: EventData<'ForeignExecutionSeen'>, at: Place, time = at.recordedAt): void => {
  const key = executionOf(data.executionId)
  const before = recall(ledger.executions, key)
  const change = subtract(data.quantity, before?.quantity ?? '0')
  // Cash pairs belong to no book and are no position: their executions are remembered, not held.
  if (data.secType === 'CASH') {
    rememberForeign(ledger, data, at, time)
    ledger.reportedAt[data.conId] = at.position
    return
  }
  if (data.holder === 'manual') move(ledger.manual, data.conId, change)
  else {
    const unexplained = ledger.unexplained[data.conId]
    const total = add(unexplained?.quantity ?? '0', change)
    if (isZero(total)) delete ledger.unexplained[data.conId]
    else ledger.unexplained[data.conId] = { symbol: data.symbol, quantity: total, since: unexplained?.since ?? at.recordedAt, found: true }
  }
  rememberForeign(ledger, data, at, time)
  ledger.reportedAt[data.conId] = at.position
}

const rememberForeign = (ledger: Ledger, data: EventData<'ForeignExecutionSeen'>, at: Place, time: string): void => {
  const { executionId, conId, quantity, holder } = data
  remember(ledger.executions, at.recordedAt, executionOf(executionId), { executionId, conId, quantity, orderRef: null, holder, at: time })
}

const recordSnapshot = (ledger: Ledger, data: EventData<'PositionReconciled'>, at: Place): void => {
  ledger.snapshot = { ...data, position: at.position }
  bookRates(ledger, at.position)
  for (const { conId, quantity } of data.manual) {
    if (isZero(quantity)) delete ledger.manual[conId]
    else ledger.manual[conId] = quantity
  }
  const unjudged = new Set(data.unjudged)
  const differing = new Map(data.differences.map((difference) => [difference.conId, difference]))
  for (const key of Object.keys(ledger.unexplained)) {
    const conId = Number(key)
    if (unjudged.has(conId) || differing.has(conId)) continue
    delete ledger.unexplained[key]
    if (ledger.discrepancies[key]?.kind === 'position') delete ledger.discrepancies[key]
  }
  for (const { conId, symbol, unexplained } of data.differences) {
    const before = ledger.unexplained[conId]
    ledger.unexplained[conId] = {
      symbol,
      quantity: unexplained,
      since: before?.quantity === unexplained ? before.since : at.recordedAt,
      found: before?.found ?? false,
    }
  }
  const missing = new Set(data.missing)
  for (const ref in ledger.orders) {
    const order = ledger.orders[ref]!
    if (!isOpen(order)) continue
    if (!missing.has(ref)) {
      // Planned after the questions began: not judged, so an earlier doubt stays as it is.
      if (order.position <= data.asked) order.missingSince = null
    } else order.missingSince ??= at.recordedAt
  }
}

const closeOrder = (ledger: Ledger, data: EventData<'OrderClosed'>, at: Place): void => {
  const order = ledger.orders[data.orderRef]
  if (order === undefined) return
  order.status = 'closed'
  order.how = data.how
  order.closedAt = at.recordedAt
  order.closedPosition = at.position
  order.closedText = data.text
  order.missingSince = null
}

const dryRunOf = (ledger: Ledger, { cause }: Place): Pipeline | undefined =>
  cause.kind === 'command' && cause.pipeline !== undefined ? ledger.pipelines[cause.pipeline] : undefined

const recordSignal = <D extends { strategy: string }>(
  signals: Record<string, D & { position: number; at: string }> | undefined,
  data: D,
  at: Place,
): void => {
  if (signals !== undefined) signals[data.strategy] = { ...data, position: at.position, at: at.recordedAt }
}

/** Applies one event to the ledger, in place. Unknown orders and pipelines in an event change nothing. */
export const evolve = (ledger: Ledger, event: DomainEvent, at: Place): void => {
  switch (event.type) {
    case 'EngineStarted':
      ledger.epoch = event.data.epoch
      ledger.mode = event.data.mode
      ledger.gateway = { connected: false, since: at.recordedAt, reason: 'the engine started', phase: 'connecting' }
      return
    case 'GatewayConnected':
      if (ledger.account === null) ledger.changedBy.account = momentOf(at)
      ledger.account ??= event.data.account
      ledger.nextValidId = event.data.nextValidId
      ledger.gateway = { connected: true, since: at.recordedAt, reason: null, phase: 'syncing' }
      return
    case 'GatewayLost':
      // Another word about the same absence does not begin it anew.
      ledger.gateway = {
        connected: false,
        since: (ledger.gateway.connected ? null : ledger.gateway.since) ?? at.recordedAt,
        reason: event.data.reason,
        phase: event.data.phase ?? 'down',
      }
      return
    case 'CommandCompleted':
    case 'MarketDataCollected':
    case 'CommandRefused':
    case 'CommandFailed':
    case 'AccountSummarized':
    case 'CashBalanced':
    case 'TradesReconciled':
      return
    case 'PipelineStarted': {
      const { cause } = at
      if (cause.kind !== 'command') return
      ledger.pipelines[event.data.pipeline] = {
        id: event.data.pipeline,
        type: cause.type,
        plan: event.data.plan,
        publishedAt: cause.publishedAt,
        source: cause.source,
        actor: cause.actor ?? null,
        correlationId: cause.correlationId ?? null,
        job: cause.job ?? null,
        startedAt: at.recordedAt,
        validUntil: event.data.validUntil,
        endsBy: event.data.endsBy,
        steps: {},
        orders: [],
        cancels: [],
        rounds: 0,
        drySignals: {},
        dryFailures: {},
      }
      return
    }
    case 'PipelineEnded':
      delete ledger.pipelines[event.data.pipeline]
      return
    case 'SignalGenerated':
      recordSignal(event.data.dryRun ? dryRunOf(ledger, at)?.drySignals : ledger.signals, event.data, at)
      return
    case 'SignalFailed':
      recordSignal(event.data.dryRun ? dryRunOf(ledger, at)?.dryFailures : ledger.failures, event.data, at)
      return
    case 'InstrumentResolved':
      ledger.declared[declaredKey(event.data.declared)] = event.data.conId
      ledger.instruments[event.data.conId] = event.data
      return
    case 'PositionReconciled':
      recordSnapshot(ledger, event.data, at)
      if (ledger.gateway.connected) ledger.gateway.phase = 'ready'
      ledger.performance = performanceAfter(ledger)
      return
    case 'ForeignExecutionSeen':
      recordForeignExecution(ledger, event.data, at, event.occurredAt)
      return
    case 'DiscrepancyFound': {
      const unexplained = ledger.unexplained[event.data.conId]
      if (unexplained !== undefined) unexplained.found = true
      if (event.data.kind === 'position' && standsAlone(ledger.discrepancies[event.data.conId])) return
      ledger.discrepancies[event.data.conId] = { ...event.data, position: at.position, since: at.recordedAt }
      return
    }
    case 'DiscrepancyExplained':
      recordExplanation(ledger, event.data, at, event.occurredAt)
      return
    case 'AllocationDecided': {
      if (event.data.dryRun || at.cause.kind !== 'command') return
      const pipeline = ledger.pipelines[at.cause.pipeline ?? at.cause.id]
      if (pipeline === undefined) return
      pipeline.rounds = event.data.round
      pipeline.orders.push(...event.data.orders.map((order) => order.orderRef))
      pipeline.cancels = event.data.cancels.slice()
      return
    }
    case 'StandingTargetsSet': {
      const { strategy, signal, factor, targets } = event.data
      const standing = ledger.standing[strategy] ?? {}
      ledger.standing[strategy] = standing
      for (const { conId, quantity } of targets) standing[conId] = { quantity, signal, factor, setAt: at.recordedAt }
      return
    }
    case 'PositionsCrossed':
      recordCross(ledger, event.data, at, event.occurredAt)
      return
    case 'OrderPlanned':
      ledger.orders[event.data.orderRef] = plannedOrder(event.data, at)
      ledger.highestOrderId = Math.max(ledger.highestOrderId, event.data.orderId)
      if (event.data.secType !== 'CASH') ledger.ours[event.data.conId] = true
      return
    case 'OrderPlaced': {
      const order = ledger.orders[event.data.orderRef]
      if (order === undefined) return
      // An end is taken back when the order shows itself all the same; a filled one has nothing left to show.
      if (order.how !== 'filled') {
        order.status = 'working'
        order.how = null
        order.closedAt = null
        order.closedPosition = null
        order.closedText = null
      }
      order.seen = true
      order.missingSince = null
      if (event.data.permId > 0) order.permId = event.data.permId
      return
    }
    case 'FillReceived':
      recordFill(ledger, event.data, at, event.occurredAt)
      return
    case 'OrderCancelRequested': {
      const order = ledger.orders[event.data.orderRef]
      if (order === undefined) return
      order.cancelRequested = true
      order.cancelRequestedAt = at.recordedAt
      return
    }
    case 'OrderClosed':
      closeOrder(ledger, event.data, at)
      return
    case 'OrderUnresolved': {
      const order = ledger.orders[event.data.orderRef]
      if (order !== undefined && order.status !== 'closed') order.status = 'unresolved'
      return
    }
    case 'CommissionReported': {
      const { executionId, commission, currency } = event.data
      remember(ledger.commissions, at.recordedAt, executionOf(executionId), { executionId, commission, currency })
      bookCommission(ledger, executionId, commission, currency, at.recordedAt)
      return
    }
    case 'RiskBreached':
      ledger.breaches[breachKey(event.data)] = { ...event.data, position: at.position, since: at.recordedAt }
      return
    case 'RiskRecovered':
      delete ledger.breaches[breachKey(event.data)]
      return
    case 'PeaksReset':
      if (ledger.performance !== null) ledger.performance = withPeaksReset(ledger.performance)
      return
    case 'DayClosed':
      ledger.dayClosed = event.data.session
      return
    case 'TradingHalted':
      ledger.changedBy.trading = momentOf(at)
      ledger.trading = {
        on: false,
        reason: event.data.reason,
        haltPublishedAt: later(ledger.trading.haltPublishedAt, event.data.publishedAt),
      }
      return
    case 'TradingResumed':
      ledger.changedBy.trading = momentOf(at)
      ledger.trading = { on: true, reason: event.data.reason, haltPublishedAt: ledger.trading.haltPublishedAt }
      if (event.data.paper !== undefined)
        ledger.provenOnPaper = [...new Set([...(ledger.provenOnPaper ?? []), ...event.data.paper.strategies])].sort()
      return
    case 'ConfigurationChanged':
      for (const [name, { to }] of Object.entries(event.data.changes)) ledger.configuration[name] = to as Value
      ledger.configuredAt = at.position
      ledger.changedBy.configuration = momentOf(at)
      return
    default:
      unreachable(event)
  }
}

const recordStep = (ledger: Ledger, { cause, position }: Place, events: readonly DomainEvent[]): void => {
  if (cause.kind !== 'command' || cause.pipeline === undefined) return
  const pipeline = ledger.pipelines[cause.pipeline]
  if (pipeline === undefined || cause.id === cause.pipeline) return
  const no = events.find((event) => event.type === 'CommandRefused' || event.type === 'CommandFailed' || event.type === 'SignalFailed')
  pipeline.steps[cause.id] =
    no === undefined
      ? { position, outcome: 'done' }
      : { position, outcome: no.type === 'CommandRefused' ? 'refused' : 'failed', code: no.data.code, text: no.data.text }
}

const forget = (ledger: Ledger, now: string): void => {
  const until = new Date(Date.parse(now) - memory).toISOString()
  forgetBefore(ledger.executions, until)
  forgetBefore(ledger.commissions, until)
  settleBooks(ledger, until)
  for (const ref in ledger.orders) {
    const { closedAt } = ledger.orders[ref]!
    if (closedAt !== null && closedAt < until) delete ledger.orders[ref]
  }
}

/** Folds one commit whose events are decoded already. */
export const foldEvents = (ledger: Ledger, commit: Commit, hash: string, events: readonly DomainEvent[]): void => {
  if (commit.position !== ledger.position + 1) throw new Error(`commit ${commit.position} does not follow position ${ledger.position}`)
  // Once a month is often enough, and keeps the walk over all of them out of replay's way.
  if (commit.recordedAt.slice(0, 7) !== ledger.recordedAt.slice(0, 7)) forget(ledger, commit.recordedAt)
  if (commit.position === 1) ledger.changedBy = { trading: momentOf(commit), configuration: momentOf(commit), account: momentOf(commit) }
  for (const event of events) evolve(ledger, event, commit)
  recordStep(ledger, commit, events)
  ledger.prefix ??= hash.slice(0, 6)
  ledger.position = commit.position
  ledger.recordedAt = commit.recordedAt
  ledger.hash = hash
}

/** Folds one stored commit. @throws UnreadableEvent, or Error where it does not follow */
export const fold = (ledger: Ledger, stored: { json: string; hash: string }): { commit: Commit; events: DomainEvent[] } => {
  const commit = JSON.parse(stored.json) as Commit
  const events = fromStored(commit.events)
  foldEvents(ledger, commit, stored.hash, events)
  return { commit, events }
}
