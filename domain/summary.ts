/**
 * The account at a glance: every value with its currency, every position, every open order and every fill of the day, a row each,
 * and whose each one is. Two orders in one symbol are two rows, two fills are two rows: rows are named by ids, never by symbols.
 */
import { canonical } from './commit.ts'
import type { Decimal } from './decimal.ts'
import { isZero } from './decimal.ts'
import type { EventData } from './events.ts'
import type { Ledger } from './ledger.ts'
import { executionOf, fillOf, revisionOf, type Share } from './order.ts'
import type { BrokerPosition, BrokerSnapshot, Execution, OrderSighting } from './ports/broker.ts'
import { recall } from './remembered.ts'

type Summary = EventData<'AccountSummarized'>
type Holders = Record<string, Decimal>

const bytesOf = (value: unknown): number => Buffer.byteLength(canonical(value))

/**
 * @param ledger after everything that this snapshot showed was recorded
 * @param room bytes of canonical text that the summary may take: where all fills do not fit, the oldest are counted and left out;
 * each of them stands in the journal by itself
 */
export const summarize = (ledger: Readonly<Ledger>, snapshot: BrokerSnapshot, room: number): Summary => {
  const { baseCurrency, all } = snapshot.values
  const summary: Summary = {
    account: snapshot.account,
    takenAt: snapshot.takenAt,
    ...(baseCurrency === undefined ? {} : { baseCurrency }),
    values: all.map((value) => ({ ...value })),
    positions: snapshot.positions.map((position) => positionRow(ledger, position)),
    openOrders: snapshot.openOrders.map((sighting) => openOrderRow(ledger, sighting)),
    fills: [],
    fillsLeftOut: 0,
  }
  const fills = latestRevisions(snapshot.executions).map((execution) => fillRow(ledger, snapshot, execution))
  const shown = newestThatFit(fills, room - bytesOf(summary))
  return { ...summary, fills: shown, fillsLeftOut: fills.length - shown.length }
}

const newestThatFit = (fills: Summary['fills'], room: number): Summary['fills'] => {
  let left = room
  let first = fills.length
  while (first > 0) {
    left -= bytesOf(fills[first - 1]) + 1
    if (left < 0) break
    first--
  }
  return fills.slice(first)
}

/** A correction replaces what it corrects: one execution is one row. Oldest first. */
const latestRevisions = (executions: readonly Execution[]): Execution[] => {
  const latest = new Map<string, Execution>()
  for (const execution of executions) {
    const key = executionOf(execution.executionId)
    const before = latest.get(key)
    if (before === undefined || revisionOf(before.executionId) < revisionOf(execution.executionId)) latest.set(key, execution)
  }
  return [...latest.values()].sort((left, right) => Date.parse(left.time) - Date.parse(right.time))
}

// ── Whose it is ──

const byHolder = (shares: readonly Share[]): Holders => Object.fromEntries(shares.map(({ strategy, quantity }) => [strategy, quantity]))

const holdersOf = ({ books, manual }: Readonly<Ledger>, conId: number): Holders => ({
  ...Object.fromEntries(Object.entries(books).flatMap(([strategy, book]) => (book[conId] === undefined ? [] : [[strategy, book[conId]]]))),
  ...(manual[conId] === undefined ? {} : { manual: manual[conId] }),
})

const isOurName = ({ prefix }: Readonly<Ledger>, orderRef: string): boolean => prefix !== null && orderRef.startsWith(`${prefix}-`)

/** An order of ours belongs to its books; any other one to `manual`, or to nobody when it carries our name and has no plan. */
const holdersOfOrder = (ledger: Readonly<Ledger>, { orderRef = '', contract, quantity }: OrderSighting): Holders => {
  const order = ledger.orders[orderRef]
  if (contract?.secType === 'CASH') return {}
  if (order !== undefined && order.conId === contract?.conId) return byHolder(order.shares)
  return { [isOurName(ledger, orderRef) ? 'nobody' : 'manual']: quantity ?? '0' }
}

const holdersOfFill = (ledger: Readonly<Ledger>, { executionId, orderRef, contract, quantity }: Execution): Holders => {
  const order = ledger.orders[orderRef]
  if (contract.secType === 'CASH') return {}
  // Of more than are counted at once some wait for the next questions: until then nobody holds them.
  if (order?.conId === contract.conId) return byHolder(fillOf(order, executionId)?.shares ?? [])
  return { [recall(ledger.executions, executionOf(executionId))?.holder ?? 'manual']: quantity }
}

// ── Rows ──

const positionRow = (ledger: Readonly<Ledger>, position: BrokerPosition): Summary['positions'][number] => {
  const { contract, quantity, averageCost, marketPrice, marketValue, unrealizedProfit, realizedProfit } = position
  const unexplained = ledger.unexplained[contract.conId]?.quantity ?? '0'
  return {
    ...contract,
    quantity,
    averageCost,
    holders: contract.secType === 'CASH' ? {} : holdersOf(ledger, contract.conId),
    ...(isZero(unexplained) ? {} : { unexplained }),
    ...(marketPrice === undefined ? {} : { marketPrice }),
    ...(marketValue === undefined ? {} : { marketValue }),
    ...(unrealizedProfit === undefined ? {} : { unrealizedProfit }),
    ...(realizedProfit === undefined ? {} : { realizedProfit }),
  }
}

const openOrderRow = (ledger: Readonly<Ledger>, sighting: OrderSighting): Summary['openOrders'][number] => {
  const { orderRef = '', orderId, clientId, permId, status, contract, quantity, filled, remaining, orderType, limitPrice } = sighting
  return {
    ...{ orderRef, orderId, clientId, permId, status },
    holders: holdersOfOrder(ledger, sighting),
    ...(contract ?? {}),
    ...(quantity === undefined ? {} : { quantity }),
    ...(filled === undefined ? {} : { filled }),
    ...(remaining === undefined ? {} : { remaining }),
    ...(orderType === undefined ? {} : { orderType }),
    ...(limitPrice === undefined ? {} : { limitPrice }),
  }
}

/** A commission that has not come is absent, not zero. */
const fillRow = (ledger: Readonly<Ledger>, snapshot: BrokerSnapshot, execution: Execution): Summary['fills'][number] => {
  const { executionId, orderRef, contract, quantity, price, time } = execution
  const commission =
    snapshot.commissions.find((report) => report.executionId === executionId) ?? recall(ledger.commissions, executionOf(executionId))
  return {
    ...{ executionId, orderRef, conId: contract.conId, symbol: contract.symbol, currency: contract.currency, quantity, price, at: time },
    holders: holdersOfFill(ledger, execution),
    ...(commission === undefined ? {} : { commission: commission.commission, commissionCurrency: commission.currency }),
  }
}
