/** What `/readyz` says while the line to Pub/Sub is cut, in the process of the engine and in one that only serves HTTP. */
import { expect } from 'chai'
import type { Part, PartName } from '../../../infra/http/health.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { addressOf, startTradingWorld, type TradingWorld } from './trading-world.ts'

describe('readiness with Pub/Sub out of reach', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let line: TcpProxy
  let world: TradingWorld
  let addresses: string[]
  before(async () => {
    const store = emulators.store()
    line = await startTcpProxy(emulators.hosts().pubsub)
    world = await startTradingWorld({ kind: 'google', ...store, emulators: { ...emulators.hosts(), pubsub: line.host } })
    addresses = [world.address, addressOf(await world.another('api'))]
    for (const address of addresses) await until('all is ready', async () => (await ask(address)).status === 200, 60_000)
  })
  after(async () => {
    line?.setMode('pass')
    await world?.stop()
    await line?.close()
  })
  const ask = async (address: string) => {
    const response = await fetch(`${address}/readyz`)
    return { status: response.status, parts: ((await response.json()) as { parts: Record<PartName, Part> }).parts }
  }

  it('has a sign of life of each part that is at work here', async () => {
    const began = world.clock.now() - 60_000
    const { parts } = await ask(addresses[0]!)
    const names: PartName[] = ['store', 'bus', 'engine', 'gateway', 'projections', 'relay', 'handEdits']
    for (const name of names) expect(Date.parse(parts[name].heartbeat ?? ''), name).to.be.within(began, world.clock.now())
    expect(parts.alerts.reason).to.equal('nobody is told of simulated days')
  })

  for (const mode of ['refuse', 'swallowAnswers'] as const)
    it(`(${mode}) names the bus and why, and all is well again once the line is mended`, async () => {
      line.setMode(mode)
      for (const address of addresses) {
        await until('it is not ready', async () => (await ask(address)).status === 503, 60_000)
        const { parts } = await ask(address)
        const { ok, reason } = parts.bus
        expect(ok).to.equal(false)
        expect(reason).to.match(/^Pub\/Sub cannot be reached for the topic "paper-(commands|urgent)": \S/)
        expect(Object.entries(parts).filter(([, part]) => !part.ok)).to.have.length(1)
      }
      line.setMode('pass')
      for (const address of addresses) await until('it is ready again', async () => (await ask(address)).status === 200, 30_000)
    })
})
