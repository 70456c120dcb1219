/**
 * Every fault at every step of a run where it can strike: no order twice, no fill lost, books that agree with the account or a difference
 * that is named, and words for the operator.
 * `NIGHTS_FAULT` and `NIGHTS_STEP` choose some of them by a regular expression over their names.
 */
import { expect } from 'chai'
import PQueue from 'p-queue'
import { newYorkTime } from '../../../domain/calendar.ts'
import { until } from '../../contract/until.ts'
import { tuesdayMorning } from '../../rig.ts'
import { faults as allFaults, type Fault, usuallyLasts } from './faults.ts'
import { violations } from './invariants.ts'
import { minute, type Night, startTradingNight } from './night.ts'
import { steps as allSteps, type Step } from './steps.ts'

const tuesdayEvening = '2020-02-04T22:00:00.000Z'

const live = async (night: Night, fault: Fault, step: Step): Promise<void> => {
  let struck = false
  const strike = async () => {
    await fault.begin(night)
    const { noticed } = fault
    if (noticed !== undefined) await until(`${fault.name} is noticed`, () => noticed(night), 5_000).catch(() => undefined)
    struck = true
  }
  await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
  await step.run(night, strike)
  await until(`the fault strikes ${step.name}`, () => struck, 60_000)
  // Machine time gets the chance that a real gateway gives it: market time does not run ahead of a connect.
  await until('the engine is ready in spite of it', () => night.life().engine.ready(), 5_000).catch(() => undefined)
  const { lasts = usuallyLasts } = fault
  await night.pass(lasts, Math.max(20_000, lasts / 60))
  await fault.end?.(night)
  await night.fault({ fault: 'clear' })
  await night.ready()
  const afterClose = ['2020-02-04', '2020-02-05'].map((date) => newYorkTime(date, '16:30'))
  await night.runTo(afterClose.find((time) => time > night.clock.now() && !(step.evening && time === afterClose[0]))!)
  await night.command('reconcile')
  await night.runTo(night.clock.now() + 2 * minute)
  await night.command('reconcile')
}

const wordsOfNight = async (night: Night, fault: Fault, step: Step): Promise<string[]> => {
  const words = fault.tells?.(step.name)
  if (words === undefined || words.test((await night.said()).join('\n'))) return []
  return [`nobody was told anything like ${words}`, ...(await night.said())]
}

/** @returns what is wrong afterwards */
const wrongAfter = async (fault: Fault, step: Step): Promise<string[]> => {
  const night = await startTradingNight({ start: step.evening ? tuesdayEvening : tuesdayMorning })
  try {
    await live(night, fault, step)
    const held = (await night.state()).positions.find(({ symbol }) => symbol === 'SPY')?.quantity ?? 0
    const ours = held - (fault.brings ?? 0)
    return [
      ...(await violations(night)),
      ...(await wordsOfNight(night, fault, step)),
      ...(ours >= 0 && ours <= 100 ? [] : [`${ours} were bought where 100 were wished for`]),
    ]
  } finally {
    await night.close()
  }
}

const { NIGHTS_FAULT = '', NIGHTS_STEP = '' } = process.env
const chosen = <One extends { name: string }>(from: readonly One[], by: string): One[] =>
  from.filter(({ name }) => new RegExp(by).test(name))
const [faults, steps] = [chosen(allFaults, NIGHTS_FAULT), chosen(allSteps, NIGHTS_STEP)]

describe('each fault at each step of a run', function () {
  this.timeout(180_000)
  // Nights are mostly waiting: several are lived through side by side.
  const atOnce = new PQueue({ concurrency: 10 })
  const nights = new Map<string, Promise<string[]>>()
  const nameOf = (step: Step, fault: Fault): string => `${step.name}: ${fault.name}`

  before(() => {
    for (const step of steps)
      for (const fault of faults) {
        const night = atOnce.add(() => wrongAfter(fault, step))
        night.catch(() => undefined) // told to its own test
        nights.set(nameOf(step, fault), night)
      }
  })

  for (const step of steps)
    describe(step.name, () => {
      for (const fault of faults)
        it(fault.name, async () => {
          expect(await nights.get(nameOf(step, fault))).to.deep.equal([])
        })
    })
})
