/**
 * What does the broker really hold? One decision over one snapshot, for the intent and for the engine's own questions alike.
 * Missing executions first: a lost fill explains a difference before it is called unexplained.
 * A snapshot judges no order that was planned after its questions began, and no instrument with a report since.
 */
import { splitBetween } from './books/ratio.ts'
import { holdersOf } from './books/transfer.ts'
import { absolute, add, compare, isZero, sign, subtract } from './decimal.ts'
import { type DomainEvent, type EventData, event } from './events.ts'
import { booksIn, type Ledger, openOrders } from './ledger.ts'
import { newYorkMidnightAfter } from './new-york-time.ts'
import { executionOf, isOpen, type Order, remainingOf } from './order.ts'
import type { BrokerSnapshot, CompletedOrder, Execution, OrderSighting } from './ports/broker.ts'
import { recall } from './remembered.ts'
import { addedBy, type Draft, draftOf, orderIn, recordCommission, recordExecution, recordOpenOrder, saysEnded } from './reports.ts'

/** How long an order may stay unfound before it is doubted, and a difference unexplained before it is asked for again. */
export const graceMs = 60_000
/** How long after the end of its time in force, and after the midnight that follows, an order is asked for. */
const afterForceMs = 5 * 60_000

/**
 * `asked`: the ledger's position when the questions began. `said`: ends that the broker announced to this process by order ref.
 * `notHandedOver`: orders that this process planned and still has in hand; the broker cannot know them.
 */
export type SnapshotFacts = {
  snapshot: BrokerSnapshot
  asked: number
  said: Readonly<Record<string, { how: 'cancelled' | 'rejected'; text: string; code?: number }>>
  notHandedOver: readonly string[]
}

/** So many new executions are counted at once, with their commissions: a commit holds 900 kB. The next questions count the rest. */
const mostNewExecutions = 700

export const reconcile = (ledger: Readonly<Ledger>, asked: SnapshotFacts, now: number): DomainEvent[] => {
  const draft = draftOf(ledger)
  const { snapshot, left } = countable(ledger, asked.snapshot)
  const facts = { ...asked, snapshot }
  const reported: DomainEvent[] = [
    ...snapshot.executions.flatMap((execution) => recordExecution(draft, execution)),
    ...snapshot.commissions.flatMap((commission) => recordCommission(draft, commission)),
    ...snapshot.openOrders.flatMap((sighting) => recordOpenOrder(draft, sighting, facts.asked)),
  ]
  // An order whose executions are not all counted has not ended: what it still waits for stays in flight.
  const uncounted = new Set(left.map(({ orderRef }) => orderRef))
  const ends = endedOrders(draft, facts, now).filter((end) => !uncounted.has(end.data.orderRef))
  const endedRefs = new Set(ends.map((end) => end.data.orderRef))
  const missing = missingOrders(draft, facts).filter((order) => !endedRefs.has(order.orderRef))
  const orphaned = orphanedIn(reported)
  const unsettled = [...left.map(({ contract }) => contract.conId), ...orphaned]
  const holdings = askedAgain(judgeHoldings(draft, facts, reported, orphaned), unsettled)
  const reconciled = positionReconciled(facts, missing, holdings)
  return [
    ...reported,
    reconciled,
    ...ends,
    ...orphanOrders(ledger, snapshot),
    ...holdings.differences.flatMap((difference) => repeatedDifference(ledger, difference, missing, now)),
    ...missing.flatMap((order) => judgeMissing(ledger, order, holdings, now)),
  ]
}

/** The answers with no more than can be counted now, and the executions that have to wait. */
const countable = (ledger: Readonly<Ledger>, snapshot: BrokerSnapshot): { snapshot: BrokerSnapshot; left: readonly Execution[] } => {
  if (snapshot.executions.length <= mostNewExecutions) return { snapshot, left: [] }
  const isNew = ({ executionId }: Execution): boolean => recall(ledger.executions, executionOf(executionId))?.executionId !== executionId
  const left = snapshot.executions.filter(isNew).slice(mostNewExecutions)
  const waiting = new Set(left.map(({ executionId }) => executionId))
  const isCounted = ({ executionId }: { executionId: string }): boolean => !waiting.has(executionId)
  const { executions, commissions } = snapshot
  return { snapshot: { ...snapshot, executions: executions.filter(isCounted), commissions: commissions.filter(isCounted) }, left }
}

// ── Orders ──

const isJudged = (order: Order, facts: SnapshotFacts): boolean =>
  order.position <= facts.asked && !facts.notHandedOver.includes(order.orderRef)

const closed = (order: Order, how: EventData<'OrderClosed'>['how'], text: string, code?: number) =>
  event('OrderClosed', { orderRef: order.orderRef, how, filled: order.filled, text, ...(code === undefined ? {} : { code }) })

const howCompleted = (order: Order, completed: CompletedOrder, now: number): 'cancelled' | 'rejected' | 'expired' => {
  if (completed.status === 'Inactive' || /reject/i.test(completed.completedStatus)) return 'rejected'
  return !order.cancelRequested && now >= Date.parse(order.inForceUntil) ? 'expired' : 'cancelled'
}

/** `Inactive` alone ends nothing; after a rejection it does. */
const isAtWork = ({ orderRef, status }: OrderSighting, said: SnapshotFacts['said']): boolean =>
  !saysEnded(status) && !(status === 'Inactive' && said[orderRef ?? '']?.how === 'rejected')

/** Orders that carry our prefix and have no plan, as after a journal was restored from an older copy: nothing is ordered beside them. */
const orphanOrders = (ledger: Readonly<Ledger>, { openOrders: sightings }: BrokerSnapshot): DomainEvent[] => {
  const blocked = new Set<number>()
  return sightings.flatMap(({ orderRef = '', status, contract }) => {
    const ours = ledger.prefix !== null && orderRef.startsWith(`${ledger.prefix}-`) && ledger.orders[orderRef] === undefined
    if (!ours || contract === undefined || saysEnded(status)) return []
    const { conId, symbol } = contract
    if (ledger.discrepancies[conId] !== undefined || blocked.has(conId)) return []
    blocked.add(conId)
    const text = `order ${orderRef} in ${symbol} is at work at the broker and carries our prefix, but there is no plan for it`
    return [event('DiscrepancyFound', { conId, symbol, kind: 'orphanOrder', quantity: '0', text })]
  })
}

/** Ends that the broker itself names, now that its executions are counted. One whose executions have not all come is left open. */
const endedOrders = (draft: Draft, { snapshot, said, ...facts }: SnapshotFacts, now: number) => {
  const open = new Set(snapshot.openOrders.filter((sighting) => isAtWork(sighting, said)).map((sighting) => sighting.orderRef))
  const completed = new Map(snapshot.completedOrders.map((order) => [order.orderRef, order]))
  return openOrders(draft.ledger).flatMap(({ orderRef }) => {
    const order = orderIn(draft, orderRef)!
    if (!isOpen(order) || open.has(orderRef) || facts.notHandedOver.includes(orderRef)) return []
    const end = completed.get(orderRef)
    if (end !== undefined && end.status !== 'Filled') {
      const unseen = end.filled !== undefined && compare(absolute(end.filled), absolute(order.filled)) > 0
      return unseen ? [] : [closed(order, howCompleted(order, end, now), end.completedStatus || end.status)]
    }
    const announced = said[orderRef]
    if (announced === undefined || end !== undefined || order.position > facts.asked) return []
    const how = announced.how === 'cancelled' && !order.cancelRequested && now >= Date.parse(order.inForceUntil) ? 'expired' : announced.how
    return [closed(order, how, announced.text, announced.code)]
  })
}

const missingOrders = (draft: Draft, facts: SnapshotFacts): Order[] => {
  const named = new Set<string | undefined>([
    ...facts.snapshot.openOrders.map((sighting) => sighting.orderRef),
    ...facts.snapshot.completedOrders.map((order) => order.orderRef),
  ])
  return openOrders(draft.ledger)
    .map(({ orderRef }) => orderIn(draft, orderRef)!)
    .filter((order) => isOpen(order) && isJudged(order, facts) && !named.has(order.orderRef))
}

/** Not found and again not after the grace: unresolved. Past its time in force with nothing unexplained: over. */
const judgeMissing = (ledger: Readonly<Ledger>, order: Order, holdings: Holdings, now: number): DomainEvent[] => {
  const since = ledger.orders[order.orderRef]!.missingSince
  if (since === null || now - Date.parse(since) < graceMs) return []
  const explained = !holdings.differences.some(({ conId }) => conId === order.conId) && !holdings.unjudged.includes(order.conId)
  if (now >= Date.parse(order.inForceUntil) && explained) {
    const known = order.secType === 'CASH' ? 'whether it filled shows in the cash alone' : 'nothing is unexplained'
    return [
      order.seen
        ? closed(order, 'expired', `no longer at the broker after its time in force, and ${known}`)
        : closed(order, 'lost', `the broker never showed it, its time in force is over, and ${known}`),
    ]
  }
  if (order.status === 'unresolved') return []
  const text = `order ${order.orderRef} (${order.quantity} ${order.symbol}) is named by no answer of the broker since ${since}`
  return [event('OrderUnresolved', { orderRef: order.orderRef, conId: order.conId, text })]
}

// ── Holdings ──

type Difference = EventData<'PositionReconciled'>['differences'][number]
type Holdings = { manual: EventData<'PositionReconciled'>['manual']; differences: Difference[]; unjudged: number[] }

/** An execution with our prefix and no plan is nobody's, whether or not we ever named its instrument. */
const orphanedIn = (reported: readonly DomainEvent[]): ReadonlySet<number> =>
  new Set(reported.flatMap((item) => (item.type === 'ForeignExecutionSeen' && item.data.holder === 'nobody' ? [item.data.conId] : [])))

const judgeHoldings = (
  draft: Draft,
  { snapshot, asked }: SnapshotFacts,
  reported: readonly DomainEvent[],
  orphaned: ReadonlySet<number>,
): Holdings => {
  const { ledger } = draft
  const positions = new Map(
    snapshot.positions.filter(({ contract }) => contract.secType !== 'CASH').map((position) => [position.contract.conId, position]),
  )
  const symbolOf = (conId: number): string =>
    positions.get(conId)?.contract.symbol ?? ledger.instruments[conId]?.symbol ?? ledger.unexplained[conId]?.symbol ?? String(conId)
  const everywhere = new Set([
    ...positions.keys(),
    ...Object.keys(ledger.ours).map(Number),
    ...Object.keys(ledger.manual).map(Number),
    ...Object.keys(ledger.unexplained).map(Number),
  ])
  const planned = new Set(
    openOrders(ledger)
      .filter((order) => order.position > asked)
      .map((order) => order.conId),
  )
  const holdings: Holdings = { manual: [], differences: [], unjudged: [] }
  for (const conId of [...everywhere].sort((left, right) => left - right)) {
    const symbol = symbolOf(conId)
    const quantity = positions.get(conId)?.quantity ?? '0'
    if ((ledger.reportedAt[conId] ?? 0) > asked || planned.has(conId)) {
      holdings.unjudged.push(conId)
      continue
    }
    const manual = ledger.manual[conId] ?? '0'
    if (ledger.ours[conId] === undefined && ledger.unexplained[conId] === undefined && !orphaned.has(conId)) {
      if (compare(add(manual, addedBy(draft, reported, conId)), quantity) !== 0) holdings.manual.push({ conId, symbol, quantity })
      continue
    }
    const expected = add(add(booksIn(ledger as Ledger, conId), manual), addedBy(draft, reported, conId))
    const unexplained = subtract(quantity, expected)
    if (!isZero(unexplained)) holdings.differences.push({ conId, symbol, reported: quantity, expected, unexplained })
  }
  return holdings
}

/**
 * What waits shows as a difference, and so does what nobody holds; both block their instrument. Where they happen to make none, since the
 * positions lag behind the executions, it is asked for again all the same.
 */
const askedAgain = (holdings: Holdings, unsettled: readonly number[]): Holdings => {
  const known = new Set([...holdings.unjudged, ...holdings.differences.map(({ conId }) => conId)])
  const more = [...new Set(unsettled)].filter((conId) => !known.has(conId))
  return more.length === 0 ? holdings : { ...holdings, unjudged: [...holdings.unjudged, ...more].sort((one, other) => one - other) }
}

/** The second snapshot in a row that shows the same difference makes it a discrepancy, with a fill to confirm where an order would explain it. */
const repeatedDifference = (ledger: Readonly<Ledger>, difference: Difference, missing: readonly Order[], now: number): DomainEvent[] => {
  const before = ledger.unexplained[difference.conId]
  if (before === undefined || before.found || compare(before.quantity, difference.unexplained) !== 0) return []
  if (now - Date.parse(before.since) < graceMs) return []
  const { conId, symbol, reported, expected, unexplained } = difference
  const order = missing.find((candidate) => couldExplain(candidate, conId, unexplained))
  const ratio = order === undefined ? couldBeSplit(ledger, difference) : undefined
  const proposal = ratio === undefined ? '' : `, as after a ${ratio} split`
  return [
    event('DiscrepancyFound', {
      conId,
      symbol,
      kind: 'position',
      quantity: unexplained,
      text: `the broker holds ${reported} ${symbol}, the books and manual say ${expected}: ${unexplained} unexplained${proposal}`,
      ...(order === undefined ? {} : { proposedFill: { orderRef: order.orderRef, quantity: unexplained } }),
      ...(ratio === undefined ? {} : { proposedCorporateAction: { ratio } }),
    }),
  ]
}

/** Executions are counted before the difference; one that nobody holds explains its own. It is proposed, and applied by a person alone. */
const couldBeSplit = (ledger: Readonly<Ledger>, { conId, expected, reported }: Difference): string | undefined => {
  if (ledger.discrepancies[conId]?.kind === 'orphanExecution') return undefined
  return splitBetween(expected, reported, holdersOf(ledger, conId).length, ledger.instruments[conId]?.sizeStep ?? '1')
}

const couldExplain = (order: Order, conId: number, unexplained: string): boolean =>
  order.conId === conId &&
  sign(remainingOf(order)) === sign(unexplained) &&
  compare(absolute(unexplained), absolute(remainingOf(order))) <= 0

// ── The event ──

const positionReconciled = ({ snapshot, asked }: SnapshotFacts, missing: readonly Order[], holdings: Holdings): DomainEvent => {
  const { baseCurrency, netLiquidation, availableFunds, grossPositionValue, cash, exchangeRates } = snapshot.values
  return event('PositionReconciled', {
    account: snapshot.account,
    takenAt: snapshot.takenAt,
    asked,
    ...present({ baseCurrency, netLiquidation, availableFunds, grossPositionValue }),
    cash: { ...cash },
    exchangeRates: { ...exchangeRates },
    positions: snapshot.positions.map(
      ({ contract, quantity, averageCost, marketPrice, marketValue, unrealizedProfit, realizedProfit }) => ({
        ...contract,
        quantity,
        averageCost,
        ...present({ marketPrice, marketValue, unrealizedProfit, realizedProfit }),
      }),
    ),
    openOrders: snapshot.openOrders.map(({ orderRef, orderId, permId, status, contract, remaining }) => ({
      orderRef: orderRef ?? '',
      orderId,
      permId,
      status,
      ...present({ conId: contract?.conId, symbol: contract?.symbol, remaining }),
    })),
    manual: holdings.manual,
    differences: holdings.differences,
    missing: missing.map((order) => order.orderRef),
    unjudged: holdings.unjudged,
  })
}

/** Without the fields that are undefined: absent and unknown are the same in the journal, and neither is zero. */
const present = <T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }

// ── When to ask again ──

/** Until midnight the broker names what it completed that day, whatever it makes of it; what is open here alone is missing after that. */
const afterItsTime = ({ inForceUntil }: Order, last: number): number => {
  const over = Date.parse(inForceUntil) + afterForceMs
  return over > last ? over : newYorkMidnightAfter(last - afterForceMs) + afterForceMs
}

/**
 * The market time at which the broker should be asked without anybody's wish: for a plan it has not shown, a missing order,
 * a difference at first sight, an instrument that the last snapshot could not judge, an order past its time in force. A question asked
 * later than such a time has settled it, but for an order that stays open: it is asked for each midnight.
 */
export const nextQuestionAt = (ledger: Readonly<Ledger>): number | undefined => {
  const last = ledger.snapshot === null ? 0 : Date.parse(ledger.snapshot.takenAt)
  const due = [
    ...openOrders(ledger).flatMap((order) => [
      ...(order.seen ? [] : [Date.parse(order.plannedAt) + graceMs]),
      ...(order.missingSince === null ? [] : [Date.parse(order.missingSince) + graceMs]),
      afterItsTime(order, last),
    ]),
    ...(ledger.snapshot === null || ledger.snapshot.unjudged.length === 0 ? [] : [last + graceMs]),
    ...Object.values(ledger.unexplained).flatMap(({ found, since }) => (found ? [] : [Date.parse(since) + graceMs])),
  ].filter((time) => time > last)
  return due.length === 0 ? undefined : Math.min(...due)
}
