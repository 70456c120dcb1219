/** Each alert once, to every channel, whatever fails between; and what no event says. */
import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import type { Alert, AlertChannel } from '../../domain/ports/alert-channel.ts'
import type { DeadLetter } from '../../domain/ports/bus.ts'
import type { Documents } from '../../domain/ports/documents.ts'
import { type SimulatedClock, simulatedClock } from '../../infra/clock.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { createNotifier, type Notifier, type NotifierOptions } from '../../projections/notifier.ts'
import { createProjector } from '../../projections/projector.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { createMachineTime, silent } from './relay-in-hand.ts'
import {
  at,
  broker,
  command,
  commitsOf,
  connected,
  decision,
  pipelineEnded,
  pipelineStarted,
  SPY,
  scheduled,
  started,
  step,
  type Told,
} from './story.ts'

const halted = (reason: string): Told =>
  command('halt', `halt ${reason}`, event('TradingHalted', { reason, publishedAt: at(0), cancelWorking: false }))
const blocked = broker(event('DiscrepancyFound', { ...SPY, kind: 'position', quantity: '10', text: '10 SPY unexplained, seen twice' }))
const failedSignal = (strategy: string) =>
  event('SignalFailed', { strategy, dryRun: false, code: 'BARS_STALE', text: 'the last bar is of Tuesday' })
const noted = (code: string, strategy: string) => decision({ notes: [{ code, text: `${code} of ${strategy}`, strategy }] })

describe('the notifier', () => {
  let memory: Memory
  let market: SimulatedClock
  let machine: ReturnType<typeof createMachineTime>
  let die: (letter: DeadLetter) => Promise<void>
  let running: Notifier[]
  beforeEach(() => {
    memory = createMemory()
    market = simulatedClock(Date.parse(at(0)))
    machine = createMachineTime()
    running = []
  })
  afterEach(async () => {
    for (const notifier of running) await notifier.stop()
  })
  const append = (...told: Told[]): void => {
    memory.commits.push(...commitsOf(told, memory.commits.at(-1)))
    for (const listener of [...(memory.listeners.get('journal') ?? [])]) listener()
  }
  /** A channel that remembers, and fails while `fails` says so. */
  const channel = (name = 'chat', fails: () => boolean = () => false) => {
    const sent: Alert[][] = []
    let attempts = 0
    const own: AlertChannel = {
      name,
      send: async (alerts) => {
        attempts += 1
        if (fails()) throw new Error('the line is busy')
        sent.push([...alerts])
      },
    }
    return { own, sent, titles: () => sent.flat().map(({ title }) => title), attempts: () => attempts }
  }
  const begin = async (channels: readonly AlertChannel[], options: Partial<NotifierOptions> = {}): Promise<Notifier> => {
    const notifier = createNotifier({
      ...{ journal: memoryJournal(memory), documents: memoryDocuments(memory), topics: readTopics(), log: silent, channels },
      bus: {
        onDeadLetter: (heard) => {
          die = heard
          return { close: async () => undefined }
        },
      },
      clock: { ...market, ...machine.clock },
      ...options,
    })
    running.push(notifier)
    await notifier.start()
    await until('it has looked around', () => memory.checkpoints.has('alerts'))
    return notifier
  }
  const notices = () => [...memory.documents.keys()].filter((path) => path.startsWith('notices/'))

  it('tells what happens from its first start on, with what to do, and nothing of what was before', async () => {
    append(started, connected, halted('long ago'))
    const chat = channel()
    await begin([chat.own])
    append(halted('the news'))
    await until('it is told', () => chat.sent.length === 1)
    expect(chat.sent).to.deep.equal([
      [
        {
          id: 'halt-4.0',
          severity: 'error',
          title: 'Trading is halted',
          text: 'the news',
          next: 'Orders at the broker stay. When the cause is gone: ibt publish resume',
          at: at(4),
          position: 4,
        },
      ],
    ])
  })

  it('tells a cause once, however often it is mentioned', async () => {
    append(started, connected)
    const chat = channel()
    await begin([chat.own])
    append(step('d', 'dummy', 'dummy', failedSignal('dummy')))
    append(step('d', 'allocation', 'allocation-round', noted('SIGNAL_FAILED', 'dummy'), noted('BOOK_WITHOUT_STRATEGY', 'old')))
    append(command('allocation', 'again', noted('SIGNAL_FAILED', 'dummy'), noted('BOOK_WITHOUT_STRATEGY', 'old')))
    append(command('allocation', 'dry', decision({ dryRun: true, notes: [{ code: 'SIGNAL_FAILED', text: 'x', strategy: 'another' }] })))
    append(halted('the end'))
    await until('the last is told', () => chat.titles().includes('Trading is halted'))
    expect(chat.titles()).to.deep.equal(['No signal of dummy', 'Nobody looks after the book of old', 'Trading is halted'])
  })

  it('tells of pipelines that ended badly, of orders and instruments in doubt, and is silent on what went well', async () => {
    append(started, connected)
    const chat = channel()
    await begin([chat.own])
    append(scheduled('orchestrator', 'd', pipelineStarted('d')), step('d', 'end', 'orchestrator', pipelineEnded('d', 'completed')))
    const halted = event('PipelineEnded', { pipeline: 'h', outcome: 'refused', code: 'HALTED', text: 'trading is halted' })
    append(scheduled('orchestrator', 'h', pipelineStarted('h')), step('h', 'end', 'orchestrator', halted))
    append(scheduled('orchestrator', 'e', pipelineStarted('e')), step('e', 'end', 'orchestrator', pipelineEnded('e', 'failed', 'no line')))
    append(broker(event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'asked for twice' })), blocked)
    await until('all is told', () => chat.titles().length === 3)
    expect(chat.titles()).to.deep.equal(['orchestrator ended failed', 'order r1 is in doubt', 'SPY is blocked'])
  })

  it('goes on where it ended: what happened while nobody listened is told, and nothing twice', async () => {
    append(started, connected)
    const chat = channel()
    const first = await begin([chat.own])
    append(halted('one'))
    await until('one is told', () => chat.sent.length === 1)
    await first.stop()
    append(halted('two'))
    await begin([chat.own])
    await until('two is told', () => chat.sent.length === 2)
    expect(chat.sent.flat().map(({ text }) => text)).to.deep.equal(['one', 'two'])
  })

  it('sends again, later and later, to the channel that failed and to no other', async () => {
    append(started, connected)
    let broken = true
    const [mail, chat] = [channel('mail', () => broken), channel('chat')]
    await begin([mail.own, chat.own])
    append(halted('one'))
    await until('the chat has it', () => chat.sent.length === 1)
    await until('the mail waits', () => machine.waits.includes(1_000))
    machine.advance(1_000)
    await until('the mail waits longer', () => machine.waits.includes(2_000))
    broken = false
    machine.advance(2_000)
    await until('the mail has it', () => mail.sent.length === 1)
    expect([mail.attempts(), chat.attempts()]).to.deep.equal([3, 1])
  })

  it('remembers over a restart who has not heard yet', async () => {
    append(started, connected)
    const [mail, chat] = [channel('mail', () => true), channel('chat')]
    const first = await begin([mail.own, chat.own])
    append(halted('one'))
    await until('the chat has it', () => chat.sent.length === 1)
    await until('the mail waits', () => machine.waits.includes(1_000))
    await first.stop()
    const [healed, another] = [channel('mail'), channel('chat')]
    await begin([healed.own, another.own])
    await until('the mail has it', () => healed.sent.length === 1)
    expect(another.attempts()).to.equal(0)
  })

  it('tells a crowd in a few messages', async () => {
    append(started, connected)
    const chat = channel()
    await begin([chat.own])
    append(...Array.from({ length: 45 }, (_, number) => halted(`number ${number}`)))
    await until('all are told', () => chat.titles().length === 45)
    expect(Math.max(...chat.sent.map((alerts) => alerts.length))).to.be.at.most(20)
    expect(new Set(chat.sent.flat().map(({ text }) => text)).size).to.equal(45)
  })

  it('gives up after a day, and says so', async () => {
    append(started, connected)
    const errors: string[] = []
    const mail = channel('mail', () => true)
    await begin([mail.own], { log: { ...silent, error: (_, text) => void errors.push(text) } })
    append(halted('one'))
    await until('the mail waits', () => machine.waits.includes(1_000))
    machine.advance(24 * 3_600_000)
    await until('it gives up', () => errors.includes('never told by mail: Trading is halted'))
    expect(await memoryDocuments(memory).get('notices/halt-3.0')).to.deep.include({ waiting_for: [], given_up: ['mail'] })
  })

  it('tells once where two of them stand side by side', async () => {
    append(started, connected)
    const chat = channel()
    await begin([chat.own])
    await begin([chat.own])
    append(halted('one'), halted('two'))
    await until('both are told', () => chat.titles().length >= 2)
    await until('nobody has anything left', async () =>
      (await memoryDocuments(memory).list('notices')).every(({ data }) => data['told_at'] !== null),
    )
    expect(chat.sent.flat().map(({ text }) => text)).to.deep.equal(['one', 'two'])
  })

  it('loses nothing when the store fails while it writes down', async () => {
    append(started, connected)
    const real = memoryDocuments(memory)
    let failures = 0
    const documents: Documents = {
      ...real,
      write: async (...batch) => {
        if (batch[1].length > 0 && ++failures <= 2) {
          if (failures === 2) await real.write(...batch)
          throw new Error('away')
        }
        return real.write(...batch)
      },
    }
    const chat = channel()
    await begin([chat.own], { documents })
    append(halted('one'))
    await until('it rests', () => machine.waits.includes(50))
    machine.advance(50)
    await until('it rests again', () => machine.waits.includes(100))
    machine.advance(100)
    await until('it is told', () => chat.sent.length === 1)
  })

  it('leaves a rebuild alone, and is left alone by it', async () => {
    append(started, connected)
    const chat = channel()
    await begin([chat.own])
    append(halted('one'))
    await until('it is told', () => chat.sent.length === 1)
    const projector = createProjector({
      journal: memoryJournal(memory),
      documents: memoryDocuments(memory),
      mode: 'paper',
      log: silent,
      clock: machine.clock,
    })
    await projector.rebuild()
    expect(notices()).to.deep.equal(['notices/halt-3.0'])
  })

  describe('of what no event says', () => {
    it('tells of a gateway that is away for too long, once, and not of one that comes back in time', async () => {
      append(started, connected)
      const chat = channel()
      await begin([chat.own])
      append(broker(event('GatewayLost', { reason: 'the nightly restart' })))
      await until('it waits', () => market.nextTimerAt() === Date.parse(at(3)) + 600_000)
      append(broker(event('GatewayConnected', { account: 'DU1', nextValidId: 1, serverVersion: 178 })))
      await until('it waits no more', () => market.nextTimerAt() !== Date.parse(at(3)) + 600_000)
      append(broker(event('GatewayLost', { reason: 'waits for a second factor' })))
      await until('it waits again', () => market.nextTimerAt() === Date.parse(at(5)) + 600_000)
      await market.moveTo(Date.parse(at(5)) + 600_000)
      await until('it is told', () => chat.sent.length === 1)
      await market.moveTo(Date.parse(at(5)) + 900_000)
      append(halted('another thing'))
      await until('the other thing is told', () => chat.sent.length === 2)
      expect(chat.sent.flat().map(({ title, text }) => [title, text])).to.deep.equal([
        [`The gateway is away since ${at(5)}`, 'waits for a second factor'],
        ['Trading is halted', 'another thing'],
      ])
    })

    it('tells once of one absence, from its beginning, whatever else is said of it meanwhile', async () => {
      append(started, connected)
      const chat = channel()
      await begin([chat.own])
      append(broker(event('GatewayLost', { reason: 'the line is closed' })))
      append(broker(event('GatewayLost', { reason: 'the line is closed; for 4 min now' })))
      await until('it waits', () => market.nextTimerAt() === Date.parse(at(3)) + 600_000)
      await market.moveTo(Date.parse(at(3)) + 600_000)
      await until('it is told', () => chat.sent.length === 1)
      append(broker(event('GatewayLost', { reason: 'the line is closed; for 16 min now' })))
      await market.moveTo(Date.parse(at(3)) + 2_000_000)
      append(halted('another thing'))
      await until('the other thing is told', () => chat.sent.length === 2)
      expect(chat.titles()).to.deep.equal([`The gateway is away since ${at(3)}`, 'Trading is halted'])
    })

    it('tells that it is back, once, where its absence was told, though the engine or the notifier began anew meanwhile', async () => {
      append(started, connected)
      const chat = channel()
      const first = await begin([chat.own])
      append(broker(event('GatewayLost', { reason: 'the line is closed' })))
      await until('it waits', () => market.nextTimerAt() === Date.parse(at(3)) + 600_000)
      await market.moveTo(Date.parse(at(3)) + 600_000)
      await until('it is told', () => chat.sent.length === 1)
      await first.stop()
      append(started, connected)
      await begin([chat.own])
      await until('it is told that it is back', () => chat.sent.length === 2)
      append(broker(event('GatewayLost', { reason: 'a blink' })), connected, halted('another thing'))
      await until('the other thing is told', () => chat.sent.length === 3)
      expect(chat.titles()).to.deep.equal([`The gateway is away since ${at(3)}`, 'The gateway is back', 'Trading is halted'])
      expect(chat.sent[1]![0]).to.include({ severity: 'info', text: `it was away since ${at(3)}`, position: 5 })
    })

    // 2026-11-20 is a Friday; the run is due five minutes after the close and may be decided for an hour.
    const due = '2026-11-20T21:05:00.000Z'
    const tooLate = Date.parse(due) + 60 * 60_000

    it('tells of a run that nobody decided on a trading day', async () => {
      append(started, connected)
      const chat = channel()
      await begin([chat.own])
      await until('it waits for it', () => market.nextTimerAt() !== undefined)
      await market.moveTo(tooLate)
      await until('it is told', () => chat.sent.length === 1)
      expect(chat.sent[0]![0]).to.include({ title: 'orchestrator did not run', id: 'not-run-orchestrator@2026-11-20T21:05:00Z' })
    })

    it('is silent where it was decided, whatever came of it', async () => {
      append(
        started,
        connected,
        scheduled('orchestrator', 'orchestrator@2026-11-20T21:05:00Z', pipelineStarted('orchestrator@2026-11-20T21:05:00Z')),
      )
      memory.markers.set('orchestrator@2026-11-20T21:05:00Z', { position: 3, hash: memory.commits[2]!.hash })
      const chat = channel()
      await begin([chat.own])
      await until('it waits for it', () => market.nextTimerAt() !== undefined)
      await market.moveTo(tooLate)
      append(halted('one'))
      await until('it is told', () => chat.sent.length > 0)
      expect(chat.titles()).to.deep.equal(['Trading is halted'])
    })

    it('tells of the run that was missed while nothing at all was running', async () => {
      append(started, connected)
      const first = await begin([])
      await first.stop()
      await market.moveTo(Date.parse('2026-11-21T15:00:00.000Z'))
      const chat = channel()
      await begin([chat.own])
      await until('it is told', () => chat.sent.length === 1)
      expect(chat.titles()).to.deep.equal(['orchestrator did not run'])
    })

    it('tells of each message that was given up, once, and lets it go when that is written down', async () => {
      append(started, connected)
      const chat = channel()
      await begin([chat.own])
      const letter: DeadLetter = {
        ...{ id: 'm1', data: '{', attributes: { type: 'halt' }, publishedAt: at(1), subscription: 'paper-urgent-engine' },
        ...{ attempts: 1, reason: 'the body is not JSON', deadAt: at(1) },
      }
      await die(letter)
      expect(notices()).to.deep.equal(['notices/dead-letter-paper-urgent-engine-m1'])
      await die(letter)
      await until('it is told', () => chat.sent.length > 0)
      expect(chat.sent.flat().map(({ title, text }) => [title, text])).to.deep.equal([
        ['A message was given up: halt', 'the body is not JSON (paper-urgent-engine)'],
      ])
    })

    it('gives a letter back that it can no longer write down', async () => {
      append(started, connected)
      const notifier = await begin([])
      await notifier.stop()
      const letter = { id: 'm1', data: '', attributes: {}, publishedAt: at(1), subscription: 's', attempts: 1, reason: 'x', deadAt: at(1) }
      const problem = await die(letter).catch((error: Error) => error.message)
      expect([problem, notices()]).to.deep.equal(['the notifier has stopped', []])
    })
  })
})
