import { expect } from 'chai'
import { type Commit, genesisHash } from '../../../domain/commit.ts'
import type { Document } from '../../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { systemClock } from '../../../infra/clock.ts'
import type { HttpContext } from '../../../infra/http/context.ts'
import { createHealth, type PartName, partNames } from '../../../infra/http/health.ts'
import { endedCommands } from '../../../infra/http/metrics.ts'
import type { SessionView } from '../../../infra/ib/session.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { createHandEdits } from '../../../projections/hand-edits.ts'
import { createNotifier } from '../../../projections/notifier.ts'
import { createProjector } from '../../../projections/projector.ts'
import { createRelay } from '../../../projections/relay.ts'
import { until } from '../../contract/until.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../../memory-store.ts'

const at = '2026-11-20T15:00:00.000Z'
const connected: Document = { gateway: { connected: true, since: at, reason: null }, updated_at: at }

/** A clock on which every time is over at the next turn. */
const atOnce = (_milliseconds: number, run: () => void): (() => void) => {
  const turn = setImmediate(run)
  return () => clearImmediate(turn)
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }
const sessionView: SessionView = {
  ...{ phase: 'syncing', text: 'the account is being asked for', lasting: 2_000, gateway: 'primary', ordersHeld: undefined },
  waiting: { messages: 0, history: 0, dataLines: 0 },
  open: { questions: 1, subscriptions: 0, listeners: 0, leases: 0, inFlight: 0 },
}

describe('the health of a process', () => {
  let memory: Memory
  let context: Pick<HttpContext, 'journal' | 'documents' | 'bus' | 'lease' | 'clock' | 'where' | 'relayed' | 'session' | 'followers'>
  let held: { epoch: number; heldFor: number } | undefined
  let now: number
  /** Machine time. */
  let passed: number
  let running: { stop(): Promise<void> }[]

  const ask = () => createHealth(context as HttpContext)()
  /** Documents at a position, as a projection leaves them. */
  const show = async (position: number, status: Document = connected): Promise<void> => {
    const { documents } = context
    const writes = [{ kind: 'set', path: 'status/paper', data: status } as const]
    const { hash } = memory.commits[position - 1]!
    await documents.write('views', writes, { position, hash }, await documents.checkpoint('views'))
  }
  const append = async (recordedAt = at, data: object = { reason: 'x' }): Promise<void> => {
    const { position, hash } = await context.journal.head()
    const events = [{ type: 'GatewayLost', v: 1, occurredAt: at, data }]
    const commit: Commit = {
      ...{ position: position + 1, epoch: 1, recordedAt, previousHash: position === 0 ? genesisHash : hash },
      ...{ cause: { kind: 'broker', report: 'lost' }, events },
    }
    await context.journal.append(commit)
  }
  beforeEach(async () => {
    memory = createMemory()
    held = { epoch: 3, heldFor: 30_000 }
    now = Date.parse(at)
    passed = 0
    running = []
    context = {
      journal: memoryJournal(memory),
      documents: memoryDocuments(memory),
      bus: { idle: async () => true, reachable: async () => undefined } as HttpContext['bus'],
      lease: { current: async () => held } as HttpContext['lease'],
      clock: { ...systemClock, now: () => now, monotonic: () => passed },
      where: { mode: 'paper', dataDirectory: './data', store: { kind: 'embedded' } },
      relayed: false,
    }
    await append()
    await show(1)
  })

  afterEach(async () => {
    for (const each of running) await each.stop()
  })
  /** Those of a process that does everything, at work on the store of this test. */
  const follow = async () => {
    const { journal, documents, clock } = context
    const bus = { publish: async () => 'm1', onDeadLetter: () => ({ close: async () => undefined }) }
    const common = { journal, documents, bus, clock, mode: 'paper' as const, topics: readTopics(), log: silent }
    const followers = {
      projections: createProjector({ ...common, views: [() => []] }),
      relay: createRelay(common),
      alerts: createNotifier({ ...common, channels: [] }),
      handEdits: createHandEdits(common),
    }
    Object.assign(context, { followers, relayed: true })
    for (const each of Object.values(followers)) {
      running.push(each)
      await each.start()
    }
    await until('all have looked', () => Object.values(followers).every((each) => each.lookedAt() !== undefined))
    return followers
  }
  const shift = (milliseconds: number): void => {
    now += milliseconds
    passed += milliseconds
  }

  it('is ready when every part is', async () => {
    const { ready, parts } = await ask()
    expect(ready).to.equal(true)
    expect(Object.keys(parts)).to.deep.equal([...partNames])
    expect(parts.engine).to.include({ ok: true, epoch: 3 })
    expect(parts.projections).to.include({ ok: true, position: 1, lag_commits: 0, lag_seconds: 0 })
  })

  it('names the part that is not well, with its reason, and the others as they are', async () => {
    held = undefined
    await show(1, { gateway: { connected: false, since: at, reason: 'the second factor is awaited' }, updated_at: at })
    const { ready, parts } = await ask()
    expect(ready).to.equal(false)
    expect(parts.engine).to.deep.include({ ok: false, reason: 'no engine holds the lease' })
    expect(parts.gateway).to.deep.include({ ok: false, reason: 'the second factor is awaited', heartbeat: at })
    expect([parts.store.ok, parts.bus.ok, parts.projections.ok]).to.deep.equal([true, true, true])
  })

  it('is not ready before the first engine has run', async () => {
    memory.documents.clear()
    expect((await ask()).parts.gateway.reason).to.match(/no document status\/paper yet/)
  })

  it('lets documents lag for a moment, and not for long', async () => {
    await append()
    now += 10_000
    expect((await ask()).parts.projections).to.include({ ok: true, lag_commits: 1, lag_seconds: 10 })
    now += 30_000
    const { ready, parts } = await ask()
    expect([ready, parts.projections.ok, parts.projections.reason]).to.deep.equal([
      false,
      false,
      'the documents are 1 commit and 40 s behind',
    ])
  })

  it('looks at the relay only where somebody reads the events', async () => {
    now += 60_000
    expect((await ask()).parts.relay.ok).to.equal(true)
    context.relayed = true
    expect((await ask()).parts.relay).to.include({ ok: false, lag_commits: 1 })
  })

  it('says of a store that is away what is wrong with it', async () => {
    context.journal = {
      ...context.journal,
      head: async () => {
        throw new StoreUnavailable('the disk is full')
      },
    }
    const { ready, parts } = await ask()
    expect([ready, parts.store, parts.projections.ok]).to.deep.equal([false, { ok: false, reason: 'the disk is full' }, false])
  })

  it('does not wait for what never answers', async () => {
    context.bus = { ...context.bus, reachable: () => new Promise(() => undefined) }
    context.clock = { ...context.clock, after: atOnce }
    expect((await ask()).parts.bus).to.deep.equal({ ok: false, reason: 'no answer within 4 s' })
  })

  it('asks the session itself where the engine is in the same process', async () => {
    context.session = () => sessionView
    const { text: reason } = sessionView
    expect((await ask()).parts.gateway).to.include({ ok: false, phase: 'syncing', reason, since: '2026-11-20T14:59:58.000Z' })
  })

  it('has a sign of life of each part, and a day at rest makes none of them look dead', async () => {
    await follow()
    held = { epoch: 3, heldFor: 37_000 }
    context.session = () => ({ ...sessionView, phase: 'ready' })
    shift(86_400_000)
    const { ready, parts } = await ask()
    expect(ready, JSON.stringify(parts)).to.equal(true)
    const today = new Date(now).toISOString()
    for (const name of partNames)
      expect(parts[name].heartbeat, name).to.equal(name === 'engine' ? new Date(now - 8_000).toISOString() : today)
  })

  it('shows where the followers run in another process when each had last dealt with something', async () => {
    context.relayed = true
    await context.documents.write('relay', [], { position: 1, hash: 'h' }, undefined)
    shift(60_000)
    const { ready, parts } = await ask()
    expect(ready, JSON.stringify(parts)).to.equal(true)
    expect([parts.projections.heartbeat, parts.relay.heartbeat]).to.deep.equal([at, at])
    expect([parts.alerts.reason, parts.handEdits.reason]).to.deep.equal(
      Array(2).fill('not in this process: whoever keeps the documents does this too'),
    )
  })

  const away = () => Promise.reject(new StoreUnavailable('away'))
  const breaks: Readonly<Record<PartName, () => void>> = {
    store: () => Object.assign(context.journal, { head: away }),
    bus: () => Object.assign(context.bus, { reachable: away }),
    engine: () => Object.assign(context.lease, { current: away }),
    gateway: () => Object.assign(context, { session: () => ({ ...sessionView, text: 'away' }) }),
    projections: () => failAs('projections'),
    relay: () => failAs('relay'),
    alerts: () => failAs('alerts'),
    handEdits: () => failAs('handEdits'),
  }
  const failAs = (name: keyof NonNullable<HttpContext['followers']>): void => {
    context.followers = { ...context.followers!, [name]: { ...context.followers![name], failure: () => new Error('away') } }
  }
  for (const name of partNames)
    it(`names ${name} when that is what is wrong, with the reason`, async () => {
      await follow()
      breaks[name]()
      const { ready, parts } = await ask()
      expect(ready).to.equal(false)
      expect(parts[name].ok).to.equal(false)
      expect(parts[name].reason).to.match(/^(stopped: )?away$/)
      const wrong = partNames.filter((each) => !parts[each].ok)
      expect(wrong).to.deep.equal(name === 'store' ? ['store', 'projections', 'relay'] : [name]) // how far they lag behind it is not known then
    })

  it('tells of one who follows the journal and is stopped by it', async () => {
    const followers = await follow()
    await append(at, { reason: 5 })
    await until('they have stopped', () => followers.projections.failure() !== undefined && followers.alerts.failure() !== undefined)
    const { ready, parts } = await ask()
    expect(ready).to.equal(false)
    for (const name of ['projections', 'alerts'] as const) expect(parts[name].reason, name).to.match(/^stopped: .*GatewayLost.*reason/)
    expect(parts.projections).to.include({ ok: false, position: 1, lag_commits: 1 })
  })

  it('tells of one who no longer looks although he is asked to', async () => {
    await follow()
    const silentOne = { failure: () => undefined, lookedAt: () => 0, look: () => undefined }
    context.followers = { ...context.followers!, alerts: silentOne, handEdits: { ...silentOne, lookedAt: () => undefined } }
    shift(75_000)
    const { ready, parts } = await ask()
    expect(ready).to.equal(false)
    expect(parts.alerts).to.deep.equal({ ok: false, reason: 'has not looked at the journal for 75 s', heartbeat: at })
    expect(parts.handEdits).to.deep.equal({ ok: false, reason: 'has not looked at the journal yet' })
  })

  it('is not asked of the store more often than once a second, whoever asks', async () => {
    let asked = 0
    const { head } = context.journal
    context.journal = {
      ...context.journal,
      head: () => {
        asked++
        return head()
      },
    }
    const health = createHealth(context as HttpContext)
    await Promise.all(Array.from({ length: 50 }, health))
    expect(asked).to.be.lessThan(5)
  })
})

describe('the commands that are counted', () => {
  const commit = (types: [string, unknown?][], cause: object = {}): Pick<Commit, 'cause' | 'events'> => ({
    cause: { kind: 'command', id: 'c', type: 'halt', publishedAt: at, source: 'cli', ...cause } as Commit['cause'],
    events: types.map(([type, data = {}]) => ({ type, v: 1, occurredAt: at, data })),
  })
  const ended = (one: Pick<Commit, 'cause' | 'events'>) => endedCommands(one, (pipeline) => `type of ${pipeline}`)

  it('end in the commit that decides them, each once', () => {
    expect(ended(commit([['TradingHalted'], ['OrderCancelRequested']]))).to.deep.equal([{ type: 'halt', outcome: 'completed' }])
    expect(ended(commit([['CommandRefused']]))).to.deep.equal([{ type: 'halt', outcome: 'refused' }])
    expect(ended(commit([['SignalFailed']]))).to.deep.equal([{ type: 'halt', outcome: 'failed' }])
  })

  it('end with their pipeline where they began one, and steps are not counted', () => {
    expect(ended(commit([['PipelineStarted', { pipeline: 'c' }]]))).to.deep.equal([])
    expect(ended(commit([['SignalGenerated']], { id: 'p:dummy', pipeline: 'p' }))).to.deep.equal([])
    const end = commit([['PipelineEnded', { pipeline: 'p', outcome: 'partial_success' }]], { id: 'p:end', pipeline: 'p' })
    expect(ended(end)).to.deep.equal([{ type: 'type of p', outcome: 'partial_success' }])
  })

  it('are none where the broker or the engine is the cause', () => {
    expect(ended({ ...commit([['OrderClosed']]), cause: { kind: 'broker', report: 'order' } })).to.deep.equal([])
  })
})
