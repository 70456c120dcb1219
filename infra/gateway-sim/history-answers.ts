/** Historical bars, how far back they go, and bars that are kept up to date. */
import { newYorkDate, sessionOn } from '../../domain/calendar.ts'
import type { Answers } from './answering.ts'
import type { Broker } from './broker.ts'
import { type Client, refuse } from './client.ts'
import { type HistoryTerms, history, latestBars } from './history.ts'
import { type HistoryRequest, keptUpToDate } from './history-request.ts'
import type { Listing } from './listing.ts'
import { halfSpread } from './market-data-answers.ts'
import * as messages from './market-messages.ts'
import { theListing } from './order-entry.ts'
import { noHistory, noHistoryPermission, permissionFor } from './permissions.ts'
import { invalid, type Rejection } from './rejections.ts'
import { dashedTime } from './time-text.ts'

export const historyAnswers: Answers<'reqHistoricalData' | 'cancelHistoricalData' | 'reqHeadTimestamp' | 'cancelHeadTimestamp'> = {
  reqHistoricalData: (broker, client, { requestId, contract, history: request, keepUpToDate }) => {
    const listing = theListing(broker.universe, contract)
    if ('code' in listing) return refuse(client, requestId, listing)
    const refused = refusal(broker, listing, request) ?? (keepUpToDate ? refusalOfUpdates(client, requestId, request) : undefined)
    if (refused) return refuse(client, requestId, refused)
    const answer = history(broker.market, listing.series, request, broker.now(), termsOf(broker, listing))
    if ('refused' in answer)
      return refuse(client, requestId, answer.code ? { code: answer.code, text: answer.refused } : invalid(answer.refused))
    if (answer.bars.length === 0) {
      const what = `${listing.symbol}@${contract.exchange || listing.exchange} ${wordOf(request.whatToShow)}`
      return refuse(client, requestId, noHistory(`HMDS query returned no data: ${what}`))
    }
    client.connection.send(messages.historicalData(requestId, answer))
    const last = answer.bars.at(-1)!
    const told = messages.historicalDataUpdate(requestId, last).join('|')
    if (keepUpToDate) client.bars.set(requestId, { listing, request, since: last.start, told })
  },
  cancelHistoricalData: (_, client, { requestId }) => {
    if (client.bars.delete(requestId)) refuse(client, requestId, noHistory(`API historical data query cancelled: ${requestId}`))
    else refuse(client, requestId, { code: 366, text: `No historical data query found for ticker id:${requestId}` })
  },
  /** The opening of the first bar. */
  reqHeadTimestamp: (broker, client, { requestId, contract, whatToShow, formatDate }) => {
    const listing = theListing(broker.universe, contract)
    if ('code' in listing) return refuse(client, requestId, listing)
    const refused = refusal(broker, listing, { whatToShow, endDateTime: '' })
    if (refused) return refuse(client, requestId, refused)
    const first = broker.market.dates(listing.series).find((date) => sessionOn(date))
    if (first === undefined || first > newYorkDate(broker.now())) return refuse(client, requestId, noHistory('No head time stamp'))
    const { open } = sessionOn(first)!
    client.connection.send(messages.headTimestamp(requestId, formatDate === '2' ? String(Math.floor(open / 1000)) : dashedTime(open)))
  },
  /** It was answered at once. */
  cancelHeadTimestamp: () => {},
}

/** `Trades`, `Bid_Ask`: how the data service calls what was asked for. */
const wordOf = (whatToShow: string): string => whatToShow.toLowerCase().replace(/(^|_)[a-z]/g, (letter) => letter.toUpperCase())

const termsOf = (broker: Broker, listing: Listing): HistoryTerms => ({
  zone: listing.timeZone,
  halfSpread: halfSpread(broker, listing),
  dividends: broker.actions
    .all()
    .flatMap((action) => (action.kind === 'dividend' && action.listing.conId === listing.conId ? [action] : [])),
})

/** What there is not of that kind of contract, or for this account. */
const refusal = (
  { permissions }: Broker,
  listing: Listing,
  request: Pick<HistoryRequest, 'whatToShow' | 'endDateTime'>,
): Rejection | undefined => {
  const { secType, symbol, exchange } = listing
  const { whatToShow, endDateTime } = request
  const isTrade = whatToShow === 'TRADES' || whatToShow === 'ADJUSTED_LAST'
  if (permissionFor(permissions, listing) === 'none') return noHistoryPermission(listing)
  if (secType === 'CONTFUT' && endDateTime !== '') {
    return { code: 10339, text: 'Setting end date/time for continuous future security type is not allowed.' }
  }
  if (secType === 'CASH' && isTrade) return noHistoryPermission(listing)
  if ((secType === 'IND' && !isTrade) || (secType !== 'STK' && whatToShow === 'ADJUSTED_LAST')) {
    return noHistory(`HMDS query returned no data: ${symbol}@${exchange} ${wordOf(whatToShow)}`)
  }
  return undefined
}

const refusalOfUpdates = (
  client: Client,
  requestId: number,
  { endDateTime, whatToShow, barSize }: HistoryRequest,
): Rejection | undefined => {
  if (client.bars.has(requestId)) return { code: 322, text: "Error processing request.-'bW' : cause - Duplicate ticker id" }
  if (endDateTime !== '') return invalid('endDateTime is not supported for keepUpToDate requests')
  if (!keptUpToDate.includes(whatToShow)) return invalid(`keepUpToDate is only there for ${keptUpToDate.join(', ')}, not ${whatToShow}`)
  if (barSize === '1 sec' || barSize === '1 secs') return invalid('bars that are kept up to date have 5 secs or more')
  return undefined
}

/** What became of the bars since they were told last: the end of that one, all that followed, and the one that is running. */
export const tellBars = (broker: Broker, client: Client): void => {
  for (const [requestId, subscription] of client.bars) {
    const { listing, request, since } = subscription
    const bars = latestBars(broker.market, listing.series, request, since, broker.now(), termsOf(broker, listing))
    for (const bar of bars) {
      const message = messages.historicalDataUpdate(requestId, bar)
      if (message.join('|') === subscription.told) continue
      Object.assign(subscription, { since: bar.start, told: message.join('|') })
      client.connection.send(message)
    }
  }
}
