import { expect } from 'chai'
import { type Cause, store } from '../../../../domain/commit.ts'
import { type DomainEvent, event, toStored } from '../../../../domain/events.ts'
import { fold } from '../../../../domain/fold.ts'
import { initialLedger } from '../../../../domain/ledger.ts'
import type { GatewayState } from '../../../../infra/cli/demo/gateway.ts'
import { type Proof, prove } from '../../../../infra/cli/demo/proofs.ts'
import { systemClock } from '../../../../infra/clock.ts'
import { createProjector } from '../../../../projections/projector.ts'
import { booked, command, connected, ordered, SPY } from '../../../given.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../../../memory-store.ts'

const time = '2024-01-09T15:00:00.000Z'
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const holding = (quantity: number): GatewayState['positions'] => [{ conId: SPY.conId, symbol: SPY.symbol, quantity }]
const once = { '17': [{ orderRef: 'abc-1', count: 1 }] }
const sound: GatewayState = { positions: holding(30), received: once }

/** A process at rest: journal, ledger and documents say the same. */
const world = async () => {
  const memory = createMemory()
  const journal = memoryJournal(memory)
  const documents = memoryDocuments(memory)
  const ledger = initialLedger()
  const commit = async (cause: Cause, ...events: DomainEvent[]) => {
    const next = {
      position: ledger.position + 1,
      epoch: 1,
      recordedAt: time,
      cause,
      events: toStored(events, time),
      previousHash: ledger.hash,
    }
    await journal.append(next)
    fold(ledger, store(next))
  }
  await commit({ kind: 'engine', reason: 'started' }, event('EngineStarted', { epoch: 1, mode: 'paper' }))
  await commit({ kind: 'broker', report: 'connected' }, connected())
  await commit(command('resume-1', 'resume'), event('TradingResumed', { reason: 'test' }))
  await commit({ kind: 'broker', report: 'test' }, booked('trend', SPY, '50'), booked('noise', SPY, '-20'))
  await commit({ kind: 'broker', report: 'test' }, ordered('abc-1', SPY, { trend: '10' }))
  const projector = createProjector({ journal, documents, mode: 'paper', log: silent, clock: systemClock })
  await projector.rebuild()
  const proveWith = (state: GatewayState, orders: Record<string, number> = { planned: 1 }): Promise<Proof[]> =>
    prove({ journal, documents, projector, engine: { ledger } as never }, state, { orders }, (symbol) => symbol)
  return { memory, ledger, commit, proveWith }
}
const failures = (proofs: readonly Proof[]) => proofs.filter(({ holds }) => !holds).map(({ name, found }) => `${name}: ${found}`)

describe('the proofs of the demo', () => {
  it('hold for a world that adds up', async () => {
    const proofs = await (await world()).proveWith(sound)
    expect(failures(proofs)).to.deep.equal([])
    expect(proofs.map(({ name }) => name)).to.deep.equal(['journal', 'documents', 'positions', 'orders', 'state'])
    expect(proofs[2]!.found).to.contain('30 SPY')
  })

  it('see a commit that was changed, and that documents made from it cannot be rebuilt', async () => {
    const { memory, proveWith } = await world()
    const before = memory.commits[1]!
    memory.commits[1] = { ...before, json: before.json.replace('"nextValidId":1', '"nextValidId":"1"') }
    const [journal, documents, state] = failures(await proveWith(sound))
    expect(journal).to.match(/^journal: commit 2 was altered/)
    expect(documents).to.match(/^documents: position 2 cannot be projected: /)
    expect(state).to.match(/^state: GatewayConnected: nextValidId/)
  })

  it('see documents that were not what the events say', async () => {
    const { memory, proveWith } = await world()
    memory.documents.set('status/paper', '{"trading":"fine"}')
    expect(failures(await proveWith(sound))[0]).to.match(/^documents: 1 of \d+ differ after the rebuild, the first is status\/paper$/)
  })

  it('see a broker that holds something else', async () => {
    const { proveWith } = await world()
    expect(failures(await proveWith({ ...sound, positions: holding(29) }))).to.deep.equal([
      `positions: contract ${SPY.conId}: books and manual hold 30, the broker 29`,
    ])
    expect(failures(await proveWith({ ...sound, positions: [] }))[0]).to.contain('the broker 0')
    const more = [...holding(30), { conId: 5, symbol: 'XYZ', quantity: 1 }]
    expect(failures(await proveWith({ ...sound, positions: more }))[0]).to.contain('contract 5: books and manual hold 0, the broker 1')
  })

  it('see what is unexplained or blocked, though the sums agree', async () => {
    const { commit, proveWith } = await world()
    const found = { conId: SPY.conId, symbol: 'SPY', kind: 'againstBook', quantity: '1', text: 'a hand trade against a book' } as const
    await commit({ kind: 'broker', report: 'test' }, event('DiscrepancyFound', found))
    expect(failures(await proveWith(sound))).to.include('positions: a hand trade against a book')
  })

  it('see an order that reached the broker twice, or without being handed over, or not at all', async () => {
    const { proveWith } = await world()
    const twice = { ...sound, received: { '17': [{ orderRef: 'abc-1', count: 2 }] } }
    expect(failures(await proveWith(twice))).to.deep.equal(['orders: abc-1 reached the broker 2 times'])
    expect(failures(await proveWith(sound, { planned: 1, withdrawn: 1 }))[0]).to.match(/^orders: 1 reached .* of 0/)
    expect(failures(await proveWith({ ...sound, received: {} }))[0]).to.match(/^orders: 0 reached .* of 1/)
  })

  it('see a live state that the journal does not give', async () => {
    const { ledger, proveWith } = await world()
    ledger.nextValidId += 1
    expect(failures(await proveWith(sound))).to.deep.equal(["state: replayed, it differs from the live engine's in nextValidId"])
  })
})
