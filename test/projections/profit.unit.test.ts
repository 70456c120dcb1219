import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import { commandsView } from '../../projections/commands.ts'
import { portfolioView } from '../../projections/portfolio.ts'
import { profitView } from '../../projections/profit.ts'
import { broker, command, connected, documentsOf, filled, pathsOfLast, planned, resolved, SPY, snapshot, started } from './story.ts'

const path = 'positions/paper/holdings/dummy/profit/latest'
const rates = { baseCurrency: 'USD', exchangeRates: { USD: '1' } }
const position = { ...SPY, secType: 'STK', currency: 'USD', quantity: '30', averageCost: '440', marketPrice: '450' }
const commission = (executionId: string): DomainEvent => event('CommissionReported', { executionId, commission: '1.5', currency: 'USD' })
const bought = [
  started,
  connected,
  broker(snapshot(rates)),
  command('allocation', 'alloc-1', resolved(SPY), planned('r1', { quantity: '30', shares: [{ strategy: 'dummy', quantity: '30' }] })),
  broker(filled('r1', 'e1.01', '30', { price: '440' })),
  broker(commission('e1.01')),
]

describe('the view of profit', () => {
  it('shows lots, average cost and what a book has paid, when its trades change them', () => {
    const document = documentsOf(profitView, ...bought).get(path)!
    expect(document).to.deep.include({ currency: 'USD', lot_method: 'fifo', realized: 0, commissions: 1.5, unknown: [] })
    const [line] = document['instruments'] as Record<string, unknown>[]
    expect(line).to.include({ symbol: 'SPY', quantity: 30, average_cost: 440 })
    expect((line!['lots'] as object[])[0]).to.include({ quantity: 30, cost: 440, exchange_rate: 1 })
  })

  it('writes nothing for a snapshot, which changes no lot, but for one that tells a rate that was not known', () => {
    expect(pathsOfLast(profitView, ...bought, broker(snapshot(rates)))).to.deep.equal([])
    const blind = bought.filter((told) => !told.events.some(({ type }) => type === 'PositionReconciled'))
    expect((documentsOf(profitView, ...blind).get(path)!['unknown'] as object[])[0]).to.include({ what: 'exchangeRate' })
    expect(pathsOfLast(profitView, ...blind, broker(snapshot(rates)))).to.deep.equal([path])
    expect(documentsOf(profitView, ...blind, broker(snapshot(rates))).get(path)!['unknown']).to.deep.equal([])
  })

  it('writes the book of a commission, and none for one that is not ours', () => {
    expect(pathsOfLast(profitView, ...bought)).to.deep.equal([path])
    expect(pathsOfLast(profitView, ...bought, broker(commission('h1.01')))).to.deep.equal([])
  })

  it('shows with the account what each book had made at the last reconcile', () => {
    const portfolio = documentsOf(portfolioView, ...bought, broker(snapshot({ ...rates, positions: [position] })))
    const [book] = portfolio.get('positions/paper/portfolio/latest')!['profit'] as Record<string, unknown>[]
    expect(book).to.deep.include({ strategy: 'dummy', realized: 0, unrealized: 300, commissions: 1.5, unknown: [] })
  })

  it('does not show as nothing what nobody knows', () => {
    const given = event('DiscrepancyExplained', {
      ...{ ...SPY, quantity: '5', as: 'book', unexplained: '0', reason: 'found' },
      moves: [{ holder: 'dummy', quantity: '5' }],
    })
    const told = [started, connected, broker(snapshot(rates)), command('explain', 'x-1', given)]
    const [line] = documentsOf(profitView, ...told).get(path)!['instruments'] as Record<string, unknown>[]
    expect(line).to.deep.include({ quantity: 5, average_cost: null })
    expect((line!['lots'] as object[])[0]).to.include({ cost: null })
    expect(line!['unknown']).to.include('cost')
  })

  it('answers an explanation with what it moved', () => {
    const moved = event('DiscrepancyExplained', {
      ...{ ...SPY, quantity: '5', as: 'book', unexplained: '0', reason: 'ours after all', from: 'manual' },
      moves: [
        { holder: 'manual', quantity: '-5' },
        { holder: 'dummy', quantity: '5' },
      ],
      price: { value: '450', at: '2026-11-20T21:00:00.000Z', source: 'snapshot' },
    })
    const document = documentsOf(commandsView, ...bought, command('explain', 'x-1', moved)).get('commands/x-1')!
    expect(document).to.include({ status: 'completed', text: '5 SPY moved from manual to dummy at 450 (ours after all)' })
    expect(document['result']).to.deep.include({
      price: 450,
      moves: [
        { holder: 'manual', quantity: -5 },
        { holder: 'dummy', quantity: 5 },
      ],
    })
  })
})
