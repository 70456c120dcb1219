import { expect } from 'chai'
import fc from 'fast-check'
import { collarPrice } from '../../../domain/commander/price-collar.ts'
import type { Configuration } from '../../../domain/configuration.ts'
import { absolute, compare, multiply, subtract, towardsZero } from '../../../domain/decimal.ts'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf } from './decision.ts'

const { booked, configured, dataOf, given, ordered, ready, SPY, snapshot, wants } = world

const account = (quantity = '0', changes: Configuration = {}, marketPrice = '100') => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice }] }),
  configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5, ...changes }),
]
const target = (quantity: string, strategy = 'trend') => wants(strategy, [{ instrument: SPY, quantity }])
const unresolved = (orderRef: string) => event('OrderUnresolved', { orderRef, conId: SPY.conId, text: 'not found' })

describe('commander: rules on orders', () => {
  describe('minimum trade', () => {
    it('leaves a smaller difference alone, with its numbers', () => {
      const events = given(...account('50', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '50'), target('59')).when(deciding())
      expect(ordersOf(events)).to.deep.equal([])
      expect(noteOf(events, 'BELOW_MINIMUM').numbers).to.deep.equal({ difference: '9', value: '900', minimum: '1000' })
    })

    it('trades a difference of exactly the minimum', () => {
      const events = given(...account('50', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '50'), target('60')).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY 10'])
    })

    it('never keeps a position from being closed', () => {
      const events = given(...account('5', { 'orders.minimumTrade': 1000 }), booked('trend', SPY, '5'), target('0')).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY -5'])
    })

    it('holds for what crossing leaves, too', () => {
      const events = given(...account('0', { 'orders.minimumTrade': 1000 }), target('100'), target('-95', 'hedge')).when(deciding())
      expect(dataOf(events, 'PositionsCrossed')).to.have.length(1)
      expect(ordersOf(events)).to.deep.equal([])
      expect(codesOf(events, 'trend')).to.deep.equal(['BELOW_MINIMUM'])
    })

    it('cancels nothing', () => {
      const steps = [ordered('r-1', SPY, { trend: '50' }), target('45')]
      const events = given(...account('0', { 'orders.minimumTrade': 1000 }), ...steps).when(deciding())
      expect(decisionOf(events).cancels).to.deep.equal([])
      expect(codesOf(events, 'trend')).to.deep.equal(['BELOW_MINIMUM'])
    })
  })

  describe('never against a working order', () => {
    const working = [...account(), ordered('r-1', SPY, { trend: '50' })]

    it('cancels first what opposes, and orders nothing there in this decision', () => {
      const events = given(...working, target('0')).when(deciding())
      expect(dataOf(events, 'OrderCancelRequested').map(({ orderRef }) => orderRef)).to.deep.equal(['r-1'])
      expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
      expect(ordersOf(events)).to.deep.equal([])
      expect(noteOf(events, 'CANCEL_FIRST')).to.deep.include({ strategy: 'trend', numbers: { difference: '-50' } })
    })

    it('does so when less is wanted than works', () => {
      expect(decisionOf(given(...working, target('30')).when(deciding())).cancels).to.deep.equal(['r-1'])
    })

    it('does so when another strategy wants the other side', () => {
      const events = given(...working, target('50'), target('-20', 'hedge')).when(deciding())
      expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
      expect(dataOf(events, 'PositionsCrossed')).to.deep.equal([])
    })

    it('asks once for a cancel, and waits for it again', () => {
      const asked = event('OrderCancelRequested', { orderRef: 'r-1', reason: 'test' })
      const events = given(...working, asked, target('0')).when(deciding())
      expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
      expect(dataOf(events, 'OrderCancelRequested')).to.deep.equal([])
      expect(ordersOf(events)).to.deep.equal([])
    })

    it('lets an exit go on while its book is being closed, and cancels what it left behind', () => {
      const exit = ordered('x-1', SPY, { hedge: '-50' }, { decision: 'flat', closing: true })
      const plan = { pipeline: 'flat', plan: { strategies: ['hedge'] }, validUntil: null, endsBy: world.tuesdayClose }
      const closing = world.caused(world.command('flat', 'close-all'), event('PipelineStarted', plan))
      const over = event('PipelineEnded', { pipeline: 'flat', outcome: 'failed', text: 'test' })
      const meanwhile = given(...account(), closing, exit, target('50')).when(deciding())
      expect([decisionOf(meanwhile).cancels, ordersOf(meanwhile)]).to.deep.equal([[], []])
      expect(noteOf(meanwhile, 'EXIT_FIRST').text).to.contain('x-1')
      const ended = world.caused(world.command('flat:end', 'close-all', { pipeline: 'flat' }), over)
      expect(decisionOf(given(...account(), closing, exit, ended, target('50')).when(deciding())).cancels).to.deep.equal(['x-1'])
    })

    it('orders on top in the same direction', () => {
      const events = given(...working, target('80')).when(deciding())
      expect(decisionOf(events).cancels).to.deep.equal([])
      expect(ordersOf(events)).to.deep.equal(['SPY 30'])
    })

    it('trades again when the cancel is through', () => {
      const events = given(...working, world.closed('r-1', 'cancelled'), target('-20')).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY -20'])
    })

    it('goes on in other instruments', () => {
      const both = wants('trend', [
        { instrument: SPY, quantity: '0' },
        { instrument: world.VIXY, quantity: '10' },
      ])
      expect(ordersOf(given(...working, both).when(deciding()))).to.deep.equal(['VIXY 10'])
    })
  })

  describe('a blocked instrument', () => {
    it('is not ordered, with the reason', () => {
      const differs = snapshot({ differences: [{ conId: SPY.conId, symbol: 'SPY', reported: '5', expected: '0', unexplained: '5' }] })
      const events = given(...account(), differs, target('50')).when(deciding())
      expect(ordersOf(events)).to.deep.equal([])
      expect(noteOf(events, 'BLOCKED').text).to.contain('5 unexplained')
      expect(decisionOf(events).instruments[0]!.blocked).to.contain('5 unexplained')
    })

    it('lets a working order the other way be cancelled, but not one that nobody can find', () => {
      const blocked = [...account(), ordered('r-1', SPY, { trend: '50' }), ordered('r-2', SPY, { trend: '5' }), unresolved('r-2')]
      const events = given(...blocked, target('0')).when(deciding())
      expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
      expect(codesOf(events, 'trend')).to.have.members(['BLOCKED', 'CANCEL_FIRST'])
    })
  })

  describe('terms', () => {
    it('are a limit at the collar for an increase', () => {
      const [buy] = dataOf(given(...account(), target('50')).when(deciding()), 'OrderPlanned')
      expect(buy).to.include({ type: 'LMT', limitPrice: '105', referencePrice: '100', timeInForce: 'DAY', outsideRegularHours: false })
      const [sell] = dataOf(given(...account(), target('-50')).when(deciding()), 'OrderPlanned')
      expect(sell).to.include({ type: 'LMT', limitPrice: '95' })
    })

    it('round the collar to the tick on the safer side', () => {
      expect(collarPrice('33.33', '1', '0.05', { minTick: '0.25' })).to.equal('34.75') // 34.9965
      expect(collarPrice('33.33', '-1', '0.05', { minTick: '0.25' })).to.equal('31.75') // 31.6635
      expect(collarPrice('5', '-1', '1', { minTick: '0.01' })).to.equal('0.01')
    })

    it('never are further from the reference than the collar', () => {
      const cents = fc.integer({ min: 100, max: 100_000_00 }).map((value) => String(value / 100))
      fc.assert(
        fc.property(
          cents,
          fc.constantFrom('1', '-1'),
          fc.constantFrom('0.001', '0.05', '0.3'),
          fc.constantFrom('0.01', '0.05', '0.25'),
          (price, side, collar, tick) => {
            const limit = collarPrice(price, side, collar, { minTick: tick })
            expect(towardsZero(limit, tick)).to.equal(limit)
            const rounded = compare(absolute(subtract(limit, price)), multiply(price, collar)) <= 0
            const onSaferSide = side === '1' ? compare(limit, price) <= 0 : compare(limit, price) >= 0
            expect(rounded || onSaferSide).to.equal(true)
          },
        ),
      )
    })

    it('are a market order for a reduction, and the collar only alerts', () => {
      const near = given(...account('50'), booked('trend', SPY, '50'), target('0')).when(deciding())
      expect(codesOf(near, 'trend')).to.deep.equal([])
      const far = given(...account('50', {}, '110'), booked('trend', SPY, '50'), target('0')).when(deciding())
      expect(dataOf(far, 'OrderPlanned')[0]).to.include({ type: 'MKT', quantity: '-50', referencePrice: '100' })
      expect(dataOf(far, 'OrderPlanned')[0]).not.to.have.property('limitPrice')
      expect(noteOf(far, 'COLLAR_REDUCTION').numbers).to.include({ marketPrice: '110', referencePrice: '100', collar: '0.05' })
    })

    it('name the time in force in every order (the preset of the terminal decided)', () => {
      const flip = given(...account('50'), booked('trend', SPY, '50'), target('-50')).when(deciding())
      for (const order of dataOf(flip, 'OrderPlanned')) expect(order.timeInForce).to.equal('DAY')
    })

    it('follow the request for increases only', () => {
      const wished = { orderProperties: { timeInForce: 'GTC', outsideRegularHours: true } } as const
      const flip = given(...account('50'), booked('trend', SPY, '50'), target('-50')).when(deciding(wished))
      const [reduction, increase] = dataOf(flip, 'OrderPlanned')
      expect(reduction).to.include({ type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false })
      expect(increase).to.include({ type: 'LMT', timeInForce: 'GTC', outsideRegularHours: true })
    })

    it('say that a market order gives up the collar, and keep it in regular hours', () => {
      const wished = { orderProperties: { type: 'MKT', outsideRegularHours: true } } as const
      const events = given(...account(), target('50')).when(deciding(wished))
      expect(dataOf(events, 'OrderPlanned')[0]).to.include({ type: 'MKT', outsideRegularHours: false })
      expect(codesOf(events)).to.include('COLLAR_OFF')
    })

    it('carry the Adaptive algo where it may work: for the day, in regular hours', () => {
      const adaptive = { 'orders.algo': 'Adaptive', 'orders.adaptivePriority': 'Patient' }
      const algo = { strategy: 'Adaptive', parameters: { adaptivePriority: 'Patient' } }
      const flip = [...account('50', adaptive), booked('trend', SPY, '50'), target('-50')]
      for (const order of dataOf(given(...flip).when(deciding()), 'OrderPlanned')) expect(order.algo).to.deep.equal(algo)
      const good = dataOf(given(...flip).when(deciding({ orderProperties: { timeInForce: 'GTC' } })), 'OrderPlanned')
      expect(good.map((order) => order.algo)).to.deep.equal([algo, undefined])
    })
  })
})
