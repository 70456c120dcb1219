/** The control port: HTTP on loopback, for whoever drives the simulation. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as t from 'io-ts'
import { newYorkDate, newYorkMidnightAfter } from '../../domain/calendar.ts'
import { decode } from '../../domain/decode.ts'
import { type Announced, announceAction, announcePermission } from './announcements.ts'
import { accountName } from './fault-row.ts'
import { applyFault, checkFault, FaultRefused, type FaultTarget, faultsTold } from './faults.ts'
import { readFrictions } from './frictions.ts'
import { comingSession, openSession } from './market.ts'
import { armed } from './misbehaviour.ts'
import { readScriptText, type Script } from './script.ts'
import { stateOf } from './state.ts'
import { instantOf, newYorkClock } from './time-text.ts'

export type ControlTarget = FaultTarget & { script: Script }

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
  // It is the client who ends a line at rest: were it this side, his next request might cross the end of it.
  const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
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
      return { status: 200, body: { faults: faultsTold(), armed: armed(target.server.misbehaviour), script: target.script.told() } }
    case 'POST /script':
      return { status: 200, body: addToScript(await textOf(request), target) }
    case 'DELETE /script':
      target.script.clear()
      return { status: 200, body: { done: true } }
    case 'GET /clock':
      return { status: 200, body: clockOf(target) }
    case 'POST /clock':
      return { status: 200, body: await moveClock(await bodyOf(request), target) }
    case 'POST /faults': {
      const done = await applyFault(await bodyOf(request), target)
      target.clock.settle()
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

const routes = [
  ...['GET /state', 'GET /faults', 'POST /faults', 'POST /script', 'DELETE /script', 'GET /clock', 'POST /clock'],
  ...['POST /frictions', 'POST /corporate-actions', 'POST /permissions', 'POST /orders', 'POST /orders/cancel'],
].join(', ')

const announced = (told: Announced): Answer => {
  if ('problem' in told) throw new BadRequest(told.problem)
  return { status: 200, body: told.done }
}

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > longestBody) throw new BadRequest(`the body is longer than ${longestBody} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  const text = await textOf(request)
  try {
    return JSON.parse(text)
  } catch {
    throw new BadRequest('the body is not JSON')
  }
}

const To = t.strict({ to: t.string })
const By = t.strict({ by: t.number })
const Mode = t.intersection([t.strict({ mode: t.keyof({ step: null, real: null }, '"step" or "real"') }), t.partial({ speed: t.number })])

/** Answers after all that was due has been written to the sockets; `unread` counts clients that did not take it in time. */
const moveClock = async (body: unknown, target: ControlTarget): Promise<object> => {
  const given = typeof body === 'object' && body !== null ? ['to', 'by', 'mode'].filter((name) => name in body) : []
  if (given.length !== 1) throw new BadRequest('the body needs one of "to", "by" and "mode"')
  if (given[0] === 'mode') changeMode(body, target)
  else moveTo(given[0] === 'to' ? timeOf(read(To, body).to, target) : timeAfter(read(By, body).by, target), target)
  const unread = await target.server.flushed()
  return { ...clockOf(target), ...(unread > 0 ? { unread } : {}) }
}

/** What the time is, here and in New York, and what comes next. */
const clockOf = ({ clock }: ControlTarget): object => {
  const now = clock.now()
  const session = comingSession(now)
  return {
    clock: iso(now),
    newYork: `${newYorkDate(now)} ${newYorkClock(now)}`,
    nextEventAt: iso(clock.nextEventAt()),
    ...clock.mode(),
    inSession: openSession(now) !== undefined,
    session: { date: session.date, open: iso(session.open), close: iso(session.close) },
  }
}

/** Moments that need not be counted out: the next event, the next open, the next close, the next midnight in New York. */
const moments: Readonly<Record<string, (target: ControlTarget) => number>> = {
  next: ({ clock }) => clock.nextEventAt(),
  open: ({ clock }) => {
    const coming = comingSession(clock.now())
    return coming.open > clock.now() ? coming.open : comingSession(coming.close).open
  },
  close: ({ clock }) => comingSession(clock.now()).close,
  midnight: ({ clock }) => newYorkMidnightAfter(clock.now()),
}

const timeOf = (text: string, target: ControlTarget): number => {
  const to = Object.hasOwn(moments, text) ? moments[text]!(target) : instantOf(text)
  if (to !== undefined) return to
  throw new BadRequest(
    `to: ${JSON.stringify(text)} is neither a date nor an ISO time with its zone, nor ${Object.keys(moments).join(', ')}`,
  )
}

const timeAfter = (seconds: number, { clock }: ControlTarget): number => {
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new BadRequest(`by: expected a positive number of seconds, got ${seconds}`)
  return clock.now() + Math.round(seconds * 1000)
}

const moveTo = (to: number, { clock }: ControlTarget): void => {
  const now = clock.now()
  if (to < now) throw new BadRequest(`to: ${iso(to)} is before the clock, ${iso(now)}`)
  if (to > now + longestStride) throw new BadRequest(`the move is to more than ten years after the clock, ${iso(now)}`)
  clock.moveTo(to)
}

const read = <A>(codec: t.Decoder<unknown, A>, body: unknown): A => {
  const decoded = decode(codec, body)
  if (!decoded.ok) throw new BadRequest(decoded.problem)
  return decoded.value
}

const addToScript = (text: string, { script }: ControlTarget): object => {
  try {
    script.add(readScriptText(text, checkFault))
  } catch (error) {
    throw new BadRequest((error as Error).message)
  }
  return { script: script.told() }
}

const changeMode = (body: unknown, { clock }: ControlTarget): void => {
  const { mode, speed = 1 } = read(Mode, body)
  if (!(speed > 0 && Number.isFinite(speed))) throw new BadRequest(`speed: expected a positive number, got ${speed}`)
  if (mode === 'real') clock.real(speed)
  else clock.step()
}

/** What fills cost from now on. */
const changeFrictions = (body: unknown, { broker }: ControlTarget): object => {
  const changed = readFrictions(broker.frictions, read(t.UnknownRecord, body))
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
      orderRef: t.string,
      account: accountName,
    }),
  ),
])

/** An order as a person places it in the window of the gateway: no client's. Answers its permId and status. */
const placeByHand = async (body: unknown, { broker: first, server }: ControlTarget): Promise<object> => {
  const { symbol, quantity, orderType = 'MKT', outsideRth = false, account = first.account, ...fields } = read(ByHand, body)
  const broker = first.ofAccount(account)
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
  const { permId } = read(Cancelled, body)
  const holder = broker.accounts().find(({ book }) => book.orders.some((order) => order.permId === permId)) ?? broker
  const refused = holder.cancelByHand(permId)
  if (refused) throw new BadRequest(`${refused.code}: ${refused.text}`)
  await server.flushed()
  return { done: true }
}

const iso = (instant: number): string => new Date(instant).toISOString()
