/** The library's events that we listen to, with what each brings (as its `IBApi.on` declares them). */
import type { CommissionReport, Contract, ContractDetails, EventName, Execution, Order, OrderState, PriceIncrement } from '@stoqey/ib'

export type Events = {
  [EventName.received]: [tokens: string[]]
  [EventName.connected]: []
  [EventName.disconnected]: []
  [EventName.info]: [text: string, code: number]
  [EventName.error]: [error: Error, code: number, id: number]
  [EventName.managedAccounts]: [list: string]
  [EventName.nextValidId]: [orderId: number]
  [EventName.currentTime]: [seconds: number]
  [EventName.openOrder]: [orderId: number, contract: Contract, order: Order, state: OrderState]
  [EventName.orderStatus]: [
    orderId: number,
    status: string,
    filled: number | undefined,
    remaining: number | undefined,
    averagePrice: number | undefined,
    permId: number | undefined,
    parentId: number | undefined,
    lastPrice: number | undefined,
    clientId: number | undefined,
  ]
  [EventName.openOrderEnd]: []
  [EventName.execDetails]: [requestId: number, contract: Contract, execution: Execution]
  [EventName.execDetailsEnd]: [requestId: number]
  [EventName.commissionReport]: [report: CommissionReport]
  [EventName.completedOrder]: [contract: Contract, order: Order, state: OrderState]
  [EventName.completedOrdersEnd]: []
  [EventName.position]: [account: string, contract: Contract, quantity: number | undefined, averageCost: number | undefined]
  [EventName.positionEnd]: []
  [EventName.updateAccountValue]: [key: string, value: string, currency: string, account: string]
  [EventName.updatePortfolio]: [
    contract: Contract,
    quantity: number | undefined,
    marketPrice: number | undefined,
    marketValue: number | undefined,
    averageCost: number | undefined,
    unrealizedProfit: number | undefined,
    realizedProfit: number | undefined,
    account: string | undefined,
  ]
  [EventName.accountDownloadEnd]: [account: string]
  [EventName.contractDetails]: [requestId: number, details: ContractDetails]
  [EventName.contractDetailsEnd]: [requestId: number]
  [EventName.marketRule]: [rule: number, steps: PriceIncrement[]]
  [EventName.historicalData]: [
    requestId: number,
    date: string,
    open: number,
    high: number,
    low: number,
    close: number,
    volume: number | undefined,
  ]
  [EventName.tickPrice]: [requestId: number, field: number, price: number | undefined]
  [EventName.marketDataType]: [requestId: number, type: number]
  [EventName.tickSnapshotEnd]: [requestId: number]
}

export type Listen = <Name extends keyof Events>(event: Name, listener: (...values: Events[Name]) => void) => void
