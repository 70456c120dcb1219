/** The control port: HTTP on loopback, for whoever drives the simulation. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import { type Announced, announceAction, announcePermission } from './announcements.ts'
import type { Broker } from './broker.ts'
import type { Clock } from './clock.ts'
import { applyFault, FaultRefused, faults } from './faults.ts'
import { readFrictions } from './frictions.ts'
import type { GatewayServer } from './server.ts'
import { stateOf } from './state.ts'
import { instantOf } from './time-text.ts'

export type ControlTarget = { broker: Broker; clock: Clock; server: GatewayServer }

type Answer = { status: number; body: object }

const longestBody = 1_000_000
/** Ten years of events take some seconds, during which nothing else is answered. */
const longestStride = 3653 * 86_400_000

class BadRequest extends Error {
  override readonly name = 'BadRequest'
}

export const startControlServer = async (
  host: string,
  port: number,
  target: ControlTarget,
): Promise<{ port: number; close: () => Promise<void> }> => {
  const server = createServer((request, response) => {
    respond(request, target).then(
      (answer) => write(response, answer),
      (error: unknown) => {
        if (error instanceof BadRequest || error instanceof FaultRefused) write(response, { status: 400, body: { error: error.message } })
        else write(response, { status: 500, body: { error: error instanceof Error ? error.message : String(error) } })
      },
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

const write = (response: ServerResponse, { status, body }: Answer): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

const respond = async (request: IncomingMessage, target: ControlTarget): Promise<Answer> => {
  const path = new URL(request.url ?? '/', 'http://localhost').pathname
  const route = `${request.method} ${path}`
  target.clock.catchUp()
  switch (route) {
    case 'GET /state':
      return { status: 200, body: stateOf(target) }
    case 'GET /faults':
      return { status: 200, body: Object.fromEntries(Object.entries(faults).map(([name, { run: _, ...row }]) => [name, row])) }
    case 'POST /clock':
      return { status: 200, body: await moveClock(await bodyOf(request), target) }
    case 'POST /faults': {
      const done = applyFault(await bodyOf(request), target)
      await target.server.flushed()
      return { status: 200, body: { done: true, ...done } }
    }
    case 'POST /frictions':
      return { status: 200, body: changeFrictions(await bodyOf(request), target) }
    case 'POST /corporate-actions':
      return announced(announceAction(await bodyOf(request), target.broker))
    case 'POST /permissions':
      return announced(announcePermission(await bodyOf(request), target.broker))
    case 'POST /orders':
      return { status: 200, body: await placeByHand(await bodyOf(request), target) }
    case 'POST /orders/cancel':
      return { status: 200, body: await cancelByHand(await bodyOf(request), target) }
    default:
      return { status: 404, body: { error: `${route}: there are ${routes}` } }
  }
}

const routes =
  'GET /state, GET /faults, POST /faults, POST /clock, POST /frictions, POST /corporate-actions, POST /permissions, POST /orders and POST /orders/cancel'

const announced = (told: Announced): Answer => {
  if ('problem' in told) throw new BadRequest(told.problem)
  return { status: 200, body: told.done }
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestBody) throw new BadRequest(`the body is longer than ${longestBody} bytes`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    throw new BadRequest('the body is not JSON')
  }
}

const To = t.strict({ to: t.string })
const Mode = t.intersection([t.strict({ mode: t.keyof({ step: null, real: null }, '"step" or "real"') }), t.partial({ speed: t.number })])

/** Answers after all that was due has been written to the sockets; `unread` counts clients that did not take it in time. */
const moveClock = async (body: unknown, target: ControlTarget): Promise<object> => {
  if (typeof body !== 'object' || body === null || 'to' in body === 'mode' in body)
    throw new BadRequest('the body needs either "to" or "mode"')
  if ('to' in body) moveTo(body, target)
  else changeMode(body, target)
  const unread = await target.server.flushed()
  const { broker, clock } = target
  return { clock: iso(broker.now()), nextEventAt: iso(broker.nextEventAt()), ...clock.mode(), ...(unread > 0 ? { unread } : {}) }
}

const moveTo = (body: object, { broker, clock }: ControlTarget): void => {
  const decoded = decode(To, body)
  if (!decoded.ok) throw new BadRequest(decoded.problem)
  const to = instantOf(decoded.value.to)
  if (to === undefined) throw new BadRequest(`to: ${JSON.stringify(decoded.value.to)} is neither a date nor an ISO time with its zone`)
  if (to < broker.now()) throw new BadRequest(`to: ${decoded.value.to} is before the clock, ${iso(broker.now())}`)
  if (to > broker.now() + longestStride)
    throw new BadRequest(`to: ${decoded.value.to} is more than ten years after the clock, ${iso(broker.now())}`)
  clock.moveTo(to)
}

const changeMode = (body: object, { clock }: ControlTarget): void => {
  const decoded = decode(Mode, body)
  if (!decoded.ok) throw new BadRequest(decoded.problem)
  const { mode, speed = 1 } = decoded.value
  if (!(speed > 0 && Number.isFinite(speed))) throw new BadRequest(`speed: expected a positive number, got ${speed}`)
  if (mode === 'real') clock.real(speed)
  else clock.step()
}

/** What fills cost from now on. */
const changeFrictions = (body: unknown, { broker }: ControlTarget): object => {
  const changes = decode(t.UnknownRecord, body)
  if (!changes.ok) throw new BadRequest(changes.problem)
  const changed = readFrictions(broker.frictions, changes.value)
  if ('problem' in changed) throw new BadRequest(changed.problem)
  return Object.assign(broker.frictions, changed)
}

// ── Orders by hand ──

const ByHand = t.intersection([
  t.strict({ symbol: t.string, action: t.keyof({ BUY: null, SELL: null }, 'BUY or SELL'), quantity: t.number }),
  t.exact(
    t.partial({
      orderType: t.string,
      lmtPrice: t.number,
      auxPrice: t.number,
      trailingPercent: t.number,
      tif: t.string,
      outsideRth: t.boolean,
    }),
  ),
])

/** An order as a person places it in the window of the gateway: no client's, without a ref. Answers its permId and status. */
const placeByHand = async (body: unknown, { broker, server }: ControlTarget): Promise<object> => {
  const decoded = decode(ByHand, body)
  if (!decoded.ok) throw new BadRequest(decoded.problem)
  const { symbol, quantity, orderType = 'MKT', outsideRth = false, ...fields } = decoded.value
  const listing = broker.universe.traded(symbol)
  if (!listing) throw new BadRequest(`symbol: there is no contract ${JSON.stringify(symbol)}`)
  const given = Object.entries(fields).map(([name, value]) => [name, String(value)])
  const { conId, secType, exchange, currency } = listing
  const contract = { conId: String(conId), symbol: listing.symbol, secType, exchange, currency }
  const attributes = { ...Object.fromEntries(given), ...contract, totalQuantity: String(quantity), orderType, transmit: '1' }
  const order = broker.placeByHand({ attributes: { ...attributes, outsideRth: outsideRth ? '1' : '0' }, lists: {} })
  if ('code' in order) throw new BadRequest(`${order.code}: ${order.text}`)
  await server.flushed()
  return { permId: order.permId, status: order.status }
}

const Cancelled = t.strict({ permId: t.number })

const cancelByHand = async (body: unknown, { broker, server }: ControlTarget): Promise<object> => {
  const decoded = decode(Cancelled, body)
  if (!decoded.ok) throw new BadRequest(decoded.problem)
  const refused = broker.cancelByHand(decoded.value.permId)
  if (refused) throw new BadRequest(`${refused.code}: ${refused.text}`)
  await server.flushed()
  return { done: true }
}

const iso = (instant: number): string => new Date(instant).toISOString()
