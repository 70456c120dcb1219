import { expect } from 'chai'
import fc from 'fast-check'
import { applyEntry, type Entry, foldAccount } from '../../../infra/gateway-sim/account.ts'
import { orderCommission } from '../../../infra/gateway-sim/commission.ts'
import { createUniverse } from '../../../infra/gateway-sim/universe.ts'
import { valuation } from '../../../infra/gateway-sim/valuation.ts'

const listing = createUniverse([]).traded('SPY')!
const trade = (quantity: number, price: number, commission = 0): Entry => ({ kind: 'trade', id: '', listing, quantity, price, commission })
const held = (...entries: Entry[]) => foldAccount(1000, entries).positions.get(listing.conId)!
const realised = (...entries: Entry[]) => applyEntry(foldAccount(1000, entries.slice(0, -1)), entries.at(-1)!).realised

describe('the account of the simulated gateway', () => {
  it('averages the cost of what is held, commission included', () => {
    expect(held(trade(10, 100, 1), trade(30, 104, 1))).to.include({ quantity: 40, averageCost: (1001 + 3121) / 40, realised: 0 })
  })

  it('keeps the average cost when a position shrinks, and realises the difference less commission', () => {
    const entries = [trade(10, 100, 1), trade(-4, 110, 1)]
    expect(held(...entries)).to.include({ quantity: 6, averageCost: 100.1 })
    expect(realised(...entries)).to.be.closeTo(4 * (110 - 100.1) - 1, 1e-8)
  })

  it('knows short positions: their cost is what was received', () => {
    const entries = [trade(-10, 100, 1), trade(10, 90, 1)]
    expect(held(trade(-10, 100, 1))).to.include({ quantity: -10, averageCost: 99.9 })
    expect(realised(...entries)).to.be.closeTo(10 * (99.9 - 90) - 1, 1e-8)
    expect(held(...entries)).to.include({ quantity: 0, averageCost: 0 })
  })

  it('realises nothing by opening', () => {
    expect(realised(trade(10, 100, 1))).to.equal(undefined)
    expect(realised(trade(-10, 100, 1), trade(-5, 100, 1))).to.equal(undefined)
  })

  it('closes and opens when a trade crosses zero, its commission shared by size', () => {
    const entries = [trade(10, 100), trade(-30, 110, 3)]
    expect(realised(...entries)).to.be.closeTo(100 - 1, 1e-8)
    expect(held(...entries)).to.include({ quantity: -20, averageCost: 110 - 2 / 20 })
  })

  it('always balances: what it is worth is the cash it began with and its profits', () => {
    const step = fc.tuple(
      fc.integer({ min: -50, max: 50 }).filter((quantity) => quantity !== 0),
      fc.integer({ min: 100, max: 20_000 }),
      fc.nat(300),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), fc.integer({ min: 1, max: 300 }), (steps, price) => {
        const account = foldAccount(
          1000,
          steps.map(([quantity, cents, commission]) => trade(quantity, cents / 100, commission / 100)),
        )
        const worth = valuation(account, () => price)
        expect(worth.netLiquidation).to.be.closeTo(1000 + worth.realised + worth.unrealised, 1e-4)
        expect(worth.netLiquidation).to.be.closeTo(worth.cash + worth.stockValue, 1e-6)
      }),
      { numRuns: 200 },
    )
  })

  it('charges half a cent a share, at least a dollar, at most one percent', () => {
    expect([
      orderCommission(100, 10_000),
      orderCommission(1000, 100_000),
      orderCommission(10, 50),
      orderCommission(5000, 1000),
    ]).to.deep.equal([1, 5, 0.5, 10])
  })
})
