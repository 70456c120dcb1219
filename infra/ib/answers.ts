/** What arrives on a line: rows of answers to their questions, all else to the listener, in the order it came. */
import { EventName } from '@stoqey/ib'
import { isoTime } from '../../domain/ports/clock.ts'
import { contractRowOf, mention } from './contracts.ts'
import { amount, magnitude, needed } from './fields.ts'
import type { Line } from './line.ts'
import { answerRule } from './market-rules.ts'
import { isWhole, previewOf } from './preview.ts'
import { isFrozen, quoteOf } from './quotes.ts'
import { barOf, commissionOf, completedOrderOf, createOrderSightings, executionOf } from './reports.ts'
import { firstRequestId } from './requests.ts'
import type { AccountRow, PositionRow } from './snapshot.ts'
import { accountKey, positionsKey, type Streams } from './streams.ts'

/** Orders and commissions carry no number: during a question they are its rows and reports at once. */
export const listenTo = ({ on, questions, report, commissions, timeZone }: Line, streams: Streams): void => {
  const sightings = createOrderSightings()
  const position = (row: PositionRow) => {
    questions.row('positions', row)
    streams.byKey(positionsKey, row)
  }
  const accountRow = (row: AccountRow) => {
    questions.row('accountValues', row)
    streams.byKey(accountKey(row.account), row)
  }

  on(EventName.openOrder, (orderId, contract, order, state) => {
    if (order.whatIf === true) {
      const preview = previewOf(state)
      questions.row('previews', preview, orderId)
      if (isWhole(preview)) questions.end('previews', orderId)
      return
    }
    const sighting = sightings.ofOpenOrder(orderId, contract, order, state)
    questions.row('openOrders', sighting)
    report({ kind: 'order', sighting })
  })
  on(EventName.orderStatus, (orderId, status, filled, remaining, _averagePrice, permId, _parentId, _lastPrice, clientId) => {
    const sighting = sightings.ofStatus(orderId, status, filled, remaining, permId, clientId)
    questions.row('openOrders', sighting)
    report({ kind: 'order', sighting })
  })
  on(EventName.openOrderEnd, () => questions.end('openOrders'))

  on(EventName.execDetails, (requestId, contract, execution) => {
    const read = executionOf(contract, execution, timeZone)
    if (requestId >= firstRequestId) questions.row('executions', read, requestId)
    else report({ kind: 'execution', execution: read })
    const commission = commissions.executed(read.executionId, read.account)
    if (commission !== undefined) report({ kind: 'commission', commission })
  })
  on(EventName.execDetailsEnd, (requestId) => questions.end('executions', requestId))
  on(EventName.commissionReport, (raw) => {
    const read = commissionOf(raw)
    const commission = read === undefined ? undefined : commissions.heard(read)
    if (commission !== undefined) report({ kind: 'commission', commission })
  })

  on(EventName.completedOrder, (contract, order, state) => {
    questions.row('completedOrders', completedOrderOf(contract, order, state, timeZone))
  })
  on(EventName.completedOrdersEnd, () => questions.end('completedOrders'))

  on(EventName.position, (account, contract, quantity, averageCost) => {
    const name = `position in ${contract.symbol}`
    position({
      account,
      contract: mention(contract),
      quantity: needed(amount(quantity), name),
      averageCost: needed(amount(averageCost), `average cost of the ${name}`),
    })
  })
  on(EventName.positionEnd, () => questions.end('positions'))

  on(EventName.updateAccountValue, (key, value, currency, account) => {
    accountRow({ kind: 'value', account, key, value, currency })
  })
  on(
    EventName.updatePortfolio,
    (contract, _quantity, marketPrice, marketValue, _averageCost, unrealizedProfit, realizedProfit, account) => {
      accountRow({
        kind: 'holding',
        account: account ?? '',
        conId: mention(contract).conId,
        marketPrice: magnitude(marketPrice),
        marketValue: amount(marketValue),
        unrealizedProfit: amount(unrealizedProfit),
        realizedProfit: amount(realizedProfit),
      })
    },
  )
  on(EventName.accountDownloadEnd, () => questions.end('accountValues'))

  on(EventName.contractDetails, (requestId, details) => void questions.row('contracts', contractRowOf(details), requestId))
  on(EventName.marketRule, (rule, steps) => answerRule(questions, rule, steps))
  on(EventName.contractDetailsEnd, (requestId) => questions.end('contracts', requestId))

  on(EventName.historicalData, (requestId, date, open, high, low, close, volume) => {
    if (date.startsWith('finished')) questions.end('bars', requestId)
    else questions.row('bars', barOf(date, { open, high, low, close }, volume, timeZone), requestId)
  })

  on(EventName.tickPrice, (requestId, field, price) => {
    const quote = quoteOf(field, magnitude(price))
    if (quote === undefined || questions.row('quotes', quote, requestId)) return
    streams.byNumber(requestId, quote)
  })
  on(EventName.marketDataType, (requestId, type) => {
    if (isFrozen(type)) questions.row('quotes', 'frozen', requestId)
  })
  on(EventName.tickSnapshotEnd, (requestId) => questions.end('quotes', requestId))

  on(EventName.currentTime, (seconds) => {
    questions.row('time', isoTime(seconds * 1000))
    questions.end('time')
  })
}
