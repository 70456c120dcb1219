import * as t from 'io-ts'
import { lastCross, MacdSpans, macd, usualSpans } from '../indicators/macd.ts'
import { defineStrategy } from '../strategy.ts'

const needed = 250

/**
 * Acts only on the day of a cross of SPY's daily MACD: golden, all into SPY; death, out of it (or short) and into volatility.
 * Between crosses it is neutral, and the standing target of the last one stays in force. VIXY's bars only give its price.
 */
export default defineStrategy({
  name: 'SpyMacdVixy',
  aliases: ['spy_macd_vixy'],
  description: "SPY on a golden cross of its daily MACD, VIXY (and SPY short or flat: parameter 'bearish') on a death cross",
  instruments: {
    SPY: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD', primaryExchange: 'ARCA' },
    VIXY: { symbol: 'VIXY', secType: 'STK', exchange: 'SMART', currency: 'USD', primaryExchange: 'BATS' },
  },
  bars: [
    { instrument: 'SPY', size: '1 day', duration: '2 Y', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: needed },
    { instrument: 'VIXY', size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 },
  ],
  parameters: {
    codec: t.intersection([MacdSpans, t.type({ bearish: t.keyof({ short: null, flat: null }) })]),
    defaults: { ...usualSpans, bearish: 'short' },
  },
  signal: ({ bars, parameters }) => {
    const closes = (bars['SPY'] ?? []).map(({ close }) => close)
    if (closes.length < needed) return { kind: 'neutral', indicators: {}, reason: `${closes.length} bars of SPY, ${needed} needed` }
    const values = macd(closes, parameters)
    const indicators = { macd: values.line.at(-1)!, signal: values.signal.at(-1)! }
    const target = (spy: number, vixy: number) => [
      { instrument: 'SPY', weight: spy },
      { instrument: 'VIXY', weight: vixy },
    ]
    const cross = lastCross(values)
    if (cross === 'golden') return { kind: 'targets', targets: target(1, 0), indicators, reason: 'golden cross of the MACD' }
    if (cross === 'none') return { kind: 'neutral', indicators, reason: 'no cross of the MACD' }
    return { kind: 'targets', targets: target(parameters.bearish === 'short' ? -1 : 0, 1), indicators, reason: 'death cross of the MACD' }
  },
})
