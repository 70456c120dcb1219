/** A genuine client on a real socket, its events kept, and a simulator to connect to. */
import { EventName, IBApi, type Order, type OrderAction, OrderType, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import type { DailyBar } from '../../../infra/gateway-sim/bars.ts'
import { type GatewaySimulator, type GatewaySimulatorOptions, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'

// biome-ignore lint/suspicious/noExplicitAny: events of the library and answers of the control port are looked at field by field
export type Loose = any

export type Heard = { name: string; values: unknown[] }

export type TestClient = {
  api: IBApi
  heard: Heard[]
  /** Every event of that name until now. */
  all: (name: EventName) => unknown[][]
  /** The first event of that name that fits, now or soon. */
  next: (name: EventName, fits?: (...values: Loose[]) => boolean) => Promise<Loose[]>
  /** Asks the gateway for its time, so that all it sent before has arrived. */
  settled: () => Promise<void>
  /** Forgets what was heard. */
  listenAnew: () => void
  disconnect: () => Promise<void>
}

const patience = 5000

export const connect = async (port: number, clientId: number, { started = true } = {}): Promise<TestClient> => {
  const api = new IBApi({ host: '127.0.0.1', port, clientId, maxReqPerSec: 1_000_000 })
  const heard: Heard[] = []
  const waiting = new Set<() => void>()
  for (const name of Object.values(EventName)) {
    if ([EventName.all, EventName.received, EventName.sent, EventName.result].includes(name)) continue
    api.on(name as EventName.connected, (...values: unknown[]) => {
      heard.push({ name, values })
      for (const look of waiting) look()
    })
  }
  const next: TestClient['next'] = (name, fits = () => true) =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = heard.find((event) => event.name === name && fits(...event.values))
        if (!found) return
        clearTimeout(timer)
        waiting.delete(look)
        resolve(found.values)
      }
      const timer = setTimeout(() => {
        waiting.delete(look)
        reject(new Error(`no such ${name}; heard ${heard.map((event) => event.name).join(' ')}`))
      }, patience)
      waiting.add(look)
      look()
    })
  const client: TestClient = {
    api,
    heard,
    all: (name) => heard.filter((event) => event.name === name).map(({ values }) => values),
    next,
    settled: async () => {
      const before = client.all(EventName.currentTime).length
      api.reqCurrentTime()
      await next(EventName.currentTime, () => client.all(EventName.currentTime).length > before)
    },
    listenAnew: () => {
      heard.length = 0
    },
    disconnect: async () => {
      if (!api.isConnected) return
      api.disconnect()
      await next(EventName.disconnected)
    },
  }
  api.connect()
  opened.push(client)
  if (started) await next(EventName.nextValidId)
  return client
}

const opened: TestClient[] = []
const started: GatewaySimulator[] = []

/** For `afterEach`: no message may have been undecodable, and nothing is left running. */
export const closeAll = async (): Promise<void> => {
  const undecodable = opened.flatMap(({ heard }) => heard.filter(({ name, values }) => name === EventName.error && values[1] === 505))
  for (const client of opened.splice(0)) client.api.disconnect()
  for (const simulator of started.splice(0)) await simulator.close()
  expect(undecodable.map(({ values }) => String(values[0]))).to.deep.equal([])
}

export type TestSimulator = GatewaySimulator & {
  state: () => Promise<Loose>
  /** The answer of the control port; `status` beside its body. */
  post: (path: string, body: unknown) => Promise<Loose>
  clock: (to: string) => Promise<Loose>
  fault: (fault: string, fields?: object) => Promise<Loose>
}

export const simulate = async (options: GatewaySimulatorOptions = {}): Promise<TestSimulator> => {
  const simulator = await startGatewaySimulator({ bars: { SPY: [...week] }, start: '2019-06-03T13:00:00Z', ...options })
  started.push(simulator)
  const url = `http://127.0.0.1:${simulator.controlPort}`
  const post: TestSimulator['post'] = async (path, body) => {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) })
    return { status: response.status, ...((await response.json()) as object) }
  }
  const succeed = async (path: string, body: object): Promise<Loose> => {
    const answer = await post(path, body)
    expect(answer.status, JSON.stringify(answer)).to.equal(200)
    return answer
  }
  return {
    ...simulator,
    state: async () => (await fetch(`${url}/state`)).json(),
    post,
    clock: (to) => succeed('/clock', { to }),
    fault: (fault, fields = {}) => succeed('/faults', { fault, ...fields }),
  }
}

const bar = (date: string, open: number, high: number, low: number, close: number): DailyBar => ({
  ...{ date, open, high, low, close, volume: 1_000_000 },
})

/** Friday, then a whole week; each day has a range of its own. */
export const week: readonly DailyBar[] = [
  bar('2019-05-30', 98, 99, 97, 98.5),
  bar('2019-05-31', 99, 101, 98, 100),
  bar('2019-06-03', 101, 105, 100, 104),
  bar('2019-06-04', 106, 108, 103, 107),
  bar('2019-06-05', 107, 110, 106, 109),
  bar('2019-06-06', 108, 109, 90, 92),
  bar('2019-06-07', 92, 95, 91, 94),
]

export const spy = { symbol: 'SPY', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
export const aapl = { ...spy, symbol: 'AAPL' }

export const market = (action: 'BUY' | 'SELL', totalQuantity: number, more: Partial<Order> = {}): Order => ({
  action: action as OrderAction,
  totalQuantity,
  orderType: OrderType.MKT,
  tif: 'DAY',
  transmit: true,
  orderRef: 'ref',
  ...more,
})

export const limit = (action: 'BUY' | 'SELL', totalQuantity: number, lmtPrice: number, more: Partial<Order> = {}): Order =>
  market(action, totalQuantity, { orderType: OrderType.LMT, lmtPrice, ...more })

/** Times of Monday, June 3rd 2019, in New York. */
export const monday = (time: string): string => `2019-06-03T${time}:00-04:00`
export const on = (day: number, time: string): string => `2019-06-0${day}T${time}:00-04:00`

/** The protocol versions that the two genuine clients negotiate. */
export const versions = [178, 193]
