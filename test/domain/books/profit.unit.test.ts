import { expect } from 'chai'
import { profitLines, profitOf } from '../../../domain/books/profit.ts'
import { holdingsOf } from '../../../domain/books/trades.ts'
import { type DomainEvent, event } from '../../../domain/events.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import {
  at,
  booked,
  closed,
  configured,
  continued,
  filled,
  ledgerOf,
  ordered,
  ready,
  resolved,
  SPY,
  snapshot,
  type Traded,
  VIXY,
} from '../../given.ts'

const spy = SPY.conId
const SAP: Traded = { ...SPY, conId: 4711, symbol: 'SAP', currency: 'EUR' }
const commission = (executionId: string, amount: string, currency = 'USD'): DomainEvent =>
  event('CommissionReported', { executionId, commission: amount, currency })
const order = ordered('r-1', SPY, { trend: '100', hedge: '50' })
const begun = [...ready, snapshot(), order]
const shown = (marketPrice: string) => snapshot({ holdings: [{ instrument: SPY, quantity: '150', marketPrice }] })
const figures = (ledger: Ledger, strategy = 'trend') => {
  const { realized, unrealized, commissions } = profitOf(ledger, strategy)
  return { realized, unrealized, commissions }
}
const holding = (ledger: Ledger, strategy = 'trend', conId = spy) => {
  const log = ledger.trades[conId]
  return log && holdingsOf(log)[strategy]
}
const lotsOf = (ledger: Ledger, strategy = 'trend', conId = spy) =>
  holding(ledger, strategy, conId)?.lots.map(({ quantity, cost }) => [quantity, cost]) ?? []
const missing = (ledger: Ledger, strategy = 'trend') => profitOf(ledger, strategy).unknown.map(({ what }) => what)

describe('the profit of a book', () => {
  it('is what its lots are worth less what they cost, and what closed lots brought; commissions stand beside it', () => {
    const bought = ledgerOf(
      begun,
      filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }, '100'),
      commission('e1.01', '3'),
      shown('104'),
    )
    expect(profitOf(bought, 'trend')).to.deep.equal({ realized: '0', unrealized: '400', commissions: '2', currency: 'USD', unknown: [] })
    expect(figures(bought, 'hedge')).to.deep.equal({ realized: '0', unrealized: '200', commissions: '1' })
    const sold = continued(
      bought,
      ordered('r-2', SPY, { trend: '-60' }),
      filled('r-2', SPY, 'e2.01', { trend: '-60' }, '110'),
      commission('e2.01', '1'),
    )
    expect(figures(sold)).to.deep.equal({ realized: '600', unrealized: '160', commissions: '3' })
    expect(profitLines(sold, 'trend')[0]).to.include({ quantity: '40', averageCost: '100', marketPrice: '104' })
  })

  it('counts a short position the other way round, and a fill that crosses zero closes and opens', () => {
    const ledger = ledgerOf(
      [...ready, snapshot(), ordered('r-1', SPY, { trend: '-50' })],
      filled('r-1', SPY, 'e1.01', { trend: '-50' }, '100'),
      ordered('r-2', SPY, { trend: '80' }),
      filled('r-2', SPY, 'e2.01', { trend: '80' }, '90'),
    )
    expect(holding(ledger)?.realized).to.equal('500')
    expect(lotsOf(ledger)).to.deep.equal([['30', '2700']])
  })

  const bySteps = (method: string) =>
    lotsOf(
      ledgerOf(
        [
          ...ready,
          snapshot(),
          configured({ 'books.lotMethod': method }),
          ordered('r-1', SPY, { trend: '90' }),
          ordered('r-2', SPY, { trend: '-40' }),
        ],
        filled('r-1', SPY, 'e1.01', { trend: '30' }, '100'),
        filled('r-1', SPY, 'e2.01', { trend: '30' }, '120'),
        filled('r-1', SPY, 'e3.01', { trend: '30' }, '110'),
        filled('r-2', SPY, 'e4.01', { trend: '-40' }, '115'),
      ),
    )
  it('closes the first lot first, or as books.lotMethod says', () => {
    expect(bySteps('fifo')).to.deep.equal([
      ['20', '2400'],
      ['30', '3300'],
    ])
    expect(bySteps('lifo')).to.deep.equal([
      ['30', '3000'],
      ['20', '2400'],
    ])
    expect(bySteps('highestCost')).to.deep.equal([
      ['30', '3000'],
      ['20', '2200'],
    ])
  })

  it('moves lots at the reference price when two books cross: nothing is earned by it, and nothing is paid', () => {
    const crossed = event('PositionsCrossed', {
      ...{ conId: spy, symbol: 'SPY', price: '105', priceAt: '2024-01-08T21:00:00.000Z' },
      moves: [
        { strategy: 'trend', quantity: '-100' },
        { strategy: 'carry', quantity: '100' },
      ],
    })
    const ledger = ledgerOf(begun, filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }, '100'), crossed, shown('106'))
    expect(figures(ledger)).to.include({ realized: '500', unrealized: '0' })
    expect(figures(ledger, 'carry')).to.include({ realized: '0', unrealized: '100' })
  })

  it('takes back with a correction what it replaced, lots closed since included', () => {
    const sale = [ordered('r-2', SPY, { trend: '-60' }), filled('r-2', SPY, 'e2.01', { trend: '-60' }, '110')]
    const wrong = [begun, filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }, '100'), commission('e1.01', '3')]
    const right = filled('r-1', SPY, 'e1.02', { trend: '80', hedge: '40' }, '101')
    const corrected = ledgerOf(...wrong, ...sale, { ...right, data: { ...right.data, replaces: 'e1.01' } } as DomainEvent)
    expect(corrected.books['trend']).to.deep.equal({ [spy]: '20' })
    expect(lotsOf(corrected)).to.deep.equal([['20', '2020']])
    expect(figures(corrected)).to.deep.include({ realized: '540', commissions: '2' })
    expect(lotsOf(corrected, 'hedge')).to.deep.equal([['40', '4040']])
  })

  it('is in base currency, at the rate of each day: what the currency gains is profit too', () => {
    const euro = (EUR: string, marketPrice?: string) =>
      snapshot({
        exchangeRates: { USD: '1', EUR },
        holdings: marketPrice === undefined ? [] : [{ instrument: SAP, quantity: '10', marketPrice }],
      })
    const ledger = ledgerOf(
      [...ready, resolved(SAP), euro('1.1'), ordered('r-1', SAP, { trend: '20' })],
      filled('r-1', SAP, 'e1.01', { trend: '20' }, '100'),
      commission('e1.01', '2', 'EUR'),
      euro('1.2'),
      ordered('r-2', SAP, { trend: '-10' }),
      filled('r-2', SAP, 'e2.01', { trend: '-10' }, '100'),
      commission('e2.01', '1', 'USD'),
      euro('1.25', '101'),
    )
    expect(figures(ledger)).to.deep.equal({ realized: '100', unrealized: '162.5', commissions: '3.2' })
    expect(profitLines(ledger, 'trend')[0]).to.include({ realizedInCurrency: '0', averageCost: '100', exchangeRate: '1.25' })
  })

  it('says that a rate is unknown rather than taking 0 or 1 for it, and takes it up when it comes', () => {
    const blind = ledgerOf(
      [...ready, resolved(SAP), snapshot(), ordered('r-1', SAP, { trend: '20' }), ordered('r-2', SAP, { trend: '-5' })],
      filled('r-1', SAP, 'e1.01', { trend: '20' }, '100'),
      commission('e1.01', '2', 'EUR'),
      filled('r-2', SAP, 'e2.01', { trend: '-5' }, '110'),
      commission('e2.01', '2', 'EUR'),
    )
    expect(missing(blind)).to.deep.equal(['exchangeRate', 'marketPrice'])
    expect(profitLines(blind, 'trend')[0]).to.include({ realizedInCurrency: '50', unrealized: null })
    const told = continued(
      blind,
      snapshot({ exchangeRates: { USD: '1', EUR: '1.1' }, holdings: [{ instrument: SAP, quantity: '15', marketPrice: '100' }] }),
      snapshot({ exchangeRates: { USD: '1', EUR: '1.3' }, holdings: [{ instrument: SAP, quantity: '15', marketPrice: '100' }] }),
    )
    expect(missing(told)).to.deep.equal([])
    expect(figures(told)).to.deep.equal({ realized: '55', unrealized: '300', commissions: '4.4' })
  })

  it('says that a commission has not come, which is not a commission of nothing', () => {
    const ledger = ledgerOf(begun, filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }), shown('100'))
    expect(missing(ledger)).to.deep.equal(['commission'])
    expect(missing(continued(ledger, commission('e1.01', '0')))).to.deep.equal([])
  })

  it('takes a commission that comes before its execution, or a second time with another amount', () => {
    const early = ledgerOf(begun, commission('e1.01', '9'), filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }))
    expect(figures(early).commissions).to.equal('6')
    expect(figures(continued(early, commission('e1.01', '3'))).commissions).to.equal('2')
  })

  it('does not know what a quantity cost that was put into a book without a price', () => {
    const ledger = ledgerOf(...ready, booked('trend', SPY, '10'), shown('100'))
    expect(profitLines(ledger, 'trend')[0]).to.include({ quantity: '10', averageCost: null, unrealized: null })
    expect(missing(ledger)).to.deep.equal(['cost'])
  })

  it('still takes back what a correction replaced a month later, over the monthly forgetting', () => {
    const wrong = filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }, '100')
    const right = filled('r-1', SPY, 'e1.02', { trend: '100', hedge: '50' }, '90')
    const months = ['2024-02-01', '2024-02-12'].flatMap((day, number) => [
      at(`${day}T15:00:00.000Z`),
      ordered(`s-${number}`, SPY, { trend: '-10' }),
      filled(`s-${number}`, SPY, `s${number}.01`, { trend: '-10' }, '105'),
    ])
    const corrected = ledgerOf(begun, wrong, ...months, { ...right, data: { ...right.data, replaces: 'e1.01' } } as DomainEvent)
    const fromTheStart = ledgerOf(begun, right, ...months)
    expect(holding(corrected)).to.deep.equal(holding(fromTheStart))
    expect(lotsOf(corrected)).to.deep.equal([['80', '7200']])
  })

  it('forgets trades after their time, but not what they made', () => {
    const traded = ledgerOf(begun, filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }, '100'), closed('r-1', 'filled', '150'))
    const later = continued(
      traded,
      ...['2024-02-02', '2024-03-02', '2024-04-02'].flatMap((day) => [at(`${day}T15:00:00.000Z`), snapshot()]),
    )
    expect(later.trades[spy]!.trades).to.deep.equal([])
    expect(lotsOf(later)).to.deep.equal([['100', '10000']])
  })

  it('leaves VIXY alone when SPY trades', () => {
    const ledger = ledgerOf(begun, filled('r-1', SPY, 'e1.01', { trend: '100', hedge: '50' }))
    expect(holding(ledger, 'trend', VIXY.conId)).to.equal(undefined)
  })
})
