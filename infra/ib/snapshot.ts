/** All questions of a reconcile, one after the other, and what they make together. */
import { type Decimal, isZero } from '../../domain/decimal.ts'
import type {
  AccountValue,
  BrokerPosition,
  BrokerSnapshot,
  CommissionReport,
  CompletedOrder,
  ContractMention,
  Execution,
  OrderSighting,
} from '../../domain/ports/broker.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { amount } from './fields.ts'
import { orderKey } from './reports.ts'

export type PositionRow = { account: string; contract: ContractMention; quantity: Decimal; averageCost: Decimal }
export type AccountRow =
  | { kind: 'value'; account: string; key: string; value: string; currency: string }
  | {
      kind: 'holding'
      account: string
      conId: number
      marketPrice: Decimal | undefined
      marketValue: Decimal | undefined
      unrealizedProfit: Decimal | undefined
      realizedProfit: Decimal | undefined
    }

/** The questions of a snapshot, as one connection answers them. Each rejects with BrokerUnavailable. */
export type SnapshotQuestions = {
  executions(): Promise<Execution[]>
  openOrders(): Promise<OrderSighting[]>
  completedOrders(): Promise<CompletedOrder[]>
  positions(): Promise<PositionRow[]>
  accountValues(account: string): Promise<AccountRow[]>
  /** The commission of an execution, if this connection has heard of it. */
  commission(executionId: string): CommissionReport | undefined
}

export const takeSnapshot = async (questions: SnapshotQuestions, account: string, now: () => number): Promise<BrokerSnapshot> => {
  const executions = onceEach(await questions.executions(), account)
  const openOrders = latestSightings(await questions.openOrders(), account)
  const completedOrders = (await questions.completedOrders()).filter((order) => order.account === account)
  const positions = (await questions.positions()).filter((row) => row.account === account)
  const rows = (await questions.accountValues(account)).filter((row) => row.account === account)
  return {
    account,
    takenAt: isoTime(now()),
    executions,
    commissions: executions.flatMap(({ executionId }) => questions.commission(executionId) ?? []),
    openOrders,
    completedOrders,
    positions: held(positions, rows),
    values: accountValues(rows),
  }
}

/** The library hands the rows of one question to others that run beside it: an execution counts once. */
const onceEach = (rows: readonly Execution[], account: string): Execution[] => [
  ...new Map(rows.filter((row) => row.account === account).map((row) => [row.executionId, row])).values(),
]

/** An open order and the status that follows it are one sighting; the later word counts. A status alone names no contract: left out. */
const latestSightings = (rows: readonly OrderSighting[], account: string): OrderSighting[] => {
  const byOrder = new Map<string, OrderSighting>()
  for (const row of rows) {
    if (row.contract === undefined || (row.account ?? account) !== account) continue
    const before = byOrder.get(orderKey(row))
    byOrder.set(orderKey(row), { ...row, filled: row.filled ?? before?.filled, remaining: row.remaining ?? before?.remaining })
  }
  return [...byOrder.values()]
}

/** Positions are the last word on what is held; the portfolio adds prices and profit to them. */
const held = (positions: readonly PositionRow[], rows: readonly AccountRow[]): BrokerPosition[] => {
  const latest = new Map(positions.map((row) => [row.contract.conId, row]))
  const holdings = new Map(rows.flatMap((row) => (row.kind === 'holding' ? [[row.conId, row] as const] : [])))
  return [...latest.values()]
    .filter(({ quantity }) => !isZero(quantity))
    .map(({ contract, quantity, averageCost }) => {
      const holding = holdings.get(contract.conId)
      return {
        contract,
        quantity,
        averageCost,
        marketPrice: holding?.marketPrice,
        marketValue: holding?.marketValue,
        unrealizedProfit: holding?.unrealizedProfit,
        realizedProfit: holding?.realizedProfit,
      }
    })
}

/** A value that changed while it was told comes twice: the later word counts. */
const latestOfEach = (rows: readonly { key: string; value: string; currency: string }[]): AccountValue[] => [
  ...new Map(rows.map(({ key, value, currency }) => [`${key} ${currency}`, { key, value, currency }])).values(),
]

/** The rows with the currency `BASE` are totals in the base currency, whose name stands beside the net liquidation. */
export const accountValues = (rows: readonly AccountRow[]): BrokerSnapshot['values'] => {
  const values = rows.flatMap((row) => (row.kind === 'value' ? [row] : []))
  const total = (key: string) => values.findLast((row) => row.key === key)
  const inBase = (key: string) => amount(total(key)?.value)
  const byCurrency = (key: string): Record<string, Decimal> =>
    Object.fromEntries(
      values.flatMap(({ key: named, currency, value }) => {
        const read = amount(value)
        return named === key && currency !== 'BASE' && currency !== '' && read !== undefined ? [[currency, read]] : []
      }),
    )
  const baseCurrency = ['NetLiquidation', 'AvailableFunds', 'GrossPositionValue']
    .map((key) => total(key)?.currency)
    .find((currency) => currency !== undefined && currency !== '' && currency !== 'BASE')

  const cash = byCurrency('CashBalance')
  const cashInBase = amount(values.findLast((row) => row.key === 'CashBalance' && row.currency === 'BASE')?.value)
  // an account of one currency may send the total alone
  const alone = baseCurrency !== undefined && cashInBase !== undefined && Object.keys(cash).length === 0
  return {
    baseCurrency,
    netLiquidation: inBase('NetLiquidation'),
    availableFunds: inBase('AvailableFunds'),
    grossPositionValue: inBase('GrossPositionValue'),
    cash: alone ? { [baseCurrency]: cashInBase } : cash,
    exchangeRates: { ...byCurrency('ExchangeRate'), ...(baseCurrency === undefined ? {} : { [baseCurrency]: '1' }) },
    all: latestOfEach(values),
  }
}
