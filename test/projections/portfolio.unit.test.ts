import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { holdingsView } from '../../projections/holdings.ts'
import { openOrdersView } from '../../projections/open-orders.ts'
import { portfolioView } from '../../projections/portfolio.ts'
import {
  at,
  broker,
  closed,
  command,
  connected,
  documentsOf,
  filled,
  pathsOfLast,
  placed,
  planned,
  resolved,
  SPY,
  snapshot,
  started,
  VIXY,
} from './story.ts'

const spyPosition = {
  ...SPY,
  secType: 'STK',
  currency: 'USD',
  quantity: '30',
  averageCost: '440.25',
  marketPrice: '450',
  marketValue: '13500',
}
const ordered = [started, connected, command('allocation', 'alloc-1', resolved(SPY), planned('r1'))]
const holdings = (strategy: string) => `positions/paper/holdings/${strategy}`

describe('the view of the account', () => {
  it('shows the portfolio as the plan names it', () => {
    const openOrders = [
      { orderRef: 'r1', orderId: 1, permId: 77, status: 'Submitted', conId: SPY.conId, symbol: 'SPY', remaining: '20' },
      { orderRef: '', orderId: 0, permId: 78, status: 'Submitted', symbol: 'AAPL' },
    ]
    const told = [...ordered, command('reconcile', 'c1', snapshot({ positions: [spyPosition], openOrders }))]
    const portfolio = documentsOf(portfolioView, ...told).get('positions/paper/portfolio/latest')!
    expect(portfolio).to.deep.include({
      updated_at: '2026-11-20T20:59:00.000Z',
      net_liquidation: 100000,
      available_funds: 90000.5,
      holdings: [
        {
          symbol: 'SPY',
          quantity: 30,
          average_cost: 440.25,
          market_price: 450,
          market_value: 13500,
          unrealized_profit: null,
          realized_profit: null,
          contract: { ...SPY, secType: 'STK', currency: 'USD' },
        },
      ],
    })
    const [ours, foreign] = portfolio['open_orders'] as readonly Record<string, unknown>[]
    expect(ours).to.deep.include({
      orderId: 1,
      symbol: 'SPY',
      action: 'BUY',
      totalQuantity: 20,
      remaining: 20,
      lmtPrice: 472.5,
      ours: true,
    })
    expect(foreign).to.deep.include({ symbol: 'AAPL', action: null, totalQuantity: null, remaining: null, lmtPrice: null, ours: false })
  })

  it('shows that books, manual and unexplained are what the broker holds, and blocks what is unexplained', () => {
    const reconciled = snapshot({
      asked: 5,
      positions: [spyPosition, { ...spyPosition, ...VIXY, quantity: '5' }],
      manual: [{ ...VIXY, quantity: '5' }],
      differences: [{ ...SPY, reported: '30', expected: '20', unexplained: '10' }],
    })
    const told = [
      ...ordered,
      broker(placed('r1')),
      broker(filled('r1', 'e1.01', '20'), closed('r1', 'filled', '20')),
      command('reconcile', 'c1', reconciled),
    ]
    const overview = documentsOf(portfolioView, ...told).get('positions/paper')!
    expect(overview).to.deep.include({
      account: 'DU1',
      net_liquidation: 100000,
      reconciled_at: '2026-11-20T20:59:00.000Z',
      updated_at: at(6),
    })
    expect(overview['instruments']).to.deep.equal([
      {
        ...VIXY,
        books: {},
        manual: 5,
        unexplained: 0,
        total: 5,
        reported: 5,
        changed_since_reported: false,
        blocked: null,
      },
      {
        ...SPY,
        books: { dummy: 20 },
        manual: 0,
        unexplained: 10,
        total: 30,
        reported: 30,
        changed_since_reported: false,
        blocked: `10 unexplained since ${at(6)}`,
      },
    ])
  })

  it('says when a report came after the snapshot, and null before any snapshot', () => {
    const instrument = (...told: Parameters<typeof documentsOf>[1][]) =>
      (documentsOf(portfolioView, ...told).get('positions/paper')!['instruments'] as readonly Record<string, unknown>[])[0]
    const reconciled = command('reconcile', 'c1', snapshot({ asked: 3 }))
    const fill = broker(filled('r1', 'e1.01', '8'))
    expect(instrument(...ordered, reconciled, fill)).to.include({ total: 8, reported: 0, changed_since_reported: true })
    expect(instrument(...ordered, fill)).to.include({ total: 8, reported: null, changed_since_reported: false })
  })

  it('shows an instrument as blocked while its order is unresolved', () => {
    const lost = broker(event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'nobody knows it' }))
    const lineAfter = (...told: Parameters<typeof documentsOf>[1][]) =>
      documentsOf(portfolioView, ...ordered, ...told).get('positions/paper')!['instruments'] as readonly Record<string, unknown>[]
    expect(lineAfter(lost)[0]).to.include({ conId: SPY.conId, blocked: 'order r1 is unresolved' })
    expect(lineAfter(lost, broker(closed('r1', 'lost')))).to.deep.equal([])
  })
})

describe('the view of the holdings', () => {
  it('maps contract ids to quantities and holds nothing else', () => {
    const told = [...ordered, broker(filled('r1', 'e1.01', '8')), broker(filled('r1', 'e2.01', '4.5'))]
    expect(documentsOf(holdingsView, ...told).get(holdings('dummy'))).to.deep.equal({ [SPY.conId]: 12.5 })
    expect(documentsOf(holdingsView, ...ordered).size).to.equal(0)
  })

  it('replaces a fill that was corrected', () => {
    const corrected = broker(filled('r1', 'e1.02', '5', { replaces: 'e1.01' }))
    const documents = documentsOf(holdingsView, ...ordered, broker(filled('r1', 'e1.01', '8')), corrected)
    expect(documents.get(holdings('dummy'))).to.deep.equal({ [SPY.conId]: 5 })
  })

  it('goes by the shares of the fill, whoever ordered', () => {
    const fill = broker(filled('r1', 'e1.01', '8', { shares: [{ strategy: 'other', quantity: '8' }] }))
    expect(documentsOf(holdingsView, ...ordered, fill).get(holdings('other'))).to.deep.equal({ [SPY.conId]: 8 })
  })

  it('moves books when wishes are crossed, and leaves a flat book as an empty document', () => {
    const moves = [
      { strategy: 'dummy', quantity: '-8' },
      { strategy: 'other', quantity: '8' },
    ]
    const crossed = command('allocation', 'c2', event('PositionsCrossed', { ...SPY, price: '450', priceAt: at(0), moves }))
    const told = [...ordered, broker(filled('r1', 'e1.01', '8')), crossed]
    const documents = documentsOf(holdingsView, ...told)
    expect(documents.get(holdings('dummy'))).to.deep.equal({})
    expect(documents.get(holdings('other'))).to.deep.equal({ [SPY.conId]: 8 })
    expect(pathsOfLast(holdingsView, ...told)).to.have.members([holdings('dummy'), holdings('other')])
  })

  it('follows an explanation into a book, and makes no document of manual holdings', () => {
    const explained = event('DiscrepancyExplained', {
      ...SPY,
      quantity: '10',
      as: 'book',
      moves: [
        { holder: 'dummy', quantity: '10' },
        { holder: 'manual', quantity: '-10' },
      ],
      unexplained: '0',
      reason: 'mine',
    })
    const documents = documentsOf(holdingsView, started, command('explain', 'c1', explained))
    expect([...documents]).to.deep.equal([[holdings('dummy'), { [SPY.conId]: 10 }]])
  })
})

describe('the view of the open orders', () => {
  const path = 'positions/paper/openOrders/r1'

  it('shows an order from its plan through its fills', () => {
    expect(documentsOf(openOrdersView, ...ordered).get(path)).to.deep.include({
      orderId: 1,
      action: 'BUY',
      totalQuantity: 20,
      filled: 0,
      remaining: 20,
      averagePrice: null,
      lmtPrice: 472.5,
      status: 'planned',
      shares: { dummy: 20 },
      decision: 'alloc-1',
      updated_at: at(3),
    })
    const told = [
      ...ordered,
      broker(placed('r1')),
      broker(filled('r1', 'e1.01', '5')),
      broker(filled('r1', 'e2.01', '10', { price: '453' })),
    ]
    expect(documentsOf(openOrdersView, ...told).get(path)).to.deep.include({
      permId: 77,
      filled: 15,
      remaining: 5,
      averagePrice: 452,
      status: 'working',
      planned_at: at(3),
      updated_at: at(6),
    })
  })

  it('speaks of a sale without signs', () => {
    const sale = command('allocation', 'a', planned('r2', { quantity: '-3', shares: [{ strategy: 'dummy', quantity: '-3' }] }))
    const fill = broker(filled('r2', 'e9.01', '-1', { shares: [{ strategy: 'dummy', quantity: '-1' }] }))
    expect(documentsOf(openOrdersView, started, sale, fill).get('positions/paper/openOrders/r2')).to.deep.include({
      action: 'SELL',
      totalQuantity: 3,
      filled: 1,
      remaining: 2,
      shares: { dummy: -3 },
    })
  })

  it('is gone at the end of the order, and a late fill does not bring it back', () => {
    const told = [...ordered, broker(placed('r1')), broker(closed('r1', 'cancelled'))]
    expect(documentsOf(openOrdersView, ...told).has(path)).to.equal(false)
    expect(pathsOfLast(openOrdersView, ...told)).to.deep.equal([`-${path}`])
    expect(pathsOfLast(openOrdersView, ...told, broker(filled('r1', 'e1.01', '5')))).to.deep.equal([])
  })

  it('is back when an end that was concluded from silence is taken back', () => {
    const told = [...ordered, broker(closed('r1', 'lost')), broker(placed('r1'))]
    expect(documentsOf(openOrdersView, ...told).get(path)).to.include({ status: 'working' })
  })
})
