import { expect } from 'chai'
import { isoTime } from '../../../domain/ports/clock.ts'
import type { Schedule, Topics } from '../../../domain/topics.ts'
import { simulatedClock } from '../../../infra/clock.ts'
import { runSchedules } from '../../../infra/embedded/schedule.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { until } from '../../contract/until.ts'

const time = (iso: string) => Date.parse(iso)
const thanksgiving = time('2026-11-25T12:00:00Z')
const weekdays: Schedule = {
  job: 'morning',
  when: { kind: 'cron', expression: '0 9 * * 1-5' },
  timeZone: 'America/New_York',
  calendar: 'NYSE',
  command: { type: 'reconcile', body: { b: 1, a: 2 } },
}
const file = readTopics()
const shipped: Topics = { ...file, schedules: file.schedules.filter(({ job }) => job === 'orchestrator') }
const topics: Topics = { ...shipped, schedules: [...shipped.schedules, weekdays] }

describe('the schedules beside the embedded store', () => {
  type Published = { topic: string; data: string; attributes: Readonly<Record<string, string>> }
  const run = (from: number, { simulated = true, fails = 0, own = topics }: { simulated?: boolean; fails?: number; own?: Topics } = {}) => {
    const clock = simulatedClock(from)
    let late = 0
    const published: Published[] = []
    const troubles: string[] = []
    let failures = fails
    const stop = runSchedules({
      topics: own,
      mode: 'paper',
      clock: { ...clock, now: () => clock.now() + late },
      simulated,
      bus: {
        publish: async (topic, message) => {
          if (failures-- > 0) throw new Error('the store is away')
          published.push({ topic, ...message })
          return 'm1'
        },
      },
      onTrouble: (job, slot, trouble) => troubles.push(`${job} ${isoTime(slot)} ${trouble === 'missed' ? trouble : trouble.message}`),
    })
    /** Timers run so much later than they were set for. */
    const oversleep = (milliseconds: number) => {
      late = milliseconds
    }
    return { clock, oversleep, published, troubles, stop, ids: () => published.map(({ attributes }) => attributes['id']) }
  }

  it('publish what falls due while they run: at each close, early ones too, and by cron on holidays as well', async () => {
    const { clock, ids } = run(thanksgiving)
    await clock.moveTo(time('2026-11-30T22:00:00Z'))
    expect(ids()).to.deep.equal([
      'morning@2026-11-25T14:00:00Z',
      'orchestrator@2026-11-25T21:05:00Z',
      'morning@2026-11-26T14:00:00Z',
      'morning@2026-11-27T14:00:00Z',
      'orchestrator@2026-11-27T18:05:00Z',
      'morning@2026-11-30T14:00:00Z',
      'orchestrator@2026-11-30T21:05:00Z',
    ])
  })

  it('say in the message what it is and when it was published', async () => {
    const { clock, published } = run(thanksgiving)
    await clock.moveTo(time('2026-11-25T15:00:00Z'))
    expect(published).to.deep.equal([
      {
        topic: 'paper-commands',
        data: '{"a":2,"b":1}',
        attributes: {
          type: 'reconcile',
          id: 'morning@2026-11-25T14:00:00Z',
          job: 'morning',
          source: 'scheduler',
          publishedAt: '2026-11-25T14:00:00.000Z',
        },
      },
    ])
  })

  it('leave the publish time to the bus where market time is real', async () => {
    const { clock, published } = run(thanksgiving, { simulated: false })
    await clock.moveTo(time('2026-11-25T15:00:00Z'))
    expect(published[0]!.attributes).to.not.have.property('publishedAt')
  })

  it('never publish the slot of their start or one before it', async () => {
    const { clock, ids } = run(time('2026-11-25T21:05:00Z'))
    await clock.moveTo(time('2026-11-26T13:00:00Z'))
    expect(ids()).to.deep.equal([])
  })

  it('skip a slot that is found too late, and say so', async () => {
    const { clock, ids, troubles, oversleep } = run(thanksgiving, { own: shipped })
    oversleep(2 * 3_600_000)
    await clock.moveTo(time('2026-11-25T21:05:00Z'))
    expect(troubles).to.deep.equal(['orchestrator 2026-11-25T21:05:00.000Z missed'])
    oversleep(0)
    await clock.moveTo(time('2026-11-27T18:05:00Z'))
    expect(ids()).to.deep.equal(['orchestrator@2026-11-27T18:05:00Z'])
  })

  it('try again when the store is away', async () => {
    const { clock, ids, troubles } = run(thanksgiving, { fails: 1, own: { ...shipped, schedules: [weekdays] } })
    await clock.moveTo(time('2026-11-25T14:00:00Z'))
    expect(troubles).to.deep.equal(['morning 2026-11-25T14:00:00.000Z the store is away'])
    await until('it was published', () => ids().length === 1)
    expect(ids()).to.deep.equal(['morning@2026-11-25T14:00:00Z'])
  })

  it('stop', async () => {
    const { clock, ids, stop } = run(thanksgiving)
    stop()
    await clock.moveTo(time('2026-11-30T22:00:00Z'))
    expect(ids()).to.deep.equal([])
    expect(clock.nextTimerAt()).to.equal(undefined)
  })
})
