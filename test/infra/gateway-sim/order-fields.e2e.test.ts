/** Every field of an order that a client can set: out through the genuine client's encoder, back through its decoder. */
import {
  ConjunctionConnection,
  EventName,
  ExecutionCondition,
  MarginCondition,
  PercentChangeCondition,
  PriceCondition,
  SecType,
  TimeCondition,
  VolumeCondition,
} from '@stoqey/ib'
import { expect } from 'chai'
import fc from 'fast-check'
import { closeAll, connect, type Loose, limit, market, simulate, spy, versions } from './client.ts'

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' })
const count = fc.integer({ min: 1, max: 1_000_000 })
const price = fc.integer({ min: 1, max: 1_000_000 }).map((value) => value / 100)
const flag = fc.boolean()
const tags = fc.array(fc.record({ tag: text, value: text }), { minLength: 1, maxLength: 4 })
const optional = <T extends object>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record(fields, { requiredKeys: [] })

const texts = {
  ...{ orderRef: text, faGroup: text, faMethod: text, faPercentage: text, modelCode: text, settlingFirm: text, rule80A: text },
  ...{ clearingAccount: text, clearingIntent: text, designatedLocation: text, openClose: text, ocaGroup: text, adjustedOrderType: text },
}
const numbers = {
  ...{ displaySize: count, triggerMethod: count, origin: count, shortSaleSlot: count, auctionStrategy: count, exemptCode: count },
  ...{ volatilityType: count, referencePriceType: count, duration: count, postToAts: count, scaleInitLevelSize: count, minQty: count },
  ...{ scaleSubsLevelSize: count, continuousUpdate: count, adjustableTrailingUnit: count, ocaType: fc.integer({ min: 1, max: 3 }) },
}
const prices = {
  ...{ auxPrice: price, discretionaryAmt: price, percentOffset: price, startingPrice: price, stockRefPrice: price, delta: price },
  ...{ stockRangeLower: price, stockRangeUpper: price, volatility: price, trailStopPrice: price, trailingPercent: price, cashQty: price },
  ...{ nbboPriceCap: price, triggerPrice: price, lmtPriceOffset: price, adjustedStopPrice: price, adjustedStopLimitPrice: price },
  ...{ adjustedTrailingAmount: price, deltaNeutralAuxPrice: price },
}
const flags = {
  ...{ outsideRth: flag, hidden: flag, blockOrder: flag, sweepToFill: flag, notHeld: flag, allOrNone: flag, autoCancelParent: flag },
  ...{ eTradeOnly: flag, firmQuoteOnly: flag, optOutSmartRouting: flag, solicited: flag, randomizeSize: flag, randomizePrice: flag },
  ...{ dontUseAutoPriceForHedge: flag, isOmsContainer: flag, discretionaryUpToLimitPrice: flag, usePriceMgmtAlgo: flag },
}
/** Read by the gateway, but openOrder has no place for them. */
const unanswered = {
  ...{ overridePercentageConstraints: flag, scaleTable: text, algoId: text, mifid2DecisionMaker: text, mifid2DecisionAlgo: text },
  ...{ mifid2ExecutionTrader: text, mifid2ExecutionAlgo: text, advancedErrorOverride: text, manualOrderTime: text },
}
/** Of the fields above, those that a completed order tells too. */
const completed = [
  ...['orderRef', 'faGroup', 'faMethod', 'faPercentage', 'modelCode', 'settlingFirm', 'rule80A', 'clearingAccount', 'clearingIntent'],
  ...['designatedLocation', 'openClose', 'ocaGroup', 'displaySize', 'triggerMethod', 'origin', 'shortSaleSlot', 'exemptCode'],
  ...['volatilityType', 'referencePriceType', 'scaleInitLevelSize', 'scaleSubsLevelSize', 'minQty', 'continuousUpdate', 'ocaType'],
  ...['auxPrice', 'discretionaryAmt', 'percentOffset', 'startingPrice', 'stockRefPrice', 'delta', 'stockRangeLower', 'stockRangeUpper'],
  ...['volatility', 'trailStopPrice', 'trailingPercent', 'cashQty', 'lmtPriceOffset', 'deltaNeutralAuxPrice', 'outsideRth', 'hidden'],
  ...['sweepToFill', 'notHeld', 'allOrNone', 'autoCancelParent', 'solicited', 'randomizeSize', 'randomizePrice', 'isOmsContainer'],
  ...['dontUseAutoPriceForHedge', 'hedgeType', 'hedgeParam', 'scalePriceIncrement', 'scalePriceAdjustValue', 'scaleAutoReset'],
  ...[
    'conditions',
    'conditionsIgnoreRth',
    'conditionsCancelOrder',
    'scaleProfitOffset',
    'algoStrategy',
    'algoParams',
    'action',
    'totalQuantity',
    'orderType',
    'lmtPrice',
    'tif',
    'account',
  ],
]

const spyId = 756733
/** None of them holds before the open. */
const condition = fc
  .tuple(count, fc.constantFrom(ConjunctionConnection.AND, ConjunctionConnection.OR), fc.nat(4), fc.constantFrom(1, 3, 4, 5, 6, 7))
  .map(([value, joined, triggerMethod, type]): Loose => {
    if (type === 1) return new PriceCondition(1000 + value / 100, triggerMethod as never, spyId, 'SMART', true, joined)
    if (type === 3) return new TimeCondition('20190603 15:00:00 US/Eastern', true, joined)
    if (type === 4) return new MarginCondition(100 + value, true, joined)
    if (type === 5) return new ExecutionCondition('SMART', SecType.STK, 'AAPL', joined)
    if (type === 6) return new VolumeCondition(value, spyId, 'SMART', true, joined)
    return new PercentChangeCondition(1000 + value / 100, spyId, 'SMART', true, joined)
  })

/** Groups of fields that come together: one says that the others follow. */
const groups = {
  algorithm: fc.record({ algoStrategy: text, algoParams: tags }),
  hedge: fc.record({ hedgeType: fc.constantFrom('D', 'B', 'F', 'P'), hedgeParam: text }),
  scale: fc.record({
    ...{ scalePriceIncrement: price, scalePriceAdjustValue: price, scalePriceAdjustInterval: count, scaleProfitOffset: price },
    ...{ scaleAutoReset: flag, scaleInitPosition: count, scaleInitFillQty: count, scaleRandomPercent: flag },
  }),
  deltaNeutral: fc.record({
    ...{ deltaNeutralOrderType: fc.constantFrom('MKT', 'LMT', 'REL'), deltaNeutralConId: count, deltaNeutralSettlingFirm: text },
    ...{ deltaNeutralClearingAccount: text, deltaNeutralClearingIntent: text, deltaNeutralOpenClose: text, deltaNeutralShortSale: flag },
    ...{ deltaNeutralShortSaleSlot: count, deltaNeutralDesignatedLocation: text },
  }),
  conditions: fc.record({
    conditions: fc.array(condition, { minLength: 1, maxLength: 4 }),
    ...{ conditionsIgnoreRth: fc.constant(false), conditionsCancelOrder: flag },
  }),
  softDollar: fc.record({ name: text, value: text }).map(({ name, value }) => ({ softDollarTier: { name, value, displayName: '' } })),
}
const someGroups = optional(groups).map((chosen) => Object.assign({}, ...Object.values(chosen)) as Loose)

/** Of each type with the prices that it needs; no price can be reached on the days of the test. */
const kinds = fc.constantFrom<Loose>(
  { orderType: 'LMT', lmtPrice: 10, tif: 'DAY' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'GTC' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'OPG' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'IOC' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'FOK' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'GTD', goodTillDate: '20190604 15:00:00 US/Eastern' },
  { orderType: 'LMT', lmtPrice: 10, tif: 'DAY', goodAfterTime: '20190603 11:00:00 US/Eastern' },
  { orderType: 'MKT', tif: 'DAY' },
  { orderType: 'STP', auxPrice: 900, tif: 'DAY' },
  { orderType: 'STP LMT', auxPrice: 900, lmtPrice: 901, tif: 'GTC' },
  { orderType: 'MIT', auxPrice: 10, tif: 'DAY' },
  { orderType: 'LIT', auxPrice: 10, lmtPrice: 11, tif: 'DAY' },
  { orderType: 'MOC', tif: 'DAY' },
  { orderType: 'LOC', lmtPrice: 10, tif: 'DAY' },
)
/** Prices and groups by which an order of these kinds goes are the kind's own. */
const ownPrices = ['auxPrice', 'goodAfterTime', 'goodTillDate']

for (const maxServerVersion of versions) {
  describe(`gateway simulator, order fields there and back, server version ${maxServerVersion}`, function () {
    this.timeout(180_000)
    afterEach(closeAll)

    const ready = async () => {
      const simulator = await simulate({ maxServerVersion })
      const client = await connect(simulator.port, 7)
      let orderId = 0
      const told = async (contract: Loose, order: Loose): Promise<Loose[]> => {
        const asked = ++orderId
        client.listenAnew()
        client.api.placeOrder(asked, contract, order)
        await client.settled()
        const refused = client.all(EventName.error).find(([, code, id]) => id === asked && ![399, 2109, 202].includes(Number(code)))
        expect(refused?.[0]).to.equal(undefined)
        return client.all(EventName.openOrder).find(([id]) => id === asked) ?? expect.fail('no openOrder')
      }
      return { simulator, client, told, lastId: () => orderId }
    }

    it('gives every field back, of every type of order, alone and together', async () => {
      const { client, told, lastId } = await ready()
      await told(spy, limit('BUY', 1, 10, { tif: 'GTC' }))
      const newest =
        maxServerVersion === 193 ? { customerAccount: text, extOperator: text, manualOrderIndicator: fc.constantFrom(0, 1) } : {}
      const newestFlags = maxServerVersion === 193 ? { professionalCustomer: flag, includeOvernight: flag } : {}
      const simple = optional<Loose>({ ...texts, ...numbers, ...prices, ...flags, ...newest, ...newestFlags } as Loose)
      await fc.assert(
        fc.asyncProperty(
          kinds,
          simple,
          someGroups,
          optional<Loose>(unanswered as Loose),
          fc.record({ totalQuantity: fc.integer({ min: 1, max: 9999 }), isChild: flag, action: fc.constant('BUY') }),
          async (kind, fields, group, silent, { isChild, ...size }) => {
            const given = { ...fields, ...group, ...size, ...kind, account: 'DU1234567', ...(isChild ? { parentId: 1 } : {}) }
            for (const name of ownPrices) if (!(name in kind) && kind.orderType !== 'LMT') delete given[name]
            if (isChild) delete given.autoCancelParent
            const [, contract, order] = await told(spy, { ...silent, ...given, transmit: true })
            expect(order).to.deep.include(given)
            expect(contract).to.include({ conId: spyId, ...spy })
            const asked = lastId()
            client.listenAnew()
            client.api.cancelOrder(asked)
            client.api.reqCompletedOrders(true)
            await client.next(EventName.completedOrdersEnd)
            const [, finished, state] = client.all(EventName.completedOrder).at(-1) as Loose[]
            expect(state.status).to.equal('Cancelled')
            const kept = Object.fromEntries(completed.filter((name) => name in given).map((name) => [name, given[name]]))
            expect(finished).to.deep.include(kept)
          },
        ),
        { numRuns: 120 },
      )
    })

    it('gives the contract of a delta-neutral order back', async () => {
      const { told } = await ready()
      const deltaNeutralContract = { conId: 265598, delta: 0.5, price: 170.25 }
      const [, contract] = await told({ ...spy, deltaNeutralContract }, limit('BUY', 1, 10))
      expect(contract.deltaNeutralContract).to.deep.equal(deltaNeutralContract)
    })

    it('gives the fields of a what-if back, and says that it is one', async () => {
      const { told } = await ready()
      const given = { hidden: true, algoStrategy: 'Vwap', algoParams: [{ tag: 'maxPctVol', value: '0.1' }], whatIf: true }
      const [, , order, state] = await told(spy, market('SELL', 10, given))
      expect(order).to.deep.include(given)
      expect(state).to.include({ status: 'PreSubmitted', commissionCurrency: 'USD', initMarginBefore: 0, initMarginChange: 500 })
    })

    it('says which fields it keeps but does not act on', async () => {
      const { client, told } = await ready()
      await told(spy, limit('BUY', 1, 10, { hedgeType: 'B', hedgeParam: '1.2', scalePriceIncrement: 0.1 } as Loose))
      await client.next(EventName.error, (error, code) => code === 399 && /without scalePriceIncrement, hedgeType/.test(String(error)))
    })
  })
}
