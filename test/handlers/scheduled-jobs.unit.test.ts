/** The commands of schedules through the whole engine: as Cloud Scheduler sends them, without an id, at every possible close, sometimes twice. */
import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Commit } from '../../domain/commit.ts'
import type { Bus, Delivery } from '../../domain/ports/bus.ts'
import type { When } from '../../domain/topics.ts'
import { createEngine, type Engine } from '../../handlers/engine.ts'
import { type SimulatedClock, simulatedClock } from '../../infra/clock.ts'
import { parseTopics, readTopics, topicsPath } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { createBroker, createBus, silent } from './ports-in-hand.ts'

describe('the command of a schedule, in the engine', () => {
  const job = 'close-check'
  let engine: Engine
  let clock: SimulatedClock
  let memory: ReturnType<typeof createMemory>
  let consume: (delivery: Delivery) => void
  let ends: string[]
  let said: { fields: object; text: string }[]

  const begin = async (when: When, at: string) => {
    memory = createMemory()
    clock = simulatedClock(Date.parse(at))
    ends = []
    said = []
    const topics = {
      ...readTopics(),
      schedules: [{ job, when, timeZone: 'America/New_York', calendar: 'NYSE', command: { type: 'configure', body: {} } }] as const,
    }
    const bus: Bus = {
      ...createBus().bus,
      subscribe: (subscription, listener) => {
        if (subscription === 'paper-commands-engine') consume = listener
        return { close: async () => undefined }
      },
    }
    engine = createEngine({
      ...{
        journal: memoryJournal(memory),
        bus,
        broker: createBroker().broker,
        clock,
        topics,
        mode: 'paper',
        holder: 'test',
        strategies: {},
      },
      lease: { acquire: async () => ({ epoch: 1 }), renew: async () => true, release: async () => {} },
      log: { ...silent, info: (fields, text) => void said.push({ fields, text }) },
    })
    await engine.start()
    await until('the gateway is ready', () => engine.ready())
  }
  afterEach(() => engine.stop())

  let count = 0
  /** Publishes at a market time as Cloud Scheduler does, delivers so many minutes later, waits for the end. */
  const fire = async (publishedAt: string, minutesLater = 0) => {
    await clock.moveTo(Math.max(clock.now(), Date.parse(publishedAt) + minutesLater * 60_000))
    const expected = ends.length + 1
    const end = (how: string) => async () => void ends.push(how)
    consume({
      ...{
        id: `m${++count}`,
        data: '{"changes":{}}',
        attributes: { type: 'configure', job, source: 'scheduler' },
        publishedAt,
        attempt: 1,
      },
      ...{ ack: end('ack'), nack: end('nack'), deadLetter: end('dead') },
    })
    await until('the delivery has ended', () => ends.length === expected)
  }
  /** What became of each command of the job, by its id. */
  const outcomes = () =>
    memory.commits.flatMap(({ json }) => {
      const { cause, events } = JSON.parse(json) as Commit
      const code = (events[0]?.data as { code?: string } | undefined)?.code
      return cause.kind === 'command' && cause.job === job ? [`${cause.id} ${code ?? events[0]?.type}`] : []
    })
  const skips = () => said.filter(({ text }) => text.includes('skipped'))

  const afterClose: When = { kind: 'close', minutes: 5 }

  it('sent twice for one slot acts once', async () => {
    await begin(afterClose, '2024-07-02T15:00:00Z')
    await fire('2024-07-02T20:05:00.000Z')
    await fire('2024-07-02T20:05:01.000Z')
    await fire('2024-07-02T20:08:00.000Z')
    expect(outcomes()).to.deep.equal([`${job}@2024-07-02T20:05:00Z CommandCompleted`])
    expect([ends, skips()]).to.deep.equal([['ack', 'ack', 'ack'], []])
  })

  it('of every 30 minutes acts at each', async () => {
    await begin({ kind: 'cron', expression: '*/30 9-10 * * 1-5' }, '2024-07-02T12:00:00Z')
    for (const time of ['13:00:02', '13:30:00', '14:00:59', '14:29:30']) await fire(`2024-07-02T${time}.000Z`)
    expect(outcomes()).to.deep.equal(['13:00', '13:30', '14:00', '14:30'].map((slot) => `${job}@2024-07-02T${slot}:00Z CommandCompleted`))
  })

  it('acts at the close of the day and is skipped at the other one, each day anew, with its reason in the log', async () => {
    await begin(afterClose, '2024-07-01T12:00:00Z')
    const closes = ['07-01T17:05', '07-01T20:05', '07-02T17:05', '07-02T20:05', '07-03T17:05', '07-03T20:05']
    for (const close of closes) await fire(`2024-${close}:00.000Z`)
    expect(outcomes()).to.deep.equal([
      `${job}@2024-07-01T17:05:00Z OTHER_CLOSE`,
      `${job}@2024-07-01T20:05:00Z CommandCompleted`,
      `${job}@2024-07-02T17:05:00Z OTHER_CLOSE`,
      `${job}@2024-07-02T20:05:00Z CommandCompleted`,
      `${job}@2024-07-03T17:05:00Z CommandCompleted`,
      `${job}@2024-07-03T20:05:00Z OTHER_CLOSE`,
    ])
    expect(skips().map(({ fields }) => fields)).to.deep.equal(
      ['2024-07-01T17:05:00.000Z', '2024-07-02T17:05:00.000Z', '2024-07-03T20:05:00.000Z'].map((slot) => ({
        job,
        slot,
        code: 'OTHER_CLOSE',
      })),
    )
    expect(skips()[0]!.text).to.equal(
      'the job close-check is skipped: the exchange closes at another time today: 2024-07-01 closes at 2024-07-01T20:00:00.000Z',
    )
  })

  it('moved to the open, as its decision record says how, acts once a session, and what is still sent at the closes acts no more', async () => {
    const record = readFileSync(new URL('../../infra/decisions/0014-the-daily-run-comes-after-the-close.md', import.meta.url), 'utf8')
    const line = /`(cron: "[^"]+")`/.exec(record)![1]!
    const moved = parseTopics(readFileSync(topicsPath, 'utf8').replace(/(?<=^ +)at: close\+5m$/m, line))
    const { when } = moved.schedules.find((schedule) => schedule.job === 'orchestrator')!
    await begin(when, '2024-07-02T12:00:00Z')
    for (const time of ['07-02T13:35', '07-02T17:05', '07-02T20:05', '07-03T13:35', '07-03T17:05', '07-04T13:35'])
      await fire(`2024-${time}:00.000Z`)
    expect(outcomes()).to.deep.equal([
      `${job}@2024-07-02T13:35:00Z CommandCompleted`,
      `${job}@2024-07-03T13:35:00Z CommandCompleted`,
      `${job}@2024-07-04T13:35:00Z NO_SESSION`,
    ])
  })

  it('is skipped on a holiday, and says so once a slot', async () => {
    await begin(afterClose, '2024-07-04T12:00:00Z')
    for (const second of ['00', '01']) await fire(`2024-07-04T20:05:${second}.000Z`)
    expect(outcomes()).to.deep.equal([`${job}@2024-07-04T20:05:00Z NO_SESSION`])
    expect(skips()).to.deep.equal([
      {
        fields: { job, slot: '2024-07-04T20:05:00.000Z', code: 'NO_SESSION' },
        text: 'the job close-check is skipped: the exchange has no session today: 2024-07-04',
      },
    ])
  })

  it('delivered later than it counts is refused', async () => {
    await begin(afterClose, '2024-07-02T12:00:00Z')
    await fire('2024-07-02T20:05:00.000Z', 24 * 60 + 1)
    expect(outcomes()).to.deep.equal([`${job}@2024-07-02T20:05:00Z EXPIRED`])
    await fire('2024-07-03T17:05:00.000Z', 24 * 60)
    expect(outcomes()[1], 'in its last minute').to.equal(`${job}@2024-07-03T17:05:00Z CommandCompleted`)
  })
})
