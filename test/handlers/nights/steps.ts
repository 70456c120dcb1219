/** Where a fault can strike in the life of one run: each step begins something, and calls the fault at its very moment. */
import { EngineStopped } from '../../../handlers/writer.ts'
import type { Night } from './night.ts'
import { type Direction, messages } from './wire.ts'

type Strike = () => Promise<void>
export type Step = {
  name: string
  /** When the night begins: by day an order trades at once, in the evening it waits for the next open. */
  evening?: true
  run(night: Night, strike: Strike): Promise<void>
}

export const run = (night: Night): Promise<string> => night.publish('orchestrator', { strategies: ['trend'] }, 'run')

/** Strikes at the first message of these kinds; it goes on afterwards, if there is still a line. */
const atMessage = ({ wire }: Night, direction: Direction, numbers: readonly number[], strike: Strike): void => {
  wire.watch(async (towards, message) => {
    if (towards !== direction || !numbers.includes(message)) return
    wire.watch(undefined)
    await strike()
  })
}

/** Strikes at the first commit with such an event: when it is about to be written, or when it is. */
const atCommit = (night: Night, type: string, durable: boolean, strike: Strike): void => {
  night.watchJournal(async ({ events }, written) => {
    if (written !== durable || !events.some((event) => event.type === type)) return
    night.watchJournal(undefined)
    await strike()
  })
}

const { toGateway, toClient } = messages

const newLife = async (night: Night): Promise<void> => {
  await night.end()
  await beginIfItCan(night)
}

/** An engine that cannot write its journal does not begin; it is begun again when the fault has ended. */
const beginIfItCan = (night: Night): Promise<void> =>
  night.begin().catch((error: Error) => {
    if (!(error instanceof EngineStopped)) throw error
  })

const whenTheOrderIsThere = async (night: Night): Promise<void> => {
  await run(night)
  await night.ready()
}

export const steps: readonly Step[] = [
  {
    name: 'before the connect',
    run: async (night, strike) => {
      await night.end()
      await strike()
      await beginIfItCan(night)
      await run(night)
    },
  },
  {
    name: 'in the questions after the connect',
    run: async (night, strike) => {
      atMessage(night, 'toGateway', [toGateway.completed], strike)
      await newLife(night)
      await run(night)
    },
  },
  {
    name: 'while the signal gathers',
    run: async (night, strike) => {
      atMessage(night, 'toGateway', [toGateway.bars], strike)
      await run(night)
    },
  },
  {
    name: 'in the reconcile of the run',
    run: async (night, strike) => {
      atMessage(night, 'toGateway', [toGateway.positions], strike)
      await run(night)
    },
  },
  {
    name: 'between plan and hand-over',
    run: async (night, strike) => {
      atCommit(night, 'OrderPlanned', true, strike)
      await run(night)
    },
  },
  {
    name: 'with the order on the wire',
    run: async (night, strike) => {
      atMessage(night, 'toGateway', [toGateway.placeOrder], strike)
      await run(night)
    },
  },
  {
    name: 'before the first evidence',
    run: async (night, strike) => {
      await night.ready()
      let placed = false
      night.wire.watch(async (direction, message) => {
        if (direction === 'toGateway') placed ||= message === toGateway.placeOrder
        else if (placed) {
          night.wire.watch(undefined)
          await strike()
        }
      })
      await run(night)
    },
  },
  {
    name: 'at work',
    evening: true,
    run: async (night, strike) => {
      await whenTheOrderIsThere(night)
      await strike()
    },
  },
  {
    name: 'partly filled',
    run: async (night, strike) => {
      await night.fault({ fault: 'partialFill', quantity: 30 })
      await whenTheOrderIsThere(night)
      await strike()
    },
  },
  {
    name: 'between execution and commission',
    run: async (night, strike) => {
      atMessage(night, 'toClient', [toClient.commission], strike)
      await run(night)
    },
  },
  {
    name: 'in the cancel',
    evening: true,
    run: async (night, strike) => {
      await whenTheOrderIsThere(night)
      atMessage(night, 'toGateway', [toGateway.cancelOrder], strike)
      const [order] = Object.values(night.life().engine.ledger.orders)
      await night.publish('cancel-order', { orderRef: order!.orderRef }, 'cancel')
    },
  },
  {
    name: 'in the close of the run',
    run: async (night, strike) => {
      atCommit(night, 'PipelineEnded', false, strike)
      await run(night)
    },
  },
]
