/**
 * What Pub/Sub writes into BigQuery, and enough of BigQuery's SQL to ask the same rows on SQLite.
 * The rules of a subscription that uses no schema and writes metadata:
 * https://docs.cloud.google.com/pubsub/docs/create-bigquery-subscription (columns and their types), and the field comments of
 * google.pubsub.v1.BigQueryConfig. What is not known here is refused, not guessed.
 */
import { DatabaseSync } from 'node:sqlite'

export type Column = { name: string; type: string; mode?: string; description?: string }
export type Message = { id: string; publishTime: string; data: string; attributes: Readonly<Record<string, string>> }

/** The columns that such a subscription writes, with the types that they may have. */
const written: Readonly<Record<string, readonly string[]>> = {
  subscription_name: ['STRING'],
  message_id: ['STRING'],
  publish_time: ['TIMESTAMP'],
  attributes: ['JSON', 'STRING'],
  data: ['JSON', 'STRING', 'BYTES'],
}

/** @throws Error where Pub/Sub would refuse the table */
export const checkTable = (columns: readonly Column[]): void => {
  for (const name of Object.keys(written))
    if (!columns.some((column) => column.name === name)) throw new Error(`the table has no column ${name}`)
  for (const { name, type, mode = 'NULLABLE' } of columns) {
    const types = written[name]
    if (types === undefined) {
      if (mode === 'REQUIRED') throw new Error(`nothing is written into the required column ${name}`)
      continue
    }
    if (!types.includes(type)) throw new Error(`${name} cannot be ${type}`)
    if (mode === 'REPEATED') throw new Error(`${name} cannot be repeated`)
  }
}

const longestAttributes = 100
const deepestJson = 500

const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

/** A message as a row. @throws Error where Pub/Sub would keep it back: a JSON column takes only JSON */
export const rowOf = (columns: readonly Column[], subscription: string, { id, publishTime, data, attributes }: Message) => {
  const typeOf = (name: string) => columns.find((column) => column.name === name)!.type
  if (Object.keys(attributes).length > longestAttributes) throw new Error('a message has at most 100 attributes')
  if (typeOf('data') === 'JSON' && depthOf(JSON.parse(data)) > deepestJson) throw new Error('JSON in BigQuery is at most 500 deep')
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/.test(publishTime)) throw new Error(`${publishTime} is no TIMESTAMP`)
  return { subscription_name: subscription, message_id: id, publish_time: publishTime, attributes: JSON.stringify(attributes), data }
}
export type Row = ReturnType<typeof rowOf>

/** Only `$` and plain names are known. */
const at = (json: unknown, path: unknown): unknown => {
  if (typeof path !== 'string' || !/^\$(\.[A-Za-z_]+)*$/.test(path)) throw new Error(`the path ${path} is not known here`)
  if (json === null) return null
  let value: unknown = JSON.parse(String(json))
  for (const name of path.split('.').slice(1)) {
    const inside: unknown =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>)[name] : null
    value = inside ?? null
  }
  return value
}

/**
 * A dataset with its table `messages` and its view `events`. The same SQL runs on BigQuery; what differs: NUMERIC is exact there and a double
 * here, and JSON is a type there and text here.
 */
export const openDataset = (name: string, columns: readonly Column[], view: string) => {
  const database = new DatabaseSync(':memory:')
  database.function('JSON_VALUE', { deterministic: true }, (json, path) => {
    const value = at(json, path)
    return value === null || typeof value === 'object' ? null : String(value)
  })
  database.function('JSON_QUERY', { deterministic: true }, (json, path) => {
    const value = at(json, path)
    return value === null ? null : JSON.stringify(value)
  })
  const own = (sql: string) => sql.replaceAll(`\${DATASET}`, name)
  database.exec(`ATTACH ':memory:' AS ${name}`)
  database.exec(`CREATE TABLE ${name}.messages (${columns.map((column) => `${column.name} TEXT`).join(', ')})`)
  database.exec(`CREATE VIEW ${name}.events AS ${own(view)}`)
  const insert = database.prepare(
    `INSERT INTO ${name}.messages (subscription_name, message_id, publish_time, attributes, data) VALUES (?, ?, ?, ?, ?)`,
  )
  return {
    write: (row: Row): void => void insert.run(row.subscription_name, row.message_id, row.publish_time, row.attributes, row.data),
    remove: (where: string): void => database.exec(`DELETE FROM ${name}.messages WHERE ${where}`),
    ask: (sql: string): Record<string, unknown>[] =>
      database
        .prepare(own(sql))
        .all()
        .map((row) => ({ ...row })),
    close: () => database.close(),
  }
}
