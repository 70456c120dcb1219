import { defineStrategy } from '../strategy.ts'

/** Long, short or neutral by chance, the same for the same command: for trying out everything around a strategy. */
export default defineStrategy({
  name: 'Dummy',
  description: 'SPY long, short or neutral at random, determined by the id of the command',
  instruments: { SPY: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD', primaryExchange: 'ARCA' } },
  bars: [{ instrument: 'SPY', size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }],
  signal: ({ random }) => {
    const drawn = random()
    const indicators = { drawn }
    if (drawn < 1 / 3) return { kind: 'neutral', indicators, reason: 'drew neutral' }
    const weight = drawn < 2 / 3 ? 1 : -1
    return { kind: 'targets', targets: [{ instrument: 'SPY', weight }], indicators, reason: weight === 1 ? 'drew long' : 'drew short' }
  },
})
