/** What a day of trading costs on Firestore and Pub/Sub, beside what is free each day. */
import type { EmulatorHosts } from '../../../infra/google/emulators.ts'
import { isView, type Operation, type Sum, sumOf } from './bill.ts'
import { commitsOf, type Day, liveThrough, rebuildIntact, showOneByOne, start, startWithoutSnapshot } from './days.ts'
import { liveByHand } from './live.ts'
import { type Standing, stand } from './standing.ts'
import { openWorld } from './world.ts'

const secondsADay = 24 * 60 * 60
const mebibyte = 2 ** 20
/** Of Firestore each day, for the database called `(default)`; of Pub/Sub 10 GiB a month. */
const free = { reads: 50_000, writes: 20_000, deletes: 20_000, bytes: (10 * 1_024 * mebibyte) / 30 }

type Cost = Sum & { messages: number; bytes: number }
const nothing: Cost = { reads: 0, writes: 0, deletes: 0, messages: 0, bytes: 0 }
const columns = ['reads', 'writes', 'deletes', 'messages', 'bytes'] as const

const each = (of: (column: keyof Cost) => number): Cost =>
  Object.fromEntries(columns.map((column) => [column, of(column)])) as Record<keyof Cost, number>
const meanOf = (days: readonly Day[]): Cost => each((column) => days.reduce((sum, day) => sum + day[column], 0) / days.length)
const ofADay = (operations: readonly Operation[], seconds: number): Cost => {
  const cost: Cost = { ...nothing, ...sumOf(operations) }
  return each((column) => (cost[column] * secondsADay) / seconds)
}
const added = (...costs: readonly Cost[]): Cost => each((column) => costs.reduce((sum, cost) => sum + cost[column], 0))

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const costLine = (name: string, { reads, writes, deletes, messages, bytes }: Cost): string =>
  line([name, ...[reads, writes, deletes, messages].map(whole), `${(bytes / mebibyte).toFixed(2)} MiB`])
const share = (part: number, all: number): string => `${((part / all) * 100).toFixed(part / all < 0.01 ? 2 : 0)} %`

const dayTable = (days: readonly Day[], { operations, standby, seconds }: Standing, morning: readonly Operation[]): string => {
  const busiest = days.reduce((most, day) => (day.reads + day.writes > most.reads + most.writes ? day : most))
  const trading = meanOf(days)
  const standing = ofADay(operations, seconds)
  const begun: Cost = { ...nothing, ...sumOf(morning) }
  const all = added(trading, standing, begun)
  const beside = ofADay(standby, seconds)
  return [
    line(['a day', 'reads', 'writes', 'deletes', 'messages', 'volume']),
    line(Array.from({ length: 6 }, () => '---')),
    costLine(`trading: the mean of ${days.length} sessions`, trading),
    costLine('(the busiest of them)', busiest),
    costLine('standing ready for 24 hours: lease, listeners', standing),
    costLine('one start, from a snapshot', begun),
    costLine('**in all**', all),
    line(['free', whole(free.reads), whole(free.writes), whole(free.deletes), '', `${whole(free.bytes / mebibyte)} MiB`]),
    line([
      'used of that',
      ...(['reads', 'writes', 'deletes'] as const).map((column) => share(all[column], free[column])),
      '',
      share(all.bytes, free.bytes),
    ]),
    costLine('a second engine that waits, besides', beside),
  ].join('\n')
}

const countTable = (rows: readonly { name: string; counted: string; wanted: string }[]): string =>
  [
    line(['counted', '', 'wanted']),
    line(['---', '---', '---']),
    ...rows.map(({ name, counted, wanted }) => line([name, counted, wanted])),
  ].join('\n')

/** Two tables: what was counted, and what a day costs. @param days how many sessions are lived through */
export const benchGoogleCosts = async (hosts: EmulatorHosts, days: number, tell: (what: string) => void): Promise<string[]> => {
  const world = await openWorld(hosts, days)
  try {
    tell(`living through ${days} sessions`)
    const lived = await liveThrough(world, () => undefined)
    const commits = await commitsOf(world)
    tell('showing the same commits one by one')
    const oneByOne = await showOneByOne(world, commits)
    tell('rebuilding what is intact')
    const intact = await rebuildIntact(world)
    tell('starting from a snapshot')
    const fromSnapshot = await start(world)
    tell('starting without one')
    const fromBeginning = await startWithoutSnapshot(world)
    tell('running by hand while time passes')
    const byHand = await liveByHand(hosts)
    tell('standing ready')
    const standing = await stand(world)
    const traded = lived.days.reduce((sum, day) => sum + day.commits, 0)
    const perCommit = (documents: number, all: number) => `${(documents / all).toFixed(2)} a commit`
    const reads = (operations: readonly Operation[]) => sumOf(operations).reads.toLocaleString('en')
    const counted = [
      {
        name: `documents written beside the checkpoint by a live run, as the commits come (${byHand.commits} commits, ${byHand.orders} orders)`,
        counted: perCommit(byHand.writes, byHand.commits),
        wanted: 'at most 1',
      },
      {
        name: `the same while ${days} sessions are lived through by steps, nothing gathered (${traded} commits)`,
        counted: perCommit(sumOf(lived.operations, isView).writes, traded),
        wanted: 'shown',
      },
      {
        name: 'the same where each commit is shown before the next one comes',
        counted: perCommit(oneByOne, commits.length),
        wanted: 'shown',
      },
      { name: 'writes and deletes of a rebuild of an intact store', counted: String(intact.writes + intact.deletes), wanted: '0' },
      {
        name: `reads of a start with a full replay of ${commits.length} commits (engine, projections, relay, hand edits)`,
        counted: reads(fromBeginning),
        wanted: 'shown',
      },
      { name: 'reads of a start from a snapshot', counted: reads(fromSnapshot), wanted: 'shown' },
    ]
    return [countTable(counted), dayTable(lived.days, standing, fromSnapshot)]
  } finally {
    await world.end()
  }
}
