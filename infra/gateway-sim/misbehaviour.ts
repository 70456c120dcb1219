/** Everything that is armed to go wrong on the API port, as plain data: `GET /faults` and `GET /state` show it. */
import type { MessageName } from './message-names.ts'
import type { Frames } from './outlet.ts'
import type { Rejection } from './rejections.ts'
import type { RequestName } from './requests.ts'

/**
 * The moment at which a connection breaks: as the next order arrives, which is lost with it; instead of or after the first report of
 * the next order; instead of or after the next execution, whose commission is lost with it.
 */
export const dropMoments = ['onOrder', 'beforeAck', 'afterAck', 'beforeFill', 'afterFill'] as const
export type DropMoment = (typeof dropMoments)[number]

/** An order that its client is told to be cancelled although it works on. */
export type FalseCancel = { orderRef?: string; code: number; text: string; silent: boolean }

export const farms = ['marketData', 'history', 'definitions'] as const
export type Farm = (typeof farms)[number]

export type Misbehaviour = {
  /** Break the connection of that client (of any, without `clientId`). */
  drop?: { clientId?: number; when: DropMoment }
  /** So many further orders vanish. */
  swallowOrders: number
  rejectOrders: Rejection[]
  /** Nothing may be placed or cancelled. */
  readOnly: boolean
  /** Symbols that may not be traded. */
  withoutPermission: string[]
  refuseConnections: boolean
  portClosed: boolean
  /** Client ids that get 326 although nobody holds them. */
  idsInUse: number[]
  /** A login stops before it tells this, until it may go on. */
  holdLogin?: 'accounts' | 'orderId'
  /** Told instead of the account there is. */
  managedAccounts?: string[]
  /** Nothing is sent to and nothing read from that client, or anyone, who connects included. */
  halfOpen?: { clientId?: number }
  frames?: Frames & { clientId?: number }
  /** Requests that get no answer. */
  hang: RequestName[]
  /** Requests whose answer waits. */
  answerLate: RequestName[]
  lose: { message: MessageName; left?: number }[]
  hold: MessageName[]
  repeat: { message: MessageName; times: number }[]
  executionsFirst: boolean
  commissions?: 'first' | 'unset'
  falseCancels: FalseCancel[]
  /** Permanent ids of orders of which no status is told any more. */
  silentOrders: number[]
  /** Requests to cancel are kept instead of carried out. */
  cancelsStay: boolean
  keptCancels: { clientId: number; orderId: number }[]
  linkDown: boolean
  farmsDown: Farm[]
  /** Messages a second; `warnings` until the connection is dropped. */
  messageLimit?: { perSecond: number; warnings: number; clock: 'machine' | 'market' }
  historyLimits: boolean
  /** Historical requests of one client at once. */
  openHistories?: number
  /** Concurrent lines of market data of one client. */
  marketDataLines?: number
}

export const wellBehaved = (): Misbehaviour => ({
  swallowOrders: 0,
  rejectOrders: [],
  readOnly: false,
  withoutPermission: [],
  refuseConnections: false,
  portClosed: false,
  idsInUse: [],
  hang: [],
  answerLate: [],
  lose: [],
  hold: [],
  repeat: [],
  executionsFirst: false,
  falseCancels: [],
  silentOrders: [],
  cancelsStay: false,
  keptCancels: [],
  linkDown: false,
  farmsDown: [],
  historyLimits: false,
})

/** Only what differs from a gateway that behaves. */
export const armed = (misbehaviour: Misbehaviour): Partial<Misbehaviour> => {
  const usual: Readonly<Record<string, unknown>> = wellBehaved()
  const differs = ([name, value]: [string, unknown]): boolean => JSON.stringify(value) !== JSON.stringify(usual[name])
  return Object.fromEntries(Object.entries(misbehaviour).filter(differs))
}

/** Disarms everything. */
export const behave = (misbehaviour: Misbehaviour): void => {
  for (const name of Object.keys(misbehaviour)) delete (misbehaviour as Record<string, unknown>)[name]
  Object.assign(misbehaviour, wellBehaved())
}
