import { expect } from 'chai'
import fc from 'fast-check'
import { profitLines, profitOf } from '../../../domain/books/profit.ts'
import { holdingsOf } from '../../../domain/books/trades.ts'
import { canonical } from '../../../domain/commit.ts'
import { add, type Decimal, isZero, multiply, subtract, sum } from '../../../domain/decimal.ts'
import { type DomainEvent, event } from '../../../domain/events.ts'
import { booksIn, type Ledger } from '../../../domain/ledger.ts'
import { at, configured, continued, filled, ledgerOf, ordered, ready, SPY, type Step, snapshot } from '../../given.ts'
import { anyAction, instruments, live, newWorld, paidFor, strategies, type World, worthNow } from './history.ts'

const histories = fc.array(anyAction, { minLength: 10, maxLength: 70, size: 'max' })
const each = (visit: (strategy: string, conId: number) => void): void => {
  for (const strategy of strategies) for (const { conId } of instruments) visit(strategy, conId)
}
const lineOf = (ledger: Ledger, strategy: string, conId: number) => profitLines(ledger, strategy).find((line) => line.conId === conId)

describe('books, over long random histories', function () {
  this.timeout(180_000)

  const always = (holds: (world: World) => void, numRuns = 40) =>
    fc.assert(
      fc.property(histories, (actions) => {
        const world = newWorld()
        actions.forEach((action, number) => {
          live(world, action, number)
          holds(world)
        })
      }),
      { numRuns },
    )

  it('books and manual and what is unexplained are what the broker holds, and lots are what their book holds', () => {
    always(({ ledger, broker }) => {
      for (const { conId } of instruments)
        expect(sum([booksIn(ledger, conId), ledger.manual[conId] ?? '0', ledger.unexplained[conId]?.quantity ?? '0'])).to.equal(
          broker[conId] ?? '0',
        )
      each((strategy, conId) => {
        const lots = lineOf(ledger, strategy, conId)?.lots ?? []
        expect(sum(lots.map(({ quantity }) => quantity))).to.equal(ledger.books[strategy]?.[conId] ?? '0')
        expect(new Set(lots.map(({ quantity }) => quantity.startsWith('-'))).size, 'long and short lots side by side').to.be.lessThan(2)
      })
    })
  })

  it('what a book has made is what its holdings are worth less what it paid for them, to the last digit and in two currencies', () => {
    always((world) => {
      each((strategy, conId) => {
        const line = lineOf(world.ledger, strategy, conId)
        if (line === undefined || line.unknown.some((what) => what !== 'commission')) return
        const made = subtract(worthNow(world, strategy, conId), paidFor(world, strategy, conId))
        expect(add(line.realized!, line.unrealized!), `${strategy} ${conId}`).to.equal(made)
      })
    })
  })

  it('knows the profit of every book, but where a difference is open', () => {
    always(({ ledger }) => {
      for (const strategy of strategies)
        for (const { conId, what } of profitOf(ledger, strategy).unknown)
          if (what !== 'commission') expect([what, conId in ledger.unexplained]).to.deep.equal(['quantity', true])
    }, 30)
  })

  it('commissions follow the shares: the books together paid what the broker took, once', () => {
    always(({ ledger, commissions }) => {
      expect(sum(strategies.map((strategy) => profitOf(ledger, strategy).commissions))).to.equal(sum([...commissions.values()]))
    })
  })

  it('the shares of every fill sum to it', () => {
    always(({ fills }) => {
      const last = fills.at(-1)?.data
      if (last !== undefined) expect(sum(last.shares.map(({ quantity }) => quantity))).to.equal(last.quantity)
    })
  })

  it('the state is its text: a ledger read from it says the same and goes on alike', () => {
    fc.assert(
      fc.property(histories, anyAction, (actions, next) => {
        const world = newWorld()
        actions.forEach((action, number) => {
          live(world, action, number)
        })
        const restored: World = { ...structuredClone({ ...world, fills: [] }), ledger: JSON.parse(canonical(world.ledger)) as Ledger }
        live(world, next, 1000)
        live(restored, next, 1000)
        for (const strategy of strategies) expect(profitOf(restored.ledger, strategy)).to.deep.equal(profitOf(world.ledger, strategy))
      }),
      { numRuns: 20 },
    )
  })
})

describe('a corrected execution', () => {
  const share = fc.integer({ min: -40, max: 40 }).map(String)
  const trade = fc.record({
    shares: fc.tuple(share, share),
    wrong: fc.option(fc.record({ shares: fc.tuple(share, share), price: fc.integer({ min: 50, max: 150 }).map(String) }), { freq: 2 }),
    price: fc.integer({ min: 50, max: 150 }).map(String),
    commission: fc.integer({ min: 0, max: 300 }).map((cents) => String(cents / 100)),
    days: fc.constantFrom(0, 1, 9),
  })
  const bothShares = ([trend, hedge]: readonly [Decimal, Decimal]) => ({ trend, hedge })
  const charged = (execution: string, commission: Decimal): DomainEvent =>
    event('CommissionReported', { executionId: execution, commission, currency: 'USD' })

  it('leaves the books and lots as they would be, had the right one been there from the start', () => {
    fc.assert(
      fc.property(fc.array(trade, { minLength: 1, maxLength: 12 }), fc.constantFrom('fifo', 'lifo', 'highestCost'), (trades, method) => {
        let day = 0
        const begun = [
          ...ready,
          configured({ 'books.lotMethod': method }),
          snapshot(),
          ordered('r-1', SPY, { trend: '9000', hedge: '9000' }),
        ]
        const told = (withMistakes: boolean): Step[] => {
          day = 0
          return trades.map(({ shares, wrong, price, commission, days }, number): Step => {
            day += days
            const first = withMistakes && wrong !== null ? wrong : { shares, price }
            const execution = `e${number}`
            return [
              at(new Date(Date.parse('2024-01-20T15:00:00.000Z') + day * 86_400_000).toISOString()),
              filled('r-1', SPY, `${execution}.01`, bothShares(first.shares), first.price),
              charged(`${execution}.01`, commission),
            ]
          })
        }
        const corrections = trades.flatMap(({ shares, wrong, price }, number) => {
          if (wrong === null || day > 30) return []
          const right = filled('r-1', SPY, `e${number}.02`, bothShares(shares), price) as Extract<DomainEvent, { type: 'FillReceived' }>
          return [{ ...right, data: { ...right.data, replaces: `e${number}.01` } }]
        })
        told(true)
        fc.pre(day <= 30)
        const corrected = continued(ledgerOf(begun), ...told(true), ...corrections)
        const fromTheStart = continued(ledgerOf(begun), ...told(false))
        expect(corrected.books).to.deep.equal(fromTheStart.books)
        expect(holdingsOf(corrected.trades[SPY.conId]!)).to.deep.equal(holdingsOf(fromTheStart.trades[SPY.conId]!))
      }),
      { numRuns: 200 },
    )
  })

  it('that is older than what is kept moves the books by the difference all the same, and the cash with them', () => {
    const begun = [...ready, snapshot(), ordered('r-1', SPY, { trend: '100' }), filled('r-1', SPY, 'e1.01', { trend: '60' }, '100')]
    const months = ['2024-02-10', '2024-03-10', '2024-04-10'].map((day) => [at(`${day}T15:00:00.000Z`), snapshot()])
    const right = filled('r-1', SPY, 'e1.02', { trend: '50' }, '101') as Extract<DomainEvent, { type: 'FillReceived' }>
    const ledger = ledgerOf(begun, ...months, { ...right, data: { ...right.data, replaces: 'e1.01' } })
    const line = lineOf(ledger, 'trend', SPY.conId)!
    expect([ledger.books['trend']![SPY.conId], line.quantity]).to.deep.equal(['50', '50'])
    const cost = sum(line.lots.map((lot) => lot.cost!))
    expect(subtract(cost, line.realized!), 'paid 5050 in the end').to.equal(multiply('50', '101'))
    expect(isZero(line.quantity)).to.equal(false)
  })
})
