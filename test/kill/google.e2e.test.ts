/** Engines killed at any moment on Pub/Sub and Firestore: nothing lost, nothing doubled. `KILLS=200` for a long run over both stores. */
import { usesEmulators } from '../emulators.ts'
import { expectCleanKills, killsOn, timeoutMs } from './kills.ts'

describe('engines that are killed at any moment, on Pub/Sub and Firestore', function () {
  this.timeout(timeoutMs('google'))
  const emulators = usesEmulators()

  it(`${killsOn('google')} times, lose nothing and double nothing`, () =>
    expectCleanKills('google', () => ({ kind: 'google', ...emulators.store() }), 'test/kill/google.e2e.test.ts'))
})
