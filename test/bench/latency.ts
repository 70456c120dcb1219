/**
 * From the publish of an `allocation` to its order on the gateway's socket, with the real bus, journal, engine and client,
 * beside the least that any engine must do: one durable commit and a bare `placeOrder`. Everything on loopback.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventName, IBApi, OrderAction, OrderType, SecType, TimeInForce } from '@stoqey/ib'
import { randomFrom } from '../../domain/random.ts'
import { defineStrategy } from '../../domain/strategy.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { compose, type Process } from '../../infra/compose.ts'
import { openJournal } from '../../infra/embedded/journal.ts'
import { openStore } from '../../infra/embedded/store.ts'
import { beginning, commitAfter } from '../contract/commits.ts'
import { until } from '../contract/until.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { type GatewayTap, openTap, wallTime } from './gateway-tap.ts'
import { at, type Row } from './row.ts'

const orders = 200
const warmUp = 20
const start = Date.parse('2020-02-04T15:10:00Z')
const note = 'x'.repeat(700)

/** Wants 10 or 20 shares as the command's id has it, so that each signal can be made to ask for the other. */
const flip = defineStrategy({
  name: 'Flip',
  description: 'ten or twenty shares of SPY',
  instruments: { SPY: { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' } },
  bars: [{ instrument: 'SPY', size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true, atLeast: 1 }],
  signal: ({ random }) => ({
    kind: 'targets',
    targets: [{ instrument: 'SPY', quantity: random() < 0.5 ? '10' : '20' }],
    indicators: {},
    reason: 'the other one',
  }),
})

const idFor = (round: number, quantity: 10 | 20): string => {
  for (let attempt = 0; ; attempt++) {
    const id = `flip-${round}-${attempt}`
    if (randomFrom(id)() < 0.5 === (quantity === 10)) return id
  }
}

const measureEngine = async (running: Process, gateway: GatewayTap): Promise<number[]> => {
  const publishedAt = new Date(start).toISOString()
  const publish = (type: string, id: string, body: object) =>
    running.bus.publish('paper-commands', { data: JSON.stringify(body), attributes: { type, id, publishedAt } })
  const settled = () =>
    until(
      'every order closed and nothing under way',
      async () => (await running.idle()) && Object.values(running.engine.ledger.orders).every((order) => order.status === 'closed'),
    )
  await publish('configure', 'configure', {
    changes: { 'strategies.flip.allocation': 1, 'orders.minimumTrade': 0, 'orders.perMinute': 1_000 }, // in a minute that stands still
  })
  await publish('resume', 'resume', {})
  await until('the gateway ready and trading on', () => running.engine.ready() && running.engine.ledger.trading.on)
  await publish('reconcile', 'reconcile', {})
  await settled()
  const samples: number[] = []
  for (let round = 0; round < orders + warmUp; round++) {
    await publish('flip', idFor(round, round % 2 === 0 ? 10 : 20), {})
    await settled()
    const { passed } = await gateway.watch(`${running.engine.ledger.prefix}-`)
    const published = wallTime()
    await publish('allocation', `allocation-${round}`, {})
    samples.push((await passed) - published)
    await settled()
  }
  return samples.slice(warmUp)
}

const measureFloor = async (directory: string, gateway: GatewayTap): Promise<number[]> => {
  const store = openStore(join(directory, 'floor.sqlite'))
  const journal = openJournal(store)
  const client = new IBApi({ host: '127.0.0.1', port: gateway.port, clientId: 99, maxReqPerSec: 100_000 })
  client.on(EventName.error, () => {})
  const firstId = new Promise<number>((resolve) => client.once(EventName.nextValidId, resolve))
  client.connect()
  let orderId = await firstId
  let head: { position: number; hash: string } = beginning
  const samples: number[] = []
  for (let round = 0; round < orders + warmUp; round++) {
    const { passed } = await gateway.watch(`floor-${round}\0`)
    const begun = wallTime()
    const answer = await journal.append(commitAfter(head, { id: `floor-${round}`, note }))
    if (answer.answer !== 'appended') throw new Error(answer.answer)
    head = answer.stored
    const contract = { conId: 756733, symbol: 'SPY', secType: SecType.STK, exchange: 'SMART', currency: 'USD' }
    const order = {
      action: round % 2 === 0 ? OrderAction.BUY : OrderAction.SELL,
      totalQuantity: 10,
      orderType: OrderType.MKT,
      tif: TimeInForce.DAY,
    }
    client.placeOrder(orderId++, contract, { ...order, orderRef: `floor-${round}`, transmit: true })
    samples.push((await passed) - begun)
  }
  client.disconnect()
  store.close()
  return samples.slice(warmUp)
}

export const benchLatency = async (): Promise<Row[]> => {
  const directory = mkdtempSync(join(tmpdir(), 'ib-trading-bench-'))
  const simulator = await startGatewayProcess(['--start', new Date(start).toISOString(), '--cash', '10000000'])
  const gateway = await openTap(simulator.port)
  const running = await compose(
    {
      mode: 'paper',
      dataDirectory: directory,
      store: { kind: 'embedded' },
      gateway: { host: '127.0.0.1', port: gateway.port, clientId: 17 },
      httpPort: 8080,
      logLevel: 'error',
    },
    { clock: simulatedClock(start), strategies: { flip }, messagesPerSecond: 100_000 },
  )
  try {
    await running.start()
    const ours = await measureEngine(running, gateway)
    const floor = await measureFloor(directory, gateway)
    return ([0.5, 0.99] as const).map((part) => ({
      name: `publish of an allocation to its order on the socket, p${part * 100}`,
      floorName: 'one durable commit and a bare placeOrder',
      unit: 'ms',
      ours: at(ours, part),
      floor: at(floor, part),
      ratio: at(ours, part) / at(floor, part),
      wanted: 'shown',
    }))
  } finally {
    await running.stop()
    await gateway.end()
    await simulator.end()
    rmSync(directory, { recursive: true, force: true })
  }
}
