/** The queries that the adapters really send, against the file that says which indexes there are in production. */
import { readFileSync } from 'node:fs'
import { Query } from '@google-cloud/firestore'
import { expect } from 'chai'
import type { Documents } from '../../../domain/ports/documents.ts'
import type { Journal } from '../../../domain/ports/journal.ts'
import type { Lease } from '../../../domain/ports/lease.ts'
import type { Snapshots } from '../../../domain/ports/snapshots.ts'
import { systemClock } from '../../../infra/clock.ts'
import { openJournal } from '../../../infra/google/journal.ts'
import { openLease } from '../../../infra/google/lease.ts'
import { openSnapshots } from '../../../infra/google/snapshots.ts'
import { all, appendAll } from '../../contract/commits.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { type Connected, connections } from './connected.ts'
import { type IndexFile, missingIndexes, type Shape } from './indexes.ts'

type Filter = {
  compositeFilter?: { op: string; filters: Filter[] }
  fieldFilter?: { field: { fieldPath: string }; op: string }
  unaryFilter?: { field: { fieldPath: string }; op: string }
}
type Structured = {
  from: { collectionId: string; allDescendants?: boolean }[]
  where?: Filter
  orderBy?: { field: { fieldPath: string }; direction: 'ASCENDING' | 'DESCENDING' }[]
}

const operators: Record<string, Shape['filters'][number]['operator']> = {
  EQUAL: 'EQUAL',
  IN: 'EQUAL',
  IS_NULL: 'EQUAL',
  IS_NAN: 'EQUAL',
  ARRAY_CONTAINS: 'CONTAINS',
  ARRAY_CONTAINS_ANY: 'CONTAINS',
}

const filtersOf = (filter: Filter | undefined): Shape['filters'] => {
  if (filter === undefined) return []
  if (filter.compositeFilter !== undefined) {
    if (filter.compositeFilter.op !== 'AND')
      throw new Error(`a query with ${filter.compositeFilter.op} is not judged here: teach indexes.ts first`)
    return filter.compositeFilter.filters.flatMap(filtersOf)
  }
  const single = filter.fieldFilter ?? filter.unaryFilter
  if (single === undefined) throw new Error(`not a filter that is judged here: ${JSON.stringify(filter)}`)
  return [{ fieldPath: single.field.fieldPath, operator: operators[single.op] ?? 'RANGE' }]
}

const shapeOf = ({ from, where, orderBy }: Structured): Shape => ({
  collectionGroup: from[0]!.collectionId,
  scope: from[0]!.allDescendants === true ? 'COLLECTION_GROUP' : 'COLLECTION',
  filters: filtersOf(where),
  orders: (orderBy ?? []).map(({ field, direction }) => ({ fieldPath: field.fieldPath, order: direction })),
})

/** Each query on its way to the server, whether it is asked once or listened to. */
const recording = (): { shapes: Shape[]; end(): void } => {
  const prototype = Query.prototype as unknown as { toProto(...options: unknown[]): { structuredQuery: Structured } }
  const genuine = prototype.toProto
  const shapes: Shape[] = []
  prototype.toProto = function (...options) {
    const request = genuine.apply(this, options)
    shapes.push(shapeOf(request.structuredQuery))
    return request
  }
  return {
    shapes,
    end: () => {
      prototype.toProto = genuine
    },
  }
}

const file = JSON.parse(readFileSync(new URL('../../../infra/google/firestore.indexes.json', import.meta.url), 'utf8')) as IndexFile

describe('the queries sent to Firestore', () => {
  const emulators = usesEmulators()
  const { open, close } = connections()
  let recorded: ReturnType<typeof recording>
  let connected: Connected
  let abandonment: AbortController
  beforeEach(() => {
    recorded = recording()
    abandonment = new AbortController()
    connected = open(emulators.store())
  })
  afterEach(async () => {
    recorded.end()
    abandonment.abort()
    await close()
  })
  /** Each method of each port, so that a new one is not forgotten. */
  type Calls<P> = { [Method in keyof Required<P>]: () => Promise<unknown> }
  const inOrder = async <P>(calls: Calls<P>): Promise<void> => {
    for (const call of Object.values<() => Promise<unknown>>(calls)) await call()
  }
  const heard = async (what: string, listen: (listener: () => void) => () => void): Promise<void> => {
    const before = recorded.shapes.length
    let told = false
    const stop = listen(() => {
      told = true
    })
    await until(what, () => told || recorded.shapes.length > before)
    stop()
  }
  const askEverything = async (): Promise<void> => {
    const { firestore, documents } = connected
    const options = { firestore, mode: 'paper' as const, clock: systemClock, abandoned: abandonment.signal }
    const [journal, lease, snapshots] = [openJournal(options), openLease(options), openSnapshots(options)]
    await inOrder<Journal>({
      head: () => journal.head(),
      append: () => appendAll(journal, ['c1', 'c2', 'c3']),
      marker: () => journal.marker('c1'),
      read: async () => [await all(journal.read(1)), await all(journal.read(2, 3))],
      onAppended: () => heard('the journal is listened to', (listener) => journal.onAppended(listener)),
    })
    await inOrder<Lease>({
      acquire: () => lease.acquire('first', 5_000),
      renew: () => lease.renew(1, 5_000),
      release: () => lease.release(1),
    })
    const snapshot = { version: 'v', position: 1, hash: 'a'.repeat(64), json: '{}' }
    await inOrder<Snapshots>({
      save: async () => {
        for (const position of [1, 2, 3, 4, 5]) await snapshots.save({ ...snapshot, position })
      },
      latest: () => snapshots.latest('v', 4),
    })
    const data = { text: 'x' }
    await inOrder<Documents>({
      write: () =>
        documents.write(
          'views',
          ['status/paper', 'strategies/dummy/intent/latest', 'positions/paper/openOrders/r1'].map((path) => ({ kind: 'set', path, data })),
          { position: 1, hash: 'a'.repeat(64) },
          undefined,
        ),
      get: () => documents.get('status/paper'),
      list: () => documents.list('activity'),
      all: () => all(documents.all()),
      checkpoint: () => documents.checkpoint('views'),
      watch: () => heard('a document is watched', (listener) => documents.watch('status/paper', listener)),
    })
  }

  it('need no index that the file does not name, and none that it exempts', async () => {
    await askEverything()
    expect(recorded.shapes.map(({ collectionGroup }) => collectionGroup)).to.include.members([
      'commits',
      'snapshots',
      'activity',
      'openOrders',
    ])
    expect(missingIndexes(recorded.shapes, file)).to.deep.equal([])
  })

  it('would be missed if one were added without its line', async () => {
    const { firestore } = connected
    await firestore.collection('journals/paper/commits').where('epoch', '==', 1).orderBy('position', 'desc').get()
    await firestore.collection('activity').where('severity', '==', 'error').get()
    await firestore.collectionGroup('openOrders').orderBy('updated_at').get()
    // The only one that the emulator refuses too.
    await firestore
      .collection('commands')
      .orderBy('__name__', 'desc')
      .get()
      .catch(() => undefined)
    expect(missingIndexes(recorded.shapes, file)).to.deep.equal([
      'activity (COLLECTION): severity ASCENDING',
      'commands (COLLECTION): __name__ DESCENDING',
      'commits (COLLECTION): epoch ASCENDING, position DESCENDING',
      'openOrders (COLLECTION_GROUP): updated_at ASCENDING',
    ])
  })

  it('find every collection exempt from indexes, for nothing else is asked of its fields', async () => {
    await askEverything()
    const exempt = new Set(file.fieldOverrides.filter(({ fieldPath }) => fieldPath === '*').map(({ collectionGroup }) => collectionGroup))
    const found: string[] = []
    const visit = async (parent: { listCollections(): ReturnType<Connected['firestore']['listCollections']> }): Promise<void> => {
      for (const collection of await parent.listCollections()) {
        const documents = await collection.listDocuments()
        if ((await collection.limit(1).get()).size > 0) found.push(collection.id)
        for (const document of documents) await visit(document)
      }
    }
    await visit(connected.firestore)
    expect(found).to.include.members([
      'commits',
      'commands',
      'lease',
      'snapshots',
      'parts',
      'status',
      'checkpoints',
      'intent',
      'openOrders',
    ])
    expect(found.filter((collection) => !exempt.has(collection))).to.deep.equal([])
  })
})
