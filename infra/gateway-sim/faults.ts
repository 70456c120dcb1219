/**
 * What can be made to go wrong, as one table: the body of `POST /faults` is `{ "fault": name, … }` with the fields of its row.
 * A new fault is a new row; what it arms stands in `Misbehaviour` or in the broker.
 */
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import type { Broker } from './broker.ts'
import { type RequestName, requests } from './requests.ts'
import type { GatewayServer } from './server.ts'
import { wellBehaved } from './server.ts'
import type { Listing } from './universe.ts'

export type FaultTarget = { broker: Broker; server: GatewayServer }

/** A well-formed fault that cannot be done, as a correction of an execution that there is not. */
export class FaultRefused extends Error {
  override readonly name = 'FaultRefused'
}

const refined = (name: string, is: (value: number) => boolean): t.Type<number> =>
  new t.Type<number>(
    name,
    t.number.is,
    (value, context) => (typeof value === 'number' && Number.isFinite(value) && is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )
const positive = refined('a positive number', (value) => value > 0)
const signed = refined('a number other than 0', (value) => value !== 0)
const whole = refined('a whole number from 0', (value) => Number.isInteger(value) && value >= 0)
const message = refined('the number of a message the simulator answers', (value) => value in requests)
const names = Object.fromEntries(Object.values(requests).map(({ name }) => [name, null])) as Record<RequestName, null>
const messageName = t.keyof(names, 'the name of a request')

type Row = {
  does: string
  needs: Readonly<Record<string, string>>
  takes: Readonly<Record<string, string>>
  run: (body: Readonly<Record<string, unknown>>, target: FaultTarget) => object
}

const fault = <N extends t.Props, T extends t.Props>(
  does: string,
  needs: N,
  takes: T,
  apply: (body: t.TypeOfProps<N> & t.TypeOfPartialProps<T>, target: FaultTarget) => unknown,
): Row => {
  const codec = t.intersection([t.type(needs), t.partial(takes)])
  const described = (props: t.Props) => Object.fromEntries(Object.entries(props).map(([name, type]) => [name, type.name]))
  return {
    does,
    needs: described(needs),
    takes: described(takes),
    run: (body, target) => {
      const extra = Object.keys(body).find((name) => !(name in needs) && !(name in takes))
      if (extra !== undefined) throw new FaultRefused(`${extra}: not a field of this fault, which has ${fieldsOf(needs, takes)}`)
      const decoded = decode(codec, body)
      if (!decoded.ok) throw new FaultRefused(decoded.problem)
      const told = apply(decoded.value as t.TypeOfProps<N> & t.TypeOfPartialProps<T>, target)
      return typeof told === 'object' && told !== null ? told : {}
    },
  }
}

const fieldsOf = (...props: t.Props[]): string => props.flatMap(Object.keys).join(', ') || 'none'

const on = t.partial({ on: t.boolean }).props

export const faults: Readonly<Record<string, Row>> = {
  dropConnections: fault(
    'Breaks the connection (RST) of one client or of all: now, or instead of or after the next report of an order to it.',
    { when: t.keyof({ now: null, beforeAck: null, afterAck: null }, 'now, beforeAck or afterAck') },
    { clientId: whole },
    ({ when, clientId }, { server }) => {
      if (when !== 'now') server.misbehaviour.drop = { when, ...(clientId === undefined ? {} : { clientId }) }
      const dropped = server.clients().filter((client) => when === 'now' && (clientId === undefined || client.id === clientId))
      for (const { connection } of dropped) connection.breakOff(false)
    },
  ),
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
  readOnly: fault('While on, the API places and cancels nothing: 321.', {}, on, (body, { server }) => {
    server.misbehaviour.readOnly = body.on ?? true
  }),
  noPermission: fault(
    'While on, orders of that symbol are answered with 460.',
    { symbol: t.string },
    on,
    ({ symbol, ...body }, { server: { misbehaviour } }) => {
      const others = misbehaviour.withoutPermission.filter((other) => other !== symbol)
      misbehaviour.withoutPermission = (body.on ?? true) ? [...others, symbol] : others
    },
  ),
  partialFill: fault(
    'Fills a part: of the working order with that ref at once; else, or without a ref, of the next order that would trade. The rest waits for the next half hour.',
    { quantity: positive },
    { orderRef: t.string, price: positive },
    ({ quantity, orderRef, price }, { broker }) =>
      broker.fillPartly({ quantity, ...(orderRef === undefined ? {} : { orderRef }), ...(price === undefined ? {} : { price }) }),
  ),
  lateExecutions: fault(
    'While on, orders fill but their executions and commissions are held back; off tells them.',
    {},
    on,
    (body, { broker }) => broker.trading.holdExecutions(body.on ?? true),
  ),
  handTrade: fault(
    'A trade by hand, signed quantity: an execution with client id 0, order id 0 and no ref of an order of the API.',
    { symbol: t.string, quantity: signed },
    { price: positive, orderRef: t.string },
    ({ symbol, quantity, price, orderRef }, { broker }) => {
      const listing = tradedListing(broker, symbol)
      const side = quantity > 0 ? 'BUY' : 'SELL'
      broker.trading.handTrade(listing, side, Math.abs(quantity), price ?? priceNow(broker, listing), orderRef ?? '')
      return { execId: broker.book.executions.at(-1)!.execId }
    },
  ),
  position: fault(
    'Adds a signed quantity to a position without an execution, as a transfer would.',
    { symbol: t.string, quantity: signed },
    { price: positive },
    ({ symbol, quantity, price }, { broker }) => {
      const listing = tradedListing(broker, symbol)
      broker.trading.transfer(listing, quantity, price ?? priceNow(broker, listing))
    },
  ),
  correctExecution: fault(
    'Revises an execution: told again with the next revision of its id (.02), other shares or another price.',
    { execId: t.string },
    { shares: positive, price: positive },
    ({ execId, shares, price }, { broker }) => {
      const revision = broker.trading.correct(execId, shares, price)
      if (!revision) throw new FaultRefused(`execId: there is no execution ${JSON.stringify(execId)}`)
      return { execId: revision.execId }
    },
  ),
  linkDown: fault(
    'The line to IB breaks (1100): the market goes on, but nothing is told, requests stay unanswered and orders are rejected.',
    {},
    {},
    (_, { server }) => {
      server.notify(1100, 'Connectivity between IB and Trader Workstation has been lost.')
      server.misbehaviour.linkDown = true
    },
  ),
  linkUp: fault(
    'The line is back: 1102, or with dataLost 1101. What happened meanwhile is not told again.',
    {},
    { dataLost: t.boolean },
    (body, { server }) => {
      server.misbehaviour.linkDown = false
      const text = 'Connectivity between IB and Trader Workstation has been restored'
      if (body.dataLost) server.notify(1101, `${text} - data lost.`)
      else server.notify(1102, `${text} - data maintained.`)
    },
  ),
  refuseConnections: fault('While on, new connections are broken at once.', {}, on, (body, { server }) => {
    server.misbehaviour.refuseConnections = body.on ?? true
  }),
  hangRequests: fault(
    'While on, these requests (names as reqPositions, or message numbers) are never answered; an order among them vanishes.',
    { messages: t.array(t.union([messageName, message], 'names or numbers of requests')) },
    on,
    ({ messages, on }, { server }) => {
      for (const asked of messages) {
        const name = typeof asked === 'number' ? requests[asked]!.name : asked
        if (on ?? true) server.misbehaviour.hang.add(name)
        else server.misbehaviour.hang.delete(name)
      }
    },
  ),
  cancelStays: fault('While on, requests to cancel are kept; off carries them out.', {}, on, (body, { broker, server }) => {
    server.misbehaviour.cancelsStay = body.on ?? true
    const kept = server.misbehaviour.cancelsStay ? [] : server.misbehaviour.keptCancels.splice(0)
    for (const { clientId, orderId } of kept) broker.cancel(clientId, orderId)
  }),
  clear: fault(
    'Disarms everything that is armed; kept cancels are forgotten, executions held back are told.',
    {},
    {},
    (_, { broker, server }) => {
      delete server.misbehaviour.drop
      Object.assign(server.misbehaviour, wellBehaved())
      broker.trading.holdExecutions(false)
      broker.forgetPartials()
    },
  ),
}

const tradedListing = (broker: Broker, symbol: string): Listing => {
  const listing = broker.universe.traded(symbol)
  if (!listing) throw new FaultRefused(`symbol: there is no contract ${JSON.stringify(symbol)}`)
  return listing
}

const priceNow = (broker: Broker, listing: Listing): number => {
  const price = broker.trading.priceOf({ listing })
  if (price === 0) throw new FaultRefused(`price: needed, there is none known for ${listing.symbol}`)
  return price
}

const FaultBody = t.intersection([t.type({ fault: t.string }), t.UnknownRecord])

/** Throws `FaultRefused` with one line that names what is wrong. */
export const applyFault = (body: unknown, target: FaultTarget): object => {
  const decoded = decode(FaultBody, body)
  if (!decoded.ok) throw new FaultRefused(decoded.problem)
  const { fault: name, ...fields } = decoded.value
  const row = Object.hasOwn(faults, name) ? faults[name] : undefined
  if (!row) throw new FaultRefused(`fault: ${JSON.stringify(name)} is not one of ${Object.keys(faults).join(', ')}`)
  return row.run(fields, target)
}
