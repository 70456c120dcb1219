/** The same tests on each store, since a store must make no difference. */
import type { Environment } from '../infra/environment.ts'
import { usesEmulators } from './emulators.ts'

type StoreOf = () => Environment['store']
type Kind = Environment['store']['kind']

/** Describes the suite once a store. `store()` names one that nobody has used before, for use from the first test on. */
export const onEachStore = (title: string, suite: (store: StoreOf, kind: Kind) => void): void => {
  describe(`${title}, on the embedded store`, function () {
    this.timeout(60_000)
    suite(() => ({ kind: 'embedded' }), 'embedded')
  })
  describe(`${title}, on Pub/Sub and Firestore`, function () {
    this.timeout(120_000)
    const emulators = usesEmulators()
    suite(() => ({ kind: 'google', ...emulators.store() }), 'google')
  })
}
