/** Another process on Google's bus: `node bus-child.ts PROJECT PUBSUB FIRESTORE`. Prints the id of each message, and acknowledges when told on standard input. */
import { systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/google/bus.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { contractTopics } from '../../contract/bus.contract.ts'
import { shortestAckDeadlineMs } from './bus-world.ts'

const [project = '', pubsub = '', firestore = ''] = process.argv.slice(2)
const connection = openConnection({ project, database: '(default)', emulators: { pubsub, firestore } })
const bus = openBus({ pubsub: connection.pubsub, topics: contractTopics(shortestAckDeadlineMs), mode: 'paper', clock: systemClock })
bus.subscribe('paper-commands-engine', (delivery) => {
  process.stdout.write(`${delivery.id}\n`)
  process.stdin.once('data', async () => {
    await delivery.ack()
    process.stdout.write('acknowledged\n')
  })
})
