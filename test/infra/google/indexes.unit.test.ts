import { expect } from 'chai'
import { type IndexFile, indexNeeded, missingIndexes, type Order, type Shape } from './indexes.ts'

const shape = (filters: Record<string, 'EQUAL' | 'RANGE' | 'CONTAINS'>, orders: Record<string, Order> = {}): Shape => ({
  collectionGroup: 'orders',
  scope: 'COLLECTION',
  filters: Object.entries(filters).map(([fieldPath, operator]) => ({ fieldPath, operator })),
  orders: Object.entries(orders).map(([fieldPath, order]) => ({ fieldPath, order })),
})
const up = (fieldPath: string) => ({ fieldPath, order: 'ASCENDING' as const })
const down = (fieldPath: string) => ({ fieldPath, order: 'DESCENDING' as const })

describe('the index a query needs', () => {
  const cases: [string, Shape, ReturnType<typeof indexNeeded>][] = [
    ['none for a whole collection', shape({}), { single: [] }],
    ['none in the order of names', shape({}, { __name__: 'ASCENDING' }), { single: [] }],
    ['none for a range of names', shape({ __name__: 'RANGE' }, { __name__: 'ASCENDING' }), { single: [] }],
    ['one of its own against the order of names', shape({}, { __name__: 'DESCENDING' }), { composite: [down('__name__')] }],
    ['that of the one field it is sorted by', shape({}, { at: 'DESCENDING' }), { single: [down('at')] }],
    ['that of the field, names alike', shape({}, { at: 'DESCENDING', __name__: 'DESCENDING' }), { single: [down('at')] }],
    [
      'one of its own, names against it',
      shape({}, { at: 'DESCENDING', __name__: 'ASCENDING' }),
      { composite: [down('at'), up('__name__')] },
    ],
    ['that of the one field in a range', shape({ at: 'RANGE' }), { single: [up('at')] }],
    ['that of the field it is in a range of and sorted by', shape({ at: 'RANGE' }, { at: 'DESCENDING' }), { single: [down('at')] }],
    ['those of each field that is equal', shape({ side: 'EQUAL', symbol: 'EQUAL' }), { single: [up('side'), up('symbol')] }],
    ['none for sorting by what is equal', shape({ side: 'EQUAL' }, { side: 'DESCENDING' }), { single: [up('side')] }],
    ['that of the list it looks into', shape({ tags: 'CONTAINS' }), { single: [{ fieldPath: 'tags', arrayConfig: 'CONTAINS' }] }],
    ['one of its own, equal and sorted', shape({ side: 'EQUAL' }, { at: 'DESCENDING' }), { composite: [up('side'), down('at')] }],
    ['one of its own, equal and in a range', shape({ side: 'EQUAL', at: 'RANGE' }), { composite: [up('side'), up('at')] }],
    ['one of its own, sorted by two', shape({}, { side: 'ASCENDING', at: 'DESCENDING' }), { composite: [up('side'), down('at')] }],
  ]
  for (const [what, query, need] of cases) it(`is ${what}`, () => expect(indexNeeded(query)).to.deep.equal(need))
})

describe('an index file', () => {
  const file: IndexFile = {
    indexes: [{ collectionGroup: 'orders', queryScope: 'COLLECTION', fields: [up('side'), down('at')] }],
    fieldOverrides: [
      { collectionGroup: 'orders', fieldPath: '*', indexes: [] },
      { collectionGroup: 'orders', fieldPath: 'at', indexes: [{ order: 'DESCENDING', queryScope: 'COLLECTION' }] },
    ],
  }
  const none: IndexFile = { indexes: [], fieldOverrides: [] }

  it('has to name what Firestore does not keep by itself', () => {
    const query = shape({ side: 'EQUAL' }, { at: 'DESCENDING' })
    expect(missingIndexes([query], file)).to.deep.equal([])
    expect(missingIndexes([query, query], none)).to.deep.equal(['orders (COLLECTION): side ASCENDING, at DESCENDING'])
    expect(missingIndexes([{ ...query, collectionGroup: 'fills' }], file)).to.have.length(1)
    expect(missingIndexes([{ ...query, scope: 'COLLECTION_GROUP' }], file)).to.have.length(1)
    expect(missingIndexes([shape({ side: 'EQUAL' }, { at: 'ASCENDING' })], file)).to.have.length(1)
  })

  it('must not exempt what is asked for', () => {
    expect(missingIndexes([shape({}, { at: 'DESCENDING' })], file)).to.deep.equal([])
    expect(missingIndexes([shape({}, { at: 'ASCENDING' })], file)).to.deep.equal(['orders (COLLECTION): at ASCENDING'])
    expect(missingIndexes([shape({ side: 'EQUAL' })], file)).to.deep.equal(['orders (COLLECTION): side ASCENDING'])
    expect(missingIndexes([shape({ side: 'EQUAL' })], none)).to.deep.equal([])
  })

  it('has to name a single field for a query over all collections of one name', () => {
    expect(missingIndexes([{ ...shape({ side: 'EQUAL' }), scope: 'COLLECTION_GROUP' }], none)).to.deep.equal([
      'orders (COLLECTION_GROUP): side ASCENDING',
    ])
  })
})
