import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { builtInBars, builtInSymbols, type DailyBar } from '../../../infra/gateway-sim/bars.ts'

const index = readFileSync(new URL('../../../infra/gateway-sim/data/sp500-2000-2020.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)
const on = (bars: DailyBar[], date: string): DailyBar => bars.find((bar) => bar.date === date)!

describe('built-in bars', () => {
  const [spy, vixy] = [builtInBars('SPY'), builtInBars('VIXY')]

  it('have one consistent bar in cents for every session of the index, of each symbol', () => {
    for (const symbol of builtInSymbols) {
      const bars = builtInBars(symbol)
      expect(bars.map(({ date }) => date)).to.deep.equal(index.map((line) => line.slice(0, 10)))
      for (const { date, open, high, low, close, volume } of bars) {
        expect(low <= Math.min(open, close) && Math.max(open, close) <= high, `${symbol} ${date}`).to.equal(true)
        for (const price of [open, high, low, close]) expect(Math.round(price * 100) / 100, `${symbol} ${date}`).to.equal(price)
        expect(Number.isInteger(volume) && volume > 0, `${symbol} ${date}`).to.equal(true)
      }
    }
  })

  it('of SPY are the index divided by ten', () => {
    // 2020-03-23,2290.71,2300.73,2191.86,2237.40,7402180000
    expect(on(spy, '2020-03-23')).to.deep.equal({
      date: '2020-03-23',
      open: 229.07,
      high: 230.07,
      low: 219.19,
      close: 223.74,
      volume: 148_043_600,
    })
  })

  it('of VIXY begin at 25.00 and follow the formula of data/README.md from day to day', () => {
    const closes = index.map((line) => Number(line.split(',')[4]))
    const opens = index.map((line) => Number(line.split(',')[1]))
    vixy.forEach((bar, day) => {
      const before = day === 0 ? 25 : vixy[day - 1]!.close
      const indexBefore = day === 0 ? opens[0]! : closes[day - 1]!
      const move = Math.max(-0.4, -3 * (closes[day]! / indexBefore - 1) - 0.02 * (before / 25 - 1))
      expect(bar.close, bar.date).to.be.closeTo(before * (1 + move), 0.0051)
    })
  })

  it('of VIXY rise in a crash and stay tradeable in all twenty years', () => {
    expect(on(vixy, '2020-03-12').close).to.be.greaterThan(on(vixy, '2020-03-11').close * 1.2)
    for (const { date, low, high } of vixy) expect(low > 5 && high < 500, date).to.equal(true)
  })
})
