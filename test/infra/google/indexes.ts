/**
 * Which indexes a query needs on the real Firestore, and what of them an index file in firebase's format lacks.
 * The emulator answers every query, index or not; in production one that is missing fails with FAILED_PRECONDITION.
 */

export type Order = 'ASCENDING' | 'DESCENDING'
export type IndexField = { fieldPath: string; order: Order } | { fieldPath: string; arrayConfig: 'CONTAINS' }
export type Scope = 'COLLECTION' | 'COLLECTION_GROUP'

/** A query without its values. Cursors and limits change nothing. */
export type Shape = {
  collectionGroup: string
  scope: Scope
  filters: readonly { fieldPath: string; operator: 'EQUAL' | 'RANGE' | 'CONTAINS' }[]
  orders: readonly { fieldPath: string; order: Order }[]
}

export type IndexFile = {
  indexes: readonly { collectionGroup: string; queryScope: Scope; fields: readonly IndexField[] }[]
  fieldOverrides: readonly {
    collectionGroup: string
    /** `*`: every field of the collections of this name that has no line of its own. */
    fieldPath: string
    indexes: readonly { order?: Order; arrayConfig?: 'CONTAINS'; queryScope: Scope }[]
  }[]
}

/** `single`: on one field each, which Firestore keeps by itself unless it is told not to. `composite` has to be asked for. */
export type Need = { single: readonly IndexField[] } | { composite: readonly IndexField[] }

const name = '__name__'
const asIndex = ({ fieldPath, operator }: Shape['filters'][number], order: Order = 'ASCENDING'): IndexField =>
  operator === 'CONTAINS' ? { fieldPath, arrayConfig: 'CONTAINS' } : { fieldPath, order }

/** Documents lie in the order of their names; equalities alone are met by laying the fields' own indexes over one another. */
export const indexNeeded = ({ filters, orders }: Shape): Need => {
  const equal = filters.filter(({ operator, fieldPath }) => operator !== 'RANGE' && fieldPath !== name)
  const ranged = [...new Set(filters.filter(({ operator }) => operator === 'RANGE').map(({ fieldPath }) => fieldPath))]
  const implied = ranged.filter((fieldPath) => !orders.some((each) => each.fieldPath === fieldPath))
  const sorted = [...orders, ...implied.map((fieldPath) => ({ fieldPath, order: 'ASCENDING' as const }))].filter(
    ({ fieldPath }) => !equal.some((each) => each.fieldPath === fieldPath),
  )
  const last = sorted.at(-1)
  // The name always comes last, in the direction of the field before it, or ascending: only another wish needs an index.
  const plain = last?.fieldPath === name && last.order === (sorted.at(-2)?.order ?? 'ASCENDING') ? sorted.slice(0, -1) : sorted
  const needed = [...equal.map((each) => asIndex(each)), ...plain]
  if (plain.length === 0 || (needed.length === 1 && plain[0]?.fieldPath !== name)) return { single: needed }
  return { composite: needed }
}

const same = (left: IndexField, right: object): boolean =>
  'order' in left ? 'order' in right && right.order === left.order : 'arrayConfig' in right && right.arrayConfig === left.arrayConfig

const words = ({ collectionGroup, scope }: Shape, fields: readonly IndexField[]): string => {
  const wanted = fields.map((field) => `${field.fieldPath} ${'order' in field ? field.order : field.arrayConfig}`).join(', ')
  return `${collectionGroup} (${scope}): ${wanted}`
}

/** @returns what the file lacks for these queries, a line each */
export const missingIndexes = (shapes: readonly Shape[], { indexes, fieldOverrides }: IndexFile): string[] => {
  const lacks = (shape: Shape): string[] => {
    const { collectionGroup, scope } = shape
    const need = indexNeeded(shape)
    if ('composite' in need) {
      const there = indexes.some(
        (index) =>
          index.collectionGroup === collectionGroup &&
          index.queryScope === scope &&
          index.fields.length === need.composite.length &&
          index.fields.every((field, place) => {
            const wanted = need.composite[place]!
            return field.fieldPath === wanted.fieldPath && same(wanted, field)
          }),
      )
      return there ? [] : [words(shape, need.composite)]
    }
    return need.single.flatMap((field) => {
      const own = fieldOverrides.filter((each) => each.collectionGroup === collectionGroup)
      const override = own.find(({ fieldPath }) => fieldPath === field.fieldPath) ?? own.find(({ fieldPath }) => fieldPath === '*')
      // What Firestore keeps by itself serves a single collection only.
      const there =
        override === undefined ? scope === 'COLLECTION' : override.indexes.some((index) => index.queryScope === scope && same(field, index))
      return there ? [] : [words(shape, [field])]
    })
  }
  return [...new Set(shapes.flatMap(lacks))].sort()
}
