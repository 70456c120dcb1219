import { expect } from 'chai'
import fc from 'fast-check'
import type { Configuration } from '../../../domain/configuration.ts'
import { absolute, compare, multiply, sum } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf } from './decision.ts'

const { booked, configured, dataOf, given, ordered, ready, SPY, snapshot, stands, wants } = world

const account = (quantity = '0', changes: Configuration = {}) => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice: '100' }] }),
  configured({
    ...{ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, 'orders.maximumNotional': 3000 },
    ...changes,
  }),
]
const target = (quantity: string, strategy = 'trend') => wants(strategy, [{ instrument: SPY, quantity }])

describe('commander: order notional', () => {
  it('clips an increase this time and notes what each strategy got of it', () => {
    const events = given(...account(), target('100')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 30'])
    expect(noteOf(events, 'ORDER_NOTIONAL')).to.deep.include({
      ...{ strategy: 'trend', conId: SPY.conId },
      numbers: { wanted: '100', allowed: '30', maximum: '3000', atWork: '0' },
    })
  })

  it('shares what is left in proportion', () => {
    const events = given(...account(), target('40'), target('20', 'hedge')).when(deciding())
    const [order] = dataOf(events, 'OrderPlanned')
    expect(order!.shares).to.deep.equal([
      { strategy: 'hedge', quantity: '10' },
      { strategy: 'trend', quantity: '20' },
    ])
  })

  it('holds for a short sale too, rounded to the size step', () => {
    const coarse = { ...SPY, conId: 99, symbol: 'LOTS', sizeStep: '7' }
    const steps = [world.resolved(coarse), wants('trend', [{ instrument: coarse, quantity: '-70' }])]
    expect(ordersOf(given(...account(), ...steps).when(deciding()))).to.deep.equal(['LOTS -28'])
  })

  it('orders nothing on top while so much is at work, and the rest once that is filled', () => {
    const [first, late] = [ordered('r-1', SPY, { trend: '30' }), stands('trend', [{ instrument: SPY, quantity: '100' }], '0.45')]
    const working = given(...account(), late, first, world.neutral('trend')).when(deciding())
    expect(ordersOf(working)).to.deep.equal([])
    expect(noteOf(working, 'ORDER_NOTIONAL').numbers).to.include({ allowed: '0', atWork: '3000' })
    const done = [world.filled('r-1', SPY, 'e-1.01', { trend: '30' }), world.closed('r-1', 'filled', '30')]
    expect(ordersOf(given(...account(), late, first, ...done, world.neutral('trend')).when(deciding()))).to.deep.equal(['SPY 30'])
  })

  it('splits a reduction into orders of their own ref, and clips none of it', () => {
    const events = given(...account('100'), booked('trend', SPY, '100'), target('0')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -25', 'SPY -25', 'SPY -25', 'SPY -25'])
    const planned = dataOf(events, 'OrderPlanned')
    expect(planned.every(({ reduces }) => reduces)).to.equal(true)
    expect(planned.map(({ orderRef }) => orderRef.split('-').at(-1))).to.deep.equal(['1', '2', '3', '4'])
    expect(noteOf(events, 'ORDER_SPLIT').numbers).to.deep.equal({ quantity: '-100', orders: '4', maximum: '3000' })
  })

  it('lets one step of the instrument go that is worth more than the maximum, and never more than twenty orders', () => {
    const dear = given(...account('100', { 'orders.maximumNotional': 1 }), booked('trend', SPY, '100'), target('0')).when(deciding())
    expect(ordersOf(dear)).to.have.length(20)
    expect(ordersOf(dear)).to.include('SPY -5')
  })

  it('leaves no share out, whatever the quantities, and keeps each order within the maximum', () => {
    const books = fc.record({ trend: fc.integer({ min: 1, max: 400 }), hedge: fc.integer({ min: 0, max: 400 }) })
    fc.assert(
      fc.property(books, fc.constantFrom(2500, 9900, 1_000_000), ({ trend, hedge }, maximum) => {
        const steps = [
          booked('trend', SPY, String(trend)),
          ...(hedge === 0 ? [] : [booked('hedge', SPY, String(hedge))]),
          ...[target('0'), target('0', 'hedge')],
        ]
        const settings = { 'orders.maximumNotional': maximum }
        const planned = dataOf(given(...account(String(trend + hedge), settings), ...steps).when(deciding()), 'OrderPlanned')
        expect(sum(planned.map(({ quantity }) => quantity))).to.equal(String(-trend - hedge))
        for (const { quantity, shares } of planned) {
          expect(sum(shares.map((share) => share.quantity))).to.equal(quantity)
          if (planned.length < 20) expect(compare(multiply(absolute(quantity), '100'), String(maximum))).to.be.at.most(0)
        }
        const ofTrend = planned.flatMap(({ shares }) => shares.filter(({ strategy }) => strategy === 'trend'))
        expect(sum(ofTrend.map(({ quantity }) => quantity))).to.equal(String(-trend))
      }),
      { numRuns: 100 },
    )
  })

  it('says nothing where it does nothing', () => {
    const events = given(...account('20'), booked('trend', SPY, '20'), target('50')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY 30'])
    expect(codesOf(events)).not.to.include('ORDER_NOTIONAL')
    expect(decisionOf(events).targets[0]!.target).to.equal('50')
  })
})
