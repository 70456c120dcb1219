/** The messages from a client to the gateway. Layouts: server versions 178 to 193. */
import type { ExecutionFilter } from './execution-filter.ts'
import type { HistoryRequest } from './history-request.ts'
import type { ContractQuery } from './listing.ts'
import { type PlacedOrder, readPlacedOrder } from './order-fields.ts'

/** Requests that say nothing but their name. */
type PlainName =
  | ('reqIds' | 'reqManagedAccts' | 'reqCurrentTime' | 'reqPositions' | 'cancelPositions')
  | ('reqOpenOrders' | 'reqAllOpenOrders' | 'reqGlobalCancel' | 'reqFamilyCodes')

/** Requests that end an earlier one, by its id. */
type CancelName =
  | ('cancelAccountSummary' | 'cancelHistoricalData' | 'cancelMktData' | 'cancelPositionsMulti' | 'cancelAccountUpdatesMulti')
  | ('cancelPnL' | 'cancelPnLSingle' | 'cancelHeadTimestamp')

export type Request =
  | { kind: PlainName }
  | { kind: 'startApi'; clientId: number }
  | { kind: 'reqAccountSummary'; requestId: number; group: string; tags: string[] }
  | { kind: CancelName; requestId: number }
  | { kind: 'reqPositionsMulti' | 'reqPnL'; requestId: number; account: string; model: string }
  | { kind: 'reqAccountUpdatesMulti'; requestId: number; account: string; model: string; ledgerOnly: boolean }
  | { kind: 'reqPnLSingle'; requestId: number; account: string; model: string; conId: number }
  | { kind: 'reqHeadTimestamp'; requestId: number; contract: ContractQuery; whatToShow: string; formatDate: string }
  | { kind: 'reqMatchingSymbols'; requestId: number; pattern: string }
  | { kind: 'reqAccountUpdates'; subscribe: boolean; account: string }
  | { kind: 'reqAutoOpenOrders'; bind: boolean }
  | { kind: 'reqCompletedOrders'; apiOnly: boolean }
  | { kind: 'reqExecutions'; requestId: number; filter: ExecutionFilter }
  | { kind: 'reqContractDetails'; requestId: number; contract: ContractQuery }
  | { kind: 'placeOrder'; orderId: number; order: PlacedOrder }
  | { kind: 'cancelOrder'; orderId: number }
  | { kind: 'reqHistoricalData'; requestId: number; contract: ContractQuery; history: HistoryRequest; keepUpToDate: boolean }
  | { kind: 'reqMktData'; requestId: number; contract: ContractQuery; snapshot: boolean }
  | { kind: 'reqMarketDataType'; type: number }
  | { kind: 'reqMarketRule'; ruleId: number }

export type RequestName = Request['kind']

/** A message too short for its kind, or with something else where a number belongs. */
export class UnreadableRequest extends Error {
  override readonly name = 'UnreadableRequest'
}

/** The fields of one message, taken one after the other. */
type Reader = { text: () => string; integer: () => number; flag: () => boolean; skip: (count: number) => void }

const readerOf = (fields: readonly string[]): Reader => {
  let next = 1
  const text = (): string => {
    const field = fields[next++]
    if (field === undefined) throw new UnreadableRequest(`it ends after ${fields.length} fields`)
    return field
  }
  const integer = (): number => {
    const field = text()
    if (!/^-?\d{1,15}$/.test(field)) throw new UnreadableRequest(`field ${next - 1} is "${field}" and should be a whole number`)
    return Number(field)
  }
  const skip = (count: number): void => {
    for (let field = 0; field < count; field++) text()
  }
  return { text, integer, flag: () => !['', '0', 'false'].includes(text()), skip }
}

/** conId to tradingClass, with the primary exchange: twelve fields. */
const readContract = ({ text, skip }: Reader): ContractQuery => {
  const [conId, symbol, secType, lastTradeDate] = [text(), text(), text(), text()]
  skip(2)
  const [multiplier, exchange, primaryExchange, currency, localSymbol, tradingClass] = [text(), text(), text(), text(), text(), text()]
  return { conId, symbol, secType, lastTradeDate, multiplier, exchange, primaryExchange, currency, localSymbol, tradingClass }
}

/** With the flag that IB puts behind it. */
const readContractAndExpired = (reader: Reader): ContractQuery => ({ ...readContract(reader), includeExpired: reader.flag() })

type Row = { name: RequestName; read: (reader: Reader, serverVersion: number) => Request }

const plain = (kind: PlainName): Row => ({ name: kind, read: () => ({ kind }) })

const byRequestId = (kind: CancelName): Row => ({
  name: kind,
  read: ({ skip, integer }) => {
    skip(1)
    return { kind, requestId: integer() }
  },
})

/** The newer ones carry no version. */
const byRequestIdAlone = (kind: CancelName): Row => ({ name: kind, read: ({ integer }) => ({ kind, requestId: integer() }) })

/** By the number of the message; `skip(1)` passes over the version that most of them still carry. */
export const requests: Readonly<Record<number, Row>> = {
  1: {
    name: 'reqMktData',
    read: (reader) => {
      reader.skip(1)
      const requestId = reader.integer()
      const contract = readContract(reader)
      if (contract.secType === 'BAG') throw new UnreadableRequest('combinations are not simulated')
      if (reader.flag()) reader.skip(3)
      reader.skip(1)
      return { kind: 'reqMktData', requestId, contract, snapshot: reader.flag() }
    },
  },
  2: byRequestId('cancelMktData'),
  3: {
    name: 'placeOrder',
    read: (reader, serverVersion) => ({
      kind: 'placeOrder',
      orderId: reader.integer(),
      order: readPlacedOrder(reader.text, serverVersion, (problem) => new UnreadableRequest(problem)),
    }),
  },
  4: {
    name: 'cancelOrder',
    read: ({ skip, integer }, serverVersion) => {
      if (serverVersion < 192) skip(1)
      return { kind: 'cancelOrder', orderId: integer() }
    },
  },
  5: plain('reqOpenOrders'),
  6: {
    name: 'reqAccountUpdates',
    read: ({ skip, flag, text }) => {
      skip(1)
      return { kind: 'reqAccountUpdates', subscribe: flag(), account: text() }
    },
  },
  7: {
    name: 'reqExecutions',
    read: ({ skip, integer, text }) => {
      skip(1)
      const requestId = integer()
      const [clientId, account, time, symbol, secType, exchange, side] = [text(), text(), text(), text(), text(), text(), text()]
      return { kind: 'reqExecutions', requestId, filter: { clientId, account, time, symbol, secType, exchange, side } }
    },
  },
  8: plain('reqIds'),
  9: {
    name: 'reqContractDetails',
    read: (reader) => {
      reader.skip(1)
      return { kind: 'reqContractDetails', requestId: reader.integer(), contract: readContractAndExpired(reader) }
    },
  },
  15: {
    name: 'reqAutoOpenOrders',
    read: ({ skip, flag }) => {
      skip(1)
      return { kind: 'reqAutoOpenOrders', bind: flag() }
    },
  },
  16: plain('reqAllOpenOrders'),
  17: plain('reqManagedAccts'),
  20: {
    name: 'reqHistoricalData',
    read: (reader) => {
      const requestId = reader.integer()
      const contract = readContractAndExpired(reader)
      const [endDateTime, barSize, duration, regularHours] = [reader.text(), reader.text(), reader.text(), reader.flag()]
      const [whatToShow, formatDate] = [reader.text(), reader.text()]
      if (contract.secType === 'BAG') throw new UnreadableRequest('combinations are not simulated')
      const history = { endDateTime, barSize, duration, whatToShow: whatToShow.toUpperCase(), formatDate, regularHours }
      return { kind: 'reqHistoricalData', requestId, contract, history, keepUpToDate: reader.flag() }
    },
  },
  25: byRequestId('cancelHistoricalData'),
  49: plain('reqCurrentTime'),
  58: plain('reqGlobalCancel'),
  59: {
    name: 'reqMarketDataType',
    read: ({ skip, integer }) => {
      skip(1)
      return { kind: 'reqMarketDataType', type: integer() }
    },
  },
  61: plain('reqPositions'),
  62: {
    name: 'reqAccountSummary',
    read: ({ skip, integer, text }) => {
      skip(1)
      const [requestId, group] = [integer(), text()]
      const tags = text()
        .split(',')
        .map((tag) => tag.trim())
      return { kind: 'reqAccountSummary', requestId, group, tags: tags.filter((tag) => tag !== '') }
    },
  },
  63: byRequestId('cancelAccountSummary'),
  64: plain('cancelPositions'),
  71: {
    name: 'startApi',
    read: ({ skip, integer }) => {
      skip(1)
      return { kind: 'startApi', clientId: integer() }
    },
  },
  74: {
    name: 'reqPositionsMulti',
    read: ({ skip, integer, text }) => {
      skip(1)
      return { kind: 'reqPositionsMulti', requestId: integer(), account: text(), model: text() }
    },
  },
  75: byRequestId('cancelPositionsMulti'),
  76: {
    name: 'reqAccountUpdatesMulti',
    read: ({ skip, integer, text, flag }) => {
      skip(1)
      return { kind: 'reqAccountUpdatesMulti', requestId: integer(), account: text(), model: text(), ledgerOnly: flag() }
    },
  },
  77: byRequestId('cancelAccountUpdatesMulti'),
  80: plain('reqFamilyCodes'),
  81: {
    name: 'reqMatchingSymbols',
    read: ({ integer, text }) => ({ kind: 'reqMatchingSymbols', requestId: integer(), pattern: text() }),
  },
  87: {
    name: 'reqHeadTimestamp',
    read: (reader) => {
      const requestId = reader.integer()
      const contract = readContractAndExpired(reader)
      reader.skip(1)
      const [whatToShow, formatDate] = [reader.text().toUpperCase(), reader.text()]
      return { kind: 'reqHeadTimestamp', requestId, contract, whatToShow, formatDate }
    },
  },
  90: byRequestIdAlone('cancelHeadTimestamp'),
  91: { name: 'reqMarketRule', read: ({ integer }) => ({ kind: 'reqMarketRule', ruleId: integer() }) },
  92: {
    name: 'reqPnL',
    read: ({ integer, text }) => ({ kind: 'reqPnL', requestId: integer(), account: text(), model: text() }),
  },
  93: byRequestIdAlone('cancelPnL'),
  94: {
    name: 'reqPnLSingle',
    read: ({ integer, text }) => ({ kind: 'reqPnLSingle', requestId: integer(), account: text(), model: text(), conId: integer() }),
  },
  95: byRequestIdAlone('cancelPnLSingle'),
  99: { name: 'reqCompletedOrders', read: ({ flag }) => ({ kind: 'reqCompletedOrders', apiOnly: flag() }) },
}

/** The request in a message, undefined when its number is none that the simulator answers; throws `UnreadableRequest`. */
export const decodeRequest = (fields: readonly string[], serverVersion: number): Request | undefined => {
  const row = requests[Number(fields[0])]
  return row?.read(readerOf(fields), serverVersion)
}
