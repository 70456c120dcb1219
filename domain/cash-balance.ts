/**
 * Cash in other currencies than the account's own, and the conversions that bring it back. Pure.
 * A conversion is an order in the pair as the broker lists it: EUR.USD is sold for a USD account with euros; USD.JPY is bought with yen, by
 * a quantity in dollars. Its size is cut towards zero, so that a debt is no more over-hedged than a balance; it belongs to no book.
 */
import { addDays, newYorkDate, newYorkTime } from './calendar.ts'
import { firstOrderId, orderRefOf } from './commander/plan.ts'
import { absolute, compare, type Decimal, divide, isZero, multiply, negate, proportion, sign, towardsZero } from './decimal.ts'
import type { EventData } from './events.ts'
import { type Ledger, openOrders } from './ledger.ts'
import { weekday } from './new-york-time.ts'
import type { BrokerSnapshot, Contract } from './ports/broker.ts'
import { saysEnded } from './reports.ts'
import { comingDay } from './trading-days.ts'

/** What the broker lists under each spelling; the one that it does not know is empty. */
export type PairAnswers = { ofCurrency: readonly Contract[]; ofBase: readonly Contract[] }
export type CashFacts = {
  snapshot: BrokerSnapshot
  /** The ledger's position when the questions began. */
  asked: number
  pairs: Readonly<Record<string, PairAnswers>>
}

type Conversion = EventData<'CashBalanced'>['conversions'][number]
type Planned = EventData<'OrderPlanned'>

/** The account's values follow a trade after a while: cash that was converted so short a time ago may still be shown as it was. */
const valuesLagMs = 3 * 60_000

export const pairQuery = (symbol: string, currency: string) => ({ symbol, secType: 'CASH', exchange: 'IDEALPRO', currency })

/** Currencies other than the base, by name, with their value in base where the rate is known. */
const foreignCash = ({
  values,
}: BrokerSnapshot): { currency: string; cash: Decimal; rate: Decimal | undefined; value: Decimal | undefined }[] =>
  Object.entries(values.cash)
    .filter(([currency, cash]) => currency !== values.baseCurrency && !isZero(cash))
    .map(([currency, cash]) => {
      const known = values.exchangeRates[currency]
      const rate = known !== undefined && sign(known) > 0 ? known : undefined
      return { currency, cash, rate, value: rate === undefined ? undefined : multiply(cash, rate) }
    })
    .sort((left, right) => (left.currency < right.currency ? -1 : 1))

const isOver = (value: Decimal | undefined, threshold: Decimal): boolean => value !== undefined && compare(absolute(value), threshold) > 0

/** Whose pairs have to be asked for. */
export const currenciesOver = (snapshot: BrokerSnapshot, threshold: Decimal): string[] =>
  foreignCash(snapshot).flatMap(({ currency, value }) => (isOver(value, threshold) ? [currency] : []))

type Pair = { contract: Contract; inverse: boolean }

const pairOf = (currency: string, base: string, answers: PairAnswers | undefined): Pair | { code: string; text: string } => {
  if (answers === undefined) return { code: 'PAIR_NOT_ASKED', text: `the threshold was lowered while the broker was asked; ask again` }
  const listed = (contracts: readonly Contract[], symbol: string, paid: string) =>
    contracts.filter((contract) => contract.secType === 'CASH' && contract.symbol === symbol && contract.currency === paid)
  const found: Pair[] = [
    ...listed(answers.ofCurrency, currency, base).map((contract) => ({ contract, inverse: false })),
    ...listed(answers.ofBase, base, currency).map((contract) => ({ contract, inverse: true })),
  ]
  const names = `${currency}.${base} and ${base}.${currency}`
  if (found.length > 1) return { code: 'PAIR_AMBIGUOUS', text: `${found.length} contracts match ${names}` }
  return found[0] ?? { code: 'PAIR_UNKNOWN', text: `the broker lists neither ${names.replace('and', 'nor')}` }
}

/** Why a second conversion of this currency could be one too many; undefined when nothing stands against it. */
const underWay = (before: Readonly<Ledger>, after: Ledger, { snapshot, asked }: CashFacts, { conId, symbol, currency }: Contract) => {
  const isPair = (of: { secType: string; symbol: string; currency: string }): boolean =>
    of.secType === 'CASH' && [symbol, currency].includes(of.symbol) && [symbol, currency].includes(of.currency)
  const working = openOrders(after).find(isPair)
  if (working !== undefined) return `order ${working.orderRef} is at work`
  const others = snapshot.openOrders.find((order) => order.contract !== undefined && isPair(order.contract) && !saysEnded(order.status))
  if (others !== undefined && after.orders[others.orderRef ?? ''] === undefined) return 'an order that is not ours is at work'
  // It may have begun and ended between the broker's answers and this decision: the cash in them is that of before.
  if ((before.reportedAt[conId] ?? 0) > asked) return 'the pair was traded while the broker was asked'
  const latest = snapshot.executions.find(
    ({ contract, time }) => isPair(contract) && Date.parse(snapshot.takenAt) - Date.parse(time) < valuesLagMs,
  )
  return latest && `execution ${latest.executionId} is younger than ${valuesLagMs / 60_000} minutes`
}

/** 17:00 in New York ends the day of currencies; from Friday's on there is none until Monday's. */
const endOfCurrencyDay = (now: number): string => {
  for (let date = newYorkDate(now); ; date = addDays(date, 1)) {
    const end = newYorkTime(date, '17:00')
    if (end > now && weekday(date) >= 1 && weekday(date) <= 5) return new Date(end).toISOString()
  }
}

/** The end of the pair's trading day, as the broker tells it. */
const endOfDay = ({ hours }: Contract, now: number): string =>
  hours === undefined || hours.regular.length === 0 ? endOfCurrencyDay(now) : new Date(comingDay(hours, now).close).toISOString()

/**
 * One line a currency, and the orders to be planned.
 * @param before the ledger, and @param after the same with all that the snapshot showed
 * @param command whose id names the orders
 */
export const balanceCash = (
  before: Readonly<Ledger>,
  after: Ledger,
  facts: CashFacts,
  { command, base, threshold, now }: { command: string; base: string; threshold: Decimal; now: number },
): { conversions: Conversion[]; orders: Planned[] } => {
  const orders: Planned[] = []

  const judge = ({ currency, cash, rate, value }: ReturnType<typeof foreignCash>[number]): Conversion => {
    const line = { currency, cash, ...(rate === undefined ? {} : { exchangeRate: rate }), ...(value === undefined ? {} : { value }) }
    const held = (code: string, text: string): Conversion => ({ ...line, verdict: 'held', code, text })
    const nothing = (code: string, text: string): Conversion => ({ ...line, verdict: 'nothing', code, text })
    if (rate === undefined || value === undefined) return held('FX_MISSING', `the broker gives no rate of ${currency}`)
    if (!isOver(value, threshold)) return nothing('BELOW_THRESHOLD', `${value} ${base} is not over ${threshold}`)
    const pair = pairOf(currency, base, facts.pairs[currency])
    if ('code' in pair) return held(pair.code, pair.text)
    const { contract, inverse } = pair
    const why = underWay(before, after, facts, contract)
    if (why !== undefined) return held('CONVERSION_UNDER_WAY', why)
    const quantity = inverse ? proportion(cash, rate, '1', contract.sizeStep) : negate(towardsZero(cash, contract.sizeStep))
    const { conId, symbol, sizeStep } = contract
    const name = `${symbol}.${contract.currency}`
    if (isZero(quantity)) return nothing('BELOW_STEP', `less than the ${sizeStep} that ${name} trades in`)
    const orderRef = orderRefOf(after.prefix!, command, orders.length + 1)
    orders.push({
      ...{ orderRef, orderId: firstOrderId(after) + orders.length, account: after.account! },
      ...{ conId, symbol, secType: 'CASH', exchange: 'IDEALPRO', currency: contract.currency, sizeStep, quantity },
      ...{ type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false, reduces: true },
      referencePrice: inverse ? divide('1', rate) : rate,
      ...{ shares: [], inForceUntil: endOfDay(contract, now), decision: command },
    })
    const text = `${sign(quantity) > 0 ? 'buys' : 'sells'} ${absolute(quantity)} ${name}`
    return { ...line, verdict: 'order', code: 'CONVERTED', text, conId, pair: name, quantity, orderRef }
  }

  return { conversions: foreignCash(facts.snapshot).map(judge), orders }
}
