/** The messages about contracts, as fields for the wire. Layouts: server versions 178 to 193. */
import { addDays, newYorkDate, type Session, sessionOn } from '../../domain/calendar.ts'
import { isTradable, type Listing, type PriceStep } from './listing.ts'
import { extendedHours } from './market.ts'
import { simulatedOrderTypes } from './order-terms.ts'
import { timesInForce } from './time-in-force.ts'
import { ibTime } from './time-text.ts'
import type { Field } from './wire.ts'

/** `20190920`, empty for what does not expire. */
export const shortDate = ({ lastTradeDate = '' }: Listing): string => lastTradeDate.replaceAll('-', '')

/** Only futures have one that is told. */
export const multiplierText = ({ secType, multiplier }: Listing): string =>
  secType === 'FUT' || secType === 'CONTFUT' ? String(multiplier) : ''

/** The eleven fields by which most messages name a contract, from conId to tradingClass. */
export const contractFields = (listing: Listing, exchange: string): Field[] => [
  ...[listing.conId, listing.symbol, listing.secType, shortDate(listing), 0, '', multiplierText(listing), exchange],
  ...[listing.currency, listing.localSymbol, listing.tradingClass],
]

const daysShown = 7

/** One entry a day in the zone of the contract, `CLOSED` where there is no session. */
const hours = (now: number, zone: string, fromTo: (session: Session) => { open: number; close: number }): string =>
  Array.from({ length: daysShown }, (_, day) => addDays(newYorkDate(now), day))
    .map((date) => {
      const session = sessionOn(date)
      if (!session) return `${date.replaceAll('-', '')}:CLOSED`
      const { open, close } = fromTo(session)
      return `${dayAndMinute(open, zone)}-${dayAndMinute(close, zone)}`
    })
    .join(';')

/** `20190603:0930` */
const dayAndMinute = (instant: number, zone: string): string => {
  const text = ibTime(instant, zone)
  return `${text.slice(0, 8)}:${text.slice(9, 14).replace(':', '')}`
}

const orderTypes = [...simulatedOrderTypes, ...timesInForce].join(',')

/** Groups of exchanges among which one market data subscription holds. */
const aggregateGroup = { STK: 1, IND: 2, FUT: 2, CONTFUT: 2, CASH: 4 }

export const contractDetails = (requestId: number, listing: Listing, now: number, serverVersion: number): Field[] => {
  const { secType, symbol, validExchanges, minTick, sizeIncrement, underlying, timeZone } = listing
  const expires = shortDate(listing)
  return [
    ...[10, requestId, symbol, secType, expires],
    ...(serverVersion >= 182 ? [expires] : []),
    ...[0, '', listing.exchange, listing.currency, listing.localSymbol, listing.tradingClass, listing.tradingClass, listing.conId, minTick],
    ...[multiplierText(listing), isTradable(listing) ? orderTypes : '', validExchanges.join(','), 1, underlying?.conId ?? 0],
    ...[listing.longName, secType === 'STK' ? listing.primaryExchange : '', expires.slice(0, 6)],
    ...[listing.industry, listing.category, listing.subcategory, timeZone],
    ...[hours(now, timeZone, extendedHours), hours(now, timeZone, (session) => session)],
    ...['', 0, 0, aggregateGroup[secType], underlying?.symbol ?? '', underlying?.secType ?? ''],
    ...[validExchanges.map(() => listing.marketRuleId).join(','), expires, listing.stockType],
    ...[sizeIncrement, sizeIncrement, sizeIncrement],
    ...(serverVersion >= 186 ? [0] : []),
  ]
}
export const contractDetailsEnd = (requestId: number): Field[] => [52, 1, requestId]

export const marketRule = (id: number, steps: readonly PriceStep[]): Field[] => [
  ...[93, id, steps.length],
  ...steps.flatMap(({ lowEdge, increment }) => [lowEdge, increment]),
]

/** At most this many, as IB does. */
const mostSamples = 16

export const symbolSamples = (requestId: number, listings: readonly Listing[]): Field[] => {
  const told = listings.slice(0, mostSamples)
  return [
    ...[79, requestId, told.length],
    ...told.flatMap((listing) => [
      listing.conId,
      listing.symbol,
      listing.secType,
      listing.primaryExchange,
      listing.currency,
      0,
      listing.longName,
      '',
    ]),
  ]
}
