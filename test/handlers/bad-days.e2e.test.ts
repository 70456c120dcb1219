/**
 * The bad days that end trust in an engine, each through the real client, real sockets and a real file.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { newYorkTime, nextSession } from '../../domain/calendar.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { compose } from '../../infra/compose.ts'
import { startGatewaySimulator } from '../../infra/gateway-sim/simulator.ts'
import { type Rig, type RigOptions, startRig, startTrading as startTradingOn, tuesdayMorning } from '../rig.ts'
import { onEachStore } from '../stores.ts'

const conId = 756733

onEachStore('a bad day', (store) => {
  let rig: Rig
  const startTrading = (options: RigOptions = {}) => startTradingOn({ store: store(), ...options })
  afterEach(() => rig?.stop())

  const book = (strategy: string) => rig.composed.engine.ledger.books[strategy]?.[conId] ?? '0'
  const held = async () => (await rig.state()).positions.find(({ symbol }) => symbol === 'SPY')?.quantity ?? 0
  const placed = async () => Object.values((await rig.state()).received).flat()
  const notes = (audit: unknown) => (audit as { decision: { notes: { code: string }[] } }).decision.notes.map(({ code }) => code)
  const atOpenAfter = (date: string) => nextSession(date).open + 60_000

  it('when a strategy throws: its book is held, never sold, and the decision says why', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('day-1')
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['100', '50', 150])
    await rig.want({ trend: 'throw', hedge: '20' })
    const audit = await rig.run('day-2')
    expect((await rig.events('SignalFailed')).at(-1)).to.include({ strategy: 'trend', code: 'STRATEGY_THREW' })
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['100', '20', 120])
    expect(notes(audit)).to.include('SIGNAL_FAILED')
  })

  it('when no signal came for days: stale is not flat', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('day-1')
    await rig.driver.runTo(newYorkTime('2020-02-07', '10:00'))
    await rig.command('reconcile')
    await rig.command('allocation', {}, { id: 'later' })
    expect(notes(await rig.composed.documents.get('executions/later'))).to.include('SIGNAL_STALE')
    expect([book('trend'), book('hedge'), (await placed()).length]).to.deep.equal(['100', '50', 1])
  })

  it('when the reconcile gets no answer: nothing is allocated, and the pipeline ends with the reason', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.fault({ fault: 'dropConnections', when: 'now' })
    await rig.fault({ fault: 'refuseConnections', on: true })
    await rig.composed.bus.publish('paper-commands', {
      data: JSON.stringify({ strategies: [] }),
      attributes: { type: 'orchestrator', id: 'blind', publishedAt: new Date(rig.clock.now()).toISOString() },
    })
    await untilIdle(rig)
    // The line is down, so the driver's own question cannot be asked: the clock alone is moved, past what the run is valid for.
    for (let minute = 1; minute <= 62; minute++) {
      await rig.clock.moveTo(rig.clock.now() + 60_000)
      await untilIdle(rig)
    }
    const document = await rig.composed.documents.get('commands/blind')
    expect(document).to.include({ status: 'failed', code: 'ENDS_WITHIN' })
    expect(document!['text']).to.include('the gateway is not connected')
    expect(await rig.events('AllocationDecided')).to.deep.equal([])
  })

  it('when a command is published three times: one effect', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    for (let time = 1; time <= 3; time++) await rig.run('once')
    expect(await rig.events('AllocationDecided')).to.have.length(1)
    expect((await placed()).map(({ count }) => count)).to.deep.equal([1])
  })

  it('when a command comes too late: refused by name', async () => {
    rig = await startTrading()
    const publishedAt = new Date(rig.clock.now() - 61 * 60_000).toISOString()
    expect(await rig.command('orchestrator', {}, { id: 'friday', publishedAt })).to.include({ status: 'refused', code: 'EXPIRED' })
  })

  it('when a message cannot be read: dead-lettered with its reason, and the next one is handled', async () => {
    rig = await startTrading()
    const publishedAt = new Date(rig.clock.now()).toISOString()
    await rig.composed.bus.publish('paper-commands', { data: '{not json', attributes: { type: 'reconcile', publishedAt } })
    await rig.composed.bus.publish('paper-commands', { data: '{}', attributes: { publishedAt } })
    await rig.composed.bus.publish('paper-commands', { data: '{}', attributes: { type: 'reconsile', publishedAt } })
    await rig.composed.bus.publish('paper-commands', { data: '{}', attributes: { type: 'reconcile', id: '../x', publishedAt } })
    expect(await rig.command('reconcile', {}, { id: 'next' })).to.include({ status: 'completed' })
    const reasons = (await rig.composed.bus.deadLetters()).map(({ reason }) => reason)
    expect(reasons).to.have.length(4)
    for (const part of ['not JSON', '"type" is missing', 'no command "reconsile"', '"../x"'])
      expect(
        reasons.some((reason) => reason.includes(part)),
        part,
      ).to.equal(true)
  })

  it('when an order works in the other direction: cancelled first, then decided again', async () => {
    rig = await startTrading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('evening')
    await rig.want({ trend: '-40', hedge: '0' })
    await rig.run('night')
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['cancelled'])
    expect((await rig.events('AllocationDecided')).map(({ round }) => round)).to.deep.equal([1, 1, 2])
    expect(await rig.composed.documents.get('commands/night')).to.include({ status: 'completed' })
    await rig.driver.runTo(atOpenAfter('2020-02-04'))
    expect([book('trend'), await held()]).to.deep.equal(['-40', -40])
  })

  it('when an order is filled in part and then cancelled: the filled part is in the books', async () => {
    rig = await startTrading()
    await rig.fault({ fault: 'partialFill', quantity: 30 })
    await rig.want({ trend: '60', hedge: '40' })
    await rig.run('part')
    const [order] = Object.values(rig.composed.engine.ledger.orders)
    expect(order!.filled).to.equal('30')
    await rig.command('cancel-order', { orderRef: order!.orderRef })
    expect((await rig.events('OrderClosed'))[0]).to.include({ how: 'cancelled', filled: '30' })
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['18', '12', 30])
  })

  it('when yesterday’s order did not fill: a neutral day pursues the standing target', async () => {
    rig = await startTrading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('evening')
    const [first] = Object.values(rig.composed.engine.ledger.orders)
    await rig.command('cancel-order', { orderRef: first!.orderRef })
    await rig.driver.runTo(newYorkTime('2020-02-05', '17:00'))
    expect(book('trend')).to.equal('0')
    await rig.want({ trend: 'neutral' })
    await rig.run('next-evening')
    await rig.driver.runTo(atOpenAfter('2020-02-05'))
    expect([book('trend'), await held()]).to.deep.equal(['100', 100])
  })

  it('when two strategies wish the opposite: both books move, the broker sees the net, and nothing drifts', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '-60' })
    await rig.run('day-1')
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['100', '-60', 40])
    expect(await rig.events('PositionsCrossed')).to.have.length(1)
    await rig.want({ trend: 'neutral', hedge: 'neutral' })
    for (const date of ['2020-02-05', '2020-02-06', '2020-02-07']) {
      await rig.driver.runTo(newYorkTime(date, '10:00'))
      await rig.run(`quiet-${date}`)
    }
    expect([book('trend'), book('hedge'), await held()]).to.deep.equal(['100', '-60', 40])
    expect([(await rig.events('OrderPlanned')).length, (await rig.events('PositionsCrossed')).length]).to.deep.equal([1, 1])
  })

  it('when somebody trades by hand against a book: blocked, until it is explained', async () => {
    rig = await startTrading()
    await rig.want({ trend: '50', hedge: '0' })
    await rig.run('day-1')
    await rig.fault({ fault: 'handTrade', symbol: 'SPY', quantity: -10 })
    await rig.driver.settled()
    await rig.command('reconcile')
    await rig.want({ trend: '80' })
    expect(notes(await rig.run('blocked'))).to.include('BLOCKED')
    expect((await placed()).length).to.equal(1)
    await rig.command('explain', { instrument: 'SPY', quantity: '-10', as: 'book', strategy: 'trend' })
    expect(book('trend')).to.equal('40')
    await rig.run('free')
    expect([book('trend'), await held()]).to.deep.equal(['80', 80])
  })

  it('when there is a position in something that is not ours: manual, never touched', async () => {
    rig = await startTrading()
    await rig.fault({ fault: 'handTrade', symbol: 'AAPL', quantity: 10, price: 300 })
    await rig.want({ trend: '50', hedge: '0' })
    await rig.run('day-1')
    await rig.want({ trend: '0' })
    await rig.run('day-2')
    expect(Object.values(rig.composed.engine.ledger.manual)).to.deep.equal(['10'])
    expect((await rig.state()).positions.find(({ symbol }) => symbol === 'AAPL')?.quantity).to.equal(10)
    expect(await held()).to.equal(0)
  })

  it('when the position of a book changes without an execution: blocked at first sight, a discrepancy a minute later', async () => {
    rig = await startTrading()
    await rig.want({ trend: '50', hedge: '0' })
    await rig.run('day-1')
    await rig.fault({ fault: 'position', symbol: 'SPY', quantity: 5 })
    await rig.command('reconcile')
    expect(rig.composed.engine.ledger.unexplained[conId]).to.include({ quantity: '5', found: false })
    await rig.driver.runTo(rig.clock.now() + 61_000)
    expect((await rig.events('DiscrepancyFound'))[0]).to.include({ kind: 'position', quantity: '5' })
    await rig.command('explain', { instrument: 'SPY', quantity: '5', as: 'manual' })
    expect(rig.composed.engine.ledger.manual[conId]).to.equal('5')
  })

  it('when trading is halted after the hand-over: the order works on and is seen, and nothing new goes out', async () => {
    rig = await startTrading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('evening')
    await rig.command('halt', { reason: 'a bad feeling' })
    await rig.want({ trend: '500' })
    expect(await rig.run('halted')).to.include({ status: 'failed' })
    expect(await rig.composed.documents.get('commands/halted')).to.include({ status: 'refused', code: 'HALTED' })
    await rig.driver.runTo(atOpenAfter('2020-02-04'))
    expect([book('trend'), await held()]).to.deep.equal(['100', 100])
  })

  it('when a dry run comes in between: it changes nothing that a real decision reads', async () => {
    rig = await startTrading()
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('real')
    const { books, standing, signals, orders } = structuredClone(rig.composed.engine.ledger)
    await rig.want({ trend: '-70' })
    const audit = await rig.run('dry', { dryRun: true })
    expect((audit as { decision: { final_target: unknown[] } }).decision.final_target).not.to.deep.equal([])
    const after = rig.composed.engine.ledger
    expect({ books: after.books, standing: after.standing, signals: after.signals, orders: after.orders }).to.deep.equal({
      books,
      standing,
      signals,
      orders,
    })
    expect((await rig.events('AllocationDecided')).at(-1)!.orders.map(({ quantity }) => quantity)).to.deep.equal(['-100', '-70'])
    expect((await placed()).length).to.equal(1)
  })

  it('when the gateway is silent about an order: asked for, doubted, never sent again, and closed as lost after its day', async () => {
    rig = await startTrading()
    await rig.fault({ fault: 'swallowOrder' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('silent')
    await rig.driver.runTo(rig.clock.now() + 3 * 60_000)
    expect(await rig.events('OrderUnresolved')).to.have.length(1)
    await rig.run('again')
    expect(await rig.events('OrderPlanned')).to.have.length(1)
    await rig.driver.runTo(newYorkTime('2020-02-04', '16:30'))
    expect((await rig.events('OrderClosed')).map(({ how }) => how)).to.deep.equal(['lost'])
  })

  it('when the engine is restarted over midnight with an order at work: found or asked for, its fill counted once', async () => {
    rig = await startTrading({ start: '2020-02-04T22:00:00.000Z' })
    await rig.want({ trend: '100', hedge: '0' })
    await rig.run('evening')
    await rig.restart()
    await rig.driver.runTo(atOpenAfter('2020-02-04'))
    await rig.restart()
    expect([book('trend'), await held()]).to.deep.equal(['100', 100])
    expect(await rig.events('FillReceived')).to.have.length(1)
    expect((await placed()).map(({ count }) => count)).to.deep.equal([1])
  })

  it('when the gateway rejects: the order is closed with its reason, and the run says so', async () => {
    rig = await startTrading()
    await rig.fault({ fault: 'rejectNext', code: 201, text: 'Order rejected - reason: insufficient margin' })
    await rig.want({ trend: '100', hedge: '0' })
    const audit = await rig.run('poor')
    expect((await rig.events('OrderClosed'))[0]).to.include({ how: 'rejected', code: 201 })
    expect(audit).to.include({ status: 'failed' })
    expect(book('trend')).to.equal('0')
  })

  it('when the command of a schedule comes on a holiday: refused by name', async () => {
    rig = await startRig({ store: store(), start: '2020-02-17T21:05:00.000Z', schedules: true })
    await rig.driver.connected()
    const attributes = { id: 'orchestrator@2020-02-17T21:05:00Z', job: 'orchestrator', source: 'scheduler' }
    expect(await rig.command('orchestrator', {}, attributes)).to.include({ status: 'refused', code: 'NO_SESSION' })
  })
})

describe('the wrong account', () => {
  it('a paper engine at an account that does not begin with D closes the line and sends nothing', async () => {
    const simulator = await startGatewaySimulator({ start: tuesdayMorning, account: 'U1234567' })
    const dataDirectory = mkdtempSync(join(tmpdir(), 'ibt-account-'))
    const composed = await compose(
      {
        mode: 'paper',
        dataDirectory,
        store: { kind: 'embedded' },
        gateway: { host: '127.0.0.1', port: simulator.port, clientId: 17 },
        httpPort: 0,
        logLevel: 'silent',
      },
      { clock: simulatedClock(Date.parse(tuesdayMorning)) },
    )
    await composed.start()
    const reason = await composed.stopped
    expect(reason.message).to.match(/ACCOUNT_MISMATCH.*U1234567/)
    const state = await (await fetch(`http://127.0.0.1:${simulator.controlPort}/state`)).json()
    expect(state).to.deep.include({ connections: [], orders: [] })
    await composed.stop()
    await simulator.close()
    rmSync(dataDirectory, { recursive: true, force: true })
  })
})

const untilIdle = async (rig: Rig): Promise<void> => {
  for (let turn = 0; turn < 2_000; turn++) {
    if (await rig.composed.idle()) return
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error('the process did not come to rest')
}
