/** Orders through our session to the simulated gateway and the first word about each, beside the bare client doing the same. */
import { EventName, IBApi, OrderAction, OrderType, SecType, TimeInForce } from '@stoqey/ib'
import { systemClock } from '../../infra/clock.ts'
import { createBrokerSession } from '../../infra/ib/session.ts'
import { until } from '../contract/until.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { at, type Row } from './row.ts'

const rounds = 5
const oneByOne = 300
const warmUp = 100
const atOnce = 1_000

type Client = {
  place(orderId: number): void
  close(): Promise<void> | void
}
/** @param heard told of every word about an order */
type Connect = (port: number, heard: (orderId: number) => void) => Promise<Client>

const sideOf = (orderId: number): 'BUY' | 'SELL' => (orderId % 2 === 0 ? 'BUY' : 'SELL')

const quiet = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

const connectSession: Connect = async (port, heard) => {
  const session = createBrokerSession({ host: '127.0.0.1', port, clientId: 1, clock: systemClock, log: quiet, messagesPerSecond: 1e6 })
  session.start((report) => {
    if (report.kind === 'order') heard(report.sighting.orderId)
  })
  await until('the session is connected', () => session.connected())
  await session.snapshot('DU1234567')
  const contract = { conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
  const ticket = { account: 'DU1234567', contract, quantity: '10', type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false } as const
  return {
    place: (orderId) => session.place({ ...ticket, orderId, orderRef: `bench-${orderId}`, action: sideOf(orderId) }),
    close: () => session.close('the bench ends'),
  }
}

const connectBare: Connect = async (port, heard) => {
  const client = new IBApi({ host: '127.0.0.1', port, clientId: 1, maxReqPerSec: 1e6 })
  client.on(EventName.error, () => undefined)
  client.on(EventName.openOrder, heard)
  const connected = new Promise((resolve) => client.once(EventName.nextValidId, resolve))
  client.connect()
  await connected
  const contract = { conId: 756733, symbol: 'SPY', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
  const order = { account: 'DU1234567', totalQuantity: 10, orderType: OrderType.MKT, tif: TimeInForce.DAY, transmit: true }
  return {
    place: (orderId) => {
      const action = sideOf(orderId) === 'BUY' ? OrderAction.BUY : OrderAction.SELL
      client.placeOrder(orderId, contract, { ...order, orderRef: `bench-${orderId}`, action })
    },
    close: () => void client.disconnect(),
  }
}

type Measured = { trips: number[]; perSecond: number }

const measure = async (connect: Connect): Promise<Measured> => {
  const gateway = await startGatewayProcess(['--start', '2020-02-04T15:10:00Z', '--cash', '10000000'])
  const waiting = new Map<number, () => void>()
  const client = await connect(gateway.port, (orderId) => {
    waiting.get(orderId)?.()
    waiting.delete(orderId)
  })
  const place = (orderId: number): Promise<void> =>
    new Promise((resolve) => {
      waiting.set(orderId, resolve)
      client.place(orderId)
    })
  try {
    const trips: number[] = []
    let next = 1
    for (let count = 0; count < warmUp + oneByOne; count++) {
      const begun = performance.now()
      await place(next++)
      trips.push(performance.now() - begun)
    }
    const begun = performance.now()
    await Promise.all(Array.from({ length: atOnce }, () => place(next++)))
    return { trips: trips.slice(warmUp), perSecond: (atOnce / (performance.now() - begun)) * 1_000 }
  } finally {
    await client.close()
    await gateway.end()
  }
}

/** Alternating rounds, each with a gateway of its own. */
export const benchOrders = async (): Promise<Row[]> => {
  const ours: Measured[] = []
  const bare: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    ours.push(await measure(connectSession))
    bare.push(await measure(connectBare))
  }
  const trips = (part: number, wanted: string): Row => {
    const [here, there] = [ours, bare].map((measured) => measured.map(({ trips }) => at(trips, part))) as [number[], number[]]
    return {
      name: `order to the first word about it, p${part * 100}`,
      floorName: 'bare client',
      unit: 'ms',
      ours: at(here, 0.5),
      floor: at(there, 0.5),
      ratio: at(here, 0.5) / at(there, 0.5),
      wanted,
    }
  }
  const [here, there] = [ours, bare].map((measured) =>
    at(
      measured.map(({ perSecond }) => perSecond),
      0.5,
    ),
  ) as [number, number]
  const rate = { ours: here, floor: there, ratio: here / there, unit: 'orders/s', wanted: 'at least 0.7' }
  return [
    { name: 'orders through the session, all at once', floorName: 'bare client', ...rate },
    trips(0.5, 'at most 1.5'),
    trips(0.99, 'shown'),
  ]
}
