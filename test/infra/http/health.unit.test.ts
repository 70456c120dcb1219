import { expect } from 'chai'
import { type Commit, genesisHash } from '../../../domain/commit.ts'
import type { Document } from '../../../domain/ports/documents.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { systemClock } from '../../../infra/clock.ts'
import type { HttpContext } from '../../../infra/http/context.ts'
import { createHealth } from '../../../infra/http/health.ts'
import { endedCommands } from '../../../infra/http/metrics.ts'
import { createMemory, type Memory, memoryDocuments, memoryJournal } from '../../memory-store.ts'

const at = '2026-11-20T15:00:00.000Z'
const connected: Document = { gateway: { connected: true, since: at, reason: null }, updated_at: at }

/** A clock on which every time is over at the next turn. */
const atOnce = (_milliseconds: number, run: () => void): (() => void) => {
  const turn = setImmediate(run)
  return () => clearImmediate(turn)
}

describe('the health of a process', () => {
  let memory: Memory
  let context: Pick<HttpContext, 'journal' | 'documents' | 'bus' | 'lease' | 'clock' | 'where' | 'relayed' | 'session'>
  let held: { epoch: number; heldFor: number } | undefined
  let now: number

  const ask = () => createHealth(context as HttpContext)()
  /** Documents at a position, as a projection leaves them. */
  const show = async (position: number, status: Document = connected): Promise<void> => {
    const { documents } = context
    const writes = [{ kind: 'set', path: 'status/paper', data: status } as const]
    await documents.write('views', writes, { position, hash: 'h' }, await documents.checkpoint('views'))
  }
  const append = async (recordedAt = at): Promise<void> => {
    const { position, hash } = await context.journal.head()
    const events = [{ type: 'GatewayLost', v: 1, occurredAt: at, data: { reason: 'x' } }]
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
    context = {
      journal: memoryJournal(memory),
      documents: memoryDocuments(memory),
      bus: { idle: async () => true } as HttpContext['bus'],
      lease: { current: async () => held } as HttpContext['lease'],
      clock: { ...systemClock, now: () => now },
      where: { mode: 'paper', dataDirectory: './data', store: { kind: 'embedded' } },
      relayed: false,
    }
    await append()
    await show(1)
  })

  it('is ready when every part is', async () => {
    const { ready, parts } = await ask()
    expect(ready).to.equal(true)
    expect(Object.keys(parts)).to.have.members(['store', 'bus', 'engine', 'gateway', 'projections', 'relay'])
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
    context.bus = { ...context.bus, idle: () => new Promise(() => undefined) }
    context.clock = { ...context.clock, after: atOnce }
    expect((await ask()).parts.bus).to.deep.equal({ ok: false, reason: 'no answer within 2 s' })
  })

  it('asks the session itself where the engine is in the same process', async () => {
    const view = {
      phase: 'syncing' as const,
      text: 'the account is being asked for',
      lasting: 2_000,
      gateway: 'primary' as const,
      ordersHeld: undefined,
    }
    context.session = () => ({
      ...view,
      waiting: { messages: 0, history: 0, dataLines: 0 },
      open: { questions: 1, subscriptions: 0, listeners: 0, leases: 0, inFlight: 0 },
    })
    expect((await ask()).parts.gateway).to.include({ ok: false, phase: 'syncing', reason: view.text, since: '2026-11-20T14:59:58.000Z' })
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
