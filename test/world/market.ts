/** What is traded in the world, at which prices, and the bars that follow from them. */
import { nextSession, previousSession, sessionOn } from '../../domain/calendar.ts'
import { newYorkDate } from '../../domain/new-york-time.ts'
import type { Contract, HistoricalBar } from '../../domain/ports/broker.ts'
import { defineStrategy, type Strategy } from '../../domain/strategy.ts'

const stock = (conId: number, symbol: string): Contract => ({
  ...{ conId, symbol, secType: 'STK', exchange: 'SMART', primaryExchange: 'NYSE', currency: 'USD', localSymbol: symbol },
  ...{ multiplier: '1', sizeStep: '1', minTick: '0.01' },
})

/** Two that the strategies trade, one that is none of their business, and a currency. */
export const contracts: readonly Contract[] = [
  ...[stock(101, 'AAA'), stock(102, 'BBB'), stock(301, 'ZZZ')],
  {
    ...{ conId: 401, symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', primaryExchange: '', currency: 'USD', localSymbol: 'EUR.USD' },
    ...{ multiplier: '1', sizeStep: '1', minTick: '0.00005' },
  },
]
/** A currency pair is no position: it moves cash. */
export const isPair = (conId: number): boolean => contractOf(conId).secType === 'CASH'
export const contractOf = (conId: number): Contract => contracts.find((contract) => contract.conId === conId)!

export type Market = {
  /** In cents, so that no price is ever inexact. */
  price(conId: number): number
  /** @param factor in thousandths: 1010 is one percent up */
  move(conId: number, factor: number): void
  /** So many new shares for an old one: each is worth so much less, and so was each before. */
  split(conId: number, ratio: number): void
  bars(conId: number, days: number): HistoricalBar[]
}

export const createMarket = (now: () => number): Market => {
  const cents = new Map(contracts.map(({ conId }) => [conId, conId * 100]))
  const price = (conId: number): number => cents.get(conId)!
  return {
    price,
    move: (conId, factor) => void cents.set(conId, Math.max(100, Math.round((price(conId) * factor) / 1_000))),
    split: (conId, ratio) => void cents.set(conId, Math.max(100, Math.round(price(conId) / ratio))),
    bars: (conId, days) => {
      const today = newYorkDate(now())
      const last = sessionOn(today) ?? previousSession(today)
      const close = price(conId) / 100
      const bars: HistoricalBar[] = []
      for (let session = last; bars.length < days; session = previousSession(session.date))
        bars.push({ start: session.date, open: close, high: close, low: close, close, volume: 1_000 })
      return bars.reverse()
    },
  }
}

/** When an order that is given now begins to trade, and when its day ends. */
export const tradingDay = (now: number): { from: number; until: number } => {
  const session = sessionOn(newYorkDate(now))
  const next = session !== undefined && now < session.close ? session : nextSession(newYorkDate(now))
  return { from: Math.max(now, next.open), until: next.close }
}

const declared = (symbol: string) => ({ symbol, secType: 'STK', exchange: 'SMART', currency: 'USD' }) as const
const dailyBars = (instrument: string) =>
  ({ instrument, size: '1 day', duration: '3 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }) as const

/** Wants something else each time it is asked, so that there is always something to do. */
const swinger = defineStrategy({
  name: 'Swinger',
  description: 'AAA and BBB at random weights',
  instruments: { AAA: declared('AAA'), BBB: declared('BBB') },
  bars: [dailyBars('AAA'), dailyBars('BBB')],
  signal: ({ random }) => {
    const weight = () => Math.round(random() * 20 - 10) / 10
    if (random() < 0.15) return { kind: 'neutral', indicators: {}, reason: 'drew neutral' }
    const targets = [
      { instrument: 'AAA', weight: weight() },
      { instrument: 'BBB', weight: weight() },
    ]
    return { kind: 'targets', targets, indicators: {}, reason: 'drew weights' }
  },
})

/** Often wants the opposite of the other one in the same instrument. */
const leaner = defineStrategy({
  name: 'Leaner',
  description: 'AAA at random quantities',
  instruments: { AAA: declared('AAA') },
  bars: [dailyBars('AAA')],
  signal: ({ random }) => {
    const quantity = String(Math.round(random() * 600 - 300))
    return {
      kind: 'targets',
      targets: [{ instrument: 'AAA', quantity: quantity === '-0' ? '0' : quantity }],
      indicators: {},
      reason: 'drew',
    }
  },
})

export const strategies: Readonly<Record<string, Strategy>> = { swinger, leaner } as unknown as Record<string, Strategy>
