import { expect } from 'chai'
import type { Configuration } from '../../../domain/configuration.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf, targetOf } from './decision.ts'

const { booked, configured, given, neutral, ordered, ready, SPY, snapshot, stands, VIXY, wants } = world

/** Three strategies with enough money for anything, and the limits under test. */
const limits = (changes: Configuration) =>
  configured({
    ...{
      'strategies.trend.allocation': 0.5,
      'strategies.hedge.allocation': 0.25,
      'strategies.carry.allocation': 0.25,
      'exposure.overall': 1,
    },
    ...{ 'orders.minimumTrade': 0, 'limits.singleName': 4, 'limits.gross': 4 },
    ...Object.fromEntries(
      ['trend', 'hedge', 'carry'].flatMap((id) => ['gross', 'singleName'].map((name) => [`strategies.${id}.limits.${name}`, 4] as const)),
    ),
    ...changes,
  })
const quantity = (instrument: world.Traded, wanted: Decimal) => ({ instrument, quantity: wanted })
const both = (spy: Decimal, vixy: Decimal) => [quantity(SPY, spy), quantity(VIXY, vixy)]
const held = (spy: Decimal, vixy: Decimal = '0', marketPrice = '100') =>
  snapshot({
    holdings: [
      { instrument: SPY, quantity: spy, marketPrice },
      { instrument: VIXY, quantity: vixy, marketPrice },
    ],
  })

describe('commander: limits', () => {
  it('leaves alone what is within them', () => {
    const events = given(...ready, snapshot(), limits({}), wants('trend', both('100', '-100'))).when(deciding())
    expect(ordersOf(events)).to.have.members(['SPY 100', 'VIXY -100'])
    expect(codesOf(events, 'trend')).to.deep.equal([])
  })

  describe('gross', () => {
    it('of a strategy is a part of its own capital and scales all it adds by one factor', () => {
      const events = given(
        ...ready,
        snapshot(),
        limits({ 'strategies.trend.limits.gross': 0.5 }),
        wants('trend', both('300', '-200')),
      ).when(deciding())
      // Half of 50 000; 50 000 asked.
      expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', VIXY).target]).to.deep.equal(['150', '-100'])
      const said = decisionOf(events).notes.find(({ conId }) => conId === SPY.conId)
      expect(said).to.include({ code: 'LIMIT_GROSS', strategy: 'trend' })
      expect(said!.numbers).to.deep.equal({ wanted: '300', allowed: '150', level: 'strategy', limit: '25000', held: '0' })
    })

    it('counts what is held first, at its market price, and scales only what is added', () => {
      const steps = [held('200', '0', '120'), booked('trend', SPY, '200'), limits({ 'strategies.trend.limits.gross': 0.5 })]
      const events = given(...ready, ...steps, wants('trend', both('200', '100'))).when(deciding())
      expect(targetOf(events, 'trend', SPY).target).to.equal('200')
      expect(targetOf(events, 'trend', VIXY).target).to.equal('10') // 25 000 − 24 000 leaves 1 000
    })

    it('of the account looks at all books, also of strategies that are not asked', () => {
      const steps = [held('0', '600'), booked('hedge', VIXY, '600'), limits({ 'limits.gross': 1 })]
      const events = given(...ready, ...steps, wants('trend', [quantity(SPY, '500')])).when(deciding({ strategies: ['trend'] }))
      expect(targetOf(events, 'trend', SPY).target).to.equal('400')
      expect(noteOf(events, 'LIMIT_GROSS').numbers).to.include({ level: 'account', held: '60000', limit: '100000' })
    })

    it('counts what others have in flight', () => {
      const steps = [ordered('r-1', VIXY, { hedge: '600' }), limits({ 'limits.gross': 1 })]
      const events = given(...ready, snapshot(), ...steps, wants('trend', [quantity(SPY, '500')])).when(deciding({ strategies: ['trend'] }))
      expect(targetOf(events, 'trend', SPY).target).to.equal('400')
    })

    it('keeps exposure from adding up to more than there is (270 %)', () => {
      const greedy = configured({
        'exposure.overall': 4,
        'strategies.trend.allocation': 0.5,
        'strategies.hedge.allocation': 0.5,
        'limits.singleName': 4,
      })
      const steps = [wants('trend', [{ instrument: SPY, weight: '1' }]), wants('hedge', [{ instrument: VIXY, weight: '1' }])]
      const events = given(...ready, snapshot(), greedy, ...steps).when(deciding())
      expect(ordersOf(events)).to.have.members(['SPY 500', 'VIXY 500'])
    })

    it('frees in the same decision what is sold', () => {
      const steps = [held('500'), booked('trend', SPY, '500'), limits({ 'strategies.trend.limits.gross': 1 })]
      const events = given(...ready, ...steps, wants('trend', both('0', '500'))).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY -500', 'VIXY 500'])
    })
  })

  describe('single name', () => {
    it('of a strategy holds for each instrument by itself', () => {
      const events = given(
        ...ready,
        snapshot(),
        limits({ 'strategies.trend.limits.singleName': 0.5 }),
        wants('trend', both('400', '100')),
      ).when(deciding())
      expect(ordersOf(events)).to.have.members(['SPY 250', 'VIXY 100'])
      expect(noteOf(events, 'LIMIT_SINGLE_NAME').numbers).to.include({ wanted: '400', allowed: '250', limit: '25000' })
    })

    it('of the account looks at the net of all books', () => {
      const steps = [held('-300'), booked('hedge', SPY, '-300'), limits({ 'limits.singleName': 0.4 }), neutral('hedge')]
      const within = given(...ready, ...steps, wants('trend', [quantity(SPY, '700')])).when(deciding())
      expect(targetOf(within, 'trend', SPY).target).to.equal('700')
      const above = given(...ready, ...steps, wants('trend', [quantity(SPY, '800')])).when(deciding())
      expect(targetOf(above, 'trend', SPY).target).to.equal('700')
      expect(noteOf(above, 'LIMIT_SINGLE_NAME').numbers).to.include({ level: 'account', limit: '40000' })
    })

    it('shares the room of the account among those who add', () => {
      const steps = [wants('trend', [quantity(SPY, '600')]), wants('hedge', [quantity(SPY, '200')])]
      const events = given(...ready, snapshot(), limits({ 'limits.singleName': 0.4 }), ...steps).when(deciding())
      expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'hedge', SPY).target]).to.deep.equal(['300', '100'])
    })
  })

  describe('positions', () => {
    it('lets in the largest of the new ones', () => {
      const events = given(
        ...ready,
        snapshot(),
        limits({ 'strategies.trend.limits.positions': 1 }),
        wants('trend', both('100', '200')),
      ).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['VIXY 200'])
      expect(noteOf(events, 'LIMIT_POSITIONS').numbers).to.include({ wanted: '100', allowed: '0', limit: '1' })
    })

    it('counts what is held first, and lets that grow', () => {
      const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
      const events = given(...ready, ...steps, wants('trend', both('50', '200'))).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY 40'])
    })

    it('gives the place of one that is closed to a new one', () => {
      const steps = [held('10'), booked('trend', SPY, '10'), limits({ 'limits.positions': 1 })]
      const events = given(...ready, ...steps, wants('trend', both('0', '200'))).when(deciding())
      expect(ordersOf(events)).to.deep.equal(['SPY -10', 'VIXY 200'])
    })
  })

  it('never clip a reduction, however far outside it ends', () => {
    const tight = { 'limits.gross': 0, 'limits.singleName': 0, 'limits.positions': 0, 'strategies.trend.limits.gross': 0 }
    const steps = [held('900'), booked('trend', SPY, '900'), limits(tight)]
    const events = given(...ready, ...steps, wants('trend', both('500', '10'))).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -400'])
  })

  it('let a flip go flat even when they forbid the other side', () => {
    const steps = [held('300'), booked('trend', SPY, '300'), limits({ 'strategies.trend.limits.singleName': 0.1 })]
    const events = given(...ready, ...steps, wants('trend', [quantity(SPY, '-300')])).when(deciding())
    expect(targetOf(events, 'trend', SPY).target).to.equal('-50')
    expect(ordersOf(events)).to.deep.equal(['SPY -300', 'SPY -50'])
  })

  it('cannot be checked without the market price of what is held: nothing increases, exits go on', () => {
    const unpriced = snapshot({
      holdings: [
        { instrument: VIXY, quantity: '10' },
        { instrument: SPY, quantity: '50', marketPrice: '100' },
      ],
    })
    const steps = [unpriced, booked('hedge', VIXY, '10'), booked('trend', SPY, '50'), limits({})]
    const more = given(...ready, ...steps, wants('trend', [quantity(SPY, '80')])).when(deciding({ strategies: ['trend'] }))
    expect(ordersOf(more)).to.deep.equal([])
    expect(noteOf(more, 'MARKET_PRICE_MISSING').numbers).to.include({ wanted: '80', allowed: '50', unvalued: String(VIXY.conId) })
    const less = given(...ready, ...steps, wants('trend', [quantity(SPY, '20')])).when(deciding({ strategies: ['trend'] }))
    expect(ordersOf(less)).to.deep.equal(['SPY -30'])
  })

  it('value what was bought after the snapshot at the reference', () => {
    const steps = [booked('trend', SPY, '300'), limits({ 'strategies.trend.limits.gross': 1 })]
    const events = given(...ready, snapshot(), ...steps, wants('trend', both('300', '400'))).when(deciding())
    expect(targetOf(events, 'trend', VIXY).target).to.equal('200')
    expect(codesOf(events)).not.to.include('MARKET_PRICE_MISSING')
  })

  it('stop an increase of a standing target whose price is gone, not its reduction', () => {
    const stood = (wanted: Decimal) => [
      booked('trend', SPY, '50'),
      stands('trend', [quantity(SPY, wanted)], '0.5'),
      neutral('trend', [VIXY]),
    ]
    const more = given(...ready, held('50'), limits({}), ...stood('80')).when(deciding())
    expect(codesOf(more, 'trend')).to.deep.equal(['PRICE_MISSING'])
    expect(ordersOf(more)).to.deep.equal([])
    const less = given(...ready, held('50'), limits({}), ...stood('20')).when(deciding())
    expect(ordersOf(less)).to.deep.equal(['SPY -30'])
  })

  it('offer again what rounding left: what is too little for a step of the one goes to the other', () => {
    const coarse = { ...VIXY, conId: 99, symbol: 'BRK', sizeStep: '100' }
    const steps = [world.resolved(coarse), limits({ 'strategies.trend.limits.gross': 1 })]
    const events = given(...ready, snapshot(), ...steps, wants('trend', [quantity(SPY, '500'), quantity(coarse, '500')])).when(deciding())
    expect([targetOf(events, 'trend', SPY).target, targetOf(events, 'trend', coarse).target]).to.deep.equal(['298', '200'])
  })
})
