/**
 * The order fields of placeOrder, openOrder and completedOrder in the order of the wire, by the names of the client library.
 * A value that the simulator does not use is kept as the text it came as, and told again in openOrder.
 */
import {
  between,
  from,
  having,
  type Layout,
  orElse,
  type Read,
  readLayout,
  rows,
  slots,
  unlessZero,
  type Values,
  writeLayout,
} from './field-layout.ts'
import type { Field } from './wire.ts'

/** What a client gave: its fields as text, and its lists (`algoParams`, `conditions`, legs). */
export type PlacedOrder = { attributes: Attributes; lists: Lists }
export type Attributes = Readonly<Record<string, string>>
export type Lists = Readonly<Record<string, readonly Values[]>>

const contract = slots('conId symbol secType lastTradeDate strike right multiplier exchange')

// ── Parts that the messages have in common ──

const isOf = (...orderTypes: string[]) => {
  return (values: Values): boolean => orderTypes.includes(String(values['orderType']))
}
const legs = [
  ...rows('comboLegs', slots('conId ratio action exchange openClose shortSaleSlot designatedLocation exemptCode')),
  ...rows('orderComboLegs', slots('price')),
  ...rows('smartComboRoutingParams', slots('tag value')),
]
const scale = slots(`scalePriceAdjustValue scalePriceAdjustInterval scaleProfitOffset scaleAutoReset scaleInitPosition scaleInitFillQty
  scaleRandomPercent`)
const hedge = [...slots('hedgeType'), ...having('hedgeType', slots('hedgeParam'))]
const deltaNeutralContract = [
  ...orElse('deltaNeutralContract', 0),
  ...unlessZero('deltaNeutralContract', slots('underlyingConId underlyingDelta underlyingPrice')),
]
const algorithm = [...slots('algoStrategy'), ...having('algoStrategy', rows('algoParams', slots('tag value')))]
const peggedToBenchmark = [
  {
    when: isOf('PEG BENCH', 'PEGBENCH'),
    fields: slots('referenceContractId isPeggedChangeAmountDecrease peggedChangeAmount referenceChangeAmount referenceExchangeId'),
  },
]

/** Type 2 was never used. */
const conditionFields: Readonly<Record<string, string>> = {
  1: 'isMore value conId exchange triggerMethod',
  3: 'isMore value',
  4: 'isMore value',
  5: 'secType exchange symbol',
  6: 'isMore value conId exchange',
  7: 'isMore value conId exchange',
}
const conditions = [
  ...rows('conditions', [
    ...slots('type conjunction'),
    ...Object.entries(conditionFields).map(([type, names]) => ({ when: (row: Values) => row['type'] === type, fields: slots(names) })),
  ]),
  ...having('conditions', slots('conditionsIgnoreRth conditionsCancelOrder')),
]

// ── placeOrder ──

const isPeggedToBest = isOf('PEG BEST', 'PEGBEST')
/** An offset without a bound means "up to the middle" and brings the offsets from there. */
const hasMidOffsets = (values: Values): boolean =>
  isOf('PEG MID', 'PEGMID')(values) ||
  (isPeggedToBest(values) && /^(inf.*|1\.797.*308)$/i.test(String(values['competeAgainstBestOffset'] ?? '')))

const placeOrder: Layout = [
  ...contract,
  ...slots(`primaryExchange currency localSymbol tradingClass secIdType secId
    action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin orderRef transmit parentId blockOrder
    sweepToFill displaySize triggerMethod outsideRth hidden`),
  { when: (values) => values['secType'] === 'BAG', fields: legs },
  ...slots(`sharesAllocation discretionaryAmt goodAfterTime goodTillDate faGroup faMethod faPercentage`),
  ...between(0, 177, 'faProfile'),
  ...slots(`modelCode shortSaleSlot designatedLocation exemptCode ocaType rule80A settlingFirm allOrNone minQty percentOffset eTradeOnly
    firmQuoteOnly nbboPriceCap auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper
    overridePercentageConstraints volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice`),
  ...having(
    'deltaNeutralOrderType',
    slots(`deltaNeutralConId deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent deltaNeutralOpenClose
      deltaNeutralShortSale deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation`),
  ),
  ...slots('continuousUpdate referencePriceType trailStopPrice trailingPercent scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement'),
  ...unlessZero('scalePriceIncrement', scale),
  ...slots('scaleTable activeStartTime activeStopTime'),
  ...hedge,
  ...slots('optOutSmartRouting clearingAccount clearingIntent notHeld'),
  ...deltaNeutralContract,
  ...algorithm,
  ...slots('algoId whatIf orderMiscOptions solicited randomizeSize randomizePrice'),
  ...peggedToBenchmark,
  ...conditions,
  ...slots(`adjustedOrderType triggerPrice lmtPriceOffset adjustedStopPrice adjustedStopLimitPrice adjustedTrailingAmount
    adjustableTrailingUnit extOperator softDollarTierName softDollarTierValue cashQty mifid2DecisionMaker mifid2DecisionAlgo
    mifid2ExecutionTrader mifid2ExecutionAlgo dontUseAutoPriceForHedge isOmsContainer discretionaryUpToLimitPrice usePriceMgmtAlgo
    duration postToAts autoCancelParent advancedErrorOverride manualOrderTime`),
  { when: (values) => values['exchange'] === 'IBKRATS', fields: slots('minTradeQty') },
  { when: isPeggedToBest, fields: slots('minCompeteSize competeAgainstBestOffset') },
  { when: hasMidOffsets, fields: slots('midOffsetAtWhole midOffsetAtHalf') },
  ...from(183, 'customerAccount'),
  ...from(184, 'professionalCustomer'),
  ...between(187, 190, 'rfqFirst rfqSecond'),
  ...from(189, 'includeOvernight'),
  ...from(192, 'manualOrderIndicator'),
]

/** Reads an order from the contract on. `take` gives the next field and throws when there is none. */
export const readPlacedOrder = (take: () => string, serverVersion: number, fail: (problem: string) => Error): PlacedOrder => {
  const attributes: Record<string, string> = {}
  const lists: Record<string, readonly Read[]> = {}
  for (const [name, value] of Object.entries(readLayout(placeOrder, take, serverVersion, fail))) {
    if (typeof value === 'string') attributes[name] = value
    else lists[name] = value
  }
  return { attributes, lists }
}

// ── openOrder ──

/** Beside what the client gave: `clientId`, `permId`, `status` and, for a what-if, the margins. */
const openOrder: Layout = [
  ...slots('orderId'),
  ...contract,
  ...slots(`currency localSymbol tradingClass action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin
    orderRef clientId permId outsideRth hidden discretionaryAmt goodAfterTime sharesAllocation faGroup faMethod faPercentage`),
  ...between(0, 177, 'faProfile'),
  ...slots('modelCode goodTillDate rule80A percentOffset settlingFirm shortSaleSlot designatedLocation'),
  ...orElse('exemptCode', -1),
  ...slots(`auctionStrategy startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize blockOrder sweepToFill
    allOrNone minQty`),
  ...orElse('ocaType', 3),
  ...slots('eTradeOnly firmQuoteOnly nbboPriceCap parentId triggerMethod volatility volatilityType'),
  ...slots('deltaNeutralOrderType deltaNeutralAuxPrice'),
  ...having(
    'deltaNeutralOrderType',
    slots(`deltaNeutralConId deltaNeutralSettlingFirm deltaNeutralClearingAccount deltaNeutralClearingIntent deltaNeutralOpenClose
      deltaNeutralShortSale deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation`),
  ),
  ...slots('continuousUpdate referencePriceType trailStopPrice trailingPercent basisPoints basisPointsType comboLegsDescription'),
  ...legs,
  ...slots('scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement'),
  ...unlessZero('scalePriceIncrement', scale),
  ...hedge,
  ...slots('optOutSmartRouting clearingAccount clearingIntent notHeld'),
  ...deltaNeutralContract,
  ...algorithm,
  ...slots('solicited whatIf status'),
  ...slots(`initMarginBefore maintMarginBefore equityWithLoanBefore initMarginChange maintMarginChange equityWithLoanChange
    initMarginAfter maintMarginAfter equityWithLoanAfter commission minCommission maxCommission commissionCurrency warningText
    randomizeSize randomizePrice`),
  ...peggedToBenchmark,
  ...conditions,
  ...orElse('adjustedOrderType', 'None'),
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
const completedOrder: Layout = [
  ...contract,
  ...slots(`currency localSymbol tradingClass action totalQuantity orderType lmtPrice auxPrice tif ocaGroup account openClose origin
    orderRef permId outsideRth hidden discretionaryAmt goodAfterTime faGroup faMethod faPercentage modelCode goodTillDate rule80A
    percentOffset settlingFirm shortSaleSlot designatedLocation`),
  ...orElse('exemptCode', -1),
  ...slots(`startingPrice stockRefPrice delta stockRangeLower stockRangeUpper displaySize sweepToFill allOrNone minQty`),
  ...orElse('ocaType', 3),
  ...slots('triggerMethod volatility volatilityType deltaNeutralOrderType deltaNeutralAuxPrice'),
  ...having(
    'deltaNeutralOrderType',
    slots('deltaNeutralConId deltaNeutralShortSale deltaNeutralShortSaleSlot deltaNeutralDesignatedLocation'),
  ),
  ...slots('continuousUpdate referencePriceType trailStopPrice trailingPercent comboLegsDescription'),
  ...legs,
  ...slots('scaleInitLevelSize scaleSubsLevelSize scalePriceIncrement'),
  ...unlessZero('scalePriceIncrement', scale),
  ...hedge,
  ...slots('clearingAccount clearingIntent notHeld'),
  ...deltaNeutralContract,
  ...algorithm,
  ...slots('solicited status randomizeSize randomizePrice'),
  ...peggedToBenchmark,
  ...conditions,
  ...slots(`trailStopPrice lmtPriceOffset cashQty dontUseAutoPriceForHedge isOmsContainer autoCancelDate filledQuantity
    refFuturesConId autoCancelParent shareholder imbalanceOnly routeMarketableToBbo parentPermId completedTime completedStatus
    minTradeQty minCompeteSize competeAgainstBestOffset midOffsetAtWhole midOffsetAtHalf`),
  ...from(183, 'customerAccount'),
  ...from(184, 'professionalCustomer'),
]

export const encodeOpenOrder = (values: Values, serverVersion: number): Field[] => writeLayout(openOrder, values, serverVersion)
export const encodeCompletedOrder = (values: Values, serverVersion: number): Field[] => writeLayout(completedOrder, values, serverVersion)
