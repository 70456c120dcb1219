import { simulatedClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/google/bus.ts'
import { openConnection } from '../../../infra/google/connection.ts'
import { busContract, contractTopics } from '../../contract/bus.contract.ts'
import { usesEmulators } from '../../emulators.ts'
import { createTopics, shortestAckDeadlineMs } from './bus-world.ts'

describe('Google', () => {
  const emulators = usesEmulators()
  const topics = contractTopics(shortestAckDeadlineMs)

  busContract('Google Pub/Sub', async () => {
    const store = emulators.store()
    const clock = simulatedClock(Date.parse('2020-03-16T20:05:00.000Z'))
    const connections: { close(): Promise<void> }[] = []
    const open = () => {
      const connection = openConnection(store)
      connections.push(connection)
      return { connection, bus: openBus({ pubsub: connection.pubsub, topics, mode: 'paper', clock }) }
    }
    const { connection, bus } = open()
    await createTopics(connection.pubsub, topics)
    return {
      bus,
      another: async () => open().bus,
      ackDeadlineMs: shortestAckDeadlineMs,
      passBackOff: async () => {
        const due = await bus.nextDueAt()
        if (due !== undefined) await clock.moveTo(due)
      },
      close: async () => {
        for (const each of connections) await each.close()
      },
    }
  })
})
