/** What the gateway answers to each request of a client that has started, and what it keeps telling a subscriber. */

import { holdingIn } from './account.ts'
import { completedOrders, type Order } from './book.ts'
import type { Broker } from './broker.ts'
import type { Connection } from './connection.ts'
import { executionsLike } from './execution-filter.ts'
import { history } from './history.ts'
import type { Listing } from './listing.ts'
import { openSession } from './market.ts'
import * as messages from './messages.ts'
import { theListing } from './order-entry.ts'
import { invalid, type Rejection, unknownContract } from './rejections.ts'
import type { Request, RequestName } from './requests.ts'
import { openPositions } from './trading.ts'

/** A client that has started, and what it subscribed to. `told` holds the values as last sent, by key and currency. */
export type Client = {
  id: number
  connection: Connection
  positions: boolean
  /** Client 0 wants a number for every order that is placed by hand. */
  bindsByHand: boolean
  accountUpdates?: { told: Map<string, string> }
  summaries: Map<number, { tags: readonly string[]; told: Map<string, string> }>
  marketData: Map<number, Listing>
  marketDataType: number
}

export const newClient = (id: number, connection: Connection): Client => ({
  id,
  connection,
  positions: false,
  bindsByHand: false,
  summaries: new Map(),
  marketData: new Map(),
  marketDataType: 1,
})

type Name = Exclude<RequestName, 'startApi'>
type Asked<K extends Name> = Extract<Request, { kind: K }>
type Answer<K extends Name> = (broker: Broker, client: Client, request: Asked<K>) => void

const answers: { [K in Name]: Answer<K> } = {
  reqIds: ({ book }, { id, connection }) => connection.send(messages.nextValidId(book.nextOrderId(id))),
  reqManagedAccts: ({ account }, { connection }) => connection.send(messages.managedAccounts(account)),
  reqCurrentTime: (broker, { connection }) => connection.send(messages.currentTime(broker.now())),

  reqPositions: ({ account, trading }, client) => {
    client.positions = true
    for (const position of openPositions(trading.account())) client.connection.send(messages.position(account, position))
    client.connection.send(messages.positionEnd())
  },
  cancelPositions: (_, client) => {
    client.positions = false
  },
  reqAccountSummary: (broker, client, { requestId, tags }) => {
    client.summaries.set(requestId, { tags, told: new Map() })
    tellSummary(broker, client, requestId)
    client.connection.send(messages.accountSummaryEnd(requestId))
  },
  cancelAccountSummary: (_, client, { requestId }) => {
    client.summaries.delete(requestId)
  },
  reqAccountUpdates: (broker, client, { subscribe, account }) => {
    delete client.accountUpdates
    if (!subscribe) return
    if (!['', broker.account].includes(account)) return refuse(client, -1, invalid(`account "${account}" is not known`))
    client.accountUpdates = { told: new Map() }
    tellAccount(broker, client, heldListings(broker))
    client.connection.send(messages.accountDownloadEnd(broker.account))
  },

  /** By asking, client 0 also binds what was placed by hand. */
  reqOpenOrders: (broker, client) => {
    const own = broker.book.working().filter((order) => order.clientId === client.id)
    for (const order of own) if (order.orderId === 0) broker.bind(order)
    tellOpenOrders(broker, client, own)
  },
  reqAllOpenOrders: (broker, client) => tellOpenOrders(broker, client, broker.book.working()),
  reqAutoOpenOrders: (_, client, { bind }) => {
    if (client.id === 0) client.bindsByHand = bind
    else refuse(client, -1, { code: 327, text: 'Only the default client (i.e. 0) can auto bind orders.' })
  },
  reqCompletedOrders: (broker, { connection }, { apiOnly }) => {
    for (const order of completedOrders(broker.book, apiOnly)) {
      connection.send(messages.completedOrder(broker, order, connection.serverVersion))
    }
    connection.send(messages.completedOrdersEnd())
  },
  reqExecutions: ({ account, book }, { connection }, { requestId, filter }) => {
    for (const execution of executionsLike(book.executions, account, filter)) {
      connection.send(messages.executionDetails(requestId, execution, account))
      connection.send(messages.commissionReport(execution))
    }
    connection.send(messages.executionDetailsEnd(requestId))
  },
  placeOrder: (broker, { id }, { orderId, order }) => broker.place(id, orderId, order),
  cancelOrder: (broker, { id }, { orderId }) => broker.cancel(id, orderId),
  reqGlobalCancel: (broker) => broker.cancelAll(),

  reqContractDetails: ({ universe, now }, client, { requestId, contract }) => {
    const found = universe.find(contract)
    if (found.length === 0) return refuse(client, requestId, unknownContract)
    const { send, serverVersion } = client.connection
    for (const listing of found) send(messages.contractDetails(requestId, listing, now(), serverVersion))
    send(messages.contractDetailsEnd(requestId))
  },
  reqMarketRule: ({ universe }, client, { ruleId }) => {
    const rule = universe.marketRules[ruleId]
    if (rule) client.connection.send(messages.marketRule(ruleId, rule))
    else refuse(client, -1, invalid(`market rule ${ruleId} is not known`))
  },
  reqHistoricalData: (broker, client, request) => {
    const listing = theListing(broker.universe, request.contract)
    if ('code' in listing) return refuse(client, request.requestId, listing)
    const asked = request.keepUpToDate
      ? { refused: 'the simulator does not keep historical data up to date' }
      : history(broker.market, hasMarket(listing) ? listing.symbol : '', request.history, broker.now())
    if ('refused' in asked) return refuse(client, request.requestId, invalid(asked.refused))
    if (asked.bars.length > 0) return client.connection.send(messages.historicalData(request.requestId, asked))
    const what = `${listing.symbol}@${request.contract.exchange || 'SMART'} ${request.history.whatToShow}`
    const text = `Historical Market Data Service error message:HMDS query returned no data: ${what}`
    refuse(client, request.requestId, { code: 162, text })
  },
  cancelHistoricalData: (_, client, { requestId }) =>
    refuse(client, requestId, { code: 366, text: `No historical data query found for ticker id:${requestId}` }),
  reqMktData: (broker, client, { requestId, contract, snapshot }) => {
    const listing = theListing(broker.universe, contract)
    if ('code' in listing) return refuse(client, requestId, listing)
    const frozen = !openSession(broker.now()) && (client.marketDataType === 2 || client.marketDataType === 4)
    client.connection.send(messages.marketDataType(requestId, frozen ? 2 : 1))
    client.connection.send(messages.tickRequestParameters(requestId, listing.minTick))
    if (!snapshot) client.marketData.set(requestId, listing)
    tellTicks(broker, client, requestId, listing)
    if (snapshot) client.connection.send(messages.tickSnapshotEnd(requestId))
  },
  cancelMktData: (_, client, { requestId }) => {
    if (!client.marketData.delete(requestId)) refuse(client, requestId, { code: 300, text: `Can't find EId with tickerId:${requestId}` })
  },
  reqMarketDataType: (_, client, { type }) => {
    if ([1, 2, 3, 4].includes(type)) client.marketDataType = type
    else refuse(client, -1, invalid(`market data type ${type} is not 1 to 4`))
  },
}

export const answer = (broker: Broker, client: Client, request: Asked<Name>): void =>
  (answers[request.kind] as Answer<Name>)(broker, client, request)

const refuse = (client: Client, id: number, { code, text }: Rejection): void => client.connection.send(messages.error(id, code, text))

// ── Orders ──

export const tellOrder = (broker: Broker, client: Client, order: Order): void => {
  client.connection.send(messages.openOrder(broker, order, client.connection.serverVersion))
  client.connection.send(messages.orderStatus(broker, order))
}

const tellOpenOrders = (broker: Broker, client: Client, orders: readonly Order[]): void => {
  for (const order of orders) tellOrder(broker, client, order)
  client.connection.send(messages.openOrderEnd())
}

// ── Account ──

const heldListings = (broker: Broker): Listing[] => openPositions(broker.trading.account()).map(({ listing }) => listing)

type Value = messages.AccountValue

/** Only the values that differ from those told before. */
const changed = (told: Map<string, string>, values: readonly Value[]): Value[] =>
  values.filter(({ key, value, currency }) => {
    const name = `${key}|${currency}`
    if (told.get(name) === value) return false
    told.set(name, value)
    return true
  })

const tellAccount = (broker: Broker, client: Client, listings: readonly Listing[]): void => {
  if (!client.accountUpdates) return
  const { account, trading } = broker
  const { send } = client.connection
  const worth = trading.valuation()
  const values = changed(client.accountUpdates.told, [...messages.accountTotals(account, worth), ...messages.accountLedger(worth)])
  for (const value of values) send(messages.accountValue(account, value))
  for (const listing of listings) {
    const position = holdingIn(trading.account(), listing)
    send(messages.portfolioValue(account, position, trading.priceOf(position)))
  }
  if (values.length > 0 || listings.length > 0) send(messages.accountUpdateTime(broker.now()))
}

/** `$LEDGER` asks for the sums in the base currency, `$LEDGER:USD` for one currency, `$LEDGER:ALL` for every one. */
const tellSummary = (broker: Broker, client: Client, requestId: number): void => {
  const { tags, told } = client.summaries.get(requestId)!
  const worth = broker.trading.valuation()
  const currencies = tags.flatMap((tag) => (tag.startsWith('$LEDGER') ? [tag.split(':')[1] ?? 'BASE'] : []))
  const totals = messages.accountTotals(broker.account, worth).filter(({ key }) => tags.includes(key))
  const ledger = messages.accountLedger(worth).filter(({ currency }) => currencies.includes('ALL') || currencies.includes(currency))
  for (const value of changed(told, [...totals, ...ledger]))
    client.connection.send(messages.accountSummary(requestId, broker.account, value))
}

/** After a position changed. */
export const tellHolding = (broker: Broker, client: Client, listing: Listing): void => {
  if (client.positions) client.connection.send(messages.position(broker.account, holdingIn(broker.trading.account(), listing)))
  tellAccount(broker, client, [listing])
  for (const requestId of client.summaries.keys()) tellSummary(broker, client, requestId)
}

/** After the clock moved. */
export const tellPrices = (broker: Broker, client: Client): void => {
  if (client.accountUpdates)
    tellAccount(
      broker,
      client,
      openPositions(broker.trading.account()).map(({ listing }) => listing),
    )
  for (const requestId of client.summaries.keys()) tellSummary(broker, client, requestId)
  for (const [requestId, listing] of client.marketData) tellTicks(broker, client, requestId, listing)
}

// ── Market data ──

const hasMarket = (listing: Listing): boolean => listing.currency === 'USD'

const quotedSize = 100

/** A quote one tick to either side of the last price; nothing for a contract without bars. */
const tellTicks = (broker: Broker, client: Client, requestId: number, listing: Listing): void => {
  const { send } = client.connection
  const { bid, ask, last, close, volume } = messages.tickTypes
  const price = hasMarket(listing) ? broker.market.price(listing.symbol, broker.now()) : undefined
  if (price === undefined) return
  const besides = (ticks: number): number => Number((price + ticks * listing.minTick).toFixed(8))
  send(messages.tickPrice(requestId, bid, besides(-1), quotedSize))
  send(messages.tickPrice(requestId, ask, besides(1), quotedSize))
  send(messages.tickPrice(requestId, last, price, quotedSize))
  send(messages.tickSize(requestId, volume, broker.market.volume(listing.symbol, broker.now())))
  const before = broker.market.previousClose(listing.symbol, broker.now())
  if (before !== undefined) send(messages.tickPrice(requestId, close, before, 0))
}
