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
  it('acts at the slot that the close of the day gives, and within a minute of it', () => {
    for (const time of ['2024-07-02T20:05:00.000Z', '2024-07-02T20:04:00.000Z', '2024-07-02T20:06:00.000Z'])
      expect(refusalAt(time), time).to.equal(undefined)
    expect(refusalAt('2024-07-02T20:06:00.001Z')).to.equal('OTHER_CLOSE')
  })

  it('on a day that closes early acts at the early close, and not at the usual one', () => {
    expect(refusalAt('2024-07-03T17:05:00.000Z')).to.equal(undefined)
    expect(refusalAt('2024-07-03T20:05:00.000Z')).to.equal('OTHER_CLOSE')
    expect(refusalAt('2024-07-02T17:05:00.000Z'), 'the early slot on a usual day').to.equal('OTHER_CLOSE')
  })

  it('does nothing on a holiday or at the weekend', () => {
    expect(refusalAt('2024-07-04T20:05:00.000Z')).to.equal('NO_SESSION')
    expect(refusalAt('2024-07-06T20:05:00.000Z')).to.equal('NO_SESSION')
    expect(refusalAt('2024-07-04T20:05:00.000Z', mornings)).to.equal('NO_SESSION')
  })

  it('by cron is judged by the day of its slot, though it is delivered on the next', () => {
    expect(refusalAt('2024-07-06T02:00:00.000Z', mornings), 'Friday’s, on Friday evening').to.equal(undefined)
    expect(refusalAt('2024-07-06T06:00:00.000Z', mornings), 'Friday’s, on Saturday').to.equal(undefined)
    expect(refusalAt('2024-07-05T06:00:00.000Z', mornings), 'the holiday’s, on the Friday after').to.equal('NO_SESSION')
  })

  it('of a person, or of a job that no schedule names, is not judged by the calendar', () => {
    expect(refusalAt('2024-07-04T20:05:00.000Z', afterClose, null)).to.equal(undefined)
    expect(refusalAt('2024-07-04T20:05:00.000Z', afterClose, 'weekly')).to.equal(undefined)
  })

  it('that came without an id is named by its slot, so that two deliveries are one command', () => {
    expect(slotOfJob(afterClose, 'daily', '2024-07-02T20:04:30.000Z')).to.equal('2024-07-02T20:05:00Z')
    expect(slotOfJob(afterClose, 'daily', '2024-07-02T20:09:00.000Z')).to.equal('2024-07-02T20:05:00Z')
    expect(slotOfJob(afterClose, 'weekly', '2024-07-02T20:05:00.000Z')).to.equal(undefined)
  })
})
