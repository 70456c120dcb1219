/** Broker and bus of an engine that a test holds in its hand. */
import { sessions } from '../../domain/calendar.ts'
import type { Broker, BrokerReport, OrderTicket } from '../../domain/ports/broker.ts'
import type { Bus, Delivery } from '../../domain/ports/bus.ts'

/** 10:00 in New York on a Tuesday. */
export const now = '2024-01-09T15:00:00.000Z'
export const contract = {
  ...{ conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', primaryExchange: 'ARCA', currency: 'USD', localSymbol: 'SPY' },
  ...{ multiplier: '1', sizeStep: '1', minTick: '0.01' },
}
export const bars = sessions('2024-01-02', '2024-01-08').map(({ date }) => ({
  start: date,
  open: 100,
  high: 101,
  low: 99,
  close: 100,
  volume: 1000,
}))
export const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** A broker that takes all, shows what it took as open orders, and fills nothing. A test may replace any of its answers. */
export const createBroker = (managedAccounts = ['DU1']) => {
  const placed: OrderTicket[] = []
  const cancelled: number[] = []
  let listener: (report: BrokerReport) => void = () => {}
  let up = false
  const broker: Broker = {
    start: (listen) => {
      listener = listen
      up = true
      listen({ kind: 'connected', managedAccounts, nextValidId: 1, serverVersion: 193 })
    },
    connected: () => up,
    place: (ticket) => void placed.push(ticket),
    whatIf: async () => ({
      ...{ initialMarginChange: '0', initialMarginAfter: '0', equityAfter: '100000', availableFundsAfter: '100000' },
      ...{ commission: undefined, warning: undefined },
    }),
    cancel: (orderId) => {
      if (!up) throw new Error('no line')
      cancelled.push(orderId)
    },
    snapshot: async (account) => ({
      ...{ account, takenAt: now, executions: [], commissions: [], completedOrders: [], positions: [] },
      openOrders: placed.map(({ orderRef, orderId }) => ({
        ...{
          orderRef,
          orderId,
          clientId: 7,
          permId: orderId + 1000,
          account,
          contract,
          status: 'Submitted',
          filled: undefined,
          remaining: undefined,
        },
      })),
      values: {
        ...{ baseCurrency: 'USD', netLiquidation: '100000', availableFunds: '100000', grossPositionValue: '0' },
        ...{ cash: { USD: '100000' }, exchangeRates: { USD: '1' }, all: [] },
      },
    }),
    contracts: async () => [contract],
    bars: async () => bars,
    quotes: async () => [],
    currentTime: async () => now,
    close: async () => {
      up = false
    },
  }
  const report = (heard: BrokerReport) => {
    up = heard.kind === 'connected' ? true : heard.kind === 'lost' ? false : up
    listener(heard)
  }
  return { broker, placed, cancelled, report }
}

/** A bus that delivers what the test gives it, and remembers how each delivery ended. */
export const createBus = () => {
  const consumers = new Map<string, (delivery: Delivery) => void>()
  const ends: { id: string; end: string }[] = []
  let count = 0
  const bus: Bus = {
    publish: async () => 'unused',
    subscribe: (subscription, consume) => {
      consumers.set(subscription, consume)
      return { close: async () => void consumers.delete(subscription) }
    },
    deadLetters: async () => [],
    onDeadLetter: () => ({ close: async () => undefined }),
    discard: async () => false,
    nextDueAt: async () => undefined,
    idle: async () => true,
    reachable: async () => undefined,
  }
  const deliver = (subscription: string, type: string, body: object = {}, id = `${type}-${++count}`, publishedAt = now) => {
    const end = (how: string) => async () => void ends.push({ id, end: how })
    const message = { id: `m${count}`, data: JSON.stringify(body), attributes: { type, id }, publishedAt, attempt: 1 }
    consumers.get(subscription)?.({ ...message, ack: end('ack'), nack: end('nack'), deadLetter: end('dead') })
  }
  return { bus, deliver, ends }
}
