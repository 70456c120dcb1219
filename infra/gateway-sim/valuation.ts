/** What an account is worth at given prices and exchange rates. */
import { type Account, type Position, round } from './account.ts'

/** What is held and was earned in one currency, in that currency. */
export type CurrencyValue = {
  currency: string
  cash: number
  stockValue: number
  /** Profit of futures that are held, which is no cash yet. */
  futuresProfit: number
  accruedDividends: number
  netLiquidation: number
  unrealised: number
  realised: number
  /** Base units for one unit of it. */
  exchangeRate: number
}

/** What the account window shows, in the base currency. Margins by a plain rule, see `margins`. */
export type Valuation = Omit<CurrencyValue, 'currency' | 'exchangeRate'> & {
  base: string
  /** Of what is bought, not of futures. */
  grossPositionValue: number
  initialMargin: number
  maintenanceMargin: number
  availableFunds: number
  excessLiquidity: number
  buyingPower: number
  /** Of each currency that there is cash or a position in; the base currency first. */
  currencies: readonly CurrencyValue[]
}

/** Half of the gross position to open, a quarter to keep; of futures a tenth and a twelfth of what they stand for. */
const margins = { stock: { initial: 0.5, maintenance: 0.25 }, future: { initial: 0.1, maintenance: 1 / 12 } }

export type RateOf = (currency: string) => number

/** A pair's position is a memory of the price: its worth is in the cash. */
export const countsAsValue = ({ listing }: Position): boolean => listing.secType !== 'CASH'
const isFuture = ({ listing }: Position): boolean => listing.secType === 'FUT'

/** What it would bring if it were closed, without commission; of a future what it stands for. */
export const marketValue = ({ quantity, listing }: Position, price: number): number => quantity * price * listing.multiplier
export const unrealisedOf = ({ quantity, averageCost, listing }: Position, price: number): number =>
  quantity * (price * listing.multiplier - averageCost)

type PriceOf = (position: Position) => number

const valueIn = (account: Account, currency: string, priceOf: PriceOf, rateOf: RateOf): CurrencyValue => {
  const positions = [...account.positions.values()].filter((position) => position.listing.currency === currency && countsAsValue(position))
  const sum = (of: (position: Position) => number): number => round(positions.reduce((total, position) => total + of(position), 0))
  const cash = account.cash.get(currency) ?? 0
  const stockValue = sum((position) => (isFuture(position) ? 0 : marketValue(position, priceOf(position))))
  const futuresProfit = sum((position) => (isFuture(position) ? unrealisedOf(position, priceOf(position)) + position.commissionInCost : 0))
  const accruedDividends = round(
    account.accruals.reduce((total, accrual) => total + (accrual.currency === currency ? accrual.amount : 0), 0),
  )
  return {
    ...{ currency, cash, stockValue, futuresProfit, accruedDividends },
    netLiquidation: round(cash + stockValue + futuresProfit + accruedDividends),
    unrealised: sum((position) => unrealisedOf(position, priceOf(position))),
    realised: sum(({ realised }) => realised),
    exchangeRate: currency === account.base ? 1 : rateOf(currency),
  }
}

export const valuation = (account: Account, priceOf: PriceOf, rateOf: RateOf = () => 1): Valuation => {
  const positions = [...account.positions.values()].filter(countsAsValue)
  const held = new Set([account.base, ...account.cash.keys(), ...positions.map(({ listing }) => listing.currency)])
  const currencies = [...held].map((currency) => valueIn(account, currency, priceOf, rateOf))
  const total = (of: (value: CurrencyValue) => number): number =>
    round(currencies.reduce((sum, value) => sum + of(value) * value.exchangeRate, 0))
  const gross = (counts: (position: Position) => boolean): number =>
    round(
      positions.filter(counts).reduce((sum, position) => {
        const { exchangeRate } = currencies.find(({ currency }) => currency === position.listing.currency)!
        return sum + Math.abs(marketValue(position, priceOf(position))) * exchangeRate
      }, 0),
    )
  const [grossPositionValue, futures] = [gross((position) => !isFuture(position)), gross(isFuture)]
  const margin = (which: 'initial' | 'maintenance'): number =>
    round(grossPositionValue * margins.stock[which] + futures * margins.future[which])
  const [initialMargin, maintenanceMargin, netLiquidation] = [margin('initial'), margin('maintenance'), total((of) => of.netLiquidation)]
  const availableFunds = round(netLiquidation - initialMargin)
  return {
    base: account.base,
    netLiquidation,
    cash: total((of) => of.cash),
    stockValue: total((of) => of.stockValue),
    futuresProfit: total((of) => of.futuresProfit),
    accruedDividends: total((of) => of.accruedDividends),
    grossPositionValue,
    unrealised: total((of) => of.unrealised),
    realised: total((of) => of.realised),
    ...{ initialMargin, maintenanceMargin, availableFunds },
    excessLiquidity: round(netLiquidation - maintenanceMargin),
    buyingPower: round(Math.max(0, availableFunds) * 2),
    currencies,
  }
}
