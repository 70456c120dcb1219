import { expect } from 'chai'
import { profitLines, profitOf } from '../../domain/books/profit.ts'
import { decode } from '../../domain/decode.ts'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import { blockedBecause, type Ledger } from '../../domain/ledger.ts'
import { explain } from '../../handlers/explain.ts'
import {
  at,
  booked,
  closed,
  continued,
  dataOf,
  filled,
  given,
  ordered,
  ready,
  resolved,
  SPY,
  type Step,
  snapshot,
  stands,
  together,
  tuesday,
  VIXY,
} from '../given.ts'

const spy = SPY.conId

/** Decides as the engine would, the body checked by the handler's own codec; a refusal as its code and text. */
const explaining =
  (body: object, notHandedOver: string[] = []) =>
  (ledger: Ledger): DomainEvent[] | string => {
    const decoded = decode(explain.body, { instrument: 'SPY', ...body })
    if (!decoded.ok) return `BODY_INVALID ${decoded.problem}`
    const command = { id: 'c1', type: 'explain', publishedAt: tuesday, source: 'test', body: decoded.value }
    const engine = { ready: true, notHandedOver, said: {}, strategies: {}, validUntil: null, endsBy: tuesday }
    const decided = explain.decide({ ledger, command, facts: null, now: Date.parse(tuesday), engine } as Parameters<
      typeof explain.decide
    >[0])
    return isRefusal(decided) ? `${decided.refusal} ${decided.text}` : decided
  }
const explained = (ledger: Ledger, body: object): Ledger => {
  const decided = explaining(body)(ledger)
  if (typeof decided === 'string') throw new Error(decided)
  return continued(ledger, together(...decided))
}
const refused = (steps: Step[], body: object): string => String(given(...steps).when(explaining(body)))
const byHand = (quantity: string) =>
  event('ForeignExecutionSeen', {
    ...{ conId: spy, symbol: 'SPY', secType: 'STK', executionId: 'h1.01', orderRef: '', quantity, price: '100', holder: 'manual' },
  })
const lots = (ledger: Ledger, strategy: string) => profitLines(ledger, strategy)[0]?.lots.map(({ quantity, cost }) => [quantity, cost])

describe('explain: a quantity moves between manual and a book', () => {
  const holding = (marketPrice?: string) =>
    snapshot({ holdings: [{ instrument: SPY, quantity: '70', ...(marketPrice === undefined ? {} : { marketPrice }) }] })
  const steps: Step[] = [ready, byHand('20'), booked('trend', SPY, '50'), holding('104')]

  it('from manual into a book, where it becomes a lot at the market price of the snapshot, or at the price that is named', () => {
    const { ledger } = given(steps)
    const moved = explained(ledger, { quantity: '15', as: 'book', strategy: 'trend', from: 'manual' })
    expect([moved.books['trend'], { ...moved.manual }]).to.deep.equal([{ [spy]: '65' }, { [spy]: '5' }])
    expect(lots(moved, 'trend')!.at(-1)).to.deep.equal(['15', '1560'])
    expect(
      lots(explained(ledger, { quantity: '15', as: 'book', strategy: 'trend', from: 'manual', price: '99' }), 'trend')!.at(-1),
    ).to.deep.equal(['15', '1485'])
  })

  it('and back, which closes its lots; what they cost is known as little as before', () => {
    const bought: Step[] = [
      ready,
      snapshot(),
      ordered('r-1', SPY, { trend: '50' }),
      filled('r-1', SPY, 'e1.01', { trend: '50' }, '100'),
      holding('104'),
    ]
    const moved = explained(given(bought).ledger, { quantity: '30', as: 'manual', from: 'trend' })
    expect([moved.books['trend'], { ...moved.manual }]).to.deep.equal([{ [spy]: '20' }, { [spy]: '30' }])
    expect([profitOf(moved, 'trend').realized, lots(moved, 'trend')]).to.deep.equal(['120', [['20', '2000']]])
  })

  it('leaves the cost unknown where nobody names a price', () => {
    const moved = explained(given(ready, byHand('20'), booked('dummy', SPY, '5'), holding()).ledger, {
      quantity: '20',
      as: 'book',
      strategy: 'dummy',
      from: 'manual',
    })
    expect(lots(moved, 'dummy')).to.deep.equal([
      ['5', null],
      ['20', null],
    ])
  })

  it('never takes what an order at work sells already: it would be sold for somebody who has none', () => {
    const selling = [...steps, ordered('x-1', SPY, { trend: '-30' })]
    const move = { as: 'manual', from: 'trend' }
    expect(refused(selling, { ...move, quantity: '21' })).to.match(/^ORDER_AT_WORK .*of 50 SPY of trend only 20 is free; cancel x-1 first/)
    expect(explained(given(...selling).ledger, { ...move, quantity: '20' }).books['trend']).to.deep.equal({ [spy]: '30' })
    const ended = [...selling, closed('x-1', 'cancelled')]
    expect(explained(given(...ended).ledger, { ...move, quantity: '21' }).books['trend']).to.deep.equal({ [spy]: '29' })
    const buying = [...steps, ordered('b-1', SPY, { trend: '30' })]
    expect(explained(given(...buying).ledger, { ...move, quantity: '50' }).books['trend']).to.deep.equal({})
  })

  it('never takes what is not there, from the wrong side, or while something is unexplained', () => {
    const move = { as: 'book', strategy: 'trend', from: 'manual' }
    expect(refused(steps, { ...move, quantity: '21' })).to.match(/^NOT_HELD .*manual holds 20 SPY, the wish is to take 21/)
    expect(refused(steps, { ...move, quantity: '-5' })).to.match(/^NOT_HELD/)
    expect(refused(steps, { ...move, quantity: '0' })).to.match(/^NOT_HELD/)
    expect(refused(steps, { quantity: '51', as: 'manual', from: 'trend' })).to.match(/^NOT_HELD/)
    expect(refused(steps, { quantity: '5', as: 'manual', from: 'hedge' })).to.match(/^STRATEGY_UNKNOWN/)
    const differing = snapshot({
      differences: [{ conId: spy, symbol: 'SPY', reported: '80', expected: '70', unexplained: '10' }],
    })
    expect(refused([...steps, differing], { ...move, quantity: '5' })).to.match(/^UNEXPLAINED_FIRST/)
  })

  it('says what is wrong with the body', () => {
    const wrong = (body: object) => refused(steps, body)
    expect(wrong({ as: 'book', strategy: 'trend', from: 'manual' })).to.match(/^BODY_INVALID .*quantity/)
    expect(wrong({ quantity: '5', as: 'manual', from: 'manual' })).to.match(/^BODY_INVALID .*from/)
    expect(wrong({ quantity: '5', as: 'book', strategy: 'hedge', from: 'trend' })).to.match(/^BODY_INVALID .*from/)
    expect(wrong({ quantity: '5', as: 'book', from: 'manual' })).to.match(/^BODY_INVALID .*strategy/)
    expect(wrong({ quantity: '5', as: 'book', strategy: 'trend', from: 'manual', price: '-1' })).to.match(/^BODY_INVALID .*price/)
    expect(wrong({ quantity: '5', as: 'book', strategy: 'trend', form: 'manual' })).to.match(/"form" is not a field/)
  })

  it('wants the contract id where two contracts have one symbol', () => {
    const other = resolved({ ...SPY, conId: 4711, currency: 'MXN' })
    expect(refused([...steps, other], { quantity: '5', as: 'book', strategy: 'trend', from: 'manual' })).to.match(
      new RegExp(`^INSTRUMENT_AMBIGUOUS .*(4711, ${spy}|${spy}, 4711)`),
    )
  })
})

describe('explain: a split', () => {
  const order = ordered('r-9', SPY, { trend: '40' }, { orderId: 9 })
  const bought = (trend: string, hedge: string): Step[] => [
    [...ready, snapshot(), ordered('r-1', SPY, { trend, hedge })],
    filled('r-1', SPY, 'e1.01', { trend, hedge }, '100'),
    closed('r-1', 'filled'),
  ]
  const differing = (expected: string, reported: string, marketPrice = '50') => [
    at('2024-01-10T15:00:00.000Z'),
    snapshot({
      holdings: [{ instrument: SPY, quantity: reported, marketPrice }],
      differences: [{ conId: spy, symbol: 'SPY', reported, expected, unexplained: String(Number(reported) - Number(expected)) }],
    }),
  ]
  const split = { as: 'corporateAction', ratio: '2:1' }

  it('gives every book its new quantity, keeps what was paid, and leaves nothing unexplained', () => {
    const { ledger } = given(bought('60', '-10'), byHand('5'), ...differing('55', '110'))
    const done = explained(ledger, split)
    expect([done.books['trend'], done.books['hedge'], { ...done.manual }]).to.deep.equal([
      { [spy]: '120' },
      { [spy]: '-20' },
      { [spy]: '10' },
    ])
    expect([done.unexplained, done.discrepancies].map((each) => Object.keys(each))).to.deep.equal([[], []])
    expect(lots(done, 'trend')).to.deep.equal([['120', '6000']])
    expect(profitLines(done, 'trend')[0]).to.include({ averageCost: '50', unrealized: '0', realized: '0' })
    expect(lots(done, 'hedge')).to.deep.equal([['-20', '-1000']])
  })

  it('takes the fraction that was paid in cash from the holder who lost most by it, and keeps its cost', () => {
    const { ledger } = given(bought('55', '50'), ...differing('105', '10', '1000'))
    const done = explained(ledger, { ...split, ratio: '1:10' })
    expect([done.books['trend'], done.books['hedge']]).to.deep.equal([{ [spy]: '5' }, { [spy]: '5' }])
    expect(lots(done, 'trend')).to.deep.equal([['5', '5500']])
  })

  it('books the fraction that was paid in cash where its price is named: its cost goes, and what it made is realised', () => {
    const { ledger } = given(bought('55', '50'), ...differing('105', '10', '1000'))
    const done = explained(ledger, { ...split, ratio: '1:10', price: '1100' })
    expect(lots(done, 'trend')).to.deep.equal([['5', '5000']])
    expect(profitLines(done, 'trend')[0]).to.include({ averageCost: '1000', realized: '50', unrealized: '0' })
    expect(profitLines(done, 'hedge')[0]).to.include({ quantity: '5', realized: '0' })
    const gone = explained(given(bought('3', '-3')).ledger, { ...split, ratio: '1:10', price: '1100' })
    expect(profitLines(gone, 'trend')[0], 'too little to leave anything').to.include({ quantity: '0', realized: '30' })
    expect(profitLines(gone, 'hedge')[0]).to.include({ quantity: '0', realized: '-30' })
  })

  it('sets the targets of before it in new units, not those that were set in new units already', () => {
    const before = [
      stands('trend', [{ instrument: SPY, quantity: '60' }]),
      stands('hedge', [
        { instrument: SPY, quantity: '-15' },
        { instrument: VIXY, quantity: '7' },
      ]),
    ]
    const since = [at('2024-01-10T16:00:00.000Z'), stands('carry', [{ instrument: SPY, quantity: '30' }])]
    const { ledger } = given(bought('60', '-10'), ...before, ...differing('50', '100'), ...since)
    const decided = explaining(split)(ledger) as DomainEvent[]
    expect(
      dataOf(decided, 'StandingTargetsSet').map(({ strategy, targets }) => [strategy, targets.map(({ quantity }) => quantity)]),
    ).to.deep.equal([
      ['hedge', ['-30']],
      ['trend', ['120']],
    ])
    expect(dataOf(decided, 'StandingTargetsSet')[0]).to.include({ signal: 1, factor: '0.9' })
  })

  it('is no reason to trade: a target that was reached stays reached, whatever was rounded', () => {
    const { ledger } = given(bought('55', '50'), stands('trend', [{ instrument: SPY, quantity: '55' }]), ...differing('105', '10', '1000'))
    const done = explained(ledger, { ...split, ratio: '1:10' })
    expect(done.standing['trend']![spy]!.quantity).to.equal(done.books['trend']![spy])
  })

  it('calls back the orders that speak of old shares, and names them', () => {
    const { ledger } = given(bought('60', '-10'), order, ...differing('50', '100'))
    const decided = explaining(split)(ledger) as DomainEvent[]
    expect(dataOf(decided, 'DiscrepancyExplained')[0]!.openOrders).to.deep.equal(['r-9'])
    expect(dataOf(decided, 'OrderCancelRequested').map(({ orderRef }) => orderRef)).to.deep.equal(['r-9'])
    expect(dataOf(explaining(split, ['r-9'])(ledger) as DomainEvent[], 'OrderClosed')[0]).to.include({ how: 'withdrawn' })
  })

  it('counts what such an order still fills, shares in proportion, so that the books are what the broker holds', () => {
    const two = ordered('r-9', SPY, { trend: '30', hedge: '10' }, { orderId: 9 })
    const { ledger } = given(bought('60', '20'), two, ...differing('80', '160'))
    const done = continued(explained(ledger, split), filled('r-9', SPY, 'e9.01', { trend: '60', hedge: '20' }, '50'))
    expect([done.books['trend'], done.books['hedge']]).to.deep.equal([{ [spy]: '180' }, { [spy]: '60' }])
  })

  it('splits books that cancel each other out, though the broker shows no difference', () => {
    const done = explained(given(bought('60', '-60')).ledger, split)
    expect([done.books['trend'], done.books['hedge']]).to.deep.equal([{ [spy]: '120' }, { [spy]: '-120' }])
  })

  it('refuses a ratio that does not give what the broker holds, and what is no ratio', () => {
    const steps = [bought('60', '-10'), ...differing('50', '100')]
    expect(refused(steps, { ...split, ratio: '3:1' })).to.match(/^RATIO_MISMATCH .*3:1 of 50 SPY is not the 100/)
    expect(refused(steps, { ...split, ratio: '2' })).to.match(/^BODY_INVALID .*ratio/)
    expect(refused(steps, { as: 'manual', ratio: '2:1' })).to.match(/^BODY_INVALID .*ratio/)
    expect(refused(steps, { ...split, quantity: '50' })).to.match(/^BODY_INVALID .*quantity/)
    expect(refused(steps, { as: 'manual', quantity: '5', price: '3' }), 'nobody would ask for it').to.match(/^BODY_INVALID .*price/)
    expect(refused([bought('60', '-10')], split)).to.match(/^NOTHING_TO_EXPLAIN/)
  })
})

describe('explain: an execution that carries our name and has no plan', () => {
  const nobodys = (executionId: string, quantity: string): DomainEvent[] => [
    event('ForeignExecutionSeen', {
      ...{ conId: spy, symbol: 'SPY', secType: 'STK', executionId, orderRef: 'abc-9', quantity, price: '100', holder: 'nobody' },
    }),
    event('DiscrepancyFound', { conId: spy, symbol: 'SPY', kind: 'orphanExecution', quantity, text: `${quantity} without a plan` }),
  ]
  const looked = { quantity: '0', as: 'manual' }

  it('keeps its instrument blocked until its quantity is explained', () => {
    const steps = [ready, ...nobodys('n1.01', '10')]
    expect(refused(steps, looked)).to.match(/^EXPLANATION_TOO_LARGE .*10 SPY is open/)
    const after = explained(given(...steps).ledger, { quantity: '10', as: 'manual' })
    expect([blockedBecause(after, spy), after.manual]).to.deep.equal([undefined, { [spy]: '10' }])
  })

  for (const [how, gone] of [
    ['by another one', nobodys('n2.01', '-10')],
    ['from the account', [snapshot({ holdings: [] })]],
  ] as const)
    it(`can be cleared up when its quantity is gone again ${how}: somebody says that he has looked`, () => {
      const steps = [ready, ...nobodys('n1.01', '10'), ...gone]
      const { ledger } = given(...steps)
      expect([ledger.unexplained, blockedBecause(ledger, spy)]).to.deep.equal([{}, ledger.discrepancies[spy]!.text])
      expect(refused(steps, { quantity: '10', as: 'manual' })).to.match(
        /^NOTHING_TO_EXPLAIN .*SPY: quantity 0 says that you have looked: -?10/,
      )
      expect(blockedBecause(explained(ledger, looked), spy)).to.equal(undefined)
    })
})
