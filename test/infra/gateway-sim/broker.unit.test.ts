/** Orders at random, of every type, in brackets and groups, with every friction: what must hold whatever happens. */
import { expect } from 'chai'
import fc from 'fast-check'
import type { Order } from '../../../infra/gateway-sim/book.ts'
import { type Broker, createBroker } from '../../../infra/gateway-sim/broker.ts'
import type { Frictions } from '../../../infra/gateway-sim/frictions.ts'
import { createMarket } from '../../../infra/gateway-sim/market.ts'
import type { Report } from '../../../infra/gateway-sim/trading.ts'
import { createUniverse } from '../../../infra/gateway-sim/universe.ts'
import { week } from './client.ts'

const price = fc.integer({ min: 9000, max: 11_000 }).map((value) => String(value / 100))
const minutes = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 60, max: 600 }), fc.integer({ min: 600, max: 1500 }))

const kind = fc.oneof(
  fc.record({ orderType: fc.constantFrom('MKT', 'MOC') }),
  fc.record({ orderType: fc.constantFrom('LMT', 'LOC'), lmtPrice: price }),
  fc.record({ orderType: fc.constantFrom('STP', 'MIT'), auxPrice: price }),
  fc.record({ orderType: fc.constantFrom('STP LMT', 'LIT'), auxPrice: price, lmtPrice: price }),
  fc.record({ orderType: fc.constant('TRAIL'), auxPrice: fc.constantFrom('0.5', '2', '5') }),
  fc.record({ orderType: fc.constant('TRAIL'), trailingPercent: fc.constantFrom('0.5', '2', '5') }),
  fc.record({ orderType: fc.constant('TRAIL LIMIT'), auxPrice: fc.constantFrom('0.5', '2'), lmtPriceOffset: fc.constantFrom('0.1', '1') }),
)
const flag = fc.constantFrom('0', '1')
/** Mostly one or two things at a time: many of them do not go together, and a refused order shows nothing. */
const detail = fc.record(
  {
    outsideRth: flag,
    allOrNone: flag,
    minQty: fc.constantFrom('1', '50'),
    goodAfterTime: fc.constantFrom('20190604 11:00:00', '20190605 08:00:00'),
    parentId: fc.constantFrom('1', '2', '3'),
    autoCancelParent: flag,
    ocaGroup: fc.constantFrom('a', 'b'),
    ocaType: fc.constantFrom('1', '2', '3'),
    transmit: fc.constantFrom('0', '1', '1', '1'),
  },
  { requiredKeys: [] },
)
const timeInForce = fc.constantFrom('DAY', 'DAY', 'GTC', 'GTC', 'OPG', 'IOC', 'FOK')
const details = fc
  .tuple(timeInForce, detail, fc.array(fc.nat(8), { maxLength: 2 }))
  .map(([tif, all, kept]) => ({ tif, ...Object.fromEntries(Object.entries(all).filter((_, place) => kept.includes(place))) }))
const conditionRows = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('1'), conjunction: fc.constantFrom('a', 'o'), isMore: flag, value: price, conId: fc.constant('756733') }),
    fc.record({
      type: fc.constant('6'),
      conjunction: fc.constantFrom('a', 'o'),
      isMore: flag,
      value: fc.constant('400000'),
      conId: fc.constant('756733'),
    }),
    fc.record({ type: fc.constant('3'), conjunction: fc.constantFrom('a', 'o'), isMore: flag, value: fc.constant('20190604 12:00:00') }),
  ),
  { maxLength: 3 },
)
const placing = fc.record({
  kind,
  details,
  conditions: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: conditionRows }),
  size: fc.integer({ min: 1, max: 400 }),
  action: fc.constantFrom('BUY', 'SELL'),
})
const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('place' as const), placing }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('wait' as const), minutes }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('cancel' as const), orderId: fc.integer({ min: 1, max: 10 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('change' as const), orderId: fc.integer({ min: 1, max: 10 }), placing }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('fillPartly' as const), quantity: fc.integer({ min: 1, max: 100 }) }) },
)
const frictions = fc.record({
  spread: fc.constantFrom(0, 1, 4),
  slippage: fc.constantFrom(0, 20),
  participation: fc.constantFrom(0, 0.0005, 0.01),
  commission: fc.constantFrom('fixed' as const, 'tiered' as const, 'none' as const),
})

const universe = createUniverse(['SPY'])
const market = createMarket(new Map([['SPY', { daily: [...week] }]]), 1)
const start = Date.parse('2019-06-03T07:00:00-04:00')
const contract = { conId: '756733', symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
/** A step a millisecond would be far more. */
const mostSteps = 2000

type Command = typeof command extends fc.Arbitrary<infer Asked> ? Asked : never
type Placing = Extract<Command, { does: 'place' }>['placing']

const placedOrder = ({ kind, details, conditions, size, action }: Placing) => {
  const attributes = { ...contract, transmit: '1', ...details, ...kind, action, totalQuantity: String(size) }
  return { attributes: attributes as Record<string, string>, lists: { conditions } }
}

const live = (commands: readonly Command[], costs: Frictions, watch: (broker: Broker, report: Report) => void): Broker => {
  const parts: { broker?: Broker } = {}
  const options = { account: 'DU1', cash: 100_000, start, seed: 1, universe, market, frictions: costs }
  const broker = createBroker(options, (report) => parts.broker && watch(parts.broker, report))
  parts.broker = broker
  let lastId = 0
  for (const command of commands) {
    if (command.does === 'place') broker.place(7, ++lastId, placedOrder(command.placing))
    else if (command.does === 'wait') broker.advanceTo(broker.now() + command.minutes * 60_000)
    else if (command.does === 'cancel') broker.cancel(7, command.orderId)
    else if (command.does === 'fillPartly') broker.fillPartly({ quantity: command.quantity })
    else if (broker.book.order(7, command.orderId)) broker.place(7, command.orderId, placedOrder(command.placing))
  }
  return broker
}

const commands = fc.array(command, { minLength: 5, maxLength: 25, size: 'max' })

describe('the simulated broker, whatever is asked of it', function () {
  this.timeout(180_000)

  it('never gets stuck, fills no order beyond its size or its limit, wakes none too early, and loses no share', () => {
    fc.assert(
      fc.property(commands, frictions, (asked, costs) => {
        let steps = 0
        const ended = new Set<Order>()
        const broker = live(asked, costs, ({ book }, report) => {
          if (report.kind === 'prices') steps += 1
          if (steps > mostSteps) throw new Error('stuck')
          if (report.kind === 'order') {
            expect(ended.has(report.order), 'nothing is told of an order after its end').to.equal(false)
            if (report.order.completed) ended.add(report.order)
          }
          if (report.kind !== 'execution') return
          const order = book.orders.find(({ permId }) => permId === report.execution.permId)!
          expect(order.filled).to.be.at.most(order.quantity)
          if (order.limit !== undefined) {
            const better = order.action === 'BUY' ? order.limit - report.execution.price : report.execution.price - order.limit
            expect(better, order.terms.orderType).to.be.at.least(-1e-9)
          }
          if (order.terms.stop !== undefined || order.terms.trail) expect(order.triggered, order.terms.orderType).to.equal(true)
          if (order.parentId !== 0) expect(book.order(7, order.parentId)?.status).to.equal('Filled')
          expect(order.life.activeFrom).to.be.at.most(report.execution.at)
          if (order.life.expiresAt !== undefined) expect(report.execution.at).to.be.at.most(order.life.expiresAt)
        })
        const { orders, executions } = broker.book
        for (const order of orders) {
          const traded = executions.filter(({ permId }) => permId === order.permId).reduce((sum, { shares }) => sum + shares, 0)
          expect(traded).to.equal(order.filled)
          expect(order.status === 'Filled').to.equal(order.filled === order.quantity)
        }
        const net = executions.reduce((sum, { side, shares }) => sum + (side === 'BUY' ? shares : -shares), 0)
        expect(broker.trading.account().positions.get(756733)?.quantity ?? 0).to.equal(net)
      }),
      { numRuns: 150, endOnFailure: true },
    )
  })

  it('comes to the same end by one long wait or by many short ones, and each time again', () => {
    const inShortWaits = (command: Command): Command[] => {
      if (command.does !== 'wait') return [command]
      const first = 7 * Math.floor(command.minutes / 14)
      return [
        { does: 'wait', minutes: first },
        { does: 'wait', minutes: command.minutes - first },
      ]
    }
    fc.assert(
      fc.property(commands, frictions, (asked, costs) => {
        const fills = (commands: readonly Command[]): unknown[] =>
          live(commands, costs, () => undefined).book.executions.map((execution) => ({ ...execution }))
        const once = fills(asked)
        expect(fills(asked)).to.deep.equal(once)
        expect(fills(asked.flatMap(inShortWaits))).to.deep.equal(once)
      }),
      { numRuns: 40, endOnFailure: true },
    )
  })
})
