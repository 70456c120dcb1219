import { expect } from 'chai'
import fc from 'fast-check'
import { type Session, sessionOn, sessions } from '../../../domain/calendar.ts'
import { builtInBars, type DailyBar } from '../../../infra/gateway-sim/bars.ts'
import { together } from '../../../infra/gateway-sim/bars-file.ts'
import { halfHours, type IntradaySize, intradayBars } from '../../../infra/gateway-sim/intraday.ts'

const sizes: IntradaySize[] = ['5 mins', '30 mins', '1 hour']
const allSessions = sessions('1990-01-01', '2030-12-31')

const anyDay: fc.Arbitrary<{ day: DailyBar; session: Session }> = fc
  .tuple(
    fc.array(fc.double({ min: 0.01, max: 5000, noNaN: true }), { minLength: 4, maxLength: 4 }),
    fc.boolean(),
    fc.nat(10_000_000),
    fc.nat(allSessions.length - 1),
  )
  .map(([prices, rises, volume, position]) => {
    const [low, lower, higher, high] = prices.sort((a, b) => a - b) as [number, number, number, number]
    const session = allSessions[position]!
    const [open, close] = rises ? [lower, higher] : [higher, lower]
    return { day: { date: session.date, open, high, low, close, volume }, session }
  })

const friday = builtInBars('SPY').find(({ date }) => date === '2018-11-23')! // closes at 13:00
const wednesday = builtInBars('SPY').find(({ date }) => date === '2018-11-21')!

describe('the bars of one day', () => {
  it('add up to the day exactly, whatever the day, the size and the seed', () => {
    fc.assert(
      fc.property(anyDay, fc.integer(), fc.constantFrom(...sizes), ({ day, session }, seed, size) => {
        const { date: _, ...prices } = day
        expect(together(intradayBars(day, session, seed, size))).to.deep.equal(prices)
      }),
    )
  })

  it('are consistent, follow each other without a gap and fill the session', () => {
    fc.assert(
      fc.property(anyDay, fc.integer(), fc.constantFrom(...sizes), ({ day, session }, seed, size) => {
        const bars = intradayBars(day, session, seed, size)
        expect([bars[0]!.start, bars.at(-1)!.end]).to.deep.equal([session.open, session.close])
        bars.forEach((bar, at) => {
          expect(bar.low <= Math.min(bar.open, bar.close) && Math.max(bar.open, bar.close) <= bar.high).to.equal(true)
          expect(Number.isInteger(bar.volume) && bar.volume >= 0 && bar.start < bar.end).to.equal(true)
          const before = bars[at - 1]
          if (before) expect([bar.start, bar.open]).to.deep.equal([before.end, before.close])
        })
      }),
    )
  })

  it('are the same for the same seed and day, and others for another seed', () => {
    const session = sessionOn(wednesday.date)!
    expect(halfHours(wednesday, session, 7)).to.deep.equal(halfHours(wednesday, session, 7))
    expect(halfHours(wednesday, session, 8)).to.not.deep.equal(halfHours(wednesday, session, 7))
    expect(halfHours(wednesday, session, '7:SPY')).to.not.deep.equal(halfHours(wednesday, session, '7:VIXY'))
  })

  it('tell the same day in every size', () => {
    const session = sessionOn(wednesday.date)!
    const [fives, halves, hours] = sizes.map((size) => intradayBars(wednesday, session, 7, size)) as [
      unknown[],
      ReturnType<typeof halfHours>,
      unknown[],
    ]
    expect([fives.length, halves.length, hours.length]).to.deep.equal([78, 13, 7])
    for (const [at, half] of halves.entries()) {
      const { start, end, ...prices } = half
      const within = intradayBars(wednesday, session, 7, '5 mins').slice(6 * at, 6 * at + 6)
      expect([within[0]!.start, within.at(-1)!.end]).to.deep.equal([start, end])
      expect(together(within)).to.deep.equal(prices)
    }
  })

  it('are seven half hours, and four hours the first of which is short, when the session closes at 13:00', () => {
    const session = sessionOn(friday.date)!
    const clock = (at: number): string => new Date(at).toISOString().slice(11, 16)
    const halves = halfHours(friday, session, 1)
    expect(halves).to.have.length(7)
    expect([clock(halves[0]!.start), clock(halves[6]!.end)]).to.deep.equal(['14:30', '18:00'])
    expect(intradayBars(friday, session, 1, '1 hour').map(({ start }) => clock(start))).to.deep.equal(['14:30', '15:00', '16:00', '17:00'])
  })

  it('keep to cents inside a day in cents, and move within its range on most of its way', () => {
    const bars = halfHours(wednesday, sessionOn(wednesday.date)!, 7)
    for (const bar of bars)
      for (const price of [bar.open, bar.high, bar.low, bar.close]) expect(Math.round(price * 100) / 100).to.equal(price)
    expect(new Set(bars.map(({ close }) => close)).size).to.be.greaterThan(10)
  })

  it('stand still on a day that did not move and had no trade', () => {
    const still = { date: wednesday.date, open: 5, high: 5, low: 5, close: 5, volume: 0 }
    const prices = { open: 5, high: 5, low: 5, close: 5, volume: 0 }
    for (const { start: _, end: __, ...bar } of halfHours(still, sessionOn(still.date)!, 7)) expect(bar).to.deep.equal(prices)
  })
})
