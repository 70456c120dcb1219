/**
 * When an instrument trades. What the broker tells of a contract holds; where it tells nothing, or nothing else, the sessions of the New York
 * Stock Exchange do. The broker tells some days ahead only: after them the week that it told is taken to repeat itself.
 */
import { addDays, newYorkDate, newYorkTime, nextSession, type Session, sessionOn, sessions } from './calendar.ts'

/** ISO times, from the first open of a trading day to its last close; a break in the middle does not end the day. */
type Hours = { open: string; close: string }
/** `from` and `until`: the dates, in the zone of the exchange, that were told; a date between them without a day is closed. Oldest first. */
export type TradingHours = { from: string; until: string; regular: Hours[]; extended: Hours[] }

/** Epoch milliseconds. `regular`: an order that does not ask for more trades in these. */
export type TradingDay = { open: number; close: number }
export type Kind = 'regular' | 'extended'

const week = 7 * 86_400_000

/** Orders that trade before and after the session do so from 04:00 to 20:00 New York time. */
const inNewYork = ({ date, open, close }: Session, kind: Kind): TradingDay =>
  kind === 'regular' ? { open, close } : { open: newYorkTime(date, '04:00'), close: newYorkTime(date, '20:00') }

const comingInNewYork = (now: number, kind: Kind): TradingDay => {
  const today = sessionOn(newYorkDate(now))
  const day = today && inNewYork(today, kind)
  return day !== undefined && now < day.close ? day : inNewYork(nextSession(newYorkDate(now)), kind)
}

const asTimes = ({ open, close }: Hours): TradingDay => ({ open: Date.parse(open), close: Date.parse(close) })

const isSessionOfNewYork = ({ open, close }: Hours): boolean => {
  const session = sessionOn(newYorkDate(Date.parse(open)))
  return session !== undefined && session.open === Date.parse(open) && session.close === Date.parse(close)
}

/** Whether the calendar knows all of it already; of extended hours only the end of the day matters to anybody. */
export const asInNewYork = ({ from, until, regular, extended }: TradingHours): boolean => {
  const expected = sessions(from, until)
  const closes = expected.map((session) => inNewYork(session, 'extended').close)
  return (
    regular.length === expected.length &&
    regular.every(isSessionOfNewYork) &&
    extended.length === closes.length &&
    extended.every(({ close }, index) => Date.parse(close) === closes[index])
  )
}

/** The trading day under way, or the next one. @param hours as the broker told them; undefined where they are New York's */
export const comingDay = (hours: TradingHours | undefined, now: number, kind: Kind = 'regular'): TradingDay => {
  const told = (hours?.[kind] ?? []).map(asTimes)
  if (hours === undefined || told.length === 0) return comingInNewYork(now, kind)
  const known = told.find(({ close }) => now < close)
  if (known !== undefined) return known
  // A New York share with a day that the calendar did not know: after what was told it is the calendar's again.
  if (hours.regular.every(isSessionOfNewYork)) return comingInNewYork(Math.max(now, newYorkTime(addDays(hours.until, 1), '00:00')), kind)
  const later = told.map(({ open, close }) => {
    const weeks = Math.floor((now - close) / week) + 1
    return { open: open + weeks * week, close: close + weeks * week }
  })
  return later.reduce((first, day) => (day.close < first.close ? day : first))
}

/** Whether regular trading is on: from the opening instant, until just before the closing one. */
export const isTrading = (hours: TradingHours | undefined, now: number): boolean => comingDay(hours, now).open <= now
