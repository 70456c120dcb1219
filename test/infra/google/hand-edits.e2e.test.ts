/** Edits in Firestore's console, by the genuine client, beside a whole engine. */
import type { Firestore } from '@google-cloud/firestore'
import { expect } from 'chai'
import { canonical } from '../../../domain/commit.ts'
import { type GoogleStore, openConnection } from '../../../infra/google/connection.ts'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { type Rig, startTrading } from '../../rig.ts'

describe('an edit in the console', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  let rig: Rig
  let firestore: Firestore
  let close: () => Promise<void>
  beforeEach(async () => {
    const store: GoogleStore = emulators.store()
    rig = await startTrading({ store: { kind: 'google', ...store } })
    ;({ firestore, close } = openConnection(store))
  })
  afterEach(async () => {
    await close()
    await rig.stop()
  })
  const shown = async (path: string, field: string) => (await rig.composed.documents.get(path))?.[field]
  const causes = async () =>
    (await rig.commits()).flatMap(({ cause }) => (cause.kind === 'command' && cause.source === 'console' ? [cause] : []))

  it('that switches trading off is a halt by the console, whatever else it says', async () => {
    await firestore.doc('config/paper').set({ tradingEnabled: false, account: 'DU9', nonsense: [1] })
    await until('trading is halted', () => !rig.composed.engine.ledger.trading.on, 60_000)
    const [halt] = await causes()
    expect(halt).to.include({ type: 'halt', actor: 'console' })
    await until('the document is what the journal says', async () => (await shown('config/paper', 'account')) === 'DU1234567', 60_000)
    expect(await rig.composed.documents.get('config/paper'))
      .to.include({ tradingEnabled: false })
      .and.not.to.have.property('nonsense')
  })

  it('of a setting is a configure by the console', async () => {
    const settings = await shown('config/common', 'settings')
    await firestore.doc('config/common').update({ settings: { ...(settings as object), freshMinutes: 7 } })
    await until('it is configured', () => rig.composed.engine.ledger.configuration['freshMinutes'] === 7, 60_000)
    expect((await causes())[0]).to.include({ type: 'configure', actor: 'console' })
  })

  it('that no engine would take is put back', async () => {
    const before = await shown('config/common', 'settings')
    await firestore.doc('config/common').update({ settings: { ...(before as object), freshMinutes: -1 } })
    await until('it is put back', async () => canonical(await shown('config/common', 'settings')) === canonical(before), 60_000)
    expect(await causes()).to.deep.equal([])
  })

  it('that switches trading on is put back: that takes a resume', async () => {
    await rig.command('halt', { reason: 'test' }, { id: 'h1' })
    await firestore.doc('config/paper').update({ tradingEnabled: true })
    await until('it is put back', async () => (await shown('config/paper', 'tradingEnabled')) === false, 60_000)
    expect([rig.composed.engine.ledger.trading.on, await causes()]).to.deep.equal([false, []])
  })

  it('made while no process ran is seen by the next one', async () => {
    await rig.composed.stop()
    await firestore.doc('config/paper').update({ tradingEnabled: false })
    await rig.restart()
    await until('trading is halted', () => !rig.composed.engine.ledger.trading.on, 60_000)
    expect((await causes())[0]).to.include({ type: 'halt', actor: 'console' })
  })
})
