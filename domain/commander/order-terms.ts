/** Order terms: type, limit price, time in force and algo of what goes. */
import { type Configuration, settingOf } from '../configuration.ts'
import { type Decimal, decimal } from '../decimal.ts'
import type { EventData, Note } from '../events.ts'
import type { Net } from './cross-and-net.ts'
import { offsetPrice } from './limit-offset.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'
import type { ResolvedProperties } from './order-properties.ts'
import { collarPrice, isOutsideCollar } from './price-collar.ts'

type Planned = EventData<'OrderPlanned'>
export type OrderTerms = Pick<Planned, 'type' | 'timeInForce' | 'outsideRegularHours' | 'referencePrice'> & {
  limitPrice?: Decimal
  goodAfter?: string
  goodTill?: string
  algo?: NonNullable<Planned['algo']>
}

/** Adaptive knows only market and limit orders for the day and in regular hours. */
const algoOf = (configuration: Configuration, { algo, adaptivePriority }: ResolvedProperties): Pick<OrderTerms, 'algo'> =>
  (algo ?? settingOf(configuration, 'orders.algo')) === 'Adaptive'
    ? {
        algo: {
          strategy: 'Adaptive',
          parameters: { adaptivePriority: adaptivePriority ?? settingOf(configuration, 'orders.adaptivePriority') },
        },
      }
    : {}

const isLimit = (type: OrderTerms['type']): boolean => type === 'LMT' || type === 'LOC'

/**
 * Type, times and price of an order.
 * What the request asks for changes increases only: a reduction always goes at market, for the day, in regular hours. A market order for an
 * increase gives up the collar; outside regular hours only a limit order goes.
 */
export const termsOf = (
  { conId, reduces, quantity, shares }: Net,
  configuration: Configuration,
  properties: ResolvedProperties,
  market: Market,
): { terms: OrderTerms; notes: Note[] } => {
  const { exit, reference, marketPrice, instrument } = market(conId)
  const collar = decimal(settingOf(configuration, 'orders.priceCollar'))
  const price = (reduces ? exit : reference)!.value
  const about = { conId, numbers: { referencePrice: price, collar, shares: shares.map(({ strategy }) => strategy).join(', ') } }
  if (reduces) {
    const far = marketPrice !== undefined && isOutsideCollar(marketPrice, price, collar)
    const notes = far ? [note('COLLAR_REDUCTION', { ...about, numbers: { ...about.numbers, marketPrice } })] : []
    const atMarket = { type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false, referencePrice: price } as const
    return { terms: { ...atMarket, ...algoOf(configuration, {}) }, notes }
  }
  const { type = 'LMT', timeInForce = 'DAY', goodAfter, goodTill, limitOffset } = properties
  const outsideRegularHours = isLimit(type) && (properties.outsideRegularHours ?? false)
  const plain = timeInForce === 'DAY' && !outsideRegularHours && (type === 'MKT' || type === 'LMT')
  const terms: OrderTerms = {
    ...{ type, timeInForce, outsideRegularHours, referencePrice: price },
    ...(goodAfter === undefined ? {} : { goodAfter }),
    ...(goodTill === undefined ? {} : { goodTill }),
    ...(plain ? algoOf(configuration, properties) : {}),
  }
  if (!isLimit(type)) return { terms, notes: [note('COLLAR_OFF', about)] }
  const atCollar = collarPrice(price, quantity, collar, instrument!)
  if (limitOffset === undefined) return { terms: { ...terms, limitPrice: atCollar }, notes: [] }
  const wished = offsetPrice(limitOffset, { reference: price, quantity, collar: atCollar, steps: instrument! })
  const numbers = { ...about.numbers, limitOffset: String(limitOffset), limitPrice: wished.limitPrice }
  return {
    terms: { ...terms, limitPrice: wished.limitPrice },
    notes: wished.atCollar ? [note('LIMIT_AT_COLLAR', { ...about, numbers })] : [],
  }
}
