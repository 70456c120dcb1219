/** SIGTERM while Pub/Sub or Firestore does not answer: whoever sent it kills what has not ended after ten seconds. */
import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { usesEmulators } from '../../emulators.ts'
import { type ProxyMode, startTcpProxy, type TcpProxy } from '../../tcp-proxy.ts'
import { openTakeoverWorld, type TakeoverWorld } from '../takeover-world.ts'

const killedAfterMs = 10_000

describe('a process that is told to end', function () {
  this.timeout(180_000)
  const { hosts, store } = usesEmulators()
  let world: TakeoverWorld
  let [pubsub, firestore]: TcpProxy[] = []
  beforeEach(async () => {
    ;[pubsub, firestore] = [await startTcpProxy(hosts().pubsub), await startTcpProxy(hosts().firestore)]
    world = await openTakeoverWorld({ kind: 'google', ...store() })
  })
  afterEach(async () => {
    for (const line of [pubsub!, firestore!]) line.setMode('pass')
    await world.close()
    await Promise.all([pubsub!.close(), firestore!.close()])
  })

  const outages: Record<string, { pubsub: ProxyMode; firestore: ProxyMode }> = {
    'when Pub/Sub does not answer': { pubsub: 'swallowAnswers', firestore: 'pass' },
    'when Firestore refuses every line': { pubsub: 'pass', firestore: 'refuse' },
    'when Firestore does not answer': { pubsub: 'pass', firestore: 'swallowAnswers' },
    'when neither answers': { pubsub: 'swallowAnswers', firestore: 'swallowAnswers' },
  }
  for (const [when, modes] of Object.entries(outages))
    it(`${when}: does so in time and without a complaint`, async () => {
      const engine = await world.beginTrading({ by: { pubsub: pubsub!.host, firestore: firestore!.host } })
      await until(
        'the events are out',
        async () => (await world.data.documents.checkpoint('relay'))?.position === (await world.ledger()).position,
      )
      pubsub!.setMode(modes.pubsub)
      await world.publish('configure', 'once', { changes: { freshMinutes: 7 } })
      if (modes.pubsub === 'pass')
        await until('it is decided', async () => (await world.ledger()).configuration['freshMinutes'] === 7, killedAfterMs)
      firestore!.setMode(modes.firestore)
      const start = performance.now()
      await engine.end()
      const { code, words } = await engine.ended()
      expect(performance.now() - start, engine.last()).to.be.below(killedAfterMs)
      expect([code, words.includes('Node.js')], engine.last()).to.deep.equal([0, false])
    })
})
