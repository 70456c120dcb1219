/**
 * The order fields of placeOrder, openOrder and completedOrder in the order of the wire, by the names of the client library.
 * `since` and `until` are server versions (from, and up to but not including). A value that the simulator does not use is kept as
 * the text it came as, and told again in openOrder.
 */
import type { Field } from './wire.ts'

export type Attributes = Readonly<Record<string, string>>

type Slot = { name: string; since?: number; until?: number; empty?: Field }

const slots = (names: string): Slot[] =>
  names
    .trim()
    .split(/\s+/)
    .map((name) => ({ name }))
const from = (since: number, names: string): Slot[] => slots(names).map((slot) => ({ ...slot, since }))
const between = (since: number, until: number, names: string): Slot[] => slots(names).map((slot) => ({ ...slot, since, until }))

/** Fields that the message has but the simulator has nothing to say in. */
const blank = (name: string, empty: Field = ''): Slot[] => [{ name, empty }]

const contract = slots('conId symbol secType lastTradeDate strike right multiplier exchange')

// ── placeOrder ──

/** As far as the fields have fixed places, whatever the order is. */
const placeHead = [
  ...contract,
  ...slots(`primaryExchange currency localSymbol tradingClass secIdType secId
    action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit parentId blockOrder
    sweepToFill displaySize triggerMethod outsideRth hidden`),
]

const placeTail = [
  ...slots(`sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage modelCode shortSaleSlot
    designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone minQty percentOffset eTradeOnly firmQuoteOnly nbboPriceCap
    auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper overridePercentageConstraints volatility
    volatilityType deltaNeutralOrderType deltaNeutralAuxPrice continuousUpdate referencePriceType trailStopPrice trailingPercent
    scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement scaleTable activeStartTime activeStopTime hedgeType optOutSmartRouting
    clearingAccount clearingIntent notHeld deltaNeutralContract algoStrategy algoId whatIf orderMiscOptions solicited randomizeSize
    randomizePrice conditions adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice
    adjustedTrailingAmount adjustableTrailingUnit extOperator softDollarTierName softDollarTierValue cashQty mifid2DecisionMaker
    mifid2DecisionAlgo mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice
    usePriceMgmtAlgo duration postToAts autoCancelParent advancedErrorOverride manualOrderTime`),
  ...from(183, 'customerAccount'),
  ...from(184, 'professionalCustomer'),
  ...between(187, 190, 'rfqFirst rfqSecond'),
  ...from(189, 'includeOvernight'),
  ...from(192, 'manualOrderIndicator'),
]

/** A value in one of these would bring further fields with it, or mean an order that the simulator cannot work. */
const notSimulated = [
  'deltaNeutralOrderType',
  'scalePriceIncrement',
  'hedgeType',
  'deltaNeutralContract',
  'conditions',
  'parentId',
  'ocaGroup',
  'goodAfterTime',
  'goodTillDate',
  'cashQty',
  'allOrNone',
  'minQty',
]

export const orderTypes = ['MKT', 'LMT']
export const timesInForce = ['DAY', 'GTC', 'OPG']

/** `notSimulated` names the first thing in the order that the simulator has no rule for; `algorithm` is its name and parameters. */
export type PlacedOrder = { attributes: Attributes; algorithm: readonly string[]; notSimulated?: string }

/** Reads an order from the contract on. `take` gives the next field, and throws when there is none. */
export const readPlacedOrder = (take: () => string, serverVersion: number): PlacedOrder => {
  const attributes: Record<string, string> = {}
  const algorithm: string[] = []
  const stop = (what: string): PlacedOrder => ({ attributes, algorithm, notSimulated: what })
  for (const { name } of placeHead) attributes[name] = take()
  if (attributes['secType'] === 'BAG') return stop('combinations')
  if (!orderTypes.includes(attributes['orderType']!)) return stop(`order type "${attributes['orderType']}"`)
  for (const { name } of placeTail.filter((slot) => isIn(slot, serverVersion))) {
    attributes[name] = take()
    if (name === 'algoStrategy' && attributes[name] !== '') {
      const count = Number(take())
      for (let field = 0; field < 2 * count; field++) algorithm.push(take())
    }
    const value = attributes[name]
    if (notSimulated.includes(name) && value !== '' && value !== '0') return stop(name)
  }
  const first = notSimulated.find((name) => !['', '0', undefined].includes(attributes[name]))
  return first === undefined ? { attributes, algorithm } : stop(first)
}

// ── openOrder ──

/** Beside what the client gave: `clientId`, `permId`, `status`, `algorithm` and, for a what-if, the margins. */
const openOrder = [
  ...slots('orderId'),
  ...contract,
  ...slots(`currency localSymbol tradingClass action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin
    orderRef clientId permId outsideRth hidden discretionaryAmt goodAfterTime sharesAllocation faGroup faMethod faPercentage modelCode
    goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation`),
  ...blank('exemptCode', -1),
  ...slots(`auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize blockOrder sweepToFill
    allOrNone minQty`),
  ...blank('ocaType', 3),
  ...slots('eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod volatility volatilityType'),
  ...blank('noDeltaNeutralOrderType'),
  ...slots(`deltaNeutralAuxPrice continuousUpdate referencePriceType trailStopPrice trailingPercent basisPoints basisPointsType
    comboLegsDescription`),
  ...[...blank('comboLegs', 0), ...blank('orderComboLegs', 0), ...blank('smartComboRoutingParams', 0)],
  ...slots('scaleInitLevelSize scaleSubsLevelSize'),
  ...[...blank('noScalePriceIncrement'), ...blank('noHedgeType')],
  ...slots('optOutSmartRouting clearingAccount clearingIntent notHeld'),
  ...blank('noDeltaNeutralContract', 0),
  ...slots('algorithm solicited whatIf status'),
  ...slots(`initMarginBefore maintMarginBefore equityWithLoanBefore initMarginChange maintMarginChange equityWithLoanChange
    initMarginAfter maintMarginAfter equityWithLoanAfter commission minCommission maxCommission commissionCurrency warningText
    randomizeSize randomizePrice`),
  ...blank('noConditions', 0),
  ...blank('adjustedOrderType', 'None'),
  ...slots(`triggerPrice trailStopPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount
    adjustableTrailingUnit softDollarTierName softDollarTierValue softDollarTierDisplayName cashQty dontUseAutoPriceForHedge
    isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo duration postToAts autoCancelParent minTradeQty minCompeteSize
    competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf`),
  ...from(183, 'customerAccount'),
  ...from(184, 'professionalCustomer'),
  ...from(185, 'bondAccruedInterest'),
  ...from(189, 'includeOvernight'),
  ...from(193, 'extOperator manualOrderIndicator'),
]

// ── completedOrder ──

/** No order id and no client id: who asks must know the order by its `orderRef` or permId. */
const completedOrder = [
  ...contract,
  ...slots(`currency localSymbol tradingClass action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin
    orderRef permId outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage modelCode goodTillDate rule80A
    percentOffset settlingFirm shortSaleSlot designatedLocation`),
  ...blank('exemptCode', -1),
  ...slots(`startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty`),
  ...blank('ocaType', 3),
  ...slots('triggerMethod volatility volatilityType'),
  ...blank('noDeltaNeutralOrderType'),
  ...slots('deltaNeutralAuxPrice continuousUpdate referencePriceType trailStopPrice trailingPercent comboLegsDescription'),
  ...[...blank('comboLegs', 0), ...blank('orderComboLegs', 0), ...blank('smartComboRoutingParams', 0)],
  ...slots('scaleInitLevelSize scaleSubsLevelSize'),
  ...[...blank('noScalePriceIncrement'), ...blank('noHedgeType')],
  ...slots('clearingAccount clearingIntent notHeld'),
  ...blank('noDeltaNeutralContract', 0),
  ...slots('algorithm solicited status randomizeSize randomizePrice'),
  ...blank('noConditions', 0),
  ...slots(`trailStopPrice lmtPriceOffset cashQty dontUseAutoPriceForHedge isOmsContainer autoCancelDate filledQuantity
    refFuturesConId autoCancelParent shareholder imbalanceOnly routeMarketableToBbo parentPermId completedTime completedStatus
    minTradeQty minCompeteSize competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf`),
  ...from(183, 'customerAccount'),
  ...from(184, 'professionalCustomer'),
]

const isIn = (slot: Slot, serverVersion: number): boolean =>
  serverVersion >= (slot.since ?? 0) && serverVersion < (slot.until ?? Number.POSITIVE_INFINITY)

/** A list stands for several fields in a row, as an algorithm's name, count and parameters. */
export type Values = Readonly<Record<string, Field | readonly Field[]>>

const encode = (layout: readonly Slot[]) => {
  return (values: Values, serverVersion: number): Field[] =>
    layout
      .filter((slot) => isIn(slot, serverVersion))
      .flatMap((slot) => {
        const value = values[slot.name]
        return value === undefined || value === '' ? [slot.empty] : (value as Field | Field[])
      })
}

export const encodeOpenOrder = encode(openOrder)
export const encodeCompletedOrder = encode(completedOrder)
