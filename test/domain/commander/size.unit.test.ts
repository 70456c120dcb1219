import { expect } from 'chai'
import type { Decimal } from '../../../domain/decimal.ts'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf, standingOf, targetOf } from './decision.ts'

const { booked, configured, continued, dataOf, given, neutral, ready, resolved, SPY, snapshot, stands, VIXY, wants } = world

const allocated = (fraction = 1) => configured({ 'strategies.trend.allocation': fraction, 'orders.minimumTrade': 0 })
const account = [...ready, snapshot(), allocated()]
const roomy = configured({
  'strategies.trend.limits.gross': 4,
  'strategies.trend.limits.singleName': 4,
  'limits.gross': 4,
  'limits.singleName': 4,
})

const future: world.Traded = {
  conId: 495512557,
  symbol: 'ES',
  secType: 'FUT',
  currency: 'USD',
  multiplier: '50',
  sizeStep: '1',
  minTick: '0.25',
}
const euro: world.Traded = { ...SPY, conId: 14094, symbol: 'SAP', currency: 'EUR' }

const sized = (instrument: world.Traded, weight: Decimal, price: Decimal, ...more: world.Step[]): string =>
  standingOf(
    given(...account, resolved(instrument), ...more, wants('trend', [{ instrument, weight }], { price })).when(deciding()),
    'trend',
  )[instrument.symbol]!

describe('commander: size', () => {
  it('is net liquidation × exposure × allocation × weight ÷ price, towards zero', () => {
    expect(sized(SPY, '1', '473.21')).to.equal('190') // 90 000 ÷ 473.21 = 190.19
    expect(sized(SPY, '0.5', '473.21')).to.equal('95')
    expect(sized(SPY, '1', '473.21', allocated(0.25))).to.equal('47')
    expect(sized(SPY, '1', '473.21', configured({ 'exposure.overall': 0.5 }))).to.equal('105')
  })

  it('rounds a short towards zero as well, so that neither side is larger (−1500.5 became 2000)', () => {
    expect(sized(SPY, '1', '59.98')).to.equal('1500') // 90 000 ÷ 59.98 = 1500.5
    expect(sized(SPY, '-1', '59.98')).to.equal('-1500')
  })

  it('orders nothing where less than one step comes out (an order of 0)', () => {
    const events = given(...account, wants('trend', [{ instrument: SPY, weight: '1' }], { price: '90001' })).when(deciding())
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '0' })
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('counts the multiplier, whole or broken (it had to be a whole number)', () => {
    expect(sized(future, '1', '450')).to.equal('4') // 22 500 a contract
    expect(sized({ ...future, multiplier: '0.1' }, '1', '4500')).to.equal('200')
  })

  it('keeps to the size step of the instrument', () => {
    expect(sized({ ...SPY, sizeStep: '0.0001' }, '1', '473.21')).to.equal('190.1904')
    expect(sized({ ...SPY, sizeStep: '100' }, '1', '473.21')).to.equal('100')
  })

  it('converts by the rate of the same snapshot', () => {
    const rates = snapshot({ exchangeRates: { USD: '1', EUR: '1.25' } })
    expect(sized(euro, '1', '100', rates)).to.equal('720') // 125 USD a share
  })

  it('is held without a rate, by name', () => {
    const steps = [resolved(euro), booked('trend', euro, '3'), wants('trend', [{ instrument: euro, weight: '1' }])]
    const events = given(...account, ...steps).when(deciding())
    expect(codesOf(events, 'trend')).to.deep.equal(['FX_MISSING'])
    expect(targetOf(events, 'trend', euro)).to.include({ target: '3', difference: '0' })
    expect(dataOf(events, 'StandingTargetsSet')).to.deep.equal([])
  })

  it('scales weights that sum to more than 1, as the death cross has them', () => {
    const steps = wants('trend', [
      { instrument: SPY, weight: '-1' },
      { instrument: VIXY, weight: '1' },
    ])
    const events = given(...account, steps).when(deciding())
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '-450', VIXY: '450' })
    expect(noteOf(events, 'WEIGHTS_SCALED').numbers).to.deep.equal({ weights: '2' })
  })

  it('leaves weights that sum to less than 1 as they are', () => {
    const events = given(...account, wants('trend', [{ instrument: SPY, weight: '0.2' }])).when(deciding())
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '180' })
    expect(codesOf(events)).not.to.include('WEIGHTS_SCALED')
  })

  it('takes quantities as they are', () => {
    const events = given(...account, wants('trend', [{ instrument: SPY, quantity: '7' }])).when(deciding())
    expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '7' })
    expect(ordersOf(events)).to.deep.equal(['SPY 7'])
  })

  it('sizes a signal once: a price that moves is no reason to trade', () => {
    const before = given(...account, roomy, wants('trend', [{ instrument: SPY, weight: '1' }])).ledger
    const first = deciding()(before)
    const moved = continued(
      before,
      world.together(...first),
      neutral('hedge', [SPY], { price: '50', pricedAt: '2024-01-09T14:45:00.000Z' }),
    )
    const second = deciding({}, { step: 'second' })(moved)
    expect(decisionOf(second).instruments[0]!.price).to.include({ value: '50' })
    expect(targetOf(second, 'trend', SPY).wanted).to.equal('900')
    expect(dataOf(second, 'StandingTargetsSet')).to.deep.equal([])
  })

  it('sizes the next signal anew', () => {
    const before = given(...account, roomy, wants('trend', [{ instrument: SPY, weight: '1' }])).ledger
    const next = continued(
      before,
      world.together(...deciding()(before)),
      wants('trend', [{ instrument: SPY, weight: '1' }], { price: '90' }),
    )
    expect(standingOf(deciding({}, { step: 'second' })(next), 'trend')).to.deep.equal({ SPY: '1000' })
  })

  describe('prices', () => {
    it('are the newest of all fresh signals, with time and source', () => {
      const other = neutral('hedge', [SPY], { price: '90', pricedAt: '2024-01-09T14:30:00.000Z' })
      const events = given(...account, other, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
      expect(decisionOf(events).instruments[0]!.price).to.deep.equal({ value: '90', at: '2024-01-09T14:30:00.000Z', source: 'bar' })
      expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '1000' })
      expect(decisionOf(events).signals).to.have.keys(['trend', 'hedge'])
      const older = neutral('hedge', [SPY], { price: '90', pricedAt: '2024-01-05T21:00:00.000Z' })
      const newer = given(...account, older, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
      expect(decisionOf(newer).instruments[0]!.price).to.include({ value: '100', at: world.mondayClose })
    })

    it('of a stale signal do not count', () => {
      const late = neutral('hedge', [SPY], { price: '90', pricedAt: '2024-01-09T14:30:00.000Z', freshUntil: world.tuesday })
      const events = given(...account, late, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
      expect(decisionOf(events).instruments[0]!.price).to.include({ value: '100' })
    })

    it('missing: not sized, and sized as soon as there is one', () => {
      const before = given(...account, wants('trend', [{ instrument: SPY, weight: '1' }], { prices: [] })).ledger
      const events = deciding()(before)
      expect(codesOf(events, 'trend')).to.deep.equal(['PRICE_MISSING'])
      expect(ordersOf(events)).to.deep.equal([])
      const later = continued(before, world.together(...events), neutral('hedge', [SPY]))
      expect(ordersOf(deciding({}, { step: 'second' })(later))).to.deep.equal(['SPY 900'])
    })

    it('are not needed to go flat: the snapshot values the exit', () => {
      const holds = snapshot({ holdings: [{ instrument: SPY, quantity: '80', marketPrice: '101' }] })
      const flat = wants('trend', [{ instrument: SPY, weight: '0' }], { prices: [] })
      const events = given(...account, holds, booked('trend', SPY, '80'), flat).when(deciding())
      const [order] = dataOf(events, 'OrderPlanned')
      expect(order).to.include({ quantity: '-80', type: 'MKT', referencePrice: '101' })
    })
  })

  describe('a corporate action after a signal', () => {
    const split = event('DiscrepancyExplained', {
      ...{ conId: SPY.conId, symbol: 'SPY', quantity: '50', as: 'corporateAction', unexplained: '0', reason: 'test', ratio: '2:1' },
      moves: [{ holder: 'hedge', quantity: '50' }],
    })
    const afterSplit = (...signals: world.Step[]) =>
      given(
        ...ready,
        configured({ 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5 }),
        booked('hedge', SPY, '50'),
        stands('hedge', [{ instrument: SPY, quantity: '50' }], '0.45'),
        ...signals,
        snapshot({ holdings: [{ instrument: SPY, quantity: '100', marketPrice: '50' }] }),
      ).when(deciding())

    it('leaves it unsized, by weight and by quantity: its price and its shares are those of before (twice as much was bought, or half)', () => {
      for (const target of [{ weight: '1' }, { quantity: '40' }]) {
        const events = afterSplit(wants('trend', [{ instrument: SPY, ...target }]), world.at('2024-01-09T15:00:01.000Z'), split)
        expect(ordersOf(events)).to.deep.equal([])
        expect(standingOf(events, 'trend')).to.deep.equal({})
        expect(codesOf(events, 'trend')).to.include('CORPORATE_ACTION_SINCE')
      }
    })

    it('lets it go flat all the same, and sizes the next one by its own price', () => {
      const flat = wants('trend', [{ instrument: SPY, quantity: '0' }])
      expect(standingOf(afterSplit(flat, world.at('2024-01-09T15:00:01.000Z'), split), 'trend')).to.deep.equal({ SPY: '0' })
      const next = wants('trend', [{ instrument: SPY, quantity: '40' }], { price: '50' })
      const events = afterSplit(world.at('2024-01-09T15:00:01.000Z'), split, world.at('2024-01-09T15:00:02.000Z'), next)
      expect(ordersOf(events)).to.deep.equal(['SPY 40'])
    })
  })

  describe('an allocation of 0', () => {
    it('records a signal and trades nothing', () => {
      const events = given(...ready, snapshot(), wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
      expect(codesOf(events, 'trend')).to.deep.equal(['NOT_ALLOCATED'])
      expect(targetOf(events, 'trend', SPY)).to.include({ weight: '1', target: '0' })
      expect(events).to.have.length(1)
    })

    it('lets the same signal be sized once money comes', () => {
      const before = given(...ready, snapshot(), wants('trend', [{ instrument: SPY, weight: '1' }])).ledger
      const later = continued(before, world.together(...deciding()(before)), allocated())
      expect(ordersOf(deciding({}, { step: 'second' })(later))).to.deep.equal(['SPY 900'])
    })

    it('flattens what stands', () => {
      const holds = snapshot({ holdings: [{ instrument: SPY, quantity: '80', marketPrice: '100' }] })
      const steps = [booked('trend', SPY, '80'), stands('trend', [{ instrument: SPY, quantity: '80' }]), neutral('trend')]
      const events = given(...ready, holds, ...steps).when(deciding())
      expect(codesOf(events, 'trend')).to.deep.equal(['ALLOCATION_ZERO'])
      expect(ordersOf(events)).to.deep.equal(['SPY -80'])
    })

    it('flattens on a fresh signal too, whose target becomes 0: the old one does not come back with the money', () => {
      const holds = snapshot({ holdings: [{ instrument: SPY, quantity: '80', marketPrice: '100' }] })
      const steps = [booked('trend', SPY, '80'), stands('trend', [{ instrument: SPY, quantity: '80' }])]
      const events = given(...ready, holds, ...steps, wants('trend', [{ instrument: SPY, weight: '1' }])).when(deciding())
      expect(standingOf(events, 'trend')).to.deep.equal({ SPY: '0' })
      expect(codesOf(events, 'trend')).to.deep.equal(['ALLOCATION_ZERO'])
      expect(ordersOf(events)).to.deep.equal(['SPY -80'])
    })

    it('leaves a held book alone where no target ever stood', () => {
      const events = given(...ready, snapshot(), booked('trend', SPY, '80'), neutral('trend')).when(deciding())
      expect(ordersOf(events)).to.deep.equal([])
    })
  })

  it('counts a standing target less when exposure × allocation shrank, and not more when it grew', () => {
    const holds = snapshot({ holdings: [{ instrument: SPY, quantity: '400', marketPrice: '100' }] })
    const before = [...ready, holds, booked('trend', SPY, '400'), stands('trend', [{ instrument: SPY, quantity: '400' }], '0.45')]
    const shrunk = given(...before, allocated(0.25), neutral('trend')).when(deciding())
    expect(targetOf(shrunk, 'trend', SPY)).to.include({ wanted: '200', difference: '-200' })
    expect(noteOf(shrunk, 'EXPOSURE_REDUCED').numbers).to.deep.equal({ quantity: '400', before: '0.45', now: '0.225' })
    const grown = given(...before, allocated(1), neutral('trend')).when(deciding())
    expect(targetOf(grown, 'trend', SPY)).to.include({ wanted: '400', difference: '0' })
  })
})
