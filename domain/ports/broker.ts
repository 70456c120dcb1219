import type { Decimal } from '../decimal.ts'
import type { TradingHours } from '../trading-days.ts'

/** A contract as the broker describes it. `sizeStep` and `minTick` are the smallest steps of quantity and price. */
export type Contract = {
  conId: number
  symbol: string
  secType: string
  exchange: string
  primaryExchange: string
  currency: string
  localSymbol: string
  multiplier: Decimal
  sizeStep: Decimal
  minTick: Decimal
  /** From each price upwards, lowest first; absent where the step is `minTick` throughout. */
  priceIncrements?: readonly { from: Decimal; increment: Decimal }[]
  /** Of the days ahead, as far as the broker tells them; absent where it does not. */
  hours?: TradingHours
}

/** What a report or answer says of an instrument, as far as it says it. */
export type ContractMention = { conId: number; symbol: string; secType: string; currency: string }

/** An order to be handed over: the right side of `OrderPlanned`, no more. */
export type OrderTicket = {
  orderRef: string
  orderId: number
  account: string
  contract: { conId: number; symbol: string; secType: string; exchange: string; currency: string }
  action: 'BUY' | 'SELL'
  /** Greater than zero. */
  quantity: Decimal
  type: 'MKT' | 'LMT' | 'MOC' | 'LOC'
  limitPrice?: Decimal
  timeInForce: 'DAY' | 'GTC' | 'GTD' | 'OPG'
  outsideRegularHours: boolean
  /** ISO: the broker keeps it until then; and, of a GTD order, gives it up then. */
  goodAfter?: string
  goodTill?: string
  algo?: { strategy: string; parameters: Readonly<Record<string, string>> }
}

/** What an order would take, as the broker reckons it. A number that it does not give is absent. Of the account, in its base currency. */
export type Preview = {
  initialMarginChange: Decimal | undefined
  initialMarginAfter: Decimal | undefined
  equityAfter: Decimal | undefined
  /** Equity with loan less initial margin: what is left to open anything else with. */
  availableFundsAfter: Decimal | undefined
  commission: Decimal | undefined
  warning: string | undefined
}

/** Order status as the broker spells it: PreSubmitted, Submitted, Filled, Cancelled, ApiCancelled, Inactive, PendingCancel … */
export type OrderSighting = {
  orderRef: string | undefined
  orderId: number
  clientId: number
  permId: number
  account: string | undefined
  contract: ContractMention | undefined
  status: string
  filled: Decimal | undefined
  remaining: Decimal | undefined
  /** As far as the broker has said it: the whole quantity, signed, and how it is ordered, in IB's words. */
  quantity?: Decimal
  orderType?: string
  limitPrice?: Decimal
}

/** One line of the account window: `NetLiquidation`, `100000.00`, `USD`. The currency is `BASE` for sums of a ledger, empty where there is none. */
export type AccountValue = { key: string; value: string; currency: string }

/** `quantity` is signed: + bought, − sold. `time` ISO. */
export type Execution = {
  executionId: string
  orderRef: string
  orderId: number
  clientId: number
  permId: number
  account: string
  contract: ContractMention
  quantity: Decimal
  price: Decimal
  time: string
}

/** `account`: of the execution it is for, where the broker has said. */
export type CommissionReport = {
  executionId: string
  account?: string
  commission: Decimal
  currency: string
  realizedProfit: Decimal | undefined
}

/** Orders that ended today, as the broker still remembers them. They carry no order id. */
export type CompletedOrder = {
  orderRef: string
  permId: number
  account: string
  contract: ContractMention
  status: string
  completedStatus: string
  completedTime: string
  filled: Decimal | undefined
}

export type BrokerPosition = {
  contract: ContractMention
  quantity: Decimal
  averageCost: Decimal
  marketPrice: Decimal | undefined
  marketValue: Decimal | undefined
  unrealizedProfit: Decimal | undefined
  realizedProfit: Decimal | undefined
}

/** All questions of a reconcile, each answered to its end marker. An answer that did not come is an error, never an empty list. */
export type BrokerSnapshot = {
  account: string
  /** ISO market time at which the last answer was complete. */
  takenAt: string
  executions: readonly Execution[]
  commissions: readonly CommissionReport[]
  openOrders: readonly OrderSighting[]
  completedOrders: readonly CompletedOrder[]
  positions: readonly BrokerPosition[]
  values: {
    baseCurrency: string | undefined
    netLiquidation: Decimal | undefined
    availableFunds: Decimal | undefined
    grossPositionValue: Decimal | undefined
    /** Cash by currency. */
    cash: Readonly<Record<string, Decimal>>
    /** Base units for one unit of the currency. */
    exchangeRates: Readonly<Record<string, Decimal>>
    /** Every value as the broker gives it, in its order. */
    all: readonly AccountValue[]
  }
}

/**
 * Where the session stands. `connecting` until the handshake is complete; `syncing` until a snapshot that began after it is complete, and again
 * after each doubt; `ready`; `degraded` while the gateway has lost the broker. Orders, cancels and data requests go out in `ready` alone.
 */
export type SessionPhase = 'down' | 'connecting' | 'syncing' | 'ready' | 'degraded' | 'closed'

/** What the broker says of its own accord, in the order it said it. */
export type BrokerReport =
  | { kind: 'connected'; managedAccounts: readonly string[]; nextValidId: number; serverVersion: number }
  | { kind: 'lost'; reason: string }
  /** The line between gateway and IB: `down` (1100, 2110) stops hand-over; `up` asks for a fresh look at everything. */
  | { kind: 'link'; state: 'down' | 'up'; reason: string }
  | { kind: 'order'; sighting: OrderSighting }
  | { kind: 'execution'; execution: Execution }
  | { kind: 'commission'; commission: CommissionReport }
  /** A message about one order id: rejection (201), cancel (202), warning (399) … `final` by the table of IB's codes. */
  | { kind: 'orderMessage'; orderId: number; code: number; text: string; meaning: 'rejected' | 'cancelled' | 'warning' | 'cancelRefused' }
  | { kind: 'notice'; code: number; text: string }
  /** The session's own state. `tell`: why it is not ready, once when that is known and again when it lasts. `ordersHeld`: why new orders wait though the line stands. */
  | { kind: 'session'; phase: SessionPhase; text: string; tell: boolean; ordersHeld: string | undefined }

export type HistoricalBar = { start: string; open: number; high: number; low: number; close: number; volume: number }

export type HistoryRequest = {
  contract: { conId: number; symbol: string; secType: string; exchange: string; currency: string }
  /** IB's words: `1 day`, `30 mins`. */
  size: string
  /** IB's words: `2 Y`, `5 D`. */
  duration: string
  whatToShow: string
  regularHoursOnly: boolean
  /** ISO time up to which bars are asked for; until now where it is absent. Adjusted prices are only given until now. */
  end?: string
}

/** Why a question to the broker has no answer. `notReady`, `timedOut` and `lost` pass; `refused` is the broker's own no. */
export class BrokerUnavailable extends Error {
  override name = 'BrokerUnavailable'
  readonly why: 'notReady' | 'timedOut' | 'lost' | 'refused'
  readonly code: number | undefined
  constructor(why: BrokerUnavailable['why'], message: string, code?: number) {
    super(message)
    this.why = why
    this.code = code
  }
}

/**
 * The price of a contract as the broker shows it now: what was traded last, else the middle of bid and ask. `at`: ISO market time of the
 * answer; of a delayed one a quarter of an hour before.
 */
export type BrokerQuote = { conId: number; price: Decimal; at: string; delayed: boolean }

/** One connection to one IB login at a time; a fresh one after each loss. Reports come from the same line as answers, so order is kept. */
export interface Broker {
  /** Starts to connect and keeps connecting, with back-off, until closed. Reports arrive at `listener`. */
  start(listener: (report: BrokerReport) => void): void
  /** True while a connection stands and its handshake is complete. */
  connected(): boolean
  /** Writes the order to the line, at once or not at all. @throws BrokerUnavailable unless the session is ready and orders are not held */
  place(ticket: OrderTicket): void
  /**
   * What the order would take if it were placed; nothing is placed. It uses up the ticket's order id, which must lie under those of all
   * orders still to be placed. @throws BrokerUnavailable also when the broker would refuse the order
   */
  whatIf(ticket: OrderTicket): Promise<Preview>
  /** Asks for a cancel. The answer comes as reports. @throws BrokerUnavailable unless the session is ready */
  cancel(orderId: number): void
  /** The first one that began after a connect, or after the last doubt, makes the session ready. @throws BrokerUnavailable */
  snapshot(account: string): Promise<BrokerSnapshot>
  /** Every contract that matches; with a conId that one, whatever exchange it trades on. None is an empty list. @throws BrokerUnavailable */
  contracts(query: {
    conId?: number
    symbol: string
    secType: string
    exchange: string
    currency: string
    primaryExchange?: string
  }): Promise<Contract[]>
  /** Bars, oldest first; the running bar, if the broker sends it, is included: the caller drops what is not closed. @throws BrokerUnavailable */
  bars(request: HistoryRequest): Promise<HistoricalBar[]>
  /** One each that has a price now: not what is not permitted, frozen, halted, or not told in time. @throws BrokerUnavailable without a line */
  quotes(contracts: readonly HistoryRequest['contract'][]): Promise<BrokerQuote[]>
  /** The broker's clock, ISO. Also the proof that all that was sent before has arrived. @throws BrokerUnavailable */
  currentTime(): Promise<string>
  /** Ends the connection for good; no new one is made. */
  close(reason: string): Promise<void>
}
