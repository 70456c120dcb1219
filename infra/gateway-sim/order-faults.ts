/** What goes wrong with orders, executions and positions. */
import * as t from 'io-ts'
import type { Broker } from './broker.ts'
import { accountName, FaultRefused, fault, lasting, oneOf, positive, type Row, signed, whole, withNames } from './fault-row.ts'
import * as messages from './messages.ts'

const tradedListing = (broker: Broker, symbol: string) => {
  const listing = broker.universe.traded(symbol)
  if (!listing) throw new FaultRefused(`symbol: there is no contract ${JSON.stringify(symbol)}`)
  return listing
}

const accountOf = (broker: Broker, account: string | undefined): Broker => (account === undefined ? broker : broker.ofAccount(account))

const priceNow = (broker: Broker, listing: ReturnType<typeof tradedListing>): number => {
  const price = broker.trading.priceOf({ listing })
  if (price === 0) throw new FaultRefused(`price: needed, there is none known for ${listing.symbol}`)
  return price
}

const workingOrder = ({ book }: Broker, orderRef: string) => {
  const order = book.working().find((order) => order.orderRef === orderRef)
  if (!order) throw new FaultRefused(`orderRef: no order with ref ${JSON.stringify(orderRef)} works`)
  return order
}

const refusals: Readonly<Record<string, Row>> = {
  swallowOrder: fault('The next orders (1) vanish without a word and leave no trace.', {}, { count: whole }, ({ count }, { server }) => {
    server.misbehaviour.swallowOrders += count ?? 1
  }),
  rejectNext: fault(
    'The next order is answered with this error and not taken.',
    { code: whole, text: t.string },
    { advanced: t.UnknownRecord },
    ({ code, text, advanced }, { server }) => {
      server.misbehaviour.rejectOrders.push({ code, text, ...(advanced === undefined ? {} : { advanced: JSON.stringify(advanced) }) })
    },
  ),
  deactivate: fault(
    'A working order is put aside: Inactive, with an error (201) that says why. It trades no more and can be cancelled.',
    { orderRef: t.string },
    { code: whole, text: t.string },
    ({ orderRef, code = 201, text = 'Order rejected - reason:' }, { broker, server }) => {
      const order = workingOrder(broker, orderRef)
      order.status = 'Inactive'
      server.report({ kind: 'order', order })
      server.report({ kind: 'error', clientId: order.clientId, id: order.orderId, code, text })
    },
  ),
  readOnly: lasting('While on, the API places and cancels nothing: 321.', {}, {}, (on, _, { server }) => {
    server.misbehaviour.readOnly = on
  }),
  noPermission: lasting(
    'While on, orders of that symbol are answered with 460.',
    { symbol: t.string },
    {},
    (on, { symbol }, { server: { misbehaviour } }) => {
      misbehaviour.withoutPermission = withNames(misbehaviour.withoutPermission, [symbol], on)
    },
  ),
  cancelStays: lasting('While on, requests to cancel are kept; off carries them out.', {}, {}, (on, _, { broker, server }) => {
    server.misbehaviour.cancelsStay = on
    const kept = on ? [] : server.misbehaviour.keptCancels.splice(0)
    for (const { clientId, orderId } of kept) broker.cancel(clientId, orderId)
  }),
  cancelledButFilled: fault(
    'The working order with that ref, else the next one that is acknowledged, is told as cancelled (202), and works on and fills. With silent only its executions are told from then on.',
    {},
    { orderRef: t.string, code: whole, text: t.string, silent: t.boolean },
    ({ orderRef, code = 202, text = 'Order Canceled - reason:', silent = false }, { broker, server }) => {
      const order = orderRef === undefined ? undefined : broker.book.working().find((order) => order.orderRef === orderRef)
      const falseCancel = { code, text, silent, ...(orderRef === undefined ? {} : { orderRef }) }
      if (order) server.tellCancelled(order, falseCancel)
      else server.misbehaviour.falseCancels.push(falseCancel)
    },
  ),
  unknownOrder: fault(
    'Tells a status of an order that nobody placed: of that id, to that client, or to all.',
    { orderId: whole },
    { clientId: whole, status: t.string },
    ({ orderId, clientId, status = 'Submitted' }, { broker, server }) => {
      const permId = broker.book.nextPermId()
      for (const { id, connection } of server.clients())
        if (clientId === undefined || clientId === id) connection.send(messages.strangeStatus(orderId, status, permId, id))
    },
  ),
}

const executions: Readonly<Record<string, Row>> = {
  partialFill: fault(
    'Fills a part: of the working order with that ref at once; else, or without a ref, of the next order that would trade. The rest waits for the next half hour.',
    { quantity: positive },
    { orderRef: t.string, price: positive },
    ({ quantity, orderRef, price }, { broker }) =>
      broker.fillPartly({ quantity, ...(orderRef === undefined ? {} : { orderRef }), ...(price === undefined ? {} : { price }) }),
  ),
  lateExecutions: lasting(
    'While on, orders fill but their executions and commissions are held back, from those who ask as well; off tells them.',
    {},
    {},
    (on, _, { broker }) => broker.trading.holdExecutions(on),
  ),
  executionsFirst: lasting('While on, the status of a fill comes after its execution and commission.', {}, {}, (on, _, { server }) => {
    server.misbehaviour.executionsFirst = on
  }),
  commissions: lasting(
    'While on, commissions come before their executions (first), when it is off (late), never, or as 1.79e308 (unset).',
    { when: oneOf(['first', 'late', 'never', 'unset']) },
    {},
    (on, { when }, { server: { misbehaviour } }) => {
      delete misbehaviour.commissions
      if (on && (when === 'first' || when === 'unset')) misbehaviour.commissions = when
      misbehaviour.hold = withNames(misbehaviour.hold, ['commissionReport'], on && when === 'late')
      const others = misbehaviour.lose.filter(({ message }) => message !== 'commissionReport')
      misbehaviour.lose = on && when === 'never' ? [...others, { message: 'commissionReport' }] : others
    },
  ),
  handTrade: fault(
    'A trade by hand, signed quantity: an execution with client id 0, order id 0 and no ref of an order of the API; with clientId and orderId one of an order that was never placed; with account in another account of the login.',
    { symbol: t.string, quantity: signed },
    { price: positive, orderRef: t.string, clientId: whole, orderId: whole, account: accountName },
    ({ symbol, quantity, price, account, ...as }, target) => {
      const broker = accountOf(target.broker, account)
      const listing = tradedListing(broker, symbol)
      broker.trading.handTrade(listing, quantity > 0 ? 'BUY' : 'SELL', Math.abs(quantity), price ?? priceNow(broker, listing), as)
      return { execId: broker.book.executions.at(-1)!.execId }
    },
  ),
  position: fault(
    'Adds a signed quantity to a position without an execution, as a transfer would; with account in another account of the login.',
    { symbol: t.string, quantity: signed },
    { price: positive, account: accountName },
    ({ symbol, quantity, price, account }, target) => {
      const broker = accountOf(target.broker, account)
      const listing = tradedListing(broker, symbol)
      broker.trading.transfer(listing, quantity, price ?? priceNow(broker, listing))
    },
  ),
  correctExecution: fault(
    'Revises an execution, the last one if none is named: told again with the next revision of its id (.02), other shares or another price.',
    {},
    { execId: t.string, shares: positive, price: positive },
    ({ execId = '', shares, price }, { broker }) => {
      const revision = broker.trading.correct(execId || (broker.book.executions.at(-1)?.execId ?? ''), shares, price)
      if (!revision) throw new FaultRefused(`execId: there is no execution ${JSON.stringify(execId)}`)
      return { execId: revision.execId }
    },
  ),
}

export const orderFaults: Readonly<Record<string, Row>> = { ...refusals, ...executions }
