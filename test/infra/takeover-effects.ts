/**
 * What a process does to the world, seen from inside: its writes to SQLite, its calls of gRPC that change something, its messages to the
 * gateway. The process can be stopped (SIGSTOP) just before any of them, as by a debugger, a paused machine or a starved host.
 */
import { writeSync } from 'node:fs'
import http2 from 'node:http2'
import net from 'node:net'
import { StatementSync } from 'node:sqlite'

/** `content` is what is written, as text; it holds the events of a commit, or the fields of a message. */
type Effect = { name: string; content: string }

/**
 * `at`: before the n-th effect from now on. `on`: before the first that matches; with `further`, before the n-th after that one.
 * `inside`: in the middle of the first transaction that matches, while it keeps the file locked.
 */
export type Freeze = { at: number } | { on: string; further?: number } | { inside: string }
/** What the test tells the process; it answers with a line on standard error. */
export type Order = { freeze: Freeze } | { record: true }
/** What the process says of itself, among the lines of its log. */
export type Said =
  | { effects: 'armed' }
  | { effects: 'frozen'; step: number; before: string }
  | { effects: 'did'; step: number; name: string }

const say = (said: Said): void => {
  writeSync(2, `${JSON.stringify(said)}\n`) // at once: the next thing that happens may be the stop
}

let order: Order | undefined
let step = 0
let matchedAt: number | undefined

const isTime = (freeze: Freeze, { name, content }: Effect): boolean => {
  if ('at' in freeze) return step === freeze.at
  if (matchedAt === undefined && new RegExp('on' in freeze ? freeze.on : freeze.inside).test(`${name} ${content}`)) matchedAt = step
  if ('inside' in freeze) return false
  return matchedAt !== undefined && step === matchedAt + (freeze.further ?? 0)
}

const about = (effect: Effect): void => {
  if (order === undefined) return
  step += 1
  if ('record' in order) say({ effects: 'did', step, name: effect.name })
  else if (isTime(order.freeze, effect)) stop(effect.name)
}
const stop = (before: string): void => {
  order = undefined
  say({ effects: 'frozen', step, before })
  process.kill(process.pid, 'SIGSTOP')
}

process.on('message', (given: Order) => {
  order = given
  step = 0
  matchedAt = undefined
  say({ effects: 'armed' })
})

// ── SQLite ── A transaction is one effect. Its BEGIN waits for the first statement inside, which tells what it is about.

let begin: { statement: StatementSync } | undefined
const { run, get, all } = StatementSync.prototype

const shortly = (sql: string): string => sql.replaceAll(/\s+/g, ' ').trim().slice(0, 60)
const onStatement = (statement: StatementSync, parameters: readonly unknown[], writes: boolean): void => {
  const sql = statement.sourceSQL
  if (begin === undefined && (!writes || insideTransaction)) return
  const effect = { name: `SQLite: ${shortly(sql)}`, content: parameters.map((each) => (typeof each === 'string' ? each : '')).join(' ') }
  about(effect)
  const waiting = begin
  begin = undefined
  if (waiting !== undefined) Reflect.apply(run, waiting.statement, [])
}
let insideTransaction = false

StatementSync.prototype.run = function (this: StatementSync, ...parameters: Parameters<StatementSync['run']>) {
  const sql = this.sourceSQL
  if (sql.startsWith('BEGIN')) {
    begin = { statement: this }
    insideTransaction = true
    return { changes: 0, lastInsertRowid: 0 }
  }
  if (sql === 'COMMIT' || sql === 'ROLLBACK') {
    insideTransaction = false
    if (begin !== undefined) Reflect.apply(run, begin.statement, [])
    begin = undefined
    if (order !== undefined && 'freeze' in order && 'inside' in order.freeze && matchedAt !== undefined) stop(sql)
  } else onStatement(this, parameters, true)
  return Reflect.apply(run, this, parameters)
} as StatementSync['run']
StatementSync.prototype.get = function (this: StatementSync, ...parameters: Parameters<StatementSync['get']>) {
  onStatement(this, parameters, false)
  return Reflect.apply(get, this, parameters)
} as StatementSync['get']
StatementSync.prototype.all = function (this: StatementSync, ...parameters: Parameters<StatementSync['all']>) {
  onStatement(this, parameters, false)
  return Reflect.apply(all, this, parameters)
} as StatementSync['all']

// ── Pub/Sub and Firestore ── gRPC writes past the socket, so its calls are met where HTTP/2 takes their messages.

const changing = /\/(Commit|BatchWrite|Publish|Acknowledge|ModifyAckDeadline)$/
const connect = http2.connect

http2.connect = ((...given: Parameters<typeof http2.connect>) => {
  const session = connect(...given)
  const request = session.request.bind(session)
  session.request = (headers, options) => {
    const stream = request(headers, options)
    const path = String((headers as http2.OutgoingHttpHeaders | undefined)?.[':path'] ?? '')
    if (!changing.test(path)) return stream
    const write = stream.write.bind(stream) as (...all: unknown[]) => boolean
    stream.write = ((chunk: Buffer, ...rest: unknown[]) => {
      about({ name: `gRPC: ${path.split('/').at(-1)}`, content: chunk.toString('latin1') })
      return write(chunk, ...rest)
    }) as typeof stream.write
    return stream
  }
  return session
}) as typeof http2.connect

// ── The gateway ──

/** From here on, what is written to this port counts. */
export const watchGateway = (port: number): void => {
  const { write } = net.Socket.prototype
  net.Socket.prototype.write = function (this: net.Socket, ...given: unknown[]) {
    const [chunk] = given
    if (this.remotePort === port && Buffer.isBuffer(chunk)) {
      const fields = chunk.subarray(4).toString().split('\0')
      about({ name: `gateway: message ${fields[0]}`, content: fields.join(' ') })
    }
    return Reflect.apply(write, this, given) as boolean
  } as net.Socket['write']
}
