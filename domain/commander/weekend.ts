/** Weekend rule of a strategy: `flat` counts its targets as 0 in whatever is decided for the last session before days without one. */
import { addDays, newYorkDate, nextSession, sessionOn } from '../calendar.ts'
import { type Configuration, strategySettingOf } from '../configuration.ts'

/** Orders of now work in the session under way, or else in the next one: is the day after that without a session? */
export const goesFlat = (configuration: Configuration, strategy: string, now: number): boolean => {
  if (strategySettingOf(configuration, strategy, 'weekend') !== 'flat') return false
  const today = sessionOn(newYorkDate(now))
  const session = today !== undefined && now < today.close ? today : nextSession(newYorkDate(now))
  return sessionOn(addDays(session.date, 1)) === undefined
}
