import { expect } from 'chai'
import type { When } from '../../domain/topics.ts'
import { jobRefusal, slotOfJob } from '../../handlers/job.ts'
import { readTopics } from '../../infra/topics-file.ts'

const topicsWith = (when: When) => ({
  ...readTopics(),
  schedules: [{ job: 'daily', when, timeZone: 'America/New_York', calendar: 'NYSE', command: { type: 'orchestrator', body: {} } } as const],
})
const afterClose = topicsWith({ kind: 'close', minutes: 5 })
const mornings = topicsWith({ kind: 'cron', expression: '5 16 * * 1-5' })

const refusalAt = (publishedAt: string, topics = afterClose, job: string | null = 'daily') =>
  jobRefusal(topics, { id: 'x', type: 'orchestrator', publishedAt, source: 'scheduler', body: {}, ...(job === null ? {} : { job }) })
    ?.refusal

describe('the command of a schedule', () => {
  it('acts at the slot that the close of the day gives, published a minute early or a few minutes late', () => {
    for (const time of ['2024-07-02T20:05:00.000Z', '2024-07-02T20:04:00.000Z', '2024-07-02T20:08:00.000Z', '2024-07-02T21:05:00.000Z'])
      expect(refusalAt(time), time).to.equal(undefined)
    expect(refusalAt('2024-07-02T20:03:59.999Z')).to.not.equal(undefined)
  })

  it('published when its slot has long been over is refused, however fresh the message', () => {
    expect(refusalAt('2024-07-02T21:05:00.001Z')).to.equal('EXPIRED')
    expect(refusalAt('2024-07-03T14:00:00.000Z'), 'the morning after').to.equal('EXPIRED')
    expect(refusalAt('2024-07-05T14:00:00.000Z', mornings), 'by cron too').to.equal('EXPIRED')
  })

  it('on a day that closes early acts at the early close, and not at the usual one', () => {
    expect(refusalAt('2024-07-03T17:05:00.000Z')).to.equal(undefined)
    expect(refusalAt('2024-07-03T20:05:00.000Z')).to.equal('OTHER_CLOSE')
    expect(refusalAt('2024-07-02T17:05:00.000Z'), 'the early slot on a usual day').to.equal('OTHER_CLOSE')
    expect(refusalAt('2024-07-02T17:08:00.000Z'), 'the early slot on a usual day, late').to.equal('OTHER_CLOSE')
  })

  it('does nothing on a holiday or at the weekend', () => {
    expect(refusalAt('2024-07-04T20:05:00.000Z')).to.equal('NO_SESSION')
    expect(refusalAt('2024-07-04T17:05:00.000Z')).to.equal('NO_SESSION')
    expect(refusalAt('2024-07-06T20:05:00.000Z')).to.equal('NO_SESSION')
    expect(refusalAt('2024-07-04T20:05:00.000Z', mornings)).to.equal('NO_SESSION')
  })

  it('by cron is judged by the day of its slot, though it is published on the next', () => {
    const lateEvenings = topicsWith({ kind: 'cron', expression: '50 23 * * 1-5' })
    expect(refusalAt('2024-07-06T04:10:00.000Z', lateEvenings), 'Friday’s, on Saturday').to.equal(undefined)
    expect(refusalAt('2024-07-05T04:10:00.000Z', lateEvenings), 'the holiday’s, on the Friday after').to.equal('NO_SESSION')
  })

  it('says which slot it did not take', () => {
    const refused = jobRefusal(afterClose, {
      ...{ id: 'x', type: 'orchestrator', publishedAt: '2024-07-02T17:05:02.000Z', source: 'scheduler', job: 'daily', body: {} },
    })
    expect(refused?.slot).to.equal('2024-07-02T17:05:00.000Z')
    expect(refused?.text).to.equal('the exchange closes at another time today: 2024-07-02 closes at 2024-07-02T20:00:00.000Z')
  })

  it('of a person, or of a job that no schedule names, is not judged by the calendar', () => {
    expect(refusalAt('2024-07-04T20:05:00.000Z', afterClose, null)).to.equal(undefined)
    expect(refusalAt('2024-07-04T20:05:00.000Z', afterClose, 'weekly')).to.equal(undefined)
  })

  it('that came without an id is named by its slot, so that two deliveries are one command', () => {
    expect(slotOfJob(afterClose, 'daily', '2024-07-02T20:04:30.000Z')).to.equal('2024-07-02T20:05:00Z')
    expect(slotOfJob(afterClose, 'daily', '2024-07-02T20:09:00.000Z')).to.equal('2024-07-02T20:05:00Z')
    expect(slotOfJob(afterClose, 'daily', '2024-07-02T17:05:00.000Z'), 'not the day before’s').to.equal('2024-07-02T17:05:00Z')
    expect(slotOfJob(afterClose, 'weekly', '2024-07-02T20:05:00.000Z')).to.equal(undefined)
  })
})
