/** The engine's beginnings and ends on ports that a test holds in its hand: whose journal it is, whether it may act, and what goes first. */
import { expect } from 'chai'
import { type Commit, store } from '../../domain/commit.ts'
import type { DomainEvent } from '../../domain/events.ts'
import type { BrokerSnapshot } from '../../domain/ports/broker.ts'
import { type Journal, StoreUnavailable } from '../../domain/ports/journal.ts'
import { createEngine, type Engine, type EngineOptions } from '../../handlers/engine.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { createMemory, type Memory, memoryJournal } from '../memory-store.ts'
import { wanting } from '../rig.ts'
import { createBroker, createBus, now, silent } from './ports-in-hand.ts'

type Details = Partial<EngineOptions> & { memory?: Memory; time?: string; held?: ReturnType<typeof createBroker>; epoch?: number }

/** An engine that is not started yet, and all that it holds on to. */
const engineWith = ({ memory = createMemory(), time = now, held = createBroker(), epoch = 1, ...options }: Details = {}) => {
  const mail = createBus()
  const market = simulatedClock(Date.parse(time))
  /** What waits for machine time, by the milliseconds it was told to wait. */
  const afterwards = new Map<number, () => void>()
  const clock = {
    ...market,
    monotonic: () => 0,
    after: (milliseconds: number, run: () => void) => {
      afterwards.set(milliseconds, run)
      return () => void afterwards.delete(milliseconds)
    },
  }
  const lease = { acquire: async () => ({ epoch }), renew: async () => true, release: async () => {} }
  const engine = createEngine({
    ...{ journal: memoryJournal(memory), bus: mail.bus, broker: held.broker, lease, clock, log: silent, topics: readTopics() },
    ...{ mode: 'paper', holder: 'test', strategies: { trend: wanting('Trend') } },
    ...options,
  })
  const send = (type: string, body: object = {}, id?: string) =>
    mail.deliver('paper-commands-engine', type, body, id, new Date(market.now()).toISOString())
  const halt = (id: string) => mail.deliver('paper-urgent-engine', 'halt', {}, id)
  const rest = () => until('nothing is under way', () => engine.idle())
  const sent = async (type: string, body: object = {}, id?: string) => {
    send(type, body, id)
    await rest()
  }
  const endOf = (id: string) => mail.ends.find((end) => end.id === id)?.end
  return { engine, memory, held, mail, market, afterwards, lease, send, sent, halt, rest, endOf }
}
type Bench = ReturnType<typeof engineWith>

const commits = ({ memory }: Bench): Commit[] => memory.commits.map(({ json }) => JSON.parse(json) as Commit)
const events = (bench: Bench, type: DomainEvent['type']) =>
  commits(bench).flatMap((commit) => commit.events.filter((event) => event.type === type))

/** A question that is answered when the test says so. */
const whenTold = <T>(answer: () => Promise<T>) => {
  const waiting: (() => void)[] = []
  const ask = () => new Promise<T>((resolve, reject) => waiting.push(() => void answer().then(resolve, reject)))
  const tell = () => {
    for (const go of waiting.splice(0)) go()
  }
  return { ask, asked: () => waiting.length, tell }
}

describe('the life of an engine', () => {
  const running: Engine[] = []
  const begin = async (details: Details = {}): Promise<Bench> => {
    const bench = engineWith(details)
    running.push(bench.engine)
    await bench.engine.start()
    await until('the gateway is ready', () => bench.engine.ready())
    return bench
  }
  const beginTrading = async (details: Details = {}): Promise<Bench> => {
    const bench = await begin(details)
    await bench.sent('configure', { changes: { 'strategies.trend.allocation': 1, 'strategies.trend.parameters.wants': '100' } })
    await bench.sent('resume')
    return bench
  }
  afterEach(async () => {
    for (const engine of running.splice(0)) await engine.stop()
  })
  const startFailure = async (details: Details): Promise<Error> => {
    const { engine } = engineWith(details)
    running.push(engine)
    return engine.start().then(
      () => expect.fail('it started'),
      (error: Error) => error,
    )
  }

  describe('the journal', () => {
    it('reads what its predecessor still wrote while it took over, and begins after that', async () => {
      const first = await begin()
      const journal = memoryJournal(first.memory)
      let late: Promise<unknown> | undefined
      const takenOver = await begin({
        memory: first.memory,
        epoch: 2,
        journal: {
          ...journal,
          append: async (commit) => {
            late ??= first.sent('configure', { changes: { freshMinutes: 7 } }, 'late')
            await late
            return journal.append(commit)
          },
        },
      })
      expect(takenOver.engine.ledger.configuration['freshMinutes']).to.equal(7)
      expect([takenOver.engine.ledger.epoch, events(takenOver, 'EngineStarted')].flat()).to.have.length(3)
      first.send('reconcile')
      expect((await first.engine.stopped).message).to.match(/another engine \(epoch 2\) wrote position/)
    })

    it('is not continued where it was damaged or altered: the first such commit is named', async () => {
      const { memory, engine, sent } = await begin()
      for (const freshMinutes of [7, 8, 9]) await sent('configure', { changes: { freshMinutes } })
      await engine.stop()
      const sound = memory.commits.slice()
      const [third, fourth] = [sound[2]!, sound[3]!]
      const broken = async (...commits: typeof sound): Promise<string> => {
        memory.commits.splice(0, memory.commits.length, ...commits)
        const { message } = await startFailure({ memory, epoch: 2 })
        expect(memory.commits, 'nothing is appended').to.have.length(commits.length)
        return message
      }
      const is = (what: string) => `the journal is broken: ${what}; see ibt verify, and restore it from a backup`
      const altered = { ...third, json: third.json.replace('"v":1', '"v":7') }
      expect(await broken(...sound.slice(0, 2), altered, ...sound.slice(3))).to.equal(
        is('commit 3 was altered: its text does not give its hash'),
      )
      expect(await broken(...sound.slice(0, 2), ...sound.slice(3))).to.equal(is('commit 3 is missing'))
      const exchanged = store({ ...(JSON.parse(third.json) as Commit), recordedAt: '2020-01-01T00:00:00.000Z' })
      expect(await broken(...sound.slice(0, 2), exchanged, fourth)).to.equal(
        is('commit 4 does not continue the commit before it: one of the two was exchanged'),
      )
      memory.commits.splice(0, memory.commits.length, ...sound)
      await begin({ memory, epoch: 3 })
    })

    it('of paper trading is never continued by a live engine', async () => {
      const { memory, engine } = await begin()
      await engine.stop()
      const held = createBroker(['U1'])
      const failure = await startFailure({ memory, held, mode: 'live', account: 'U1', epoch: 2 })
      expect(failure.message).to.match(/this journal is paper, the engine was started for live/)
      expect([held.broker.connected(), memory.commits.length]).to.deep.equal([false, engine.ledger.position])
    })

    it('is not written by an engine whose epoch the journal has seen', async () => {
      const { memory, engine } = await begin({ epoch: 3 })
      await engine.stop()
      expect((await startFailure({ memory, epoch: 3 })).message).to.match(/gave epoch 3, but the journal has seen epoch 3/)
      expect(memory.commits).to.have.length(engine.ledger.position)
    })

    it('is continued above the epochs it has seen, where the lease has forgotten them', async () => {
      const { memory, engine } = await begin({ epoch: 3 })
      await engine.stop()
      const given: number[] = []
      const lease = {
        acquire: async (_holder: string, _ttlMs: number, above = 0) => {
          given.push(above + 1)
          return { epoch: above + 1 }
        },
        renew: async () => true,
        release: async (epoch: number) => void given.push(-epoch),
      }
      const next = await begin({ memory, lease })
      expect([given, next.engine.ledger.epoch]).to.deep.equal([[1, -1, 4], 4])
    })

    it('is left to an engine that began while this one read what came before', async () => {
      const first = await begin()
      const journal = memoryJournal(first.memory)
      let between: Promise<unknown> | undefined
      const beginAnother = async () => {
        await first.sent('configure', { changes: { freshMinutes: 7 } })
        await begin({ memory: first.memory, epoch: 3 })
      }
      const append: Journal['append'] = async (commit) => {
        between ??= beginAnother()
        await between
        return journal.append(commit)
      }
      const failure = await startFailure({ memory: first.memory, epoch: 2, journal: { ...journal, append } })
      expect(failure.message).to.equal('another engine (epoch 3) has begun meanwhile')
      const epochs = first.memory.commits.map(({ epoch }) => epoch)
      expect(epochs).to.deep.equal([...epochs].sort())
    })

    it('keeps its account for ever: an engine at another one closes the line and asks nothing', async () => {
      const { memory, engine } = await begin()
      await engine.stop()
      const held = createBroker(['DU2'])
      let asked = 0
      held.broker.snapshot = async () => {
        asked++
        throw new Error('not to be asked')
      }
      const other = engineWith({ memory, held, epoch: 2 })
      running.push(other.engine)
      await other.engine.start()
      expect((await other.engine.stopped).message).to.match(/ACCOUNT_MISMATCH.*DU1/)
      expect([asked, held.broker.connected()]).to.deep.equal([0, false])
    })
  })

  describe('stopped before it has begun', () => {
    /** @param step in which it is stopped, and which ends after that; left out: whatever it does first */
    const stoppedWhile = async (
      details: Details,
      step?: { asked(): number; tell(): void },
    ): Promise<{ message: string; bench: Bench; connected: boolean }> => {
      const bench = engineWith(details)
      const starting = bench.engine.start().then(
        () => 'started',
        (error: Error) => error.message,
      )
      if (step === undefined) await new Promise((resolve) => setImmediate(resolve))
      else await until('it is in that step', () => step.asked() > 0)
      const stopping = bench.engine.stop()
      step?.tell()
      await stopping
      return { message: await starting, bench, connected: bench.held.broker.connected() }
    }

    it('waits no longer for a lease that another holds', async () => {
      const lease = { acquire: async () => ({ heldFor: 45_000 }), renew: async () => true, release: async () => {} }
      const { message, bench, connected } = await stoppedWhile({ lease })
      expect([message, connected]).to.deep.equal(['the engine was stopped while it waited for the lease', false])
      expect(bench.afterwards.size, 'timers that would keep the process').to.equal(0)
    })

    it('gives back a lease that it got in that moment, and touches neither journal nor broker', async () => {
      const released: number[] = []
      const acquired = whenTold(async () => ({ epoch: 5 }))
      const lease = { acquire: acquired.ask, renew: async () => true, release: async (epoch: number) => void released.push(epoch) }
      const { message, bench, connected } = await stoppedWhile({ lease }, acquired)
      expect([message, connected]).to.deep.equal(['the engine was stopped before it had begun', false])
      expect([released, bench.memory.commits.length]).to.deep.equal([[5], 0])
    })

    it('folds no further', async () => {
      const { memory, engine } = await begin()
      await engine.stop()
      const journal = memoryJournal(memory)
      const going = whenTold(async () => undefined)
      async function* read(...range: Parameters<Journal['read']>) {
        await going.ask()
        yield* journal.read(...range)
      }
      const { message, bench } = await stoppedWhile({ memory, epoch: 2, journal: { ...journal, read } }, going)
      expect([message, bench.engine.ledger.position]).to.deep.equal(['the engine was stopped before it had begun', 0])
      expect(memory.commits).to.have.length(engine.ledger.position)
    })
  })

  it('ends when another engine has taken the lease', async () => {
    const { engine, lease, afterwards, held } = await begin()
    lease.renew = async () => false
    afterwards.get(15_000)!()
    expect((await engine.stopped).message).to.equal('another engine took the lease')
    expect([engine.ready(), held.broker.connected()]).to.deep.equal([false, false])
  })

  describe('the line', () => {
    it('that is up but not yet asked about decides nothing that needs the broker', async () => {
      const held = createBroker()
      const questions = whenTold(held.broker.snapshot.bind(undefined, 'DU1'))
      held.broker.snapshot = questions.ask
      const bench = engineWith({ held })
      running.push(bench.engine)
      await bench.engine.start()
      await until('it is asked', () => questions.asked() === 1)
      bench.send('reconcile', {}, 'early')
      await until('the command went back', () => bench.endOf('early') === 'nack')
      expect(bench.engine.ready()).to.equal(false)
      questions.tell()
      await until('the gateway is ready', () => bench.engine.ready())
      expect(events(bench, 'PositionReconciled')).to.have.length(1)
    })

    it('that comes back is asked anew before anything is decided, whichever way it went', async () => {
      const bench = await beginTrading()
      const { held, engine } = bench
      const answer = held.broker.snapshot
      const [lost, back] = [
        { kind: 'lost', reason: 'cable' },
        { kind: 'connected', managedAccounts: ['DU1'], nextValidId: 1, serverVersion: 193 },
      ] as const
      const [down, up] = [
        { kind: 'link', state: 'down', reason: '1100' },
        { kind: 'link', state: 'up', reason: '1102' },
      ] as const
      for (const [gone, again] of [
        [lost, back],
        [down, up],
      ] as const) {
        const questions = whenTold<BrokerSnapshot>(() => answer('DU1'))
        held.broker.snapshot = questions.ask
        held.report(gone)
        expect(engine.ready(), gone.kind).to.equal(false)
        held.report(again)
        await until('it is asked', () => questions.asked() === 1)
        expect(engine.ready(), `${again.kind}, not asked`).to.equal(false)
        questions.tell()
        await until('the gateway is ready', () => engine.ready())
      }
      expect(events(bench, 'GatewayLost').map(({ data }) => data)).to.deep.equal([
        { reason: 'cable' },
        { reason: '1100', phase: 'degraded' },
      ])
      expect(events(bench, 'GatewayConnected')).to.have.length(3)
    })

    it('that says connected twice is in doubt again', async () => {
      const { held, engine } = await begin()
      const questions = whenTold<BrokerSnapshot>(async () => expect.fail('not told'))
      held.broker.snapshot = questions.ask
      held.report({ kind: 'connected', managedAccounts: ['DU1'], nextValidId: 1, serverVersion: 193 })
      await until('it is asked', () => questions.asked() === 1)
      expect(engine.ready()).to.equal(false)
    })

    it('is believed by the socket, not by the last report: down means that nothing is decided', async () => {
      const { held, engine, send, endOf } = await begin()
      held.broker.connected = () => false
      send('reconcile', {}, 'late')
      await until('the command went back', () => endOf('late') === 'nack')
      expect(engine.ready()).to.equal(false)
    })
  })

  describe('a halt', () => {
    it('and what else is urgent is decided before everything that waits, however much that is', async () => {
      const memory = createMemory()
      const real = memoryJournal(memory)
      const disk = whenTold(async () => undefined)
      let slow = false
      const append: typeof real.append = async (commit) => {
        if (slow) await disk.ask()
        return real.append(commit)
      }
      const bench = await begin({ memory, journal: { ...real, append } })
      slow = true
      bench.send('configure', { changes: { freshMinutes: 10 } }, 'first')
      await until('the first is being written', () => disk.asked() === 1)
      for (const minutes of [20, 30, 40]) bench.send('configure', { changes: { freshMinutes: minutes } }, `minutes-${minutes}`)
      await new Promise((resolve) => setImmediate(resolve))
      bench.halt('now')
      bench.mail.deliver('paper-urgent-engine', 'cancel-order', { orderRef: 'none' }, 'cancel')
      await new Promise((resolve) => setImmediate(resolve))
      slow = false
      disk.tell()
      await bench.rest()
      const order = commits(bench).flatMap(({ cause }) => (cause.kind === 'command' ? [cause.id] : []))
      expect(order).to.deep.equal(['first', 'now', 'cancel', 'minutes-20', 'minutes-30', 'minutes-40'])
    })

    describe('while the journal cannot be asked', () => {
      const beginWithout = async () => {
        const memory = createMemory()
        const real = memoryJournal(memory)
        let [away, asked] = [false, 0]
        const marker: Journal['marker'] = async (id) => {
          asked++
          if (away) throw new StoreUnavailable('the journal is away')
          return real.marker(id)
        }
        const bench = await begin({ memory, journal: { ...real, marker } })
        await bench.sent('resume')
        const setAway = (now: boolean) => {
          away = now
          asked = 0
        }
        return { bench, setAway, asked: () => asked, again: () => bench.afterwards.get(1_000) }
      }

      it('stays in hand, and uses up no attempt, however long that is', async () => {
        const { bench, setAway, asked, again } = await beginWithout()
        setAway(true)
        bench.halt('now')
        for (let time = 1; time <= 150; time++) {
          await until(`it was asked ${time} times`, () => asked() === time && again() !== undefined)
          again()!()
        }
        expect([bench.endOf('now'), bench.engine.ledger.trading.on]).to.deep.equal([undefined, true])
        await until('it was asked once more', () => asked() === 151 && again() !== undefined)
        setAway(false)
        again()!()
        await bench.rest()
        expect([bench.endOf('now'), bench.engine.ledger.trading.on]).to.deep.equal(['ack', false])
      })

      it('goes back to the bus at a stop, for the next engine, and leaves no timer', async () => {
        const { bench, setAway, again } = await beginWithout()
        setAway(true)
        bench.halt('now')
        await until('it waits', () => again() !== undefined)
        await bench.engine.stop()
        await until('it went back', () => bench.endOf('now') !== undefined)
        expect([bench.endOf('now'), again()]).to.deep.equal(['nack', undefined])
      })
    })

    it('waits for no gathering: eight commands that wait for the broker do not hold it up', async () => {
      const bench = await beginTrading()
      const bars = whenTold(async () => [])
      bench.held.broker.bars = bars.ask
      for (let number = 1; number <= 9; number++) bench.send('trend', {}, `slow-${number}`)
      await until('as many gather as may', () => bars.asked() === 8)
      bench.halt('now')
      await until('the halt is decided', () => bench.endOf('now') === 'ack')
      expect(bench.engine.ledger.trading.on).to.equal(false)
      bars.tell()
      await until('the ninth gathers', () => bars.asked() === 1)
      bars.tell()
      await bench.rest()
    })
  })

  describe('a command that comes again', () => {
    it('is acknowledged without asking the broker when it was decided before', async () => {
      const bench = await begin()
      await bench.sent('reconcile', {}, 'once')
      let asked = 0
      const answer = bench.held.broker.snapshot
      bench.held.broker.snapshot = (account) => {
        asked++
        return answer(account)
      }
      await bench.sent('reconcile', {}, 'once')
      expect([asked, bench.endOf('once')]).to.deep.equal([0, 'ack'])
      await bench.sent('reconcile', {}, 'another')
      expect(asked).to.equal(1)
    })

    it('while it is in hand waits for the same decision: the broker is asked once', async () => {
      const bench = await begin()
      const questions = whenTold(bench.held.broker.snapshot.bind(undefined, 'DU1'))
      let asked = 0
      bench.held.broker.snapshot = () => {
        asked++
        return questions.ask()
      }
      for (let time = 1; time <= 3; time++) bench.send('reconcile', {}, 'thrice')
      await until('it is asked', () => questions.asked() === 1)
      questions.tell()
      await bench.rest()
      expect(asked).to.equal(1)
      expect(bench.mail.ends.filter(({ id }) => id === 'thrice').map(({ end }) => end)).to.deep.equal(['ack', 'ack', 'ack'])
      expect(commits(bench).filter(({ cause }) => cause.kind === 'command' && cause.id === 'thrice')).to.have.length(1)
    })
  })

  it('gives a command back when the journal cannot be read, and decides it when it can', async () => {
    const journal = memoryJournal(createMemory())
    const { marker } = journal
    const bench = await begin({ journal })
    journal.marker = async () => Promise.reject(new Error('the disk is away'))
    await bench.sent('resume', {}, 'again')
    expect([bench.endOf('again'), bench.engine.ledger.trading.on]).to.deep.equal(['nack', false])
    journal.marker = marker
    await bench.sent('resume', {}, 'again')
    expect(bench.engine.ledger.trading.on).to.equal(true)
  })

  it('on Monday trades nothing of Friday: a pipeline that was open ends as expired, and plans nothing', async () => {
    const friday = '2024-01-12T21:05:00.000Z'
    const first = await beginTrading({ time: friday })
    const bars = whenTold(async () => [])
    first.held.broker.bars = bars.ask
    first.send('orchestrator', {}, 'daily')
    await until('its signal is asked for', () => bars.asked() === 1)
    await first.engine.stop()
    const monday = await begin({ memory: first.memory, held: createBroker(), time: '2024-01-16T14:00:00.000Z', epoch: 2 })
    await until('the pipeline has ended', () => events(monday, 'PipelineEnded').length === 1)
    expect(events(monday, 'PipelineEnded')[0]!.data).to.include({ pipeline: 'daily', outcome: 'expired', code: 'EXPIRED' })
    expect([events(monday, 'OrderPlanned'), events(monday, 'SignalGenerated'), monday.held.placed]).to.deep.equal([[], [], []])
  })
})
