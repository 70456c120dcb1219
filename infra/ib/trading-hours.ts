/** Trading hours as IB writes them: `20240108:0930-20240108:1600;20240109:CLOSED`, times in the zone of the contract. */
import type { ContractDetails } from '@stoqey/ib'
import { addDays } from '../../domain/calendar.ts'
import type { TradingHours } from '../../domain/trading-days.ts'
import { isoFromBroker } from './fields.ts'

type Told = { date: string; open: string; close: string }

/** @throws RangeError when there is no such date */
const dashed = (date: string): string => addDays(`${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`, 0)

/** The older form leaves the date of the end out: `20240108:0930-1600`; of two parts in a day, commas stand between them. */
const shape = /^(\d{8}):(\d{2})(\d{2})-(?:(\d{8}):)?(\d{2})(\d{2})$/

const part = (text: string, zone: string): Told | undefined => {
  const match = shape.exec(text)
  if (match === null) return undefined
  const [, from, hour, minute, until = from, lastHour, lastMinute] = match
  const time = (date: string, hours: string, minutes: string) => isoFromBroker(`${date} ${hours}:${minutes}:00`, zone)
  return { date: dashed(until!), open: time(from!, hour!, minute!), close: time(until!, lastHour!, lastMinute!) }
}

/** Every part, each with its date; `CLOSED` has none. @returns undefined when something is written as nobody knows */
const parts = (text: string, zone: string): { dates: string[]; told: Told[] } | undefined => {
  const dates: string[] = []
  const told: Told[] = []
  for (const day of text.split(';').filter((entry) => entry !== '')) {
    const date = day.slice(0, 8)
    for (const [index, entry] of day.split(',').entries()) {
      if (/^\d{8}:CLOSED$/.test(entry)) {
        dates.push(dashed(date))
        continue
      }
      const found = part(index === 0 || /^\d{8}:/.test(entry) ? entry : `${date}:${entry}`, zone)
      if (found === undefined || found.close <= found.open) return undefined
      dates.push(found.date)
      told.push(found)
    }
  }
  return { dates, told }
}

/** Parts that end on the same date are one trading day: a break at noon ends no order. */
const days = (told: readonly Told[]): { open: string; close: string }[] => {
  const byDate = new Map<string, { open: string; close: string }>()
  for (const { date, open, close } of [...told].sort((left, right) => (left.open < right.open ? -1 : 1))) {
    const known = byDate.get(date)
    byDate.set(date, known === undefined ? { open, close } : { open: known.open, close: close > known.close ? close : known.close })
  }
  return [...byDate.values()]
}

/** @returns undefined where IB tells none, or tells them in a way that is not understood: then nothing is known */
export const tradingHoursOf = ({
  tradingHours = '',
  liquidHours = '',
  timeZoneId = '',
}: Pick<ContractDetails, 'tradingHours' | 'liquidHours' | 'timeZoneId'>): TradingHours | undefined => {
  try {
    const regular = parts(liquidHours, timeZoneId)
    const extended = parts(tradingHours, timeZoneId)
    if (timeZoneId === '' || regular === undefined || extended === undefined || regular.dates.length === 0) return undefined
    const [from, until] = [regular.dates[0]!, regular.dates.at(-1)!]
    return { from, until, regular: days(regular.told), extended: days(extended.told) }
  } catch (error) {
    if (error instanceof RangeError) return undefined // a zone or a date that there is not
    throw error
  }
}
