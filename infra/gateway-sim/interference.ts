/** What meets a request between the socket and the broker. */
import type { Broker } from './broker.ts'
import type { Client } from './client.ts'
import * as messages from './messages.ts'
import type { Misbehaviour } from './misbehaviour.ts'
import { notCancellable } from './order-desk.ts'
import { noPermission, type Rejection, readOnly, rejected } from './rejections.ts'
import type { Request, RequestName } from './requests.ts'

export type Interference = {
  /** Whether the request has met its end here; with what is to be told, it has been told. */
  stops: (client: Client, request: Request) => boolean
  /** Requests whose answer waited. */
  takeKept: () => { client: Client; request: Request }[]
}

/** Without a line to IB the gateway itself still answers these. */
const answeredLocally: readonly RequestName[] = ['reqIds', 'reqManagedAccts', 'reqCurrentTime']

export const createInterference = (broker: Broker, misbehaviour: Misbehaviour): Interference => {
  let kept: { client: Client; request: Request }[] = []

  const refuse = ({ connection }: Client, id: number, { code, text, advanced }: Rejection): void =>
    connection.send(messages.error(id, code, text, advanced))

  /** Whether an order meets its end before the broker sees it. */
  const stopsOrder = (client: Client, { orderId, order }: Extract<Request, { kind: 'placeOrder' }>): boolean => {
    const { drop } = misbehaviour
    if (drop?.when === 'onOrder' && (drop.clientId ?? client.id) === client.id) {
      delete misbehaviour.drop
      client.connection.breakOff(false)
      return true
    }
    if (misbehaviour.swallowOrders > 0) {
      misbehaviour.swallowOrders -= 1
      return true
    }
    const rejection =
      misbehaviour.rejectOrders.shift() ??
      (misbehaviour.linkDown ? rejected('no connection to the servers of IB') : undefined) ??
      (misbehaviour.readOnly ? readOnly : undefined) ??
      (misbehaviour.withoutPermission.includes(order.attributes['symbol'] ?? '') ? noPermission : undefined)
    if (rejection) refuse(client, orderId, rejection)
    return rejection !== undefined
  }

  /** Whoever asks again while the first wish is still on its way is told so. */
  const keepCancel = (client: Client, orderId: number): void => {
    const order = broker.book.order(client.id, orderId)
    const isKept = misbehaviour.keptCancels.some((cancel) => cancel.clientId === client.id && cancel.orderId === orderId)
    if (isKept && order) refuse(client, orderId, notCancellable(order))
    else misbehaviour.keptCancels.push({ clientId: client.id, orderId })
  }

  const stopsCancel = (client: Client, request: Request): boolean => {
    if (request.kind !== 'cancelOrder' && request.kind !== 'reqGlobalCancel') return false
    if (misbehaviour.readOnly) refuse(client, request.kind === 'cancelOrder' ? request.orderId : -1, readOnly)
    else if (misbehaviour.cancelsStay && request.kind === 'cancelOrder') keepCancel(client, request.orderId)
    else return false
    return true
  }

  /** Nobody is there who could answer. */
  const isUnanswered = ({ kind }: Request): boolean =>
    (misbehaviour.linkDown && !answeredLocally.includes(kind)) ||
    (misbehaviour.farmsDown.includes('history') && (kind === 'reqHistoricalData' || kind === 'reqHeadTimestamp')) ||
    (misbehaviour.farmsDown.includes('definitions') && (kind === 'reqContractDetails' || kind === 'reqMatchingSymbols'))

  const stops: Interference['stops'] = (client, request) => {
    if (misbehaviour.hang.includes(request.kind)) return true
    if (misbehaviour.answerLate.includes(request.kind)) {
      kept.push({ client, request })
      return true
    }
    if (request.kind === 'placeOrder' && stopsOrder(client, request)) return true
    return stopsCancel(client, request) || isUnanswered(request)
  }

  return {
    stops,
    takeKept: () => {
      const ready = kept.filter(({ request }) => !misbehaviour.answerLate.includes(request.kind))
      kept = kept.filter((entry) => !ready.includes(entry))
      return ready
    },
  }
}
