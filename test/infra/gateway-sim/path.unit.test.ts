import { expect } from 'chai'
import fc from 'fast-check'
import { type Segment, type Side, stopBehind, type Trail, touchOn, trailOn } from '../../../infra/gateway-sim/path.ts'

const cents = fc.integer({ min: 5000, max: 15_000 }).map((value) => value / 100)
/** A second a segment, without gaps. */
const path = fc
  .array(cents, { minLength: 2, maxLength: 12 })
  .map((prices) =>
    prices.slice(1).map((to, place): Segment => ({ start: place * 1000, end: (place + 1) * 1000, from: prices[place]!, to })),
  )
const side = fc.constantFrom<Side>('BUY', 'SELL')
const trail = fc.oneof(
  fc.integer({ min: 1, max: 2000 }).map((distance): Trail => ({ by: 'amount', distance: distance / 100 })),
  fc.integer({ min: 1, max: 20 }).map((distance): Trail => ({ by: 'percent', distance })),
)
const priceAt = (segments: readonly Segment[], at: number): number => {
  const { start, end, from, to } = segments.find((segment) => at <= segment.end)!
  return from + ((to - from) * (at - start)) / (end - start)
}

/** Millisecond by millisecond, as a person would follow the price. */
const followed = (segments: readonly Segment[], of: Side, by: Trail): { stop: number; at?: number } => {
  const end = segments.at(-1)!.end
  const hits = (price: number, stop: number): boolean => (of === 'SELL' ? price <= stop + 1e-9 : price >= stop - 1e-9)
  let stop = stopBehind(segments[0]!.from, of, by, 0.01)
  for (let at = 0; at <= end; at++) {
    const price = priceAt(segments, at)
    if (hits(price, stop)) return { stop, at }
    const next = stopBehind(price, of, by, 0.01)
    stop = of === 'SELL' ? Math.max(stop, next) : Math.min(stop, next)
  }
  return { stop }
}

describe('the path of a price', () => {
  it('has a trailing stop where one who looks every millisecond sees it', () => {
    fc.assert(
      fc.property(path, side, trail, (segments, of, by) => {
        const end = segments.at(-1)!.end
        const stop = stopBehind(segments[0]!.from, of, by, 0.01)
        const found = trailOn(segments, { from: 0, until: end }, of, { trail: by, stop, tick: 0.01 })
        const seen = followed(segments, of, by)
        expect(found.stop).to.be.closeTo(seen.stop, 1e-9)
        expect(found.reached?.at ?? -1).to.be.closeTo(seen.at ?? -1, 1)
      }),
      { numRuns: 200 },
    )
  })

  it('gives the same stop whether it is followed at once or from stop to stop', () => {
    fc.assert(
      fc.property(path, side, trail, fc.integer({ min: 1, max: 999 }), (segments, of, by, pause) => {
        const end = segments.at(-1)!.end
        const stop = stopBehind(segments[0]!.from, of, by, 0.01)
        const whole = trailOn(segments, { from: 0, until: end }, of, { trail: by, stop, tick: 0.01 })
        const first = trailOn(segments, { from: 0, until: pause }, of, { trail: by, stop, tick: 0.01 })
        const second =
          first.reached ?? trailOn(segments, { from: pause, until: end }, of, { trail: by, stop: first.stop, tick: 0.01 }).reached
        expect(second?.at).to.equal(whole.reached?.at)
      }),
      { numRuns: 200 },
    )
  })

  it('reaches a stop at its price, or beyond it only where the path jumps', () => {
    const gap: Segment[] = [
      { start: 0, end: 10, from: 100, to: 101 },
      { start: 20, end: 30, from: 95, to: 96 },
    ]
    expect(touchOn(gap, 0, 'BUY', 98)).to.deep.equal({ at: 20, price: 95 })
    const follow = { trail: { by: 'amount' as const, distance: 2 }, stop: 98, tick: 0.01 }
    expect(trailOn(gap, { from: 0, until: 30 }, 'SELL', follow)).to.deep.equal({ stop: 99, reached: { at: 20, price: 95 } })
    expect(trailOn(gap, { from: 0, until: 15 }, 'SELL', follow)).to.deep.equal({ stop: 99 })
  })
})
