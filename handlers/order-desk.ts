/**
 * The order desk: hands planned orders to the socket, asks for cancels, and turns what the broker says into commits.
 * Nothing is ever sent a second time: an order leaves the outbox when it is handed over, and only a new decision orders again.
 */

import { absolute, sign } from '../domain/decimal.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { type Ledger, openOrders } from '../domain/ledger.ts'
import type { Order } from '../domain/order.ts'
import type { Broker, BrokerReport, OrderTicket } from '../domain/ports/broker.ts'
import { type Draft, draftOf, recordCommission, recordExecution, recordRejection, recordSighting, saysEnded } from '../domain/reports.ts'
import type { EngineFacts } from './handler.ts'
import { type Judgement, judgeFailure, judgePreview } from './order-preview.ts'
import { aboutOrder, requestOf } from './telling.ts'
import type { Committed, Log, Writer } from './writer.ts'

export const ticketFor = (order: Order): OrderTicket => ({
  orderRef: order.orderRef,
  orderId: order.orderId,
  account: order.account,
  contract: { conId: order.conId, symbol: order.symbol, secType: order.secType, exchange: order.exchange, currency: order.currency },
  action: sign(order.quantity) > 0 ? 'BUY' : 'SELL',
  quantity: absolute(order.quantity),
  type: order.type,
  ...(order.limitPrice === null ? {} : { limitPrice: order.limitPrice }),
  timeInForce: order.timeInForce,
  outsideRegularHours: order.outsideRegularHours,
  ...(order.goodAfter === null ? {} : { goodAfter: order.goodAfter }),
  ...(order.goodTill === null ? {} : { goodTill: order.goodTill }),
  ...(order.algo === null ? {} : { algo: order.algo }),
})

/** What the broker says about orders, executions and commissions. */
export type DeskReport = Exclude<BrokerReport, { kind: 'connected' | 'lost' | 'link' | 'notice' | 'session' }>

/** With more than so many waiting, they may be committed together. */
const manyReports = 32

type Said = EngineFacts['said'][string] & { sequence: number }

export type OrderDesk = {
  /** After a commit: takes up its orders and cancels, then hands over what may go. */
  take(committed: Committed): void
  /** Hands over what waits in the outbox, if it may go now; withdraws what may not. */
  handOver(): void
  /** Asks again for every cancel that is still open: after a connect nobody knows whether it arrived. */
  cancelAgain(): void
  notHandedOver(): string[]
  /** Counts what the broker said; pass it to `said` to leave out what was said later. */
  sequence(): number
  said(until: number): EngineFacts['said']
  /** Queues one report. One report is one commit, unless many wait and may go together. */
  hear(report: DeskReport): void
}

export const createOrderDesk = ({
  ledger,
  broker,
  writer,
  log,
  reportsTogether,
  mayHandOver,
  ask,
}: {
  ledger: Readonly<Ledger>
  broker: Broker
  writer: Writer
  log: Log
  reportsTogether: boolean
  /** `wait`: a halt is about to be decided, or the gateway is about to restart. A text: it may not go, and will not later either. */
  mayHandOver: (order: Order) => 'yes' | 'wait' | { not: string }
  /** Asks the broker for everything once more. */
  ask: (reason: string) => void
}): OrderDesk => {
  const outbox = new Set<string>()
  /** What the broker said that an increase would take, by order ref. */
  const previews = new Map<string, 'asking' | 'granted' | 'denied'>()
  const waiting: DeskReport[] = []
  const said = new Map<string, Said>()
  let sequence = 0

  const withdraw = (refs: readonly string[], why: string): void => {
    void writer.enqueue(async () => {
      const events = refs.flatMap((orderRef) => {
        const order = ledger.orders[orderRef]
        if (order === undefined || order.status !== 'planned' || !outbox.has(orderRef)) return []
        return [event('OrderClosed', { orderRef, how: 'withdrawn', filled: order.filled, text: `not handed over: ${why}` })]
      })
      // Out of hand before it is written: nothing that is being withdrawn may be handed over while the append takes its time.
      for (const { data } of events) outOfHand(data.orderRef)
      if (events.length > 0) await writer.commit({ kind: 'engine', reason: 'withdrawn' }, events)
    })
  }

  const outOfHand = (orderRef: string): void => {
    outbox.delete(orderRef)
    previews.delete(orderRef)
  }

  const heard = (orderRef: string, judgement: Judgement): void => {
    if (!outbox.has(orderRef)) return
    if (judgement.may) {
      previews.set(orderRef, 'granted')
      // In the queue, as all that changes the outbox.
      void writer.enqueue(handOver)
      return
    }
    const isAsked = (waiting: string) => ledger.orders[waiting]?.previewId != null && previews.get(waiting) !== 'granted'
    const refs = judgement.others ? [...outbox].filter(isAsked) : [orderRef]
    for (const ref of refs) previews.set(ref, 'denied')
    log.warn(aboutOrder(ledger, orderRef), judgement.why)
    withdraw(refs, judgement.why)
  }

  /** Whether the broker was asked what the order would take, and has granted it. What comes after has higher order ids, and waits. */
  const isGranted = (order: Order): 'granted' | 'asking' | 'denied' => {
    const { orderRef, previewId } = order
    if (previewId === null) return 'granted'
    const known = previews.get(orderRef)
    if (known !== undefined) return known
    previews.set(orderRef, 'asking')
    broker.whatIf({ ...ticketFor(order), orderId: previewId }).then(
      (preview) => heard(orderRef, judgePreview(preview)),
      (error: unknown) => heard(orderRef, judgeFailure(error)),
    )
    return 'asking'
  }

  /** One synchronous step: the checks and the socket, with nothing in between. */
  const handOver = (): void => {
    const refused = new Map<string, string[]>()
    for (const orderRef of outbox) {
      const order = ledger.orders[orderRef]
      if (order === undefined || order.status !== 'planned' || order.epoch !== ledger.epoch) {
        outOfHand(orderRef)
        continue
      }
      const may = mayHandOver(order)
      if (may === 'wait') continue
      if (may !== 'yes') {
        refused.set(may.not, [...(refused.get(may.not) ?? []), orderRef])
        continue
      }
      const preview = isGranted(order)
      if (preview === 'asking') break
      if (preview === 'denied') continue
      try {
        broker.place(ticketFor(order))
        outOfHand(orderRef)
      } catch (error) {
        log.warn(aboutOrder(ledger, orderRef), `the order could not be handed over: ${(error as Error).message}`)
        withdraw([orderRef], (error as Error).message)
      }
    }
    for (const [why, refs] of refused) withdraw(refs, why)
  }

  const cancel = (orderRef: string): void => {
    const order = ledger.orders[orderRef]
    if (order === undefined || order.status === 'closed') return
    try {
      broker.cancel(order.orderId)
    } catch (error) {
      log.warn(
        aboutOrder(ledger, orderRef),
        `the cancel could not be sent, it is sent again after the next connect: ${(error as Error).message}`,
      )
    }
  }

  /** An end that the broker announced is believed after it was asked for; the announcement is kept until then. */
  const announce = (order: Order | undefined, end: Omit<Said, 'sequence'>): void => {
    if (order === undefined || order.status === 'closed' || said.has(order.orderRef)) return
    said.set(order.orderRef, { ...end, sequence })
    ask(`${order.orderRef} was reported as ${end.how}`)
  }
  const byId = (orderId: number): Order | undefined => Object.values(ledger.orders).find((order) => order.orderId === orderId)

  const eventsOf = (draft: Draft, report: DeskReport): DomainEvent[] => {
    switch (report.kind) {
      case 'order':
        return recordSighting(draft, report.sighting)
      case 'execution':
        return recordExecution(draft, report.execution)
      case 'commission':
        return recordCommission(draft, report.commission)
      case 'orderMessage':
        return report.meaning === 'rejected' ? recordRejection(draft, report) : []
    }
  }

  const follow = (report: DeskReport): void => {
    if (report.kind === 'order' && saysEnded(report.sighting.status)) {
      const { orderRef, status } = report.sighting
      announce(orderRef === undefined ? undefined : ledger.orders[orderRef], { how: 'cancelled', text: `the broker says ${status}` })
    }
    if (report.kind !== 'orderMessage') return
    const { orderId, code, text, meaning } = report
    const order = byId(orderId)
    if (meaning === 'rejected' || meaning === 'cancelled') announce(order, { how: meaning, text, code })
    else if (meaning === 'cancelRefused' && order !== undefined) ask(`the cancel of ${order.orderRef} was refused (${code})`)
    if (order !== undefined) log.warn({ ...aboutOrder(ledger, order.orderRef), code }, text)
  }

  const record = async (): Promise<void> => {
    const reports = waiting.splice(0, reportsTogether && waiting.length > manyReports ? waiting.length : 1)
    const [first] = reports
    if (first === undefined) return // taken together with an earlier one
    sequence += reports.length
    const draft = draftOf(ledger)
    const events = reports.flatMap((report) => eventsOf(draft, report))
    if (events.length > 0)
      await writer.commit(
        { kind: 'broker', report: reports.length === 1 ? first.kind : `${reports.length} reports`, ...requestOf(ledger, events) },
        events,
      )
    for (const report of reports) follow(report)
  }

  return {
    take: ({ events }) => {
      for (const { type, data } of events) {
        if (type === 'OrderPlanned') outbox.add(data.orderRef)
        if (type === 'OrderCancelRequested') cancel(data.orderRef)
        if (type === 'OrderClosed') {
          outOfHand(data.orderRef)
          said.delete(data.orderRef)
        }
      }
      handOver()
    },
    handOver,
    cancelAgain: () => {
      for (const order of openOrders(ledger)) if (order.cancelRequested) cancel(order.orderRef)
    },
    notHandedOver: () => [...outbox],
    sequence: () => sequence,
    said: (until) =>
      Object.fromEntries(
        [...said].filter(([, end]) => end.sequence <= until).map(([orderRef, { sequence: _, ...end }]) => [orderRef, end]),
      ),
    hear: (report) => {
      waiting.push(report)
      void writer.enqueue(record)
    },
  }
}
