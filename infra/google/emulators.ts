/**
 * Google's own emulators of Pub/Sub and Firestore, as they come with the gcloud command-line tool. They keep everything in memory.
 * `gcloud` is a wrapper around Java, so each runs as a process group of its own, and all that it started ends with it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type Emulator = {
  /** As `PUBSUB_EMULATOR_HOST` and `FIRESTORE_EMULATOR_HOST` take it: `127.0.0.1:8085`. */
  host: string
  /** Ends the wrapper and all that it started. */
  end(): Promise<void>
}

/** Where the clients of both find them. */
export type EmulatorHosts = { pubsub: string; firestore: string }

/** This machine cannot run the emulators; the message says what is missing. */
export class EmulatorsMissing extends Error {
  override name = 'EmulatorsMissing'
}

const readyWithinMs = 60_000
const endsWithinMs = 5_000
/** Without a bound the Pub/Sub emulator grows to about 1.9 GB. */
const heap = { pubsub: '256m', firestore: '1g' }

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

/** A process and all that it started, directly or not: the Firestore emulator's Java has left the group of its wrapper. */
const familyOf = (ancestor: number): number[] => {
  const lines = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  const parents = lines.map((line) => line.trim().split(/\s+/).map(Number) as [pid: number, parent: number])
  const family = [ancestor]
  for (const member of family) family.push(...parents.flatMap(([pid, parent]) => (parent === member ? [pid] : [])))
  return family
}

/** @returns false when there is no such process or group */
const signal = (target: number, name: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(target, name)
  } catch {
    return false
  }
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** The wrapper passes a polite signal on; what does not go by itself is made to. */
const endFamily = async ({ pid }: ChildProcess): Promise<void> => {
  if (pid === undefined) return
  const family = familyOf(pid)
  signal(-pid, 'SIGTERM')
  const alive = () => family.filter((member) => signal(member, 0))
  for (const end = performance.now() + endsWithinMs; alive().length > 0 && performance.now() < end; ) await pause(20)
  for (const member of alive()) signal(member, 'SIGKILL')
}

const answers = async (host: string): Promise<boolean> => {
  try {
    return (await fetch(`http://${host}/`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

type Start = { name: string; heap: string; command: (host: string) => string[]; port?: number; onEnd?: () => void }

/** Without Java's stacks and empty lines. */
const lastWords = (said: string): string =>
  said
    .split('\n')
    .filter((line) => !/\tat |^(\[\w+\])?\s*$/.test(line))
    .slice(-3)
    .join(' ')

/** Between the look for a free port and its use somebody else may take it. */
class PortTaken extends Error {}
const attempts = 3

const start = async (options: Start): Promise<Emulator> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(options)
    } catch (error) {
      if (error instanceof PortTaken && options.port === undefined && attempt < attempts) continue
      options.onEnd?.()
      throw error instanceof PortTaken ? new EmulatorsMissing(error.message) : error
    }
  }
}

const startOnce = async ({ name, heap, command, port, onEnd = () => {} }: Start): Promise<Emulator> => {
  const host = `127.0.0.1:${port ?? (await freePort())}`
  const child = spawn('gcloud', command(host), {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, JAVA_TOOL_OPTIONS: `-Xmx${heap}`, CLOUDSDK_CORE_DISABLE_PROMPTS: '1' },
  })
  const endWithUs = (): void => {
    if (child.pid !== undefined) signal(-child.pid, 'SIGTERM')
  }
  process.once('exit', endWithUs)
  let said = ''
  let gone: string | undefined
  const remember = (text: Buffer): void => {
    said = `${said}${text}`.slice(-20_000)
  }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', remember)
  child.once('error', (error: NodeJS.ErrnoException) => {
    gone = error.code === 'ENOENT' ? 'the gcloud command-line tool is not installed' : error.message
  })
  child.once('exit', () => {
    gone ??= `it ended by itself: ${lastWords(said)}`
  })
  const endProcess = async (): Promise<void> => {
    await endFamily(child)
    process.off('exit', endWithUs)
  }
  for (const late = performance.now() + readyWithinMs; !(await answers(host)); await pause(100)) {
    if (gone === undefined && performance.now() < late) continue
    await endProcess()
    const why = `Google's ${name} emulator does not run here: ${gone ?? `no answer within ${readyWithinMs / 1_000} s`}`
    throw /address already in use/i.test(said) ? new PortTaken(why) : new EmulatorsMissing(why)
  }
  const end = async (): Promise<void> => {
    await endProcess()
    onEnd()
  }
  return { host, end }
}

/** @throws EmulatorsMissing */
export const startFirestoreEmulator = (port?: number): Promise<Emulator> =>
  start({
    name: 'Firestore',
    heap: heap.firestore,
    command: (host) => ['emulators', 'firestore', 'start', `--host-port=${host}`],
    ...(port === undefined ? {} : { port }),
  })

/** @throws EmulatorsMissing */
export const startPubSubEmulator = (port?: number): Promise<Emulator> => {
  const folder = mkdtempSync(join(tmpdir(), 'ibt-pubsub-')) // it fails where its folder does not exist
  return start({
    name: 'Pub/Sub',
    heap: heap.pubsub,
    command: (host) => ['beta', 'emulators', 'pubsub', 'start', '--project=demo', `--host-port=${host}`, `--data-dir=${folder}`],
    onEnd: () => rmSync(folder, { recursive: true, force: true }),
    ...(port === undefined ? {} : { port }),
  })
}

/** Both, side by side. @throws EmulatorsMissing */
export const startEmulators = async (): Promise<EmulatorHosts & { end(): Promise<void> }> => {
  const started = await Promise.allSettled([startPubSubEmulator(), startFirestoreEmulator()])
  const [pubsub, firestore] = started.map((each) => (each.status === 'fulfilled' ? each.value : undefined))
  const end = async (): Promise<void> => {
    await Promise.all([pubsub?.end(), firestore?.end()])
  }
  if (pubsub === undefined || firestore === undefined) {
    await end()
    throw started.find((each) => each.status === 'rejected')?.reason
  }
  return { pubsub: pubsub.host, firestore: firestore.host, end }
}
