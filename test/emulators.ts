/**
 * Google's emulators for tests: those that the two variables name, or one pair of our own for the whole run, started at first need, or at
 * the beginning where several processes share the run. Each test uses a project of its own there, so none sees another's data.
 */
import { randomUUID } from 'node:crypto'
import type { GoogleStore } from '../infra/google/connection.ts'
import { type EmulatorHosts, EmulatorsMissing, startEmulators } from '../infra/google/emulators.ts'

type Running = EmulatorHosts & { end(): Promise<void> }

let running: Promise<Running> | undefined

/** Names of our own for the processes of one run, since a product that a test starts would take the other two for its user's wish. */
const shared = { pubsub: 'TEST_PUBSUB_EMULATOR_HOST', firestore: 'TEST_FIRESTORE_EMULATOR_HOST' }

const named = (): Running | undefined => {
  const pubsub = process.env['PUBSUB_EMULATOR_HOST'] ?? process.env[shared.pubsub]
  const firestore = process.env['FIRESTORE_EMULATOR_HOST'] ?? process.env[shared.firestore]
  return pubsub && firestore ? { pubsub, firestore, end: async () => undefined } : undefined
}

const started = (): Promise<Running> => {
  const given = named()
  if (running === undefined && given === undefined) process.once('SIGTERM', () => process.exit(143)) // else they would outlive us
  running ??= given === undefined ? startEmulators() : Promise.resolve(given)
  return running
}

/** For a run of several processes, before the others begin. Where the emulators are missing, each says so when it needs them. */
export const shareEmulators = async (): Promise<void> => {
  const hosts = await started().catch((error: Error) => {
    if (!(error instanceof EmulatorsMissing)) throw error
  })
  if (hosts === undefined) return
  process.env[shared.pubsub] = hosts.pubsub
  process.env[shared.firestore] = hosts.firestore
}

export const endEmulators = async (): Promise<void> => {
  await (await running?.catch(() => undefined))?.end()
}

let said = false
/** Says once why tests are skipped; where the emulators are required, their absence fails. */
const skip = (context: Mocha.Context, reason: string): never => {
  if (process.env['REQUIRE_EMULATORS'] === '1') throw new Error(`REQUIRE_EMULATORS=1, but ${reason}`)
  if (!said) process.stderr.write(`\n  Skipped: the tests that need Google's emulators. ${reason}\n`)
  said = true
  return context.skip()
}

/** To be called inside of `describe`. Its tests are skipped, with the reason, on a machine without the emulators. */
export const usesEmulators = (): { hosts(): EmulatorHosts; store(): GoogleStore } => {
  let hosts: EmulatorHosts | undefined
  before('the emulators run', async function () {
    this.timeout(180_000)
    try {
      hosts = await started()
    } catch (error) {
      if (!(error instanceof EmulatorsMissing)) throw error
      skip(this, error.message)
    }
  })
  const found = (): EmulatorHosts => {
    if (hosts === undefined) throw new Error('the emulators are there from the first test on, not before')
    return hosts
  }
  return {
    hosts: found,
    /** A project that nobody has used before. */
    store: () => ({ project: `test-${randomUUID()}`, database: '(default)', emulators: found() }),
  }
}
