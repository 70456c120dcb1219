/** Schedules that the engine publishes itself, and the same jobs as Cloud Scheduler publishes them: one command a slot, whoever sends it. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import type { Rig } from '../rig.ts'
import { startTrading } from '../rig.ts'
import { onEachStore } from '../stores.ts'

onEachStore('the jobs of topics.yaml', (store) => {
  let rig: Rig
  afterEach(() => rig?.stop())

  /** As Cloud Scheduler publishes: type, job and source, no id. */
  const fire = async (date: string, time: string) => {
    await rig.driver.runTo(newYorkTime(date, time))
    const publishedAt = new Date(rig.clock.now()).toISOString()
    await rig.composed.bus.publish('paper-commands', {
      data: '{}',
      attributes: { type: 'orchestrator', job: 'orchestrator', source: 'scheduler', publishedAt },
    })
    await rig.driver.settled()
  }
  const outcomes = async () =>
    (await rig.commits()).flatMap(({ cause, events }) => {
      const code = (events[0]?.data as { code?: string } | undefined)?.code
      return cause.kind === 'command' && cause.job === 'orchestrator' && cause.pipeline === undefined
        ? [`${cause.id} ${code ?? events[0]?.type}`]
        : []
    })

  it('run the orchestrator once a session, at its close, with both schedulers at work', async () => {
    rig = await startTrading({ store: store(), start: '2020-02-17T15:00:00.000Z', schedules: true })
    for (const [date, time] of [
      ['2020-02-17', '13:05'],
      ['2020-02-17', '16:05'],
      ['2020-02-18', '13:05'],
      ['2020-02-18', '16:08'],
      ['2020-02-18', '16:09'],
    ] as const)
      await fire(date, time)
    expect(await outcomes()).to.deep.equal([
      'orchestrator@2020-02-17T18:05:00Z NO_SESSION',
      'orchestrator@2020-02-17T21:05:00Z NO_SESSION',
      'orchestrator@2020-02-18T18:05:00Z OTHER_CLOSE',
      'orchestrator@2020-02-18T21:05:00Z PipelineStarted',
    ])
    const documents = ['2020-02-17T21:05:00Z', '2020-02-18T18:05:00Z', '2020-02-18T21:05:00Z'].map((slot) =>
      rig.composed.documents.get(`commands/orchestrator@${slot}`),
    )
    const shown = (await Promise.all(documents)).map((document) => [document?.['status'], document?.['code']])
    expect(shown).to.deep.equal([
      ['refused', 'NO_SESSION'],
      ['refused', 'OTHER_CLOSE'],
      ['completed', null],
    ])
  })
})
