import { MacdSpans, macd, usualSpans } from '../indicators/macd.ts'
import { defineStrategy } from '../strategy.ts'

/** Always in the market: long while the half-hourly MACD is above its signal line, else short. Changes its mind often, for testing. */
export default defineStrategy({
  name: 'TestSignalGenerator',
  description: 'SPY long while the MACD of half-hour bars is above its signal line, else short',
  instruments: { SPY: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD', primaryExchange: 'ARCA' } },
  bars: [{ instrument: 'SPY', size: '30 mins', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 26 }],
  parameters: { codec: MacdSpans, defaults: usualSpans },
  signal: ({ bars, parameters }) => {
    const closes = (bars['SPY'] ?? []).map(({ close }) => close)
    const { line, signal, histogram } = macd(closes, parameters)
    if (histogram.length === 0) return { kind: 'neutral', indicators: {}, reason: 'no bars' }
    const indicators = { macd: line.at(-1)!, signal: signal.at(-1)! }
    const above = histogram.at(-1)! > 0
    const reason = above ? 'MACD above its signal line' : 'MACD not above its signal line'
    return { kind: 'targets', targets: [{ instrument: 'SPY', weight: above ? 1 : -1 }], indicators, reason }
  },
})
