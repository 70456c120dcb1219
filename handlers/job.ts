/** Schedules know no holidays and no early closes: the engine does, and says so by name. */
import { newYorkDate, sessionOn } from '../domain/calendar.ts'
import type { Command } from '../domain/commands.ts'
import { type Refusal, refuse } from '../domain/errors.ts'
import { isoTime } from '../domain/ports/clock.ts'
import { latestSlot, type Schedule, slotId, type Topics, validForOf } from '../domain/topics.ts'

const scheduleOf = (topics: Topics, job: string | undefined): Schedule | undefined =>
  topics.schedules.find((candidate) => candidate.job === job)

/** The slot of a job's command that came without an id, as Cloud Scheduler sends it; undefined for a job that topics.yaml does not name. */
export const slotOfJob = (topics: Topics, job: string, publishedAt: string): string | undefined => {
  const schedule = scheduleOf(topics, job)
  return schedule && slotId(job, latestSlot(schedule, Date.parse(publishedAt))).slice(job.length + 1)
}

/**
 * Why a job's command does nothing at its slot; undefined when it acts, or when it is no job's.
 * What was published later than its command counts is not that slot's business any more, however fresh the message is.
 */
export const jobRefusal = (topics: Topics, { job, type, publishedAt }: Command): (Refusal & { slot: string }) | undefined => {
  const schedule = scheduleOf(topics, job)
  if (schedule === undefined) return undefined
  const published = Date.parse(publishedAt)
  const slot = latestSlot(schedule, published)
  const because = (...refusal: Parameters<typeof refuse>) => ({ ...refuse(...refusal), slot: isoTime(slot) })
  const isLate = published > slot + validForOf(topics, type)
  const date = newYorkDate(isLate ? published : slot)
  const session = sessionOn(date)
  if (session === undefined) return because('NO_SESSION', date)
  if (isLate) return because('EXPIRED', `published at ${publishedAt}, its slot was ${isoTime(slot)}`)
  if (schedule.when.kind === 'cron' || slot === session.close + schedule.when.minutes * 60_000) return undefined
  return because('OTHER_CLOSE', `${date} closes at ${isoTime(session.close)}`)
}
