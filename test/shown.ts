/** What a broker shows, and what an intent that looks at it afresh decides: `deciding(handler, shows({ … }))(ledger)`. */
import { decode } from '../domain/decode.ts'
import { isRefusal } from '../domain/errors.ts'
import type { DomainEvent } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { BrokerPosition, BrokerSnapshot, ContractMention, Execution, OrderSighting } from '../domain/ports/broker.ts'
import type { EngineFacts, Handler } from '../handlers/handler.ts'
import { SPY, tuesday } from './given.ts'

export const account = 'DU1234567'
export const spy: ContractMention = { conId: SPY.conId, symbol: 'SPY', secType: 'STK', currency: 'USD' }
export const apple: ContractMention = { conId: 265598, symbol: 'AAPL', secType: 'STK', currency: 'USD' }
export const euro: ContractMention = { conId: 12087792, symbol: 'EUR', secType: 'CASH', currency: 'USD' }
export const yen: ContractMention = { conId: 15016059, symbol: 'USD', secType: 'CASH', currency: 'JPY' }

/** 100 000 USD and nothing else, unless told otherwise. */
export const shows = (
  parts: Partial<Omit<BrokerSnapshot, 'values'>> & { values?: Partial<BrokerSnapshot['values']> } = {},
): BrokerSnapshot => ({
  ...{ account, takenAt: tuesday, executions: [], commissions: [], openOrders: [], completedOrders: [], positions: [] },
  ...parts,
  values: {
    ...{ baseCurrency: 'USD', netLiquidation: '100000', availableFunds: '90000', grossPositionValue: '0' },
    ...{ cash: { USD: '100000' }, exchangeRates: { USD: '1' }, all: [] },
    ...parts.values,
  },
})

export const held = (contract: ContractMention, quantity: string, more: Partial<BrokerPosition> = {}): BrokerPosition => ({
  ...{ contract, quantity, averageCost: '100' },
  ...{ marketPrice: undefined, marketValue: undefined, unrealizedProfit: undefined, realizedProfit: undefined },
  ...more,
})

export const executed = (executionId: string, contract: ContractMention, quantity: string, more: Partial<Execution> = {}): Execution => ({
  ...{ executionId, orderRef: '', orderId: 0, clientId: 0, permId: 0, account, contract, quantity, price: '100', time: tuesday },
  ...more,
})

export const sighted = (orderRef: string, contract: ContractMention, more: Partial<OrderSighting> = {}): OrderSighting => ({
  ...{ orderRef, orderId: 1, clientId: 7, permId: 70, account, contract, status: 'Submitted', filled: '0', remaining: undefined },
  ...more,
})

type Asked = { body?: object; id?: string; engine?: Partial<EngineFacts>; now?: string; facts?: object }

/** The decision of a handler on a snapshot that was asked for at the ledger's position; a refusal as its code and text. */
export const deciding =
  (handler: Handler, snapshot: BrokerSnapshot, { body = {}, id = 'c1', engine = {}, now = tuesday, facts = {} }: Asked = {}) =>
  (ledger: Ledger): DomainEvent[] | string => {
    const decoded = decode(handler.body, body)
    if (!decoded.ok) return `BODY_INVALID ${decoded.problem}`
    const decided = handler.decide({
      ledger,
      command: { id, type: 'test', publishedAt: now, source: 'test', body: decoded.value },
      facts: { asked: ledger.position, snapshot, ...facts },
      now: Date.parse(now),
      engine: { ready: true, notHandedOver: [], said: {}, strategies: {}, validUntil: null, endsBy: now, ...engine },
    })
    return isRefusal(decided) ? `${decided.refusal} ${decided.text}` : decided
  }

/** @throws Error when it was refused */
export const events = (decided: DomainEvent[] | string): DomainEvent[] => {
  if (typeof decided === 'string') throw new Error(decided)
  return decided
}
