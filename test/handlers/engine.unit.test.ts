/** The engine on ports that a test holds in its hand: what may reach the socket in the moments between a decision and its effect. */
import { expect } from 'chai'
import type { Commit } from '../../domain/commit.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import type { Strategy } from '../../domain/strategy.ts'
import { createEngine, type Engine } from '../../handlers/engine.ts'
import { type SimulatedClock, simulatedClock } from '../../infra/clock.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { wanting } from '../rig.ts'
import { bars, contract, createBroker, createBus, now, silent } from './ports-in-hand.ts'

describe('the engine', () => {
  let engine: Engine
  let journal: Journal
  let held: ReturnType<typeof createBroker>
  let mail: ReturnType<typeof createBus>
  let machineTime: number
  let memory: ReturnType<typeof createMemory>
  let epoch: number
  let market: SimulatedClock
  /** Called while a commit is being appended: its events are not in the state yet, and nothing of it has taken effect. */
  let duringAppend: (commit: Commit) => void | Promise<void>

  type Options = { reportsTogether?: boolean; strategies?: Record<string, Strategy> }
  const begin = async (options: Options = {}): Promise<void> => {
    memory = createMemory()
    epoch = 0
    await open(options)
    await send('configure', { changes: { 'strategies.trend.allocation': 1, 'strategies.trend.parameters.wants': '100' } })
    await send('resume')
  }
  /** A new process on the journal that is there. */
  const open = async ({ reportsTogether = false, strategies = { trend: wanting('Trend') } }: Options = {}): Promise<void> => {
    machineTime = 0
    duringAppend = () => {}
    const real = memoryJournal(memory)
    journal = {
      ...real,
      append: async (commit) => {
        await duringAppend(commit)
        return real.append(commit)
      },
    }
    held = createBroker()
    mail = createBus()
    market = simulatedClock(Date.parse(now))
    const clock = { ...market, monotonic: () => machineTime }
    const lease = { acquire: async () => ({ epoch: ++epoch }), renew: async () => true, release: async () => {} }
    engine = createEngine({
      ...{ journal, bus: mail.bus, broker: held.broker, lease, clock, log: silent, topics: readTopics(), mode: 'paper', holder: 'test' },
      strategies,
      reportsTogether,
    })
    await engine.start()
    await until('the gateway is ready', () => engine.ready())
  }
  beforeEach(() => begin())
  afterEach(() => engine.stop())

  const rest = () => until('nothing is under way', () => engine.idle())
  const send = async (type: string, body: object = {}, id?: string) => {
    mail.deliver('paper-commands-engine', type, body, id)
    await rest()
  }
  const onOrderPlanned = (run: () => void) => {
    duringAppend = ({ events }) => {
      if (events.some(({ type }) => type === 'OrderPlanned')) run()
    }
  }
  const closedAs = () => Object.values(engine.ledger.orders).map(({ how }) => how)

  it('hands a planned order over once it is durable, and not before', async () => {
    let atAppend = -1
    onOrderPlanned(() => {
      atAppend = held.placed.length
    })
    await send('orchestrator')
    expect([atAppend, held.placed.length]).to.deep.equal([0, 1])
    expect(held.placed[0]).to.deep.include({ action: 'BUY', quantity: '100', type: 'LMT', account: 'DU1', orderId: 1 })
  })

  it('plans nothing while it still asks the broker of its own accord, however slow the journal is', async () => {
    await send('orchestrator')
    let answer: (() => void) | undefined
    const { snapshot } = held.broker
    held.broker.snapshot = async (account) => {
      await new Promise<void>((resolve) => {
        answer = resolve
      })
      return snapshot(account)
    }
    held.report({ kind: 'orderMessage', orderId: 1, code: 10148, text: 'cannot be cancelled', meaning: 'cancelRefused' })
    await until('the question is open', () => answer !== undefined)
    held.broker.snapshot = snapshot // the pipeline's own questions are answered
    mail.deliver('paper-commands-engine', 'orchestrator', {}, 'o-1')
    await until('the pipeline has begun', () => engine.ledger.pipelines['o-1'] !== undefined)
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect([engine.ready(), engine.ledger.pipelines['o-1']!.steps]).to.deep.equal([true, {}])
    answer!()
    await rest()
    expect(engine.ledger.pipelines).to.deep.equal({})
  })

  it('hands nothing over when a halt arrives while the order is being planned: it is withdrawn', async () => {
    onOrderPlanned(() => mail.deliver('paper-urgent-engine', 'halt', { reason: 'a bad feeling' }))
    await send('orchestrator')
    expect(held.placed).to.deep.equal([])
    expect(closedAs()).to.deep.equal(['withdrawn'])
    expect(engine.ledger.trading.on).to.equal(false)
  })

  it('hands over what waited for a halt that turned out to be none', async () => {
    onOrderPlanned(() => mail.deliver('paper-urgent-engine', 'halt', { reason: 5 }))
    await send('orchestrator')
    expect(held.placed).to.have.length(1)
    expect(mail.ends.at(-1)).to.deep.equal({ id: 'halt-4', end: 'ack' })
  })

  it('hands nothing over when it was frozen past its lease', async () => {
    onOrderPlanned(() => {
      machineTime += 41_000
    })
    await send('orchestrator')
    expect(held.placed).to.deep.equal([])
    expect(closedAs()).to.deep.equal(['withdrawn'])
  })

  it('hands nothing over after its time in force, when the broker took so long to say what it would take', async () => {
    await send('configure', { changes: { 'orders.whatIf': 'always' } })
    const { whatIf } = held.broker
    held.broker.whatIf = async (ticket) => {
      market.setNow(Date.parse(Object.values(engine.ledger.orders)[0]!.inForceUntil))
      return whatIf(ticket)
    }
    await send('orchestrator')
    expect(held.placed).to.deep.equal([])
    expect(closedAs()).to.deep.equal(['withdrawn'])
  })

  it('hands nothing over to a line that was lost in between', async () => {
    onOrderPlanned(() => held.report({ kind: 'lost', reason: 'cable' }))
    await send('orchestrator')
    expect(held.placed).to.deep.equal([])
    expect(closedAs()).to.deep.equal(['withdrawn'])
  })

  it('stops when somebody else holds its position, and sends nothing', async () => {
    const real = journal.append
    journal.append = async (commit) =>
      commit.events.some(({ type }) => type === 'OrderPlanned') ? { answer: 'conflict', position: commit.position, epoch: 2 } : real(commit)
    mail.deliver('paper-commands-engine', 'orchestrator')
    expect((await engine.stopped).message).to.match(/another engine \(epoch 2\) wrote position/)
    expect(held.placed).to.deep.equal([])
  })

  it('stops when the journal cannot be written, and says so', async () => {
    journal.append = async () => {
      throw new Error('disk full')
    }
    mail.deliver('paper-commands-engine', 'reconcile')
    expect((await engine.stopped).message).to.match(/could not be written at position \d+: disk full/)
    expect(mail.ends.filter(({ id }) => id.startsWith('reconcile')).map(({ end }) => end)).to.deep.equal(['nack'])
  })

  it('asks again for a cancel that could not be sent, when the line is back', async () => {
    await send('orchestrator')
    held.report({ kind: 'lost', reason: 'cable' })
    const [orderRef] = Object.keys(engine.ledger.orders)
    await send('cancel-order', { orderRef })
    expect(held.cancelled).to.deep.equal([])
    held.report({ kind: 'connected', managedAccounts: ['DU1'], nextValidId: 2, serverVersion: 193 })
    await until('the gateway is ready', () => engine.ready())
    expect(held.cancelled).to.deep.equal([1])
  })

  it('decides nothing that needs the broker until its questions after a connect are answered', async () => {
    held.report({ kind: 'lost', reason: 'cable' })
    await send('reconcile')
    expect(mail.ends.at(-1)!.end).to.equal('nack')
    await send('configure', { changes: { freshMinutes: 60 } })
    expect(mail.ends.at(-1)!.end, 'what needs no broker is decided').to.equal('ack')
  })

  it('decides nothing for a pipeline that has ended, however late its facts come', async () => {
    let release: (value: typeof bars) => void = () => {}
    held.broker.bars = () =>
      new Promise((resolve) => {
        release = resolve
      })
    mail.deliver('paper-commands-engine', 'orchestrator', {}, 'slow')
    await until('the pipeline has begun', () => engine.ledger.pipelines['slow'] !== undefined)
    await market.moveTo(Date.parse(now) + 61 * 60_000)
    await until('the pipeline has ended', () => engine.ledger.pipelines['slow'] === undefined)
    const ended = engine.ledger.position
    release(bars)
    await rest()
    expect(engine.ledger.position).to.equal(ended)
  })

  it('takes no order id twice, though the broker’s own goes back', async () => {
    await send('orchestrator')
    held.report({ kind: 'connected', managedAccounts: ['DU1'], nextValidId: 1, serverVersion: 193 })
    await until('the gateway is ready', () => engine.ready())
    await send('configure', { changes: { 'strategies.trend.parameters.wants': '200' } })
    await send('orchestrator')
    expect(held.placed.map(({ orderId }) => orderId)).to.deep.equal([1, 2])
  })

  const seen = async () => {
    const [order] = Object.values(engine.ledger.orders)
    const { orderRef, orderId, account } = order!
    const sighting = {
      orderRef,
      orderId,
      clientId: 7,
      permId: 1001,
      account,
      contract,
      status: 'Submitted',
      filled: undefined,
      remaining: undefined,
    }
    held.report({ kind: 'order', sighting })
    await rest()
  }
  const executed = (count: number) => {
    const [order] = Object.values(engine.ledger.orders)
    for (let number = 1; number <= count; number++)
      held.report({
        kind: 'execution',
        execution: {
          ...{ executionId: `e${number}.01`, orderRef: order!.orderRef, orderId: 1, clientId: 7, permId: 1001, account: 'DU1', contract },
          ...{ quantity: '1', price: '100', time: now },
        },
      })
  }

  it('commits one report at a time, however many wait', async () => {
    await send('orchestrator')
    await seen()
    const before = engine.ledger.position
    executed(50)
    await rest()
    expect([engine.ledger.position - before, Object.values(engine.ledger.orders)[0]!.filled]).to.deep.equal([50, '50'])
  })

  it('commits many that wait together when it is told to, with the same books', async () => {
    await engine.stop()
    await begin({ reportsTogether: true })
    await send('orchestrator')
    await seen()
    const before = engine.ledger.position
    executed(32)
    await rest()
    expect(engine.ledger.position - before, 'not many').to.equal(32)
    executed(90)
    await rest()
    expect(engine.ledger.position - before).to.equal(33)
    expect(engine.ledger.books).to.deep.equal({ trend: { 756733: '90' } })
  })

  it('keeps the bug of a strategy to its own signal', async () => {
    await send('configure', { changes: { 'strategies.trend.parameters.wants': 'throw' } })
    await send('orchestrator')
    expect(engine.ledger.failures['trend']).to.include({ code: 'STRATEGY_THREW' })
    expect(engine.ready()).to.equal(true)
  })

  it('hands nothing over that is being withdrawn, though the halt that it waited for turns out to be none', async () => {
    let withdrawn = () => {}
    duringAppend = ({ events }) => {
      const [planned] = events.filter(({ type }) => type === 'OrderPlanned')
      if (planned !== undefined) {
        mail.deliver('paper-urgent-engine', 'halt', { reason: 5 })
        mail.deliver('paper-urgent-engine', 'cancel-order', { orderRef: (planned.data as { orderRef: string }).orderRef })
      }
      if (!events.some(({ type }) => type === 'OrderClosed')) return undefined
      return new Promise((resolve) => {
        withdrawn = resolve
      })
    }
    mail.deliver('paper-commands-engine', 'orchestrator')
    await until('the halt was refused', () => mail.ends.some(({ id, end }) => id.startsWith('halt') && end === 'ack'))
    await new Promise((resolve) => setImmediate(resolve))
    withdrawn()
    await rest()
    expect([held.placed, closedAs()]).to.deep.equal([[], ['withdrawn']])
  })

  it('holds back for a halt, however it is spelt and whichever way it comes', async () => {
    onOrderPlanned(() => mail.deliver('paper-commands-engine', 'HALT', { reason: 'a bad feeling' }))
    await send('orchestrator')
    expect([held.placed, closedAs()]).to.deep.equal([[], ['withdrawn']])
  })

  it('is not made ready by what was asked on an earlier line', async () => {
    const answers: (() => void)[] = []
    const { snapshot } = held.broker
    held.broker.snapshot = async (account) => {
      await new Promise<void>((resolve) => answers.push(resolve))
      return snapshot(account)
    }
    held.report({ kind: 'link', state: 'up', reason: 'once' })
    await until('it is asked', () => answers.length === 1)
    held.report({ kind: 'link', state: 'up', reason: 'again' })
    answers[0]!()
    await until('it is asked on the new line', () => answers.length === 2)
    expect(engine.ready()).to.equal(false)
    answers[1]!()
    await until('the gateway is ready', () => engine.ready())
  })

  it('asks for a cancel once more when a person does, and the broker refused the first', async () => {
    await send('orchestrator')
    const [orderRef] = Object.keys(engine.ledger.orders)
    await send('cancel-order', { orderRef })
    held.report({ kind: 'orderMessage', orderId: 1, code: 161, text: 'not in a state to be cancelled', meaning: 'cancelRefused' })
    await rest()
    await send('cancel-order', { orderRef })
    expect(held.cancelled).to.deep.equal([1, 1])
  })

  it('outlives what no journal takes: a signal of an odd shape, and a decision that is too large', async () => {
    await engine.stop()
    const says = (signal: () => unknown): Strategy => ({ ...wanting('Trend'), signal: signal as Strategy['signal'] })
    await begin({ strategies: { trend: says(() => ({ kind: 'neutral', indicators: {} })) } })
    await send('trend')
    expect(engine.ledger.failures['trend']).to.include({ code: 'SIGNAL_INVALID' })
    await engine.stop()
    await begin({ strategies: { trend: says(() => ({ kind: 'neutral', indicators: {}, reason: 'x'.repeat(1_000_000) })) } })
    const { position } = engine.ledger
    await send('trend')
    expect([engine.ledger.position - position, mail.ends.at(-1)!.end]).to.deep.equal([1, 'ack'])
    expect([engine.ready(), Object.keys(engine.ledger.signals)]).to.deep.equal([true, []])
    const [said] = memory.commits.slice(-1).map(({ json }) => (JSON.parse(json) as Commit).events[0]!)
    expect(said).to.deep.include({ type: 'CommandFailed' })
    expect(said!.data).to.include({ code: 'DECISION_TOO_LARGE' })
    expect((said!.data as { text: string }).text).to.match(
      /nothing of it was done: commit \d+ has \d+ bytes, the limit is 900000; ask for fewer/,
    )
  })

  it('gives up a message that is larger than any commit, and goes on', async () => {
    await send('resume', { reason: 'x'.repeat(1_000_000) })
    expect(mail.ends.at(-1)!.end).to.equal('dead')
    await send('resume')
    expect(mail.ends.at(-1)!.end).to.equal('ack')
  })

  it('carries a pipeline to its end though one of its strategies went away', async () => {
    held.broker.contracts = () => new Promise(() => {})
    mail.deliver('paper-commands-engine', 'orchestrator', {}, 'o-1')
    await until('the run has begun', () => engine.ledger.pipelines['o-1'] !== undefined)
    await engine.stop()
    await open({ strategies: { other: wanting('Other') } })
    await until('the run has ended', async () => {
      await market.moveTo(market.now() + 1_000)
      return engine.ledger.pipelines['o-1'] === undefined
    })
    expect(engine.ready()).to.equal(true)
  })

  it('ends a pipeline whose step or end has the id of another command', async () => {
    await send('reconcile', {}, 'o-1:reconcile')
    await send('reconcile', {}, 'o-2:end')
    await send('orchestrator', { dryRun: true }, 'o-1')
    await send('orchestrator', { dryRun: true }, 'o-2')
    await rest()
    expect(Object.keys(engine.ledger.pipelines)).to.deep.equal([])
    const ends = memory.commits.flatMap(({ json }) => (JSON.parse(json) as Commit).events.filter(({ type }) => type === 'PipelineEnded'))
    expect(ends.map(({ data }) => (data as { code?: string }).code)).to.deep.equal(['STEP_ID_TAKEN', undefined])
  })
})
