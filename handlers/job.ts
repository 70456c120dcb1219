/** Schedules know no holidays and no early closes: the engine does, and says so by name. */
import { newYorkDate, sessionOn } from '../domain/calendar.ts'
import type { Command } from '../domain/commands.ts'
import { type Refusal, refuse } from '../domain/errors.ts'
import { latestSlot, slotId, type Topics } from '../domain/topics.ts'

/** The slot of a job's command that came without an id, as Cloud Scheduler sends it; undefined for a job that topics.yaml does not name. */
export const slotOfJob = (topics: Topics, job: string, publishedAt: string): string | undefined => {
  const schedule = topics.schedules.find((candidate) => candidate.job === job)
  return schedule && slotId(job, latestSlot(schedule, Date.parse(publishedAt))).slice(job.length + 1)
}

/** Publishing may be this far from the slot that the close of the day gives. */
const toleranceMs = 60_000

/** Why a job's command does nothing today; undefined when it acts, or when it is no job's. */
export const jobRefusal = (topics: Topics, { job, publishedAt }: Command): Refusal | undefined => {
  const schedule = topics.schedules.find((candidate) => candidate.job === job)
  if (job === undefined || schedule === undefined) return undefined
  const published = Date.parse(publishedAt)
  const date = newYorkDate(schedule.when.kind === 'cron' ? latestSlot(schedule, published) : published)
  const session = sessionOn(date)
  if (session === undefined) return refuse('NO_SESSION', date)
  if (schedule.when.kind === 'cron') return undefined
  const slot = session.close + schedule.when.minutes * 60_000
  return Math.abs(published - slot) <= toleranceMs
    ? undefined
    : refuse('OTHER_CLOSE', `${date} closes at ${new Date(session.close).toISOString()}`)
}
