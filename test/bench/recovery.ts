/**
 * `npm run bench -- recovery`: a killed process is started again over a long journal, as `ibt start` does it. From the start of the process
 * until it has asked the gateway all it has to ask, with a snapshot of the state and without one, beside the same over an empty journal.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Commit } from '../../domain/commit.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { Snapshot } from '../../domain/ports/snapshots.ts'
import { snapshotOf } from '../../domain/snapshot.ts'
import { openDocuments } from '../../infra/embedded/documents.ts'
import { openJournal } from '../../infra/embedded/journal.ts'
import { openSnapshots } from '../../infra/embedded/snapshots.ts'
import { openStore, type Store } from '../../infra/embedded/store.ts'
import { storePath } from '../../infra/store.ts'
import { foldVersion } from '../../infra/version.ts'
import { createConfigurationFold } from '../../projections/configuration.ts'
import { startGatewayProcess } from './gateway-process.ts'
import { journalOf } from './replay.ts'
import { type Row, tableOf } from './row.ts'

const program = fileURLToPath(new URL('../../infra/cli/ibt.js', import.meta.url))
const preload = new URL('./tells-its-work.ts', import.meta.url).href
const rounds = 3
const commitsTogether = 10_000
/** A working engine takes a snapshot every 500 commits: nearly so many have come since the last one, and each start here adds a few. */
const sinceSnapshot = 450
/** Nineteen years of them end before today, whenever that is. */
const firstDay = Date.UTC(2005, 0, 1)

const folderIn = (place: string, name: string): string => {
  const folder = join(place, name)
  mkdirSync(folder)
  return folder
}
const openIn = (folder: string) => openStore(storePath({ dataDirectory: folder, mode: 'paper' }))

/** Seconds, and how long threads worked meanwhile, on all cores together. */
type Took = { seconds: number; work: number }
/** `fold`: of all of it, from memory. */
type Prepared = { snapshot: Snapshot; commits: number; fold: Took }

const stopwatch = (): (() => Took) => {
  const [begun, work] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(work)
    return { seconds: (performance.now() - begun) / 1_000, work: (user + system) / 1e6 }
  }
}

/** Of the documents a start looks only at the checkpoint and at those that a person may have edited: the others are left out. */
const showAll = async (store: Store, { position, hash }: Readonly<Ledger>): Promise<void> => {
  const editable = await createConfigurationFold(openJournal(store), 'paper')({ position, hash })
  const writes = [...editable].map(([path, { data }]) => ({ kind: 'set' as const, path, data }))
  await openDocuments(store).write('views', writes, { position, hash }, undefined)
}

/** Written past the journal, which takes one commit at a time; the rows are those that it would write. */
const prepare = async (folder: string, events: number, tell: (what: string) => void): Promise<Prepared> => {
  const stored = journalOf(events, firstDay)
  tell(`writing ${stored.length.toLocaleString('en')} commits`)
  const store = openIn(folder)
  const insert = store.database.prepare(
    'INSERT INTO commits (position, epoch, recordedAt, previousHash, hash, json) VALUES (?, ?, ?, ?, ?, ?)',
  )
  for (let next = 0; next < stored.length; next += commitsTogether)
    store.transaction(() => {
      for (const { json, hash } of stored.slice(next, next + commitsTogether)) {
        const { position, epoch, recordedAt, previousHash } = JSON.parse(json) as Commit
        insert.run(position, epoch, recordedAt, previousHash, hash, json)
      }
    })
  const ledger = initialLedger()
  const foldTo = (end: number): void => {
    while (ledger.position < end) fold(ledger, stored[ledger.position]!)
  }
  const watch = stopwatch()
  foldTo(stored.length - sinceSnapshot)
  const snapshot = snapshotOf(ledger, foldVersion())
  foldTo(stored.length)
  const took = watch()
  await showAll(store, ledger)
  store.close()
  return { snapshot, commits: stored.length, fold: took }
}

/** From here on the journal has this snapshot and no other. @returns how many events come after it */
const useSnapshot = async (folder: string, snapshot: Snapshot | undefined): Promise<number> => {
  const store = openIn(folder)
  store.database.exec('DELETE FROM snapshots')
  if (snapshot !== undefined) await openSnapshots(store).save(snapshot)
  let events = 0
  if (snapshot !== undefined)
    for await (const { json } of openJournal(store).read(snapshot.position + 1)) events += (JSON.parse(json) as Commit).events.length
  store.close()
  return events
}

/** From the start of the process until it is ready; it is killed then. @param from the snapshot that is there for it */
const startOnce = async (folder: string, port: number, from?: Snapshot): Promise<Took> => {
  const begun = performance.now()
  const child = spawn(process.execPath, ['--import', preload, program, 'start'], {
    env: { PATH: process.env['PATH'], STORE: 'embedded', DATA_DIR: folder, IB_PORT: String(port), PORT: '0', LOG_LEVEL: 'info' },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const endWithUs = () => void child.kill('SIGKILL')
  process.once('exit', endWithUs)
  const ended = once(child, 'exit')
  const lines: string[] = []
  let start: Took | undefined
  for await (const line of createInterface({ input: child.stderr! })) {
    lines.push(line)
    if (!line.includes('the gateway is ready')) continue
    const seconds = (performance.now() - begun) / 1_000
    child.send('how much?')
    const [{ user, system }] = (await once(child, 'message', { signal: AbortSignal.timeout(30_000) })) as [NodeJS.CpuUsage]
    start = { seconds, work: (user + system) / 1e6 }
    break
  }
  child.kill('SIGKILL')
  await ended
  process.off('exit', endWithUs)
  if (start === undefined) throw new Error(`the engine did not become ready:\n${lines.slice(-5).join('\n')}`)
  if (
    from !== undefined &&
    !lines.some((line) => line.includes('restored from a snapshot') && line.includes(`"position":${from.position},`))
  )
    throw new Error('the engine did not use the snapshot')
  return start
}

/** The least of several, of each: whatever else the machine does only adds. */
const quickest = async (run: () => Promise<Took>): Promise<Took> => {
  const starts: Took[] = []
  for (let round = 0; round < rounds; round++) starts.push(await run())
  return { seconds: Math.min(...starts.map(({ seconds }) => seconds)), work: Math.min(...starts.map(({ work }) => work)) }
}

/** @returns the table, in Markdown */
export const benchRecovery = async (events: number): Promise<string> => {
  const tell = (what: string): void => console.error(`${what} …`)
  const place = mkdtempSync(join(tmpdir(), 'ib-trading-bench-'))
  const gateway = await startGatewayProcess([])
  try {
    const [long, empty] = [folderIn(place, 'long'), folderIn(place, 'empty')]
    const { snapshot, commits, fold: folded } = await prepare(long, events, tell)
    let read = 0
    tell(`starting ${rounds} times over an empty journal, and from a snapshot`)
    const bare = await quickest(async () => {
      rmSync(storePath({ dataDirectory: empty, mode: 'paper' }), { force: true })
      return startOnce(empty, gateway.port)
    })
    const restored = await quickest(async () => {
      read = await useSnapshot(long, snapshot)
      return startOnce(long, gateway.port, snapshot)
    })
    tell('and once without one')
    await useSnapshot(long, undefined)
    const replayed = await startOnce(long, gateway.port)
    const over = `start to ready over ${events.toLocaleString('en')} events`
    const snapshotted = `${over}, from a snapshot (${read} events read)`
    const whole = `${over}, without one (${commits.toLocaleString('en')} commits read)`
    const row = (name: string, floorName: string, ours: number, floor: number, wanted: string): Row => ({
      ...{ name, floorName, unit: 's', ours, floor, ratio: ours / floor, wanted },
    })
    const rows = [
      row(snapshotted, 'over an empty journal', restored.seconds, bare.seconds, 'at most 1 s more'),
      row(`${snapshotted}, work`, 'over an empty journal', restored.work, bare.work, 'at most 1 s more'),
      row(whole, 'the fold alone, from memory', replayed.seconds, folded.seconds, 'shown'),
      row(`${whole}, work`, 'that, and a start over an empty journal', replayed.work, folded.work + bare.work, 'at most 2'),
    ]
    return tableOf(rows)
  } finally {
    await gateway.end()
    rmSync(place, { recursive: true, force: true })
  }
}
