/**
 * Google's emulators for tests: those that the two variables name, or one pair of our own for the whole run, started at first need.
 * Each test uses a project of its own there, so none sees another's data.
 */
import { randomUUID } from 'node:crypto'
import type { GoogleStore } from '../infra/google/connection.ts'
import { type EmulatorHosts, EmulatorsMissing, startEmulators } from '../infra/google/emulators.ts'

let running: Promise<EmulatorHosts & { end(): Promise<void> }> | undefined

const named = (): (EmulatorHosts & { end(): Promise<void> }) | undefined => {
  const { PUBSUB_EMULATOR_HOST: pubsub, FIRESTORE_EMULATOR_HOST: firestore } = process.env
  return pubsub && firestore ? { pubsub, firestore, end: async () => undefined } : undefined
}

const started = (): NonNullable<typeof running> => {
  const given = named()
  if (running === undefined && given === undefined) process.once('SIGTERM', () => process.exit(143)) // else they would outlive us
  running ??= given === undefined ? startEmulators() : Promise.resolve(given)
  return running
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
    this.timeout(120_000)
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
