// Prints what firestore.indexes.json asks of Firestore, for the set-up: a line for each field, with its collection, its path and its index.
import { readFileSync } from 'node:fs'

const file = new URL('../../google/firestore.indexes.json', import.meta.url)
const { indexes, fieldOverrides } = JSON.parse(readFileSync(file, 'utf8'))
if (indexes.length > 0) throw new Error('firestore.indexes.json has composite indexes, which the set-up does not create')

for (const { collectionGroup, fieldPath, indexes: own } of fieldOverrides) {
  if (own.length > 1 || own.some(({ queryScope }) => queryScope !== 'COLLECTION'))
    throw new Error(`${collectionGroup}.${fieldPath} wants what the set-up does not create: several indexes, or one over collection groups`)
  console.log(collectionGroup, fieldPath, own[0] === undefined ? 'none' : `order=${own[0].order.toLowerCase()}`)
}
