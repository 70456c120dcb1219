import { expect } from 'chai'
import testSignalGenerator from '../../../domain/strategies/testsignalgenerator.ts'
import type { Bar } from '../../../domain/strategy.ts'
import { builtInBars } from '../../../infra/gateway-sim/bars.ts'
import { barsAsOf, checkStrategy, signalOf } from '../../strategy-kit.ts'

const closing = (closes: number[]): { SPY: Bar[] } => ({
  SPY: closes.map((close, half) => ({
    start: new Date(Date.UTC(2020, 0, 2, 14, 30 + 30 * half)).toISOString(),
    open: close,
    high: close,
    low: close,
    close,
    volume: 1,
  })),
})
const weightOf = (closes: number[]): unknown => {
  const signal = signalOf(testSignalGenerator, closing(closes))
  return signal.kind === 'targets' ? signal.targets : signal.kind
}
const rising = Array.from({ length: 60 }, (_, bar) => 100 * 1.001 ** bar)

describe('testsignalgenerator', () => {
  checkStrategy(testSignalGenerator)

  it('is long while prices rise ever faster and short while they fall', () => {
    expect(weightOf(rising)).to.deep.equal([{ instrument: 'SPY', weight: 1 }])
    expect(weightOf([...rising].reverse())).to.deep.equal([{ instrument: 'SPY', weight: -1 }])
  })

  it('is short when the MACD equals its signal line: only above counts', () => {
    expect(weightOf(new Array(60).fill(100))).to.deep.equal([{ instrument: 'SPY', weight: -1 }])
  })

  it('asks for five days of half hours, which are 65 bars', () => {
    const { SPY } = barsAsOf(testSignalGenerator, '2020-04-17')
    expect(SPY).to.have.length(65)
    expect(SPY![0]!.start).to.equal('2020-04-13T13:30:00.000Z')
    expect(SPY!.at(-1)!.close).to.equal(builtInBars('SPY').at(-1)!.close)
  })
})
