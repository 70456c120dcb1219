/** The last word of a run names what became of its orders, and why. */
import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { type Fault, faults } from './faults.ts'
import { minute, type Night, startTradingNight } from './night.ts'
import { steps } from './steps.ts'

const cases: readonly { fault: string; step: string; lastWord: RegExp }[] = [
  { fault: 'the next order is rejected (201)', step: 'in the reconcile of the run', lastWord: /-1 rejected, .*insufficient margin/ },
  { fault: 'the API is read-only (321)', step: 'in the reconcile of the run', lastWord: /-1 rejected, .*Read-Only/ },
  { fault: 'the next order is swallowed', step: 'in the reconcile of the run', lastWord: /-1 in doubt, no answer of the broker names it/ },
  { fault: 'the line breaks', step: 'between plan and hand-over', lastWord: /-1 withdrawn, .*the line to the broker is down/ },
  { fault: 'trading is halted', step: 'between plan and hand-over', lastWord: /-1 withdrawn, .*a bad feeling/ },
  { fault: 'trading is halted', step: 'while the signal gathers', lastWord: /trading is halted/ },
]

describe('the last word of a run', function () {
  this.timeout(180_000)
  let night: Night
  afterEach(() => night?.close())

  const lived = async (fault: Fault, stepName: string): Promise<string> => {
    night = await startTradingNight()
    await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
    let struck = false
    await steps
      .find(({ name }) => name === stepName)!
      .run(night, async () => {
        await fault.begin(night)
        await until('it is noticed', () => fault.noticed?.(night) ?? true, 5_000).catch(() => undefined)
        struck = true
      })
    await until('the fault strikes', () => struck)
    await night.pass(3 * minute)
    await fault.end?.(night)
    await night.ready()
    return (await night.told()).find(({ type }) => type === 'PipelineEnded')!.data['text']
  }

  for (const { fault, step, lastWord } of cases)
    it(`when ${fault} ${step}`, async () => {
      expect(await lived(faults.find(({ name }) => name === fault)!, step)).to.match(lastWord)
    })
})
