/** The messages from the gateway to a client by the names under which the API's clients know them. */

const numbers = {
  tickPrice: 1,
  tickSize: 2,
  orderStatus: 3,
  error: 4,
  openOrder: 5,
  accountValue: 6,
  portfolio: 7,
  accountTime: 8,
  nextValidId: 9,
  contractDetails: 10,
  execDetails: 11,
  marketDepth: 12,
  marketDepthL2: 13,
  managedAccounts: 15,
  historicalData: 17,
  tickOptionComputation: 21,
  tickGeneric: 45,
  tickString: 46,
  currentTime: 49,
  realTimeBar: 50,
  contractDetailsEnd: 52,
  openOrderEnd: 53,
  accountDownloadEnd: 54,
  execDetailsEnd: 55,
  tickSnapshotEnd: 57,
  marketDataType: 58,
  commissionReport: 59,
  position: 61,
  positionEnd: 62,
  accountSummary: 63,
  accountSummaryEnd: 64,
  positionMulti: 71,
  positionMultiEnd: 72,
  accountUpdateMulti: 73,
  accountUpdateMultiEnd: 74,
  familyCodes: 78,
  symbolSamples: 79,
  tickReqParams: 81,
  headTimestamp: 88,
  historicalDataUpdate: 90,
  marketRule: 93,
  pnl: 94,
  pnlSingle: 95,
  historicalTicks: 96,
  historicalTicksBidAsk: 97,
  historicalTicksLast: 98,
  tickByTick: 99,
  orderBound: 100,
  completedOrder: 101,
  completedOrdersEnd: 102,
} as const

export type MessageName = keyof typeof numbers

export const messageNumbers: Readonly<Record<MessageName, number>> = numbers

const names = new Map(Object.entries(numbers).map(([name, number]) => [number as number, name as MessageName]))

/** Undefined for a message that has no name here. */
export const nameOfMessage = (number: unknown): MessageName | undefined => names.get(Number(number))

/** Those that say that a list is complete. */
export const endMarkers: readonly MessageName[] = [
  ...(['contractDetailsEnd', 'openOrderEnd', 'accountDownloadEnd', 'execDetailsEnd', 'positionEnd', 'accountSummaryEnd'] as const),
  ...(['positionMultiEnd', 'accountUpdateMultiEnd', 'completedOrdersEnd', 'tickSnapshotEnd'] as const),
]

/** What a market data farm brings. */
export const marketDataMessages: readonly MessageName[] = [
  ...(['tickPrice', 'tickSize', 'tickGeneric', 'tickString', 'tickOptionComputation', 'tickByTick'] as const),
  ...(['marketDepth', 'marketDepthL2', 'realTimeBar', 'historicalDataUpdate'] as const),
]
