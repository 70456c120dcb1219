import { expect } from 'chai'
import dummy from '../domain/strategies/dummy.ts'
import { type Bar, type SignalInputs, type Strategy, signalFault } from '../domain/strategy.ts'
import { barsAsOf, signalOf } from './strategy-kit.ts'

const doing = (act: (inputs: SignalInputs<object>) => unknown): Strategy => ({
  ...(dummy as Strategy),
  signal: (inputs) => ({ kind: 'neutral', indicators: { seen: Number(act(inputs)) }, reason: '' }),
})
const run = (strategy: Strategy) => () => signalOf(strategy, barsAsOf(strategy, '2020-04-17'))

describe('the strategy kit', () => {
  it('gives a strategy the closed bars of that day and before, as long back as it asked', () => {
    const { SPY } = barsAsOf(dummy, '2020-01-02')
    expect(SPY!.map(({ start }) => start)).to.deep.equal(['2019-12-26', '2019-12-27', '2019-12-30', '2019-12-31', '2020-01-02'])
  })

  it('catches a strategy that reads the clock', () => {
    expect(run(doing(() => Date.now()))).to.throw('must not use Date.now()')
    expect(run(doing(() => new Date().getFullYear()))).to.throw('must not use new Date()')
    expect(run(doing(({ bars }) => new Date(bars['SPY']![0]!.start).getTime()))).not.to.throw()
  })

  it('catches one that rolls its own dice, and gives clock and dice back afterwards', () => {
    expect(run(doing(() => Math.random()))).to.throw('must not use Math.random()')
    expect(run(doing(({ random }) => random()))).not.to.throw()
    expect(Math.random()).to.be.within(0, 1)
    expect(Date.now()).to.be.greaterThan(new Date('2020-01-01').getTime())
  })

  it('catches one that changes what it is given', () => {
    const clearing = doing(({ bars }) => (bars['SPY'] as Bar[]).splice(0))
    expect(run(clearing)).to.throw(TypeError)
  })

  it('catches a weight that is not finite', () => {
    const noisy: Strategy = {
      ...(dummy as Strategy),
      signal: () => ({ kind: 'targets', targets: [{ instrument: 'SPY', weight: 1 / 0 }], indicators: {}, reason: '' }),
    }
    expect(signalFault(noisy, run(noisy)())).to.equal('weight of SPY is Infinity')
  })
})
