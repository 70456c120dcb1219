import fc from 'fast-check'
import { endEmulators, shareEmulators } from './emulators.ts'

/**
 * The same worlds in every run: a run that fails, fails again. `PROPERTIES_SEED` explores others: a number, or `random`
 * (fast-check then names the seed of a failure).
 */
const { PROPERTIES_SEED = '20200101' } = process.env
if (PROPERTIES_SEED !== 'random') fc.configureGlobal({ seed: Number(PROPERTIES_SEED) })

/**
 * A promise that is rejected and that nobody hears ends a real process; here it fails the test in which it happened,
 * unless that test has claimed such failures to judge them itself.
 */
let unheard = new Set<unknown>()
let claimed: Set<unknown> | undefined
const listen = (reason: unknown): void => void (claimed ?? unheard).add(reason)

/** From here to the end of the test, they go there. */
export const claimUnheard = (claim: Set<unknown>): void => {
  claimed = claim
}

export const mochaHooks = {
  /** Before each file: where several processes share the run, mocha takes every listener away after a file. */
  beforeAll(): void {
    if (!process.listeners('unhandledRejection').includes(listen)) process.on('unhandledRejection', listen)
  },
  afterEach(): void {
    const [first] = unheard
    unheard = new Set()
    claimed = undefined
    if (first !== undefined) throw new Error('a rejected promise that nobody heard', { cause: first })
  },
}

export const mochaGlobalSetup = async function (this: { isParallelMode(): boolean }): Promise<void> {
  if (this.isParallelMode()) await shareEmulators()
}

export const mochaGlobalTeardown = endEmulators
