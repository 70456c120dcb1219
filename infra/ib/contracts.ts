/** Contracts and orders: ours into the broker's words and back. */
import type { ContractDetails, Contract as IbContract, Order as IbOrder, OrderAction, OrderType, SecType } from '@stoqey/ib'
import { toNumber } from '../../domain/decimal.ts'
import type { Contract, ContractMention, OrderTicket } from '../../domain/ports/broker.ts'
import { brokerTime, magnitude, needed } from './fields.ts'
import { tradingHoursOf } from './trading-hours.ts'

/** The few fields that name a contract. With a conId the rest is only there to be read by people and by order routing. */
export const contractToAsk = (contract: {
  conId?: number
  symbol: string
  secType: string
  exchange: string
  currency: string
  primaryExchange?: string
}): IbContract => ({
  ...(contract.conId === undefined ? {} : { conId: contract.conId }),
  symbol: contract.symbol,
  secType: contract.secType as SecType,
  exchange: contract.exchange,
  currency: contract.currency,
  ...(contract.primaryExchange === undefined ? {} : { primaryExch: contract.primaryExchange }),
})

/** @throws RangeError when the broker left out what tells contracts apart */
export const mention = (contract: IbContract): ContractMention => ({
  conId: needed(contract.conId, 'contract id'),
  symbol: contract.symbol ?? '',
  secType: contract.secType ?? '',
  currency: contract.currency ?? '',
})

/** @throws RangeError without a contract id, tick or size step: an order could not be made from it */
export const contractOf = (details: ContractDetails): Contract => {
  const { contract, minTick, sizeIncrement, minSize } = details
  const hours = tradingHoursOf(details)
  const positive = (value: number | undefined) => (value !== undefined && value > 0 ? magnitude(value) : undefined)
  return {
    ...mention(contract),
    exchange: contract.exchange ?? '',
    primaryExchange: contract.primaryExch ?? '',
    localSymbol: contract.localSymbol ?? '',
    multiplier: positive(contract.multiplier) ?? '1',
    sizeStep: needed(positive(sizeIncrement) ?? positive(minSize), `size step of ${contract.symbol}`),
    minTick: needed(positive(minTick), `tick of ${contract.symbol}`),
    ...(hours === undefined ? {} : { hours }),
  }
}

export type ContractRow = { contract: Contract; marketRule: number | undefined }

/** The market rule is that of the exchange to which the order goes; the lists of both stand side by side. */
export const contractRowOf = (details: ContractDetails): ContractRow => {
  const exchanges = (details.validExchanges ?? '').split(',')
  const rule = (details.marketRuleIds ?? '').split(',')[exchanges.indexOf(details.contract.exchange ?? '')]
  return { contract: contractOf(details), marketRule: rule === undefined || rule === '' ? undefined : Number(rule) }
}

/** Always transmitted: the library sends an unset `transmit` as "hold it back". */
export const orderOf = (ticket: OrderTicket): IbOrder => ({
  action: ticket.action as OrderAction,
  totalQuantity: toNumber(ticket.quantity),
  orderType: ticket.type as OrderType,
  ...(ticket.limitPrice === undefined ? {} : { lmtPrice: toNumber(ticket.limitPrice) }),
  tif: ticket.timeInForce,
  account: ticket.account,
  orderRef: ticket.orderRef,
  outsideRth: ticket.outsideRegularHours,
  ...(ticket.goodAfter === undefined ? {} : { goodAfterTime: brokerTime(ticket.goodAfter) }),
  ...(ticket.goodTill === undefined ? {} : { goodTillDate: brokerTime(ticket.goodTill) }),
  transmit: true,
  ...(ticket.algo === undefined
    ? {}
    : {
        algoStrategy: ticket.algo.strategy,
        algoParams: Object.entries(ticket.algo.parameters).map(([tag, value]) => ({ tag, value })),
      }),
})
