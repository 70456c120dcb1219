/**
 * Two engines on one journal: one decides, the other waits. The first is frozen at any step of a run past its lease and woken, or
 * killed there; whatever it was about to do, no order goes out twice, nothing unplanned, and the command has one outcome. Each store has a file of its own.
 */
import { expect } from 'chai'
import { until } from '../contract/until.ts'
import type { Suite } from '../stores.ts'
import type { Freeze } from './takeover-effects.ts'
import { type EngineProcess, openTakeoverWorld, patience, redelivered, type TakeoverWorld } from './takeover-world.ts'

const placeOrder = 'gateway: message 3'
/** Of the messages to the gateway, and of the writes to either store. */
const moments: Readonly<Record<string, Freeze>> = {
  'before the command is decided': { on: 'PipelineStarted' },
  'before the decision is appended': { on: 'OrderPlanned' },
  'between the append and the hand-over to the socket': { on: `^${placeOrder}` },
  'after the order went out': { on: `^${placeOrder}`, further: 1 },
  'before the first report of the order is appended': { on: '"OrderPlaced"' },
  'before the outcome is appended': { on: '"PipelineEnded"' },
  'before the command is acknowledged': { on: 'FROM deliveries WHERE|gRPC: Acknowledge' },
  'before the lease is renewed': { on: 'UPDATE lease|lease/current' },
}
const everywhere = process.env['FREEZE'] === 'all'
/** A run has about thirty-two effects. FREEZE=all freezes before each of them, otherwise here and there. */
const steps = everywhere ? Array.from({ length: 34 }, (_, index) => index + 1) : [3, 8, 14, 27]
/** On Google each takes long: what does not depend on the store is left to the other, unless FREEZE=all. */
const onBoth = new Set([
  'before the decision is appended',
  'between the append and the hand-over to the socket',
  'before the lease is renewed',
])

const replaced = /^ibt: another engine (took the lease|\(epoch \d+\) wrote position \d+; this one has lost the journal)$/

export const twoEngines: Suite = (store, kind) => {
  const all = everywhere || kind === 'embedded'
  let world: TakeoverWorld
  let first: EngineProcess
  let second: EngineProcess
  beforeEach(async function () {
    this.currentTest?.timeout(2 * redelivered)
    world = await openTakeoverWorld(store())
  })
  afterEach(() => world.close())

  const beginBoth = async (options?: Parameters<TakeoverWorld['begin']>[0]) => {
    first = await world.beginTrading(options)
    second = await world.beginWaiting(options)
  }
  const run = () => world.publish('orchestrator', 'once', { strategies: ['trend'] })
  const freezeFirst = async (freeze: Freeze): Promise<string> => {
    await first.freeze(freeze)
    await run()
    return first.frozen()
  }
  /** Orders of the first engine that were received by now; those of the second are its own affair. */
  const sentByFirst = async (): Promise<string[]> => {
    const planned = (await world.events('OrderPlanned')).filter(({ commit }) => commit.epoch === 1)
    const received = await world.received()
    return planned.map(({ data }) => (data as { orderRef: string }).orderRef).filter((orderRef) => orderRef in received)
  }
  const firstGivesUp = async (): Promise<void> => {
    first.wake()
    const { code, words } = await first.ended()
    expect([code, words.replace(replaced, 'replaced')]).to.deep.equal([1, 'replaced'])
  }
  /** An order that never reached the gateway is asked for, twice, and then told as unresolved: nobody sends it. */
  const secondFinishes = async (): Promise<void> => {
    await second.said('the gateway is ready')
    const outcome = await world.outcome('once')
    const [order] = await world.events('OrderPlanned')
    const { orderRef } = order!.data as { orderRef: string }
    expect(outcome).to.equal(orderRef in (await world.received()) ? 'completed' : 'failed')
  }
  /** To be asked when the first is gone. */
  const expectWhole = async (): Promise<void> => {
    await run() // asking again is asking once, whichever engine heard it first
    await world.command('reconcile')
    await world.expectWhole('once')
  }

  describe('the first is frozen past its lease, and its socket stands', () => {
    for (const [moment, freeze] of Object.entries(moments).filter(([moment]) => all || onBoth.has(moment)))
      it(`${moment}: woken, it decides and places nothing more`, async () => {
        await beginBoth()
        const before = await freezeFirst(freeze)
        await world.tookOver(2)
        await second.said('no connection: client id 17')
        expect(second.hasSaid('the gateway is ready'), 'one connection a client id').to.equal(false)
        const sent = await sentByFirst()

        await firstGivesUp()
        await secondFinishes()
        // Frozen in the middle of the hand-over, its bytes go to the gateway when it wakes: an order that was planned while nobody else
        // could have placed one, and that the second engine finds before it decides anything.
        if (before === placeOrder) expect(await sentByFirst()).to.have.length(1)
        else expect(await sentByFirst(), 'placed after waking').to.deep.equal(sent)
        await expectWhole()
      })
  })

  it('frozen past its lease with nothing to do, the first ends all the same', async () => {
    await beginBoth()
    await first.freeze({ on: 'UPDATE lease|lease/current' })
    await first.frozen()
    await world.tookOver(2)
    await firstGivesUp()
    await second.said('the gateway is ready')
    await run()
    await secondFinishes()
    await expectWhole()
  })

  describe('the first is frozen past its lease, and loses its socket', () => {
    const { 'between the append and the hand-over to the socket': handOver, 'before the decision is appended': append } = moments
    const freezes: [string, Freeze][] = [
      ['between the append and the hand-over to the socket', handOver!],
      ['before the decision is appended', append!],
      ...(all ? steps : steps.slice(-1)).map((step): [string, Freeze] => [`before its effect number ${step}`, { at: step }]),
    ]
    for (const [moment, freeze] of freezes)
      it(`${moment}: woken when the second has done its work, it decides and places nothing more`, async () => {
        await beginBoth()
        await freezeFirst(freeze)
        await world.tookOver(2)
        const sent = await sentByFirst()
        await world.control('/faults', { fault: 'dropConnections', when: 'now' })
        await secondFinishes()
        expect(await sentByFirst(), 'what was planned before is asked for, and never sent').to.deep.equal(sent)
        const { position } = await world.ledger()

        await firstGivesUp()
        expect(await sentByFirst(), 'placed after waking').to.deep.equal(sent)
        const later = (await world.commits()).slice(position)
        expect(later.filter(({ epoch }) => epoch === 1)).to.deep.equal([])
        await expectWhole()
      })
  })

  describe('the first is killed, and the second carries on', () => {
    for (const moment of [
      'before the decision is appended',
      'between the append and the hand-over to the socket',
      'after the order went out',
    ])
      it(`killed ${moment}`, async () => {
        await beginBoth()
        await freezeFirst(moments[moment]!)
        await first.kill()
        const sent = await sentByFirst()
        await secondFinishes()
        expect(await sentByFirst()).to.deep.equal(sent)
        await expectWhole()
      })

    it('soon', async () => {
      const onThisMachine = store().kind === 'embedded'
      // Processes that share a file know that one of them is dead. Elsewhere its lease has to run out, and no sooner.
      const ttlMs = onThisMachine ? 60_000 : 5_000
      await beginBoth({ lease: { ttlMs, renewalMs: 1_000, marginMs: 300 } })
      const killedAt = performance.now()
      await first.kill()
      await world.tookOver(2)
      const waited = performance.now() - killedAt
      if (!onThisMachine) expect(waited).to.be.within(ttlMs - 1_500, ttlMs + 5_000)
      else expect(waited).to.be.below(10_000)
      await run()
      await secondFinishes()
      await expectWhole()
    })
  })

  it('begun at once: one decides, the other waits and says so, and comes when it is gone', async () => {
    const both = [world.begin(), world.begin()]
    const waits = 'another engine holds the lease; waiting'
    await until('one is ready', () => both.some((engine) => engine.hasSaid('the gateway is ready')), patience)
    await until('one waits', () => both.some((engine) => engine.hasSaid(waits)), patience)
    const waiting = both.find((engine) => engine.hasSaid(waits))!
    const deciding = both.find((engine) => engine !== waiting)!
    expect([deciding.hasSaid(waits), waiting.hasSaid('the gateway is ready')]).to.deep.equal([false, false])
    await world.command('reconcile')
    expect(await world.events('EngineStarted')).to.have.length(1)

    await deciding.end()
    expect(await deciding.ended()).to.include({ code: 0 })
    await world.tookOver(2)
    await world.command('reconcile')
    expect(waiting.hasSaid('no connection: client id 17'), 'a line that was closed properly is free at once').to.equal(false)
  })
}
