/** Quotes: a snapshot, or a stream that goes on while the clock moves; live, frozen or delayed. */

import { newYorkDate } from '../../domain/calendar.ts'
import type { Answers } from './answering.ts'
import type { Broker } from './broker.ts'
import { type Client, refuse } from './client.ts'
import { quoted } from './frictions.ts'
import type { Listing } from './listing.ts'
import { openSession, sliceBetween } from './market.ts'
import * as messages from './market-messages.ts'
import { theListing } from './order-entry.ts'
import { notSubscribed, permissionFor, shownDelayed } from './permissions.ts'
import { invalid } from './rejections.ts'

const [live, frozen, delayed, delayedFrozen] = [1, 2, 3, 4]

export const marketDataAnswers: Answers<'reqMktData' | 'cancelMktData' | 'reqMarketDataType'> = {
  reqMktData: (broker, client, { requestId, contract, snapshot }) => {
    const listing = theListing(broker.universe, contract)
    if ('code' in listing) return refuse(client, requestId, listing)
    const permission = permissionFor(broker.permissions, listing)
    const takesDelayed = client.marketDataType === delayed || client.marketDataType === delayedFrozen
    if (permission === 'none' || (permission === 'delayed' && !takesDelayed))
      return refuse(client, requestId, notSubscribed(listing, permission))
    const isDelayed = permission === 'delayed'
    const isFrozen = !openSession(broker.now()) && (client.marketDataType === frozen || client.marketDataType === delayedFrozen)
    if (isDelayed) refuse(client, requestId, shownDelayed)
    client.connection.send(
      messages.marketDataType(requestId, isDelayed ? (isFrozen ? delayedFrozen : delayed)! : (isFrozen ? frozen : live)!),
    )
    client.connection.send(messages.tickRequestParameters(requestId, listing.minTick))
    if (!snapshot) client.marketData.set(requestId, { listing, delayed: isDelayed })
    tellTicks(broker, client, requestId, listing, isDelayed)
    if (snapshot) client.connection.send(messages.tickSnapshotEnd(requestId))
  },
  cancelMktData: (_, client, { requestId }) => {
    if (!client.marketData.delete(requestId)) refuse(client, requestId, { code: 300, text: `Can't find EId with tickerId:${requestId}` })
  },
  reqMarketDataType: (_, client, { type }) => {
    if ([live, frozen, delayed, delayedFrozen].includes(type)) client.marketDataType = type
    else refuse(client, -1, invalid(`market data type ${type} is not 1 to 4`))
  },
}

export const tellQuotes = (broker: Broker, client: Client): void => {
  for (const [requestId, { listing, delayed }] of client.marketData) tellTicks(broker, client, requestId, listing, delayed)
}

const quotedSize = 100
const delay = 15 * 60_000

/** How far bid and ask are from the last price: half the spread, or one tick where there is none. */
export const halfSpread = ({ frictions }: Broker, { minTick }: Listing): number => ((frictions.spread || 2) * minTick) / 2

/** Nothing for a contract without bars; an index has no bid and ask, a currency pair no trades. */
const tellTicks = (broker: Broker, client: Client, requestId: number, listing: Listing, isDelayed: boolean): void => {
  const { send } = client.connection
  const { bid, ask, last, high, low, volume, close, open } = messages.tickTypes[isDelayed ? 'delayed' : 'live']
  const at = broker.now() - (isDelayed ? delay : 0)
  const { series, minTick, secType } = listing
  const price = broker.market.price(series, at)
  if (price === undefined) return
  const quote = (side: 'BUY' | 'SELL'): number => quoted(side, price, halfSpread(broker, listing), minTick, undefined)
  const tell = (type: number, value: number, size = 0): void => send(messages.tickPrice(requestId, type, value, size))
  if (secType !== 'IND') {
    tell(bid, quote('SELL'), quotedSize)
    tell(ask, quote('BUY'), quotedSize)
  }
  if (secType !== 'CASH') {
    tell(last, price, quotedSize)
    send(messages.tickSize(requestId, volume, broker.market.volume(series, at)))
  }
  const before = broker.market.previousClose(series, at)
  if (before !== undefined) tell(close, before)
  const day = broker.market.day(series, newYorkDate(at))
  const today = day && sliceBetween(day, day.session.open, Math.min(at, day.session.close))
  if (!today) return
  tell(open, today.open)
  tell(high, today.high)
  tell(low, today.low)
}
