import { expect } from 'chai'
import dummy from '../../../domain/strategies/dummy.ts'
import { barsAsOf, checkStrategy, signalOf } from '../../strategy-kit.ts'

describe('dummy', () => {
  checkStrategy(dummy)

  it('is long, short and neutral about equally often over many commands', () => {
    const bars = barsAsOf(dummy, '2020-04-17')
    const counts = { long: 0, short: 0, neutral: 0 }
    for (let command = 0; command < 3000; command += 1) {
      const signal = signalOf(dummy, bars, `command-${command}`)
      if (signal.kind === 'neutral') counts.neutral += 1
      else if ('weight' in signal.targets[0]! && signal.targets[0].weight === 1) counts.long += 1
      else {
        expect(signal.targets).to.deep.equal([{ instrument: 'SPY', weight: -1 }])
        counts.short += 1
      }
    }
    for (const count of Object.values(counts)) expect(count).to.be.within(900, 1100)
  })
})
