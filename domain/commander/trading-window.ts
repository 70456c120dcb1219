/** Time window of a strategy: outside of it nothing of the strategy increases; an exit goes at any time. */
import { newYorkDate, newYorkTime } from '../calendar.ts'
import { type Configuration, strategySettingOf } from '../configuration.ts'

/** The window that is closed now, as it is configured; undefined while it is open, or when there is none. Its end does not belong to it. */
export const closedWindow = (configuration: Configuration, strategy: string, now: number): string | undefined => {
  const window = strategySettingOf(configuration, strategy, 'window')
  const [from, until] = window.split('-')
  if (from === undefined || until === undefined || from === until) return undefined
  const today = newYorkDate(now)
  const [begin, end] = [newYorkTime(today, from), newYorkTime(today, until)]
  const open = begin < end ? begin <= now && now < end : begin <= now || now < end
  return open ? undefined : window
}
