/** From when until when an order works, and in which part of the day it trades. Pure: what the client wrote and what time it is. */
import { sessionOn } from '../../domain/calendar.ts'
import { isSet } from './field-layout.ts'
import { comingExtended, comingSession, extendedHours } from './market.ts'
import type { Attributes } from './order-fields.ts'
import type { Terms } from './order-terms.ts'
import { incompatible, invalid, notForThatAuction, type Rejection, rejected } from './rejections.ts'
import { instantOfIb } from './time-text.ts'

export type Life = {
  timeInForce: string
  /** Trades in that auction or not at all. */
  auction?: 'open' | 'close'
  /** Trades at the first occasion what it can (a part, or else all or nothing), and is cancelled with the rest. */
  immediate?: 'part' | 'all'
  /** It sleeps until then (`goodAfterTime`). */
  activeFrom: number
  /** Absent for good-till-cancelled. */
  expiresAt?: number
  /** Works from 04:00 to 20:00. */
  extended: boolean
}

export const timesInForce = ['DAY', 'GTC', 'OPG', 'IOC', 'FOK', 'GTD']

const minute = 60_000
/** An exchange takes and gives back orders for its auctions only until shortly before. */
const cutOffs = { open: 2 * minute, close: 10 * minute }

/** Whether it is too late to enter or to cancel an order for the coming auction. */
export const isCutOff = (auction: 'open' | 'close', now: number): boolean => {
  const session = comingSession(now)
  return now > session[auction] - cutOffs[auction]
}

const atMarketOrLimit = ['MKT', 'LMT']
/** IB keeps these in regular hours whatever the client says (2109). */
export const neverExtended = ['MKT', 'MOC', 'LOC', 'STP', 'MIT', 'TRAIL']

export const readLife = (attributes: Attributes, terms: Terms, now: number): Life | Rejection => {
  const timeInForce = attributes['tif'] || 'DAY'
  if (!timesInForce.includes(timeInForce)) return invalid(`time in force "${timeInForce}" is not one of ${timesInForce.join(', ')}`)
  const special = timeInForce === 'OPG' || timeInForce === 'IOC' || timeInForce === 'FOK'
  if (terms.atClose && timeInForce !== 'DAY') return notForThatAuction
  if (special && !atMarketOrLimit.includes(terms.orderType)) return incompatible
  const activeFrom = activation(attributes['goodAfterTime'] ?? '')
  if (typeof activeFrom === 'object') return activeFrom
  if (activeFrom > 0 && special) return incompatible
  const auction = terms.atClose ? 'close' : timeInForce === 'OPG' ? 'open' : undefined
  if (auction !== undefined && isCutOff(auction, now)) return tooLate[auction]
  const extended = isSet(attributes['outsideRth']) && !neverExtended.includes(terms.orderType) && timeInForce !== 'OPG'
  const life: Life = { timeInForce, activeFrom, extended, ...(auction === undefined ? {} : { auction }) }
  if (timeInForce === 'IOC' || timeInForce === 'FOK') life.immediate = timeInForce === 'IOC' ? 'part' : 'all'
  if (timeInForce === 'GTC') return life
  if (timeInForce === 'GTD') return goodTill(life, attributes['goodTillDate'] ?? '', now)
  const first = Math.max(now, activeFrom)
  return { ...life, expiresAt: extended ? extendedHours(comingExtended(first)).close : comingSession(first).close }
}

const tooLate = {
  open: rejected('orders for the opening auction are not accepted from two minutes before the open until the close'),
  close: rejected('orders for the closing auction are not accepted in the last ten minutes before the close'),
}

const activation = (text: string): number | Rejection => {
  if (text === '') return 0
  return instantOfIb(text) ?? { code: 337, text: `Invalid Good After Time: "${text}". The correct format is yyyymmdd hh:mm:ss xx/xxxx.` }
}

/** A date alone ends with the session of that date. */
const goodTill = (life: Life, text: string, now: number): Life | Rejection => {
  const wholeDay = (date: string): number | undefined => {
    const session = sessionOn(date)
    return session && (life.extended ? extendedHours(session).close : session.close)
  }
  const expiresAt = instantOfIb(text, wholeDay)
  if (expiresAt === undefined) return { code: 334, text: `Invalid Good Till Date order: "${text}" is no time of a trading day.` }
  if (expiresAt <= Math.max(now, life.activeFrom)) return { code: 334, text: `Invalid Good Till Date order: "${text}" is over.` }
  return { ...life, expiresAt }
}
