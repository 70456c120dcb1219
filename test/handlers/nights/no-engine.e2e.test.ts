/** No engine over midnight and over a weekend, with an order at work: what can be known is found, and nothing is guessed. */
import { EventName, IBApi } from '@stoqey/ib'
import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import type { Order } from '../../../domain/order.ts'
import { until } from '../../contract/until.ts'
import { violations } from './invariants.ts'
import { minute, type Night, startTradingNight } from './night.ts'
import { run } from './steps.ts'

const spy = 756733
const at = (date: string, time: string) => newYorkTime(date, time)
const [tuesday, wednesday, thursday, friday, monday] = ['2020-02-04', '2020-02-05', '2020-02-06', '2020-02-07', '2020-02-10'] as const
const tomorrowAfter = { [tuesday]: wednesday, [friday]: monday } as const

describe('no engine over midnight and over a weekend', function () {
  this.timeout(180_000)
  let night: Night
  afterEach(() => night?.close())

  const events = async (type: string) => (await night.told()).filter((one) => one.type === type)
  const howClosed = async () => (await events('OrderClosed')).map(({ data }) => data['how'])
  const book = () => night.life().engine.ledger.books['trend']?.[spy] ?? '0'
  const held = async () => (await night.state()).positions.find(({ symbol }) => symbol === 'SPY')?.quantity ?? 0
  const sent = async () => Object.values((await night.state()).received).flat().length
  const order = (): Order => Object.values(night.life().engine.ledger.orders)[0]!
  const wrong = (forgotten = false) => violations(night, { forgotten })

  /** A hundred shares are ordered after the close of that day, and the engine goes. */
  const orderedInTheEvening = async (date: string) => {
    night = await startTradingNight({ start: new Date(at(date, '17:00')).toISOString() })
    await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
    await run(night)
    await night.ready()
    expect([order().status, await sent()]).to.deep.equal(['working', 1])
    await night.end()
  }
  const backAt = async (time: number) => {
    await night.passWithoutEngine(time)
    await night.begin()
    await night.ready()
  }
  /** As a person does in another window of the same account. */
  const cancelAllByHand = async () => {
    const client = new IBApi({ host: '127.0.0.1', port: night.wire.port, clientId: 99, maxReqPerSec: 1_000 })
    client.on(EventName.error, () => undefined)
    const connected = new Promise((resolve) => client.once(EventName.nextValidId, resolve))
    client.connect()
    await connected
    client.reqGlobalCancel()
    await until('all is cancelled', async () => (await night.state()).orders.every(({ status }) => status === 'Cancelled'))
    client.disconnect()
  }
  /** The broker is asked twice with the grace between, so that a doubt has had its time. */
  const asked = async () => {
    await night.command('reconcile')
    await night.runTo(night.clock.now() + 2 * minute)
    await night.command('reconcile')
  }
  const runAgain = async (id: string) => {
    await night.publish('orchestrator', { strategies: ['trend'] }, id)
    await night.ready()
  }

  for (const evening of [tuesday, friday] as const) {
    const next = tomorrowAfter[evening]
    describe(`an order of the evening of ${evening}`, () => {
      it('is still at work when the engine comes back before the open: it fills, once', async () => {
        await orderedInTheEvening(evening)
        await backAt(at(next, '08:00'))
        expect([order().status, book()]).to.deep.equal(['working', '0'])
        await night.runTo(at(next, '09:40'))
        await asked()
        expect([book(), await held(), await howClosed(), await sent()]).to.deep.equal(['100', 100, ['filled'], 1])
        expect(await wrong()).to.deep.equal([])
      })

      it('has been filled when the engine comes back that day: the fill is found and counted once, and nothing is ordered again', async () => {
        await orderedInTheEvening(evening)
        await backAt(at(next, '12:00'))
        expect([book(), await held(), await howClosed()]).to.deep.equal(['100', 100, ['filled']])
        await runAgain('noon')
        await asked()
        expect([await sent(), await wrong()]).to.deep.equal([1, []])
      })

      it('was filled in part when the engine comes back that day: the part is counted, the rest is at work', async () => {
        await orderedInTheEvening(evening)
        await night.fault({ fault: 'partialFill', quantity: 30 })
        await backAt(at(next, '09:35'))
        expect([book(), order().status, await howClosed()]).to.deep.equal(['30', 'working', []])
        await runAgain('morning')
        expect(await sent(), 'the rest is in flight').to.equal(1)
        await night.runTo(at(next, '16:30'))
        await asked()
        expect([book(), await held(), await howClosed(), await wrong()]).to.deep.equal(['100', 100, ['filled'], []])
      })

      it('was cancelled by hand, and IB has forgotten it by the open: in flight until its time is over, then it has expired', async () => {
        await orderedInTheEvening(evening)
        await night.passWithoutEngine(at(evening, '20:00'))
        await cancelAllByHand()
        await backAt(at(next, '09:40'))
        await runAgain('morning')
        expect([await sent(), await howClosed()], 'whether it may still trade is not known').to.deep.equal([1, []])
        await night.runTo(at(next, '16:30'))
        expect([await howClosed(), book(), await held()]).to.deep.equal([['expired'], '0', 0])
        await asked()
        expect([await wrong(), (await events('OrderUnresolved')).length]).to.deep.equal([[], 1])
      })
    })
  }

  it('what was filled on a day of which IB tells no more is proposed, blocked and counted only when a person says so', async () => {
    await orderedInTheEvening(tuesday)
    await backAt(at(thursday, '10:00'))
    await asked()
    const [found] = await events('DiscrepancyFound')
    expect(found!.data).to.deep.include({ kind: 'position', quantity: '100' })
    expect(found!.data['proposedFill']).to.deep.equal({ orderRef: order().orderRef, quantity: '100' })
    expect([book(), await howClosed(), await wrong(true)]).to.deep.equal([
      '0',
      [],
      [`${order().orderRef} is open in the journal and Filled at the gateway`],
    ])
    await runAgain('blocked')
    expect([await sent(), await howClosed()], 'nothing is ordered beside what is not known').to.deep.equal([1, []])
    await night.command('explain', { instrument: 'SPY', quantity: '100', as: 'fill' })
    await asked()
    expect([book(), await howClosed(), night.life().engine.ledger.unexplained]).to.deep.equal(['100', ['filled'], {}])
    await runAgain('free')
    await asked()
    expect([await sent(), await wrong(true)]).to.deep.equal([1, []])
  })

  it('what was filled in part before the weekend, and then ended, is proposed as that part', async () => {
    night = await startTradingNight({ start: new Date(at(friday, '10:00')).toISOString() })
    await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
    night.watchJournal(async ({ events }, durable) => {
      if (!durable || !events.some(({ type }) => type === 'OrderPlaced')) return
      night.watchJournal(undefined)
      night.breakJournal(true)
    })
    await night.fault({ fault: 'partialFill', quantity: 30 })
    await run(night)
    await night.pass(minute)
    expect(night.life().ended, 'the engine ended with the order at work').to.equal(true)
    night.breakJournal(false)
    await cancelAllByHand()
    await backAt(at(monday, '10:00'))
    await asked()
    const [found] = await events('DiscrepancyFound')
    expect(found!.data['proposedFill']).to.deep.equal({ orderRef: order().orderRef, quantity: '30' })
    expect([book(), await howClosed(), await held()]).to.deep.equal(['0', [], 30])
    await night.command('explain', { instrument: 'SPY', quantity: '30', as: 'fill' })
    await night.runTo(at(monday, '16:30'))
    await asked()
    expect([book(), await howClosed(), await wrong(true)]).to.deep.equal(['30', ['expired'], []])
  })

  it('what was wished for on Friday is not done on Monday', async () => {
    night = await startTradingNight({ start: new Date(at(friday, '15:30')).toISOString() })
    await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
    await night.end()
    await run(night)
    await backAt(at(monday, '10:00'))
    await night.pass(2 * minute)
    const refused = (await events('CommandRefused')).map(({ data, cause }) => [cause['id'], data['code']])
    expect([refused, await sent()]).to.deep.equal([[['run', 'EXPIRED']], 0])
    await asked()
    expect(await wrong()).to.deep.equal([])
  })

  it('a run that was under way on Friday ends on Monday as expired, and plans nothing', async () => {
    night = await startTradingNight({ start: new Date(at(friday, '15:30')).toISOString() })
    await night.command('configure', { changes: { 'strategies.trend.parameters.wants': '100' } })
    night.watchJournal(async ({ events }, durable) => {
      if (durable && events.some(({ type }) => type === 'SignalGenerated')) night.breakJournal(true)
    })
    await run(night)
    await night.pass(minute)
    expect(night.life().ended).to.equal(true)
    night.watchJournal(undefined)
    night.breakJournal(false)
    await backAt(at(monday, '10:00'))
    await asked()
    const [end] = await events('PipelineEnded')
    expect(end!.data).to.include({ pipeline: 'run', outcome: 'expired' })
    expect([await sent(), await wrong()]).to.deep.equal([0, []])
  })
})
