import { expect } from 'chai'
import fc from 'fast-check'
import { absolute, add, compare, type Decimal, isZero, multiply, negate, sign, subtract, sum, toNumber } from '../../domain/decimal.ts'
import {
  applyFill,
  executionOf,
  inFlightOf,
  isFilled,
  isOpen,
  type Order,
  remainingOf,
  revisionOf,
  type Share,
  sharesOfFill,
  splitFilled,
} from '../../domain/order.ts'
import { closed, ledgerOf, ordered, SPY, type Step } from '../given.ts'

const orderOf = (shares: Record<string, Decimal>, ...steps: Step[]): Order =>
  structuredClone(ledgerOf(ordered('r-1', SPY, shares), ...steps).orders['r-1']!)

/** As the engine does: the split is decided from the order, then counted. */
const fill = (order: Order, executionId: string, quantity: Decimal): Share[] => {
  const shares = sharesOfFill(order, executionId, quantity)
  applyFill(order, { executionId, quantity, price: '100', shares })
  return shares
}
const inFills = (order: Order, strategy: string): Decimal =>
  sum(
    Object.values(order.fills).flatMap(({ shares }) =>
      shares.filter((share) => share.strategy === strategy).map(({ quantity }) => quantity),
    ),
  )

const steps = fc.constantFrom('1', '0.01', '100')
const weights = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 })
const sharesOf = (seats: readonly number[], step: Decimal, short: boolean): Share[] =>
  seats.map((count, index) => ({ strategy: `s${index}`, quantity: multiply(step, String(short ? -count : count)) }))
const quantities = (shares: readonly Share[]): Decimal[] => shares.map(({ quantity }) => quantity)

/** The textbook: the next seat goes to the highest quotient of weight ÷ (2 × seats + 1), the first of equals. */
const textbook = (weightOf: readonly number[], seats: number): number[] => {
  const given = weightOf.map(() => 0)
  for (let seat = 0; seat < seats; seat++) {
    let best = 0
    for (let index = 1; index < given.length; index++)
      if (weightOf[index]! * (2 * given[best]! + 1) > weightOf[best]! * (2 * given[index]! + 1)) best = index
    given[best]!++
  }
  return given
}

describe('order: splitting what is filled', () => {
  it('is Sainte-Laguë, seat for seat', () => {
    fc.assert(
      fc.property(weights, fc.nat(1500), (counts, drawn) => {
        const filled = Math.min(
          drawn,
          counts.reduce((total, count) => total + count, 0),
        )
        expect(quantities(splitFilled(sharesOf(counts, '1', false), String(filled), '1'))).to.deep.equal(
          textbook(counts, filled).map(String),
        )
      }),
      { numRuns: 1000 },
    )
    // The large one gets 6 of 10, though 7.6 would be in proportion: the small ones are all rounded up.
    expect(quantities(splitFilled(sharesOf([76, 6, 6, 6, 6], '1', false), '10', '1'))).to.deep.equal(['6', '1', '1', '1', '1'])
    expect(quantities(splitFilled(sharesOf([53, 24, 23], '1', false), '7', '1'))).to.deep.equal(['3', '2', '2'])
  })

  it('sums to what was filled, gives nobody more than his share, and ends exact', () => {
    fc.assert(
      fc.property(weights, steps, fc.boolean(), fc.double({ min: 0, max: 1, noNaN: true }), (counts, step, short, part) => {
        const shares = sharesOf(counts, step, short)
        const whole = sum(quantities(shares))
        const filled = multiply(step, String(Math.floor(part * counts.reduce((total, count) => total + count, 0)) * (short ? -1 : 1)))
        const split = splitFilled(shares, filled, step)
        expect(sum(quantities(split))).to.equal(filled)
        split.forEach(({ quantity }, index) => {
          expect(compare(absolute(quantity), absolute(shares[index]!.quantity))).to.be.at.most(0)
          if (!isZero(quantity)) expect(sign(quantity)).to.equal(sign(whole))
        })
        expect(splitFilled(shares, whole, step)).to.deep.equal(shares)
      }),
      { numRuns: 500 },
    )
  })

  it('never takes back what a smaller quantity gave, also between two size steps', () => {
    const half = fc.nat(1000).map((halves) => halves / 2)
    fc.assert(
      fc.property(weights, half, half, fc.boolean(), (counts, one, other, short) => {
        const most = counts.reduce((total, count) => total + count, 0)
        const [less, more] = [Math.min(one, other, most), Math.min(Math.max(one, other), most)]
        const split = (filled: number) => splitFilled(sharesOf(counts, '1', short), String(short && filled > 0 ? -filled : filled), '1')
        const [before, after] = [split(less), split(more)]
        before.forEach(({ quantity }, index) => {
          expect(compare(absolute(quantity), absolute(after[index]!.quantity))).to.be.at.most(0)
        })
      }),
      { numRuns: 500 },
    )
  })

  it('takes no longer for a hundred thousand million steps than for ten', () => {
    const shares = sharesOf([70_000_000_000, 20_000_000_000, 10_000_000_000], '0.00000001', false)
    // The last seat of all goes to the largest share: nobody is nearer to having enough.
    expect(quantities(splitFilled(shares, '999.99999999', '0.00000001'))).to.deep.equal(['699.99999999', '200', '100'])
  })
})

describe('order: its fills', () => {
  it('arrive in any number of parts and end with each share exact', () => {
    fc.assert(
      fc.property(
        weights,
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 }),
        fc.boolean(),
        (counts, parts, short) => {
          const order = orderOf(Object.fromEntries(sharesOf(counts, '1', short).map(({ strategy, quantity }) => [strategy, quantity])))
          const signed = (quantity: number): Decimal => (short ? negate(String(quantity)) : String(quantity))
          let left = Math.abs(toNumber(order.quantity))
          const executions = [...parts.map((part) => part), left].map((part) => Math.min(part, left - 0))
          executions.forEach((part, index) => {
            const quantity = Math.min(part, left)
            if (quantity === 0) return
            left -= quantity
            const shares = fill(order, `e${index}.01`, signed(quantity))
            expect(sum(quantities(shares))).to.equal(signed(quantity))
            for (const share of shares) if (!isZero(share.quantity)) expect(sign(share.quantity)).to.equal(short ? -1 : 1)
          })
          fill(order, 'last.01', left === 0 ? '0' : signed(left))
          for (const { strategy, quantity } of order.shares) expect(inFills(order, strategy)).to.equal(quantity)
          expect(isFilled(order)).to.equal(true)
        },
      ),
      { numRuns: 200 },
    )
  })

  it('are split over the shares in proportion, from the first execution on', () => {
    const order = orderOf({ trend: '60', hedge: '40' })
    expect(quantities(fill(order, 'e1.01', '10'))).to.deep.equal(['6', '4'])
    expect(quantities(fill(order, 'e2.01', '90'))).to.deep.equal(['54', '36'])
  })

  it('are replaced by a correction, and the shares follow', () => {
    const order = orderOf({ trend: '60', hedge: '40' })
    fill(order, 'e1.01', '50')
    fill(order, 'e2.01', '20')
    expect(quantities(fill(order, 'e1.02', '30'))).to.deep.equal(['18', '12'])
    expect(order.filled).to.equal('50')
    expect([inFills(order, 'trend'), inFills(order, 'hedge')]).to.deep.equal(['30', '20'])
    expect(Object.keys(order.fills)).to.have.length(2)
  })

  it('may be taken back altogether', () => {
    const order = orderOf({ trend: '60', hedge: '40' })
    fill(order, 'e1.01', '50')
    fill(order, 'e1.02', '0')
    expect([order.filled, inFlightOf(order, 'trend'), inFlightOf(order, 'hedge')]).to.deep.equal(['0', '60', '40'])
  })

  it('leave the rest in flight, by strategy', () => {
    const order = orderOf({ trend: '-60', hedge: '-40' })
    fill(order, 'e1.01', '-10')
    expect([remainingOf(order), inFlightOf(order, 'trend'), inFlightOf(order, 'hedge'), inFlightOf(order, 'carry')]).to.deep.equal([
      ...['-90', '-54', '-36', '0'],
    ])
    expect(isFilled(order)).to.equal(false)
  })

  it('leave nothing in flight once the order is closed (the rest of a cancelled order stayed for ever)', () => {
    const order = orderOf({ trend: '60' }, closed('r-1', 'cancelled'))
    expect([isOpen(order), remainingOf(order), inFlightOf(order, 'trend')]).to.deep.equal([false, '0', '0'])
  })

  it('add up per strategy to what is in flight and what came, at any time', () => {
    fc.assert(
      fc.property(weights, fc.integer({ min: 0, max: 300 }), (counts, first) => {
        const order = orderOf(Object.fromEntries(sharesOf(counts, '1', false).map(({ strategy, quantity }) => [strategy, quantity])))
        fill(order, 'e1.01', String(Math.min(first, toNumber(order.quantity))))
        for (const { strategy, quantity } of order.shares)
          expect(add(inFlightOf(order, strategy), inFills(order, strategy))).to.equal(quantity)
        expect(sum(order.shares.map(({ strategy }) => inFlightOf(order, strategy)))).to.equal(subtract(order.quantity, order.filled))
      }),
      { numRuns: 100 },
    )
  })
})

describe('order: what is told of it', () => {
  it('knows an execution by its id without the revision', () => {
    expect(executionOf('0000e0d5.65a1.01.02')).to.equal('0000e0d5.65a1.01')
    expect([executionOf('plain'), executionOf('.1')]).to.deep.equal(['plain', '.1'])
    expect([revisionOf('0000e0d5.65a1.01.02'), revisionOf('plain')]).to.deep.equal([2, 0])
  })

  it('has what its plan says, unseen and unfilled', () => {
    const order = ledgerOf(ordered('r-1', SPY, { trend: '5' }, { type: 'LMT', limitPrice: '105' })).orders['r-1']!
    expect(order).to.include({ status: 'planned', seen: false, filled: '0', limitPrice: '105', algo: null, permId: null, position: 1 })
    expect(order.shares).to.deep.equal([{ strategy: 'trend', quantity: '5' }])
  })
})
