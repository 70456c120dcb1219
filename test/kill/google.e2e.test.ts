/** Engines killed at any moment on Pub/Sub and Firestore: nothing lost, nothing doubled. `KILLS=200` for a long run over both stores. */
import { startEmulators } from '../../infra/google/emulators.ts'
import { usesEmulators } from '../emulators.ts'
import { expectCleanKills, killsOn, type Place, timeoutMs } from './kills.ts'

describe('engines that are killed at any moment, on Pub/Sub and Firestore', function () {
  this.timeout(timeoutMs('google'))
  const emulators = usesEmulators()

  /** Emulators that somebody named serve all journals. */
  const place = async ({ first }: { first: boolean }): Promise<Place> => {
    const store = { kind: 'google' as const, ...emulators.store() }
    if (first || process.env['PUBSUB_EMULATOR_HOST'] !== undefined) return { store, end: async () => undefined }
    const { end, ...hosts } = await startEmulators()
    return { store: { ...store, emulators: hosts }, end }
  }

  it(`${killsOn('google')} times, lose nothing and double nothing`, () => expectCleanKills('google', place, 'test/kill/google.e2e.test.ts'))
})
