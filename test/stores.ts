/** The same tests on each store, since a store must make no difference. */
import type { Environment } from '../infra/environment.ts'
import { usesEmulators } from './emulators.ts'

type StoreOf = () => Environment['store']
type Kind = Environment['store']['kind']

export type Suite = (store: StoreOf, kind: Kind) => void

/** Describes the suite on one store, for a file of its own: files run side by side. `store()` names one that nobody has used before. */
export const onTheEmbeddedStore = (title: string, suite: Suite): void => {
  describe(`${title}, on the embedded store`, function () {
    this.timeout(180_000)
    suite(() => ({ kind: 'embedded' }), 'embedded')
  })
}
export const onGooglesStore = (title: string, suite: Suite): void => {
  describe(`${title}, on Pub/Sub and Firestore`, function () {
    this.timeout(180_000)
    const emulators = usesEmulators()
    suite(() => ({ kind: 'google', ...emulators.store() }), 'google')
  })
}

/** Describes the suite once a store, for use from the first test on. */
export const onEachStore = (title: string, suite: Suite): void => {
  onTheEmbeddedStore(title, suite)
  onGooglesStore(title, suite)
}
