/**
 * Cloud Scheduler's part beside the embedded store: publishes each slot that falls due while this process runs, never a missed one.
 * A slot is one command whoever publishes it, by its id.
 */

import { canonical } from '../../domain/commit.ts'
import type { Bus } from '../../domain/ports/bus.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import { nextSlot, type Schedule, slotId, type Topics, topicOf } from '../../domain/topics.ts'

/** A slot found later than this was missed, by a machine that slept or a store that was away. */
const tooLateMs = 60_000
const retryAfterMs = 1_000

export type ScheduleOptions = {
  topics: Topics
  mode: string
  bus: Pick<Bus, 'publish'>
  clock: Clock
  /** True where market time is simulated: the message then says its publish time itself. */
  simulated: boolean
  /** Told of each slot that could not be published: `missed` for good, or to be tried again. */
  onTrouble(job: string, slot: number, trouble: 'missed' | Error): void
}

/** Starts with the first slot after now. Returns the way to stop. */
export const runSchedules = (options: ScheduleOptions): (() => void) => {
  const stops = options.topics.schedules.map((schedule) => runSchedule(schedule, options))
  return () => {
    for (const stop of stops) stop()
  }
}

const runSchedule = (schedule: Schedule, { topics, mode, bus, clock, simulated, onTrouble }: ScheduleOptions): (() => void) => {
  const { job, command } = schedule
  const topic = topicOf(topics, command.type, mode)
  let stopped = false
  const callOffs = new Map<number, () => void>()

  const publish = async (slot: number): Promise<void> => {
    callOffs.delete(slot)
    if (stopped) return
    if (clock.now() - slot > tooLateMs) return onTrouble(job, slot, 'missed')
    const attributes = { type: command.type, id: slotId(job, slot), job, source: 'scheduler' }
    const stamped = simulated ? { ...attributes, publishedAt: isoTime(clock.now()) } : attributes
    try {
      await bus.publish(topic, { data: canonical(command.body), attributes: stamped })
    } catch (error) {
      onTrouble(job, slot, error as Error)
      if (!stopped)
        callOffs.set(
          slot,
          clock.after(retryAfterMs, () => void publish(slot)),
        )
    }
  }
  const arm = (slot: number): void => {
    callOffs.set(
      slot,
      clock.at(slot, () => {
        arm(nextSlot(schedule, Math.max(slot, clock.now())))
        void publish(slot)
      }),
    )
  }
  arm(nextSlot(schedule, clock.now()))
  return () => {
    stopped = true
    for (const callOff of callOffs.values()) callOff()
  }
}
