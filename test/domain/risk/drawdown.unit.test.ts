/** How much was lost, since the trading day began and from the peak; told from reconciles folded like any others. */
import { expect } from 'chai'
import { event } from '../../../domain/events.ts'
import { drawdownsOf } from '../../../domain/risk/drawdown.ts'
import { stuckOrders } from '../../../domain/risk/stuck-orders.ts'
import { at, booked, configured, continued, filled, given, ordered, ready, SPY, type Step, snapshot, tuesday } from '../../given.ts'

const worth = (netLiquidation: string | undefined, takenAt = tuesday, more: object = {}) => snapshot({ netLiquidation, takenAt, ...more })
const drawdowns = (...steps: Step[]) =>
  Object.fromEntries(drawdownsOf(given(ready, steps).ledger).map(({ rule, scope, value }) => [`${rule} ${scope}`, value]))
const breached = (...steps: Step[]) =>
  drawdownsOf(given(ready, steps).ledger).flatMap(({ rule, scope, breached: is }) => (is ? [`${rule} ${scope}`] : []))

const [mondayNoon, mondayEvening, tuesdayMorning, saturday, nextMonday] = [
  '2024-01-08T17:00:00.000Z',
  '2024-01-09T04:59:00.000Z', // 23:59 in New York
  '2024-01-09T05:00:00.000Z', // midnight there
  '2024-01-13T15:00:00.000Z',
  '2024-01-15T15:00:00.000Z', // Martin Luther King Jr. day, no session
]

describe('drawdowns of the account', () => {
  it('count from the first reconcile of the trading day and from the highest one', () => {
    const steps = [worth('100000', mondayNoon), worth('110000', '2024-01-08T18:00:00.000Z'), worth('99000', mondayEvening)]
    expect(drawdowns(...steps)).to.deep.equal({ 'dailyDrawdown account': '0.01', 'peakDrawdown account': '0.1' })
  })

  it('begin anew with the New York day, and the peak stays', () => {
    const steps = [worth('100000', mondayNoon), worth('90000', mondayEvening), worth('90000', tuesdayMorning), worth('88200', tuesday)]
    expect(drawdowns(...steps)).to.deep.equal({ 'dailyDrawdown account': '0.02', 'peakDrawdown account': '0.118' })
  })

  it('take days without a session for the beginning of the next', () => {
    const { performance } = given(ready, worth('100000', saturday), worth('99000', nextMonday)).ledger
    expect(performance!.day.session).to.equal('2024-01-16')
    expect(performance!.netLiquidation.first!.at).to.equal(saturday)
  })

  it('are never negative, and a gain moves only the peak', () => {
    expect(drawdowns(worth('100000', mondayNoon), worth('120000', mondayEvening))).to.deep.equal({
      'dailyDrawdown account': '0',
      'peakDrawdown account': '0',
    })
  })

  it('know nothing where the net liquidation is not told, which is not zero', () => {
    expect(drawdowns(worth(undefined))).to.deep.equal({})
    const steps = [worth('100000', mondayNoon), worth('96000', '2024-01-08T18:00:00.000Z'), worth(undefined, mondayEvening)]
    expect(drawdowns(...steps)['dailyDrawdown account']).to.equal('0.04')
  })

  it('begin anew where the base currency is another', () => {
    expect(drawdowns(worth('100000'), worth('9000', tuesday, { baseCurrency: 'EUR' }))).to.deep.equal({
      'dailyDrawdown account': '0',
      'peakDrawdown account': '0',
    })
  })

  it('breach a limit only when more is lost than it allows', () => {
    const lost = [worth('100000', mondayNoon), worth('95000', mondayEvening)]
    expect(breached(...lost)).to.deep.equal([])
    expect(breached(...lost, configured({ 'risk.dailyDrawdown': 0.049 }))).to.deep.equal(['dailyDrawdown account'])
    expect(breached(worth('100000', mondayNoon), worth('79999', mondayEvening))).to.deep.equal([
      'dailyDrawdown account',
      'peakDrawdown account',
    ])
  })

  it('can be told that a withdrawal was no loss', () => {
    const reset = event('PeaksReset', { from: '100000', to: '60000', currency: 'USD', reason: 'withdrawn' })
    expect(drawdowns(worth('100000', mondayNoon), worth('60000', tuesday), reset)['peakDrawdown account']).to.equal('0')
  })
})

describe('drawdowns of a strategy', () => {
  const money = configured({ 'strategies.trend.allocation': 0.5, 'exposure.overall': 1 })
  const priced = (marketPrice: string, takenAt: string) =>
    snapshot({ takenAt, holdings: [{ instrument: SPY, quantity: '100', marketPrice }] })
  const bought = [
    ordered('r-1', SPY, { trend: '100' }),
    filled('r-1', SPY, 'e1.01', { trend: '100' }, '100'),
    event('CommissionReported', { executionId: 'e1.01', commission: '1', currency: 'USD' }),
  ]

  it('are what its book lost, of its capital', () => {
    const steps = [money, snapshot({ takenAt: mondayNoon }), bought, priced('100', mondayEvening), priced('90', tuesday)]
    // 100 × 10 lost of 50 000 since Tuesday's first reconcile; from its peak, which was 0, also the commission
    expect(drawdowns(...steps)).to.include({ 'dailyDrawdown trend': '0', 'peakDrawdown trend': '0.02002' })
    const later = priced('85', '2024-01-09T16:00:00.000Z')
    expect(drawdowns(...steps, later)).to.include({ 'dailyDrawdown trend': '0.01', 'peakDrawdown trend': '0.03002' })
  })

  it('are not judged without any capital, nor where the price is unknown', () => {
    const steps = [snapshot({ takenAt: mondayNoon }), bought, priced('90', tuesday)]
    expect(Object.keys(drawdowns(...steps))).to.deep.equal(['dailyDrawdown account', 'peakDrawdown account'])
    const unpriced = snapshot({ takenAt: tuesday, holdings: [{ instrument: SPY, quantity: '100' }] })
    const hidden = drawdowns(money, snapshot({ takenAt: mondayNoon }), bought, priced('95', mondayEvening), unpriced)
    expect(hidden['peakDrawdown trend'], 'as it was known last').to.equal('0.01002')
    expect(hidden).to.not.have.property('dailyDrawdown trend')
  })
})

describe('orders that are stuck', () => {
  const now = (minutes: number) => Date.parse(tuesday) + minutes * 60_000
  const found = (minutes: number, ...steps: Step[]) =>
    stuckOrders(given(ready, at(tuesday), ordered('r-1', SPY, { trend: '100' }), steps).ledger, now(minutes)).map(({ why }) => why)
  const seen = event('OrderPlaced', { orderRef: 'r-1', orderId: 1, permId: 7, evidence: 'test' })
  const asked = event('OrderCancelRequested', { orderRef: 'r-1', reason: 'test' })

  it('are those that the broker never showed, does not name any more, did not end in time, or did not cancel', () => {
    expect([found(0.5), found(2)]).to.deep.equal([[], ['unseen']])
    expect(found(0, event('OrderUnresolved', { orderRef: 'r-1', conId: SPY.conId, text: '' }))).to.deep.equal(['unresolved'])
    expect([found(300, seen), found(366, seen)], 'the session ends after six hours').to.deep.equal([[], ['outlived']])
    expect([found(0.5, seen, asked), found(2, seen, asked)]).to.deep.equal([[], ['cancelUnanswered']])
  })

  it('are none once they have ended', () => {
    const { ledger } = given(ready, ordered('r-1', SPY, { trend: '100' }), asked)
    const ended = continued(ledger, event('OrderClosed', { orderRef: 'r-1', how: 'cancelled', filled: '0', text: '' }))
    expect(stuckOrders(ended, now(600))).to.deep.equal([])
  })
})

describe('a book that moved by hand', () => {
  it('has no cost, so nothing is judged by it', () => {
    const money = configured({ 'strategies.trend.allocation': 0.5 })
    const steps = [
      money,
      snapshot(),
      booked('trend', SPY, '10'),
      snapshot({ holdings: [{ instrument: SPY, quantity: '10', marketPrice: '1' }] }),
    ]
    expect(Object.keys(drawdowns(...steps)).filter((name) => name.endsWith('trend'))).to.deep.equal([
      'dailyDrawdown trend',
      'peakDrawdown trend',
    ])
    expect(breached(...steps)).to.deep.equal([])
  })
})
