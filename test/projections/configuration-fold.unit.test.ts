/** In a process that starts, the first who folds the whole journal leaves a snapshot, so that nobody after it has to. */
import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { snapshotOf } from '../../domain/snapshot.ts'
import { createConfigurationFold } from '../../projections/configuration.ts'
import { Unprojectable } from '../../projections/replay.ts'
import { createMemory, memoryJournal, memorySnapshots } from '../memory-store.ts'
import { broker, changed, command, commitsOf, started } from './story.ts'

const commits = commitsOf([
  started,
  command('configure', 'c1', changed({ 'orders.minimumTrade': 7 })),
  ...Array.from({ length: 700 }, (_, number) => broker(event('GatewayLost', { reason: `cable ${number}` }))),
])
const place = (position: number) => ({ position, hash: commits[position - 1]!.hash })

const world = () => {
  const memory = createMemory()
  memory.commits.push(...commits)
  const journal = memoryJournal(memory)
  const readFrom: number[] = []
  const read: Journal['read'] = (first, last) => {
    if (first !== last) readFrom.push(first) // one commit alone: is the snapshot of this journal?
    return journal.read(first, last)
  }
  const snapshots = { store: memorySnapshots(memory), version: 'v1' }
  const begin = (from: Partial<typeof snapshots> = {}) => createConfigurationFold({ ...journal, read }, 'paper', { ...snapshots, ...from })
  return { memory, snapshots, readFrom, begin }
}

const settingIn = (found: ReadonlyMap<string, { data: unknown }>): unknown =>
  (found.get('config/common')!.data as { settings: Record<string, unknown> }).settings['orders.minimumTrade']

describe('the fold that asks for the configuration', () => {
  it('leaves the very state of that position where it had far to go, and whoever comes next reads only what is newer', async () => {
    const { snapshots, readFrom, begin } = world()
    const first = await begin()(place(650))
    const ledger = initialLedger()
    for (const stored of commits.slice(0, 650)) fold(ledger, stored)
    expect(await snapshots.store.latest('v1')).to.deep.equal(snapshotOf(ledger, 'v1'))
    const second = await begin()(place(660))
    expect(readFrom).to.deep.equal([1, 651])
    expect([settingIn(first), settingIn(second)]).to.deep.equal([7, 7])
  })

  it('leaves none where it had not far to go', async () => {
    const { memory, begin } = world()
    const at = begin()
    await at(place(400))
    await at(place(700))
    expect(memory.snapshots).to.deep.equal([])
  })

  it('leaves none of a journal whose chain is broken, and names the commit', async () => {
    const { memory, begin } = world()
    const stored = memory.commits[299]!
    memory.commits[299] = { ...stored, json: stored.json.replace('cable 297', 'cable 298') }
    const error = await begin()(place(650)).catch((reason: unknown) => reason)
    expect(error).to.be.instanceOf(Unprojectable)
    expect((error as Error).message).to.contain('commit 300 was altered')
    expect(memory.snapshots).to.deep.equal([])
  })

  it('does its work where no snapshot can be written', async () => {
    const { begin, snapshots } = world()
    const store = { ...snapshots.store, save: () => Promise.reject(new Error('the disk is full')) }
    expect(settingIn(await begin({ store })(place(650)))).to.equal(7)
  })
})
