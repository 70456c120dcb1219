/** Engines killed at any moment on the embedded store: nothing lost, nothing doubled. `KILLS=200` for a long run over both stores. */
import { expectCleanKills, killsOn, timeoutMs } from './kills.ts'

describe('engines that are killed at any moment, on the embedded store', function () {
  this.timeout(timeoutMs('embedded'))

  it(`${killsOn('embedded')} times, lose nothing and double nothing`, () =>
    expectCleanKills(
      'embedded',
      async () => ({ store: { kind: 'embedded' }, end: async () => undefined }),
      'test/kill/embedded.e2e.test.ts',
    ))
})
