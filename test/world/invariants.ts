/** What must hold after any history, whatever happened in it. Read from the journal's text and the broker's own books alone. */

import { canonical } from '../../domain/commit.ts'
import { newYorkDate } from '../../domain/new-york-time.ts'
import { createProjector } from '../../projections/projector.ts'
import { createMemory, memoryDocuments, memoryJournal } from '../memory-store.ts'
import { exact, type Holdings, holdingsIn, inUnits, parseJournal, sha256, type Told, withoutRevision } from './journal-text.ts'
import type { World } from './world.ts'

export const invariants = [
  'no order twice at the broker',
  'no order without a durable plan',
  'what goes out while trading is halted only closes',
  'every execution is in the books once',
  'books, manual and unexplained are what the broker holds',
  'an end in the journal is true at the broker',
  'the chain is intact',
  'documents equal a rebuild',
  'every command has one outcome',
  'nothing waits for ever',
  'no failure goes unheard',
] as const
export type Invariant = (typeof invariants)[number]
export type Violation = { invariant: Invariant; text: string }

type Witness = { world: World; told: readonly Told[]; holdings: Holdings }
type Check = (witness: Witness) => string[] | Promise<string[]>

const of = (told: readonly Told[], type: string): Told[] => told.filter((event) => event.type === type)

// ── Orders ──

const neverTwice: Check = ({ world: { broker } }) => {
  const times = new Map<string, number>()
  for (const { ticket } of broker.receipts) times.set(ticket.orderRef, (times.get(ticket.orderRef) ?? 0) + 1)
  return [...times].flatMap(([orderRef, count]) => (count > 1 ? [`${orderRef} reached the broker ${count} times`] : []))
}

const alwaysPlanned: Check = ({ world: { broker }, told }) =>
  broker.receipts.flatMap(({ ticket, journal }) => {
    const plan = told.find(({ type, data }) => type === 'OrderPlanned' && data['orderRef'] === ticket.orderRef)
    if (plan === undefined) return [`${ticket.orderRef} was sent without any plan`]
    if (plan.position > journal) return [`${ticket.orderRef} was sent when position ${journal} was durable; its plan is ${plan.position}`]
    const signed = ticket.action === 'BUY' ? exact(ticket.quantity) : -exact(ticket.quantity)
    const { conId, quantity, orderId, account } = plan.data
    const same = exact(quantity) === signed && conId === ticket.contract.conId && orderId === ticket.orderId && account === ticket.account
    const before = told.filter(({ type, position }) => position <= journal && /^Trading(Halted|Resumed)$/.test(type)).at(-1)
    const may = before?.type === 'TradingResumed' || plan.data['closing'] === true
    return [
      ...(same ? [] : [`${ticket.orderRef} was sent otherwise than it was planned`]),
      ...(may ? [] : [`${ticket.orderRef} was sent while trading was halted`]),
    ]
  })

/** The one exception from the switch: orders of a close-all that is open, each share towards zero and never beyond. */
const onlyClosing: Check = ({ told }) => {
  const wrong: string[] = []
  const open = new Set<string>()
  holdingsIn(told, ({ type, data, cause }, heldBy) => {
    if (type === 'PipelineStarted' && cause['type'] === 'close-all') open.add(data['pipeline'])
    if (type === 'PipelineEnded') open.delete(data['pipeline'])
    if (type !== 'OrderPlanned' || data['closing'] !== true) return
    if (!open.has(data['decision'])) wrong.push(`${data['orderRef']} closes for nobody who asked for it`)
    for (const { strategy, quantity } of data['shares']) {
      const held = heldBy(strategy, data['conId'])
      const left = held + exact(quantity)
      const closes = held > 0n ? left >= 0n && left < held : left <= 0n && left > held
      if (!closes) wrong.push(`${data['orderRef']} moves ${strategy} from ${inUnits(held)} to ${inUnits(left)}`)
    }
  })
  return wrong
}

const endsAreTrue: Check = ({ world: { broker }, told, holdings }) => {
  const ends = new Map(of(told, 'OrderClosed').map(({ data }) => [data['orderRef'] as string, data]))
  return [...ends].flatMap(([orderRef, { how, filled }]) => {
    const received = broker.receipts.some(({ ticket }) => ticket.orderRef === orderRef)
    const order = broker.orders.find((candidate) => candidate.orderRef === orderRef)
    if (order !== undefined && order.endedAt === undefined) return [`${orderRef} is ${how} in the journal and works at the broker`]
    if (how === 'withdrawn' && received) return [`${orderRef} is withdrawn in the journal and reached the broker`]
    if (how === 'rejected' && order?.status !== 'Rejected' && order?.status !== 'Inactive')
      return [`${orderRef} is rejected in the journal and ${order?.status ?? 'unknown'} at the broker`]
    if (how === 'filled' && order?.status !== 'Filled') return [`${orderRef} is filled in the journal and not at the broker`]
    const counted = [...holdings.fills.values()].filter((fill) => fill.orderRef === orderRef).reduce((sum, fill) => sum + fill.quantity, 0n)
    return how === 'filled' && exact(filled) !== counted ? [`${orderRef} ended filled ${filled}, its fills sum to ${inUnits(counted)}`] : []
  })
}

// ── Holdings ──

/** An execution that no answer could have named before midnight may be missing; it is unexplained then, never forgotten. */
const couldBeAsked = (told: readonly Told[], at: number): boolean =>
  of(told, 'PositionReconciled').some(({ data }) => {
    const taken = Date.parse(data['takenAt'])
    return taken > at + 120_000 && newYorkDate(taken) === newYorkDate(at)
  })

const everyExecutionOnce: Check = ({ world: { broker }, told, holdings: { fills } }) => {
  const planned = new Set(of(told, 'OrderPlanned').map(({ data }) => data['orderRef'] as string))
  const known = new Set<string>()
  const wrong = broker.everyExecution().flatMap(({ execution, at }) => {
    const key = withoutRevision(execution.executionId)
    known.add(key)
    if (!planned.has(execution.orderRef)) return []
    const fill = fills.get(key)
    if (fill === undefined) return couldBeAsked(told, at) ? [`${execution.executionId} of ${execution.orderRef} is in no book`] : []
    if (fill.counted > 1) return [`${key} was counted ${fill.counted} times`]
    // A currency pair is in nobody's book.
    const expected = execution.contract.secType === 'CASH' ? 0n : fill.quantity
    if (fill.quantity !== exact(execution.quantity) || fill.shares !== expected)
      return [
        `${key} is ${execution.quantity} at the broker, ${inUnits(fill.quantity)} in the journal, ${inUnits(fill.shares)} in the books`,
      ]
    return []
  })
  const invented = [...fills.keys()].filter((key) => !known.has(key) && !key.startsWith('explained:'))
  return [...wrong, ...invented.map((key) => `${key} is in the books and never happened`)]
}

const nothingLeftOver: Check = ({ world: { broker }, told, holdings: { books, manual } }) => {
  const last = of(told, 'PositionReconciled').at(-1)
  if (last === undefined) return ['the account was never reconciled']
  const unexplained = new Map<number, bigint>(
    last.data['differences'].map((line: { conId: number; unexplained: string }) => [line.conId, exact(line.unexplained)]),
  )
  const everywhere = new Set([...broker.positions.keys(), ...books.keys(), ...manual.keys(), ...unexplained.keys()])
  return [...everywhere].flatMap((conId) => {
    const parts = [books, manual, unexplained].map((holdings) => holdings.get(conId) ?? 0n)
    const sum = parts.reduce((total, part) => total + part, 0n)
    const held = BigInt(broker.positions.get(conId) ?? 0) * 100_000_000n
    return sum === held ? [] : [`${conId}: books, manual, unexplained ${parts.map(inUnits).join(' + ')}, the broker holds ${inUnits(held)}`]
  })
}

// ── Journal and documents ──

const chainHolds: Check = ({ world: { memory } }) => {
  let previous = '0'.repeat(64)
  let epoch = 0
  for (const [index, { json, hash, position }] of memory.commits.entries()) {
    const commit = JSON.parse(json)
    if (position !== index + 1 || commit.position !== position) return [`position ${index + 1} holds commit ${commit.position}`]
    if (sha256(json) !== hash) return [`commit ${position} is not what its hash says`]
    if (commit.previousHash !== previous) return [`commit ${position} does not follow the one before`]
    if (commit.epoch < epoch) return [`commit ${position} is of epoch ${commit.epoch}, after epoch ${epoch}`]
    previous = hash
    epoch = commit.epoch
  }
  return []
}

const documentsAreTheJournal: Check = async ({ world: { memory, clock } }) => {
  const silent = () => undefined
  const fresh = createMemory()
  const log = { debug: silent, info: silent, warn: silent, error: silent }
  const projector = createProjector({
    ...{ journal: memoryJournal(memory), documents: memoryDocuments(fresh), mode: 'paper', log, clock },
  })
  await projector.start()
  await projector.caughtUp(memory.commits.length)
  await projector.stop()
  const paths = new Set([...fresh.documents.keys(), ...memory.documents.keys()])
  return [...paths].flatMap((path) => {
    const [rebuilt, shown] = [fresh.documents.get(path), memory.documents.get(path)]
    const same = rebuilt !== undefined && shown !== undefined && canonical(JSON.parse(rebuilt)) === canonical(JSON.parse(shown))
    return same ? [] : [`${path}: ${shown === undefined ? 'missing' : rebuilt === undefined ? 'too much' : 'different'}`]
  })
}

// ── Commands, and the end of all waiting ──

const oneOutcomeEach: Check = ({ world: { commands, memory }, told }) => {
  const causes = memory.commits.map(({ json }) => JSON.parse(json).cause)
  return commands.flatMap(({ id, type }) => {
    const decided = causes.filter((cause) => cause.kind === 'command' && cause.id === id).length
    if (decided !== 1) return [`${type} ${id} was decided ${decided} times`]
    const started = of(told, 'PipelineStarted').filter(({ data }) => data['pipeline'] === id).length
    const ended = of(told, 'PipelineEnded').filter(({ data }) => data['pipeline'] === id).length
    return started === ended ? [] : [`${type} ${id} was started ${started} times and ended ${ended} times`]
  })
}

const allIsQuiet: Check = ({ world, told, holdings: { books } }) => {
  const engine = world.engine()
  const closed = new Set(of(told, 'OrderClosed').map(({ data }) => data['orderRef']))
  const doubted = new Set(of(told, 'OrderUnresolved').map(({ data }) => data['orderRef']))
  const last = of(told, 'PositionReconciled').at(-1)?.data['differences'] ?? []
  const open = of(told, 'OrderPlanned').filter(({ data }) => !closed.has(data['orderRef']) && !doubted.has(data['orderRef']))
  return [
    ...(engine?.ready() ? [] : ['the engine is not ready']),
    ...(engine?.idle() ? [] : ['the engine is not idle']),
    ...(world.projector()?.position() === world.memory.commits.length ? [] : ['the projector is behind the journal']),
    ...world.postOffice.pending().map(({ attributes }) => `the message ${attributes['type']} ${attributes['id']} is still under way`),
    ...world.postOffice.deadLetters().map(({ attributes, reason }) => `${attributes['type']} ${attributes['id']} was given up: ${reason}`),
    ...last.map(
      ({ conId, unexplained }: Record<string, string>) => `${unexplained} of ${conId} is unexplained after a person explained it`,
    ),
    ...open.map(({ data }) => `the order ${data['orderRef']} is open, and nobody doubts it`),
    ...(books.size === 0 && world.broker.receipts.length > 50 ? ['many orders and no book'] : []),
  ]
}

const everyFailureIsHeard: Check = ({ world: { unheard } }) => [...unheard].map((reason) => String(reason))

const checks: Readonly<Record<Invariant, Check>> = {
  'no order twice at the broker': neverTwice,
  'no order without a durable plan': alwaysPlanned,
  'what goes out while trading is halted only closes': onlyClosing,
  'every execution is in the books once': everyExecutionOnce,
  'books, manual and unexplained are what the broker holds': nothingLeftOver,
  'an end in the journal is true at the broker': endsAreTrue,
  'the chain is intact': chainHolds,
  'documents equal a rebuild': documentsAreTheJournal,
  'every command has one outcome': oneOutcomeEach,
  'nothing waits for ever': allIsQuiet,
  'no failure goes unheard': everyFailureIsHeard,
}

export const violationsOf = async (world: World): Promise<Violation[]> => {
  const told = parseJournal(world.memory.commits)
  const witness = { world, told, holdings: holdingsIn(told) }
  const found: Violation[] = []
  for (const invariant of invariants) for (const text of await checks[invariant](witness)) found.push({ invariant, text })
  return found
}
