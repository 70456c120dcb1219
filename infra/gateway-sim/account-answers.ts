/** The account as clients ask for it and as it is told to those who subscribed: values, positions, profit. */
import { holdingIn, type Position } from './account.ts'
import * as messages from './account-messages.ts'
import type { Answers } from './answering.ts'
import type { Broker } from './broker.ts'
import { type Client, refuse, type Told } from './client.ts'
import type { Listing } from './listing.ts'
import { invalid, type Rejection } from './rejections.ts'
import { openPositions } from './trading.ts'
import { marketValue, unrealisedOf } from './valuation.ts'
import type { Field } from './wire.ts'

/** IB lets a client have two at a time. */
const mostSummaries = 2
const tooManySummaries: Rejection = {
  code: 322,
  text: "Error processing request.-'bW' : cause - Maximum number of account summary requests exceeded",
}

const unknownAccount = (account: string): Rejection => invalid(`account "${account}" is not known`)
const isKnown = (broker: Broker, account: string): boolean => ['', broker.account].includes(account)

export const accountAnswers: Answers<
  | ('reqPositions' | 'cancelPositions' | 'reqPositionsMulti' | 'cancelPositionsMulti' | 'reqAccountSummary' | 'cancelAccountSummary')
  | ('reqAccountUpdates' | 'reqAccountUpdatesMulti' | 'cancelAccountUpdatesMulti' | 'reqPnL' | 'cancelPnL' | 'reqPnLSingle')
  | ('cancelPnLSingle' | 'reqFamilyCodes')
> = {
  reqPositions: (broker, client) => {
    client.positions = true
    for (const { account, trading } of broker.accounts())
      for (const position of openPositions(trading.account())) client.connection.send(messages.position(account, position))
    client.connection.send(messages.positionEnd())
  },
  cancelPositions: (_, client) => {
    client.positions = false
  },
  /** Nothing is held under a model: whoever names one is told an empty list. */
  reqPositionsMulti: (broker, client, { requestId, account, model }) => {
    if (!isKnown(broker, account)) return refuse(client, requestId, unknownAccount(account))
    client.positionsMulti.set(requestId, { model })
    for (const position of openPositions(broker.trading.account())) tellPositionMulti(broker, client, requestId, position)
    client.connection.send(messages.positionMultiEnd(requestId))
  },
  cancelPositionsMulti: (_, client, { requestId }) => {
    client.positionsMulti.delete(requestId)
  },

  reqAccountSummary: (broker, client, { requestId, group, tags }) => {
    if (group !== 'All' && group !== broker.account) return refuse(client, requestId, invalid(`group "${group}" is not known`))
    if (tags.length === 0) return refuse(client, requestId, invalid('no tags are given'))
    if (!client.summaries.has(requestId) && client.summaries.size >= mostSummaries) return refuse(client, requestId, tooManySummaries)
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
    if (!isKnown(broker, account)) return refuse(client, -1, unknownAccount(account))
    client.accountUpdates = { told: new Map() }
    tellAccount(broker, client, heldListings(broker))
    client.connection.send(messages.accountDownloadEnd(broker.account))
  },
  reqAccountUpdatesMulti: (broker, client, { requestId, account, model, ledgerOnly }) => {
    if (!isKnown(broker, account)) return refuse(client, requestId, unknownAccount(account))
    client.accountUpdatesMulti.set(requestId, { model, ledgerOnly, told: new Map() })
    tellMulti(broker, client, requestId)
    client.connection.send(messages.accountUpdateMultiEnd(requestId))
  },
  cancelAccountUpdatesMulti: (_, client, { requestId }) => {
    client.accountUpdatesMulti.delete(requestId)
  },

  reqPnL: (broker, client, { requestId, account }) => {
    if (!isKnown(broker, account)) return refuse(client, requestId, unknownAccount(account))
    client.profits.set(requestId, { told: '' })
    tellProfits(broker, client)
  },
  cancelPnL: (_, client, { requestId }) => {
    client.profits.delete(requestId)
  },
  reqPnLSingle: (broker, client, { requestId, account, conId }) => {
    if (!isKnown(broker, account)) return refuse(client, requestId, unknownAccount(account))
    client.profitsSingle.set(requestId, { conId, told: '' })
    tellProfits(broker, client)
  },
  cancelPnLSingle: (_, client, { requestId }) => {
    client.profitsSingle.delete(requestId)
  },
  reqFamilyCodes: ({ account }, { connection }) => connection.send([78, 1, account, '']),
}

/** After a position changed in an account that is not the one whose values are told. */
export const tellPosition = ({ account, trading }: Broker, client: Client, listing: Listing): void => {
  if (client.positions) client.connection.send(messages.position(account, holdingIn(trading.account(), listing)))
}

/** After a position changed. */
export const tellHolding = (broker: Broker, client: Client, listing: Listing): void => {
  const held = holdingIn(broker.trading.account(), listing)
  tellPosition(broker, client, listing)
  for (const requestId of client.positionsMulti.keys()) tellPositionMulti(broker, client, requestId, held)
  tellAccount(broker, client, [listing])
  tellSums(broker, client)
}

/** After the clock moved. */
export const tellValues = (broker: Broker, client: Client): void => {
  if (client.accountUpdates) tellAccount(broker, client, heldListings(broker), true)
  tellSums(broker, client)
}

const tellSums = (broker: Broker, client: Client): void => {
  for (const requestId of client.summaries.keys()) tellSummary(broker, client, requestId)
  for (const requestId of client.accountUpdatesMulti.keys()) tellMulti(broker, client, requestId)
  tellProfits(broker, client)
}

const tellPositionMulti = (broker: Broker, client: Client, requestId: number, position: Position): void => {
  const { model } = client.positionsMulti.get(requestId)!
  if (model === '') client.connection.send(messages.positionMulti(requestId, broker.account, model, position))
}

const heldListings = (broker: Broker): Listing[] => openPositions(broker.trading.account()).map(({ listing }) => listing)

type Value = messages.AccountValue

/** Only the values that differ from those told before. */
const changed = (told: Told, values: readonly Value[]): Value[] =>
  values.filter(({ key, value, currency }) => {
    const name = `${key}|${currency}`
    if (told.get(name) === value) return false
    told.set(name, value)
    return true
  })

const totalsNow = ({ account, trading }: Broker): Value[] => messages.accountTotals(account, trading.valuation(), trading.dayStart())
const ledgerNow = ({ account, trading }: Broker): Value[] => messages.accountLedger(account, trading.valuation())

/** `onlyChanged`: positions whose worth is as it was told last are left out. */
const tellAccount = (broker: Broker, client: Client, listings: readonly Listing[], onlyChanged = false): void => {
  if (!client.accountUpdates) return
  const { account, trading } = broker
  const { send } = client.connection
  const values = changed(client.accountUpdates.told, [...totalsNow(broker), ...ledgerNow(broker)])
  for (const value of values) send(messages.accountValue(account, value))
  const positions = listings.map((listing) => holdingIn(trading.account(), listing))
  const { told } = client.accountUpdates
  const portfolio = positions.flatMap((position) => {
    const message = messages.portfolioValue(account, position, trading.priceOf(position))
    const [name, text] = [`portfolio|${position.listing.conId}`, message.join('|')]
    if (onlyChanged && told.get(name) === text) return []
    told.set(name, text)
    return [message]
  })
  for (const message of portfolio) send(message)
  if (values.length > 0 || portfolio.length > 0) send(messages.accountUpdateTime(broker.now()))
}

/** `$LEDGER` asks for the sums in the base currency, `$LEDGER:USD` for one currency, `$LEDGER:ALL` for every one. */
const tellSummary = (broker: Broker, client: Client, requestId: number): void => {
  const { tags, told } = client.summaries.get(requestId)!
  const currencies = tags.flatMap((tag) => (tag.startsWith('$LEDGER') ? [tag.split(':')[1] ?? 'BASE'] : []))
  const totals = totalsNow(broker).filter(({ key }) => tags.includes(key))
  const ledger = ledgerNow(broker).filter(({ currency }) => currencies.includes('ALL') || currencies.includes(currency))
  for (const value of changed(told, [...totals, ...ledger]))
    client.connection.send(messages.accountSummary(requestId, broker.account, value))
}

const tellMulti = (broker: Broker, client: Client, requestId: number): void => {
  const { model, ledgerOnly, told } = client.accountUpdatesMulti.get(requestId)!
  if (model !== '') return
  const totals = totalsNow(broker).filter(({ key }) => !ledgerOnly || key === 'NetLiquidation')
  for (const value of changed(told, [...totals, ...ledgerNow(broker)])) {
    client.connection.send(messages.accountUpdateMulti(requestId, broker.account, model, value))
  }
}

// ── Profit and loss ──

const tellProfits = (broker: Broker, client: Client): void => {
  const tell = (subscription: { told: string }, message: Field[]): void => {
    if (subscription.told === message.join('|')) return
    subscription.told = message.join('|')
    client.connection.send(message)
  }
  for (const [requestId, subscription] of client.profits) tell(subscription, messages.profit(requestId, profitOf(broker)))
  for (const [requestId, subscription] of client.profitsSingle) tell(subscription, single(broker, requestId, subscription.conId))
}

const profitOf = ({ trading }: Broker): messages.Profit => {
  const [now, { valuation: before }] = [trading.valuation(), trading.dayStart()]
  const realised = now.realised - before.realised
  return { daily: realised + now.unrealised - before.unrealised, unrealised: now.unrealised, realised }
}

/** In the base currency, at the rate of now. */
const single = ({ trading, rates }: Broker, requestId: number, conId: number): Field[] => {
  const held = trading.account().positions.get(conId)
  if (!held) return messages.profitSingle(requestId, 0, undefined)
  const start = trading.dayStart()
  const rate = rates(held.listing.currency, trading.account().base)
  const price = trading.priceOf(held)
  const unrealised = unrealisedOf(held, price)
  const realised = held.realised - (start.account.positions.get(conId)?.realised ?? 0)
  const daily = realised + unrealised - (start.unrealised.get(conId) ?? 0)
  const inBase = { daily: daily * rate, unrealised: unrealised * rate, realised: realised * rate, value: marketValue(held, price) * rate }
  return messages.profitSingle(requestId, held.quantity, inBase)
}
