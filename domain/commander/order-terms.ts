/** Order terms: type, limit price, time in force and algo of what goes. */
import type { OrderProperties } from '../commands.ts'
import { type Configuration, settingOf } from '../configuration.ts'
import { type Decimal, decimal } from '../decimal.ts'
import type { EventData, Note } from '../events.ts'
import type { Net } from './cross-and-net.ts'
import type { Market } from './market.ts'
import { note } from './notes.ts'
import { collarPrice, isOutsideCollar } from './price-collar.ts'

export type OrderTerms = Pick<EventData<'OrderPlanned'>, 'type' | 'timeInForce' | 'outsideRegularHours' | 'referencePrice'> & {
  limitPrice?: Decimal
  algo?: NonNullable<EventData<'OrderPlanned'>['algo']>
}

/** Adaptive knows only orders for the day and in regular hours. */
const algoOf = (configuration: Configuration): OrderTerms['algo'] =>
  settingOf(configuration, 'orders.algo') === 'Adaptive'
    ? { strategy: 'Adaptive', parameters: { adaptivePriority: settingOf(configuration, 'orders.adaptivePriority') } }
    : undefined

/**
 * Type, time in force and price of an order.
 * What the request asks for changes increases only: a reduction always goes at market, for the day, in regular hours. A market order for an
 * increase gives up the collar; outside regular hours only a limit order goes.
 */
export const termsOf = (
  { conId, reduces, quantity, shares }: Net,
  configuration: Configuration,
  properties: OrderProperties,
  market: Market,
): { terms: OrderTerms; notes: Note[] } => {
  const { exit, reference, marketPrice, instrument } = market(conId)
  const collar = decimal(settingOf(configuration, 'orders.priceCollar'))
  const price = (reduces ? exit : reference)!.value
  const algo = algoOf(configuration)
  const withAlgo = algo === undefined ? {} : { algo }
  const about = { conId, numbers: { referencePrice: price, collar, shares: shares.map(({ strategy }) => strategy).join(', ') } }
  if (reduces) {
    const far = marketPrice !== undefined && isOutsideCollar(marketPrice, price, collar)
    const notes = far ? [note('COLLAR_REDUCTION', { ...about, numbers: { ...about.numbers, marketPrice } })] : []
    return { terms: { type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false, referencePrice: price, ...withAlgo }, notes }
  }
  const { type = 'LMT', timeInForce = 'DAY', outsideRegularHours = false } = properties
  if (type === 'MKT') {
    const terms = { type, timeInForce, outsideRegularHours: false, referencePrice: price, ...(timeInForce === 'DAY' ? withAlgo : {}) }
    return { terms, notes: [note('COLLAR_OFF', about)] }
  }
  const limitPrice = collarPrice(price, quantity, collar, instrument!.minTick)
  const plain = timeInForce === 'DAY' && !outsideRegularHours
  return { terms: { type, timeInForce, outsideRegularHours, referencePrice: price, limitPrice, ...(plain ? withAlgo : {}) }, notes: [] }
}
