/** Order properties: which wishes go together, and the times that they name as instants. */
import { addDays, newYorkDate, newYorkTime, nextSession, type Session, sessionOn } from '../calendar.ts'
import type { OrderProperties } from '../commands.ts'
import { type Refusal, refuse } from '../errors.ts'

/** `goodAfter` and `goodTill` are ISO times. */
export type ResolvedProperties = Omit<OrderProperties, 'goodAfterTime' | 'goodTillDate'> & { goodAfter?: string; goodTill?: string }

/** So far ahead at most: later it is decided anew. */
const mostDaysAhead = 90

const invalid = (text: string): Refusal => refuse('ORDER_PROPERTIES_INVALID', text)

const isAuction = ({ type, timeInForce }: OrderProperties): boolean => type === 'MOC' || type === 'LOC' || timeInForce === 'OPG'

/** Wishes that never go together, whenever they are asked for, in words. */
export const contradictionIn = (properties: OrderProperties): string | undefined => {
  const { type = 'LMT', timeInForce = 'DAY', outsideRegularHours = false, goodTillDate, goodAfterTime, limitOffset, algo } = properties
  if ((type === 'MOC' || type === 'LOC') && timeInForce !== 'DAY')
    return `type ${type} trades at the close of the day: timeInForce must be DAY`
  if (isAuction(properties)) {
    const auction = timeInForce === 'OPG' ? 'timeInForce OPG' : `type ${type}`
    if (outsideRegularHours) return `${auction} trades in an auction, not with outsideRegularHours`
    if (goodAfterTime !== undefined) return `${auction} trades in an auction, not after goodAfterTime`
  }
  if ((timeInForce === 'GTD') !== (goodTillDate !== undefined)) return 'timeInForce GTD and goodTillDate need each other'
  if (limitOffset !== undefined && type !== 'LMT' && type !== 'LOC') return `limitOffset needs a limit order, type is ${type}`
  if (algo === 'Adaptive' && (timeInForce !== 'DAY' || outsideRegularHours || isAuction(properties)))
    return 'algo Adaptive works only orders of type MKT or LMT for the day, in regular hours'
  return undefined
}

/** Orders that trade before and after the session do so from 04:00 to 20:00 New York time. */
const endOf = ({ date, close }: Session, extended: boolean): number => (extended ? newYorkTime(date, '20:00') : close)

const sessionInWork = (now: number, extended: boolean): Session => {
  const today = sessionOn(newYorkDate(now))
  return today !== undefined && now < endOf(today, extended) ? today : nextSession(newYorkDate(now))
}

const goodTillOf = (date: string, extended: boolean, asked: number): string | Refusal => {
  const latest = addDays(newYorkDate(asked), mostDaysAhead)
  let session: Session | undefined
  try {
    session = date <= latest ? sessionOn(date) : undefined
  } catch {
    return invalid(`goodTillDate ${date} is no date`)
  }
  if (session === undefined) return invalid(`goodTillDate ${date} has no session, or lies more than ${mostDaysAhead} days ahead`)
  const end = endOf(session, extended)
  return end > asked ? new Date(end).toISOString() : invalid(`goodTillDate ${date} is over`)
}

const timeOfDay = /^(\d\d:\d\d) New York$/

/** The next such time of a day on which there is a session; or the absolute one. */
const instantOf = (text: string, extended: boolean, asked: number): number | Refusal => {
  const time = timeOfDay.exec(text)?.[1]
  if (time === undefined) {
    const instant = Date.parse(text)
    if (Number.isNaN(instant)) return invalid(`goodAfterTime ${text} is no time`)
    return instant > asked ? instant : invalid(`goodAfterTime ${text} is over`)
  }
  const session = sessionInWork(asked, extended)
  const today = newYorkTime(session.date, time)
  return today > asked ? today : newYorkTime(nextSession(session.date).date, time)
}

/** After the end of a session the broker would keep the order for another day than was meant. */
const goodAfterOf = (text: string, extended: boolean, asked: number): string | Refusal => {
  const instant = instantOf(text, extended, asked)
  if (typeof instant !== 'number') return instant
  const date = newYorkDate(instant)
  if (date > addDays(newYorkDate(asked), mostDaysAhead)) return invalid(`goodAfterTime ${text} lies more than ${mostDaysAhead} days ahead`)
  const session = sessionOn(date)
  if (session === undefined) return invalid(`goodAfterTime ${text} is on ${date}, when there is no session`)
  const end = endOf(session, extended)
  return instant < end
    ? new Date(instant).toISOString()
    : invalid(`goodAfterTime ${text} is after the session of ${date}, which ends at ${new Date(end).toISOString()}`)
}

/** @param asked when the command was published: its times are counted from then, whenever it is decided */
export const resolveProperties = (properties: OrderProperties, asked: number): ResolvedProperties | Refusal => {
  const contradiction = contradictionIn(properties)
  if (contradiction !== undefined) return invalid(contradiction)
  const { goodAfterTime, goodTillDate, ...others } = properties
  const extended = properties.outsideRegularHours ?? false
  const goodAfter = goodAfterTime === undefined ? undefined : goodAfterOf(goodAfterTime, extended, asked)
  if (typeof goodAfter === 'object') return goodAfter
  const goodTill = goodTillDate === undefined ? undefined : goodTillOf(goodTillDate, extended, asked)
  if (typeof goodTill === 'object') return goodTill
  if (goodAfter !== undefined && goodTill !== undefined && goodAfter >= goodTill) return invalid(`goodAfterTime is not before goodTillDate`)
  return { ...others, ...(goodAfter === undefined ? {} : { goodAfter }), ...(goodTill === undefined ? {} : { goodTill }) }
}
