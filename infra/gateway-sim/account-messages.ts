/** The messages about money and positions, as fields for the wire. Layouts: server versions 178 to 193. */
import type { Position } from './account.ts'
import { contractFields, multiplierText, shortDate } from './contract-messages.ts'
import { cents, unset } from './messages.ts'
import { ibTime } from './time-text.ts'
import type { DayStart } from './trading.ts'
import { type CurrencyValue, marketValue, unrealisedOf, type Valuation } from './valuation.ts'
import type { Field } from './wire.ts'

export const position = (account: string, { listing, quantity, averageCost }: Position): Field[] => [
  ...[61, 3, account, ...contractFields(listing, listing.primaryExchange), quantity, averageCost],
]
export const positionEnd = (): Field[] => [62, 1]

export const positionMulti = (requestId: number, account: string, model: string, { listing, quantity, averageCost }: Position): Field[] => [
  ...[71, 1, requestId, account, ...contractFields(listing, listing.primaryExchange), quantity, averageCost, model],
]
export const positionMultiEnd = (requestId: number): Field[] => [72, 1, requestId]

export const portfolioValue = (account: string, held: Position, price: number): Field[] => {
  const { listing, quantity, averageCost, realised } = held
  return [
    ...[7, 8, listing.conId, listing.symbol, listing.secType, shortDate(listing), 0, '', multiplierText(listing), listing.primaryExchange],
    ...[listing.currency, listing.localSymbol, listing.tradingClass, quantity, price, cents(marketValue(held, price)), averageCost],
    ...[cents(unrealisedOf(held, price)), cents(realised), account],
  ]
}

export type AccountValue = { key: string; value: string; currency: string }

export const accountValue = (account: string, { key, value, currency }: AccountValue): Field[] => [6, 2, key, value, currency, account]
export const accountUpdateTime = (now: number): Field[] => [8, 1, ibTime(now).slice(9, 14)]
export const accountDownloadEnd = (account: string): Field[] => [54, 1, account]

export const accountUpdateMulti = (requestId: number, account: string, model: string, { key, value, currency }: AccountValue): Field[] => [
  ...[73, 1, requestId, account, model, key, value, currency],
]
export const accountUpdateMultiEnd = (requestId: number): Field[] => [74, 1, requestId]

export const accountSummary = (requestId: number, account: string, { key, value, currency }: AccountValue): Field[] => [
  ...[63, 1, requestId, account, key, value, currency],
]
export const accountSummaryEnd = (requestId: number): Field[] => [64, 1, requestId]

/** Values of the account as a whole, by the tags of the account summary. */
export const accountTotals = (account: string, of: Valuation, { valuation: before }: Pick<DayStart, 'valuation'>): AccountValue[] => [
  { key: 'AccountCode', value: account, currency: '' },
  { key: 'AccountReady', value: 'true', currency: '' },
  { key: 'AccountType', value: 'INDIVIDUAL', currency: '' },
  ...Object.entries({
    NetLiquidation: of.netLiquidation,
    TotalCashValue: of.cash,
    SettledCash: of.cash,
    AccruedCash: 0,
    BuyingPower: of.buyingPower,
    EquityWithLoanValue: of.netLiquidation,
    GrossPositionValue: of.grossPositionValue,
    InitMarginReq: of.initialMargin,
    MaintMarginReq: of.maintenanceMargin,
    AvailableFunds: of.availableFunds,
    ExcessLiquidity: of.excessLiquidity,
    AccruedDividend: of.accruedDividends,
    FuturesPNL: of.futuresProfit,
    PreviousEquityWithLoanValue: before.netLiquidation,
    PreviousDayEquityWithLoanValue: before.netLiquidation,
    RegTEquity: of.netLiquidation,
    RegTMargin: of.initialMargin,
    SMA: of.availableFunds,
    FullInitMarginReq: of.initialMargin,
    FullMaintMarginReq: of.maintenanceMargin,
    FullAvailableFunds: of.availableFunds,
    FullExcessLiquidity: of.excessLiquidity,
    LookAheadInitMarginReq: of.initialMargin,
    LookAheadMaintMarginReq: of.maintenanceMargin,
    LookAheadAvailableFunds: of.availableFunds,
    LookAheadExcessLiquidity: of.excessLiquidity,
  }).map(([key, value]) => ({ key, value: value.toFixed(2), currency: of.base })),
  { key: 'LookAheadNextChange', value: '0', currency: '' },
  { key: 'Cushion', value: share(of.excessLiquidity, of.netLiquidation).toFixed(6), currency: '' },
  { key: 'Leverage', value: share(of.grossPositionValue, of.netLiquidation).toFixed(2), currency: '' },
  { key: 'DayTradesRemaining', value: '-1', currency: '' },
]

const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0)

/** Values of each currency, with `BASE` for their sum in the account's own. */
export const accountLedger = (account: string, of: Valuation): AccountValue[] =>
  [{ ...of, currency: 'BASE', exchangeRate: 1 }, ...of.currencies].flatMap((value) => ledgerOf(account, value, of.base))

const ledgerOf = (account: string, of: CurrencyValue, base: string): AccountValue[] => {
  const { currency, exchangeRate } = of
  return [
    { key: 'Currency', value: currency, currency },
    ...Object.entries({
      CashBalance: of.cash,
      TotalCashBalance: of.cash,
      StockMarketValue: of.stockValue,
      NetLiquidationByCurrency: of.netLiquidation,
      UnrealizedPnL: of.unrealised,
      RealizedPnL: of.realised,
    }).map(([key, value]) => ({ key, value: value.toFixed(2), currency })),
    { key: 'ExchangeRate', value: exchangeRate === 1 ? '1.00' : exchangeRate.toFixed(7), currency },
    ...Object.entries({ AccruedCash: 0, FuturesPNL: of.futuresProfit, NetDividend: of.accruedDividends }).map(([key, value]) => ({
      ...{ key, value: value.toFixed(2), currency },
    })),
    { key: 'AccountOrGroup', value: account, currency },
    { key: 'RealCurrency', value: currency === 'BASE' ? base : currency, currency },
  ]
}

/** Since midnight, of all positions, and what is unrealised and was realised today. */
export type Profit = { daily: number; unrealised: number; realised: number }

export const profit = (requestId: number, { daily, unrealised, realised }: Profit): Field[] => [
  ...[94, requestId, cents(daily), cents(unrealised), cents(realised)],
]

/** What was never held has no profit. */
export const profitSingle = (requestId: number, quantity: number, of: (Profit & { value: number }) | undefined): Field[] => [
  ...[95, requestId, quantity],
  ...(of ? [cents(of.daily), cents(of.unrealised), cents(of.realised), cents(of.value)] : [unset, unset, unset, unset]),
]
