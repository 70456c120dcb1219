/** What goes wrong at the gateway meanwhile, by luck: the bodies of its control port. Seconds are of the market, a second of ours has twenty. */
import type { Chance } from '../world/chance.ts'

type Trouble = { name: string; weight: number; does: (chance: Chance) => object[] }

const one = (name: string, weight: number, does: (chance: Chance) => object): Trouble => ({
  name,
  weight,
  does: (chance) => [does(chance)],
})

export const troubles: readonly Trouble[] = [
  ...(['now', 'onOrder', 'beforeAck', 'afterAck', 'beforeFill', 'afterFill'] as const).map((when) =>
    one(`the line breaks: ${when}`, 3, () => ({ fault: 'dropConnections', when })),
  ),
  one('the next order vanishes', 3, () => ({ fault: 'swallowOrder' })),
  one('the next order is rejected', 2, () => ({ fault: 'rejectNext', code: 201, text: 'Order rejected - reason: insufficient margin' })),
  one('the gateway restarts', 3, (chance) => ({ fault: 'restart', seconds: chance.whole(5, 40), rollBack: chance.whole(0, 3) })),
  one('IB is lost (1100)', 3, (chance) => ({ fault: 'linkDown', seconds: chance.whole(5, 40), dataLost: chance.happens(0.5) })),
  one('the line is half open', 2, (chance) => ({ fault: 'halfOpen', on: true, seconds: chance.whole(10, 60) })),
  one('executions come late', 2, (chance) => ({ fault: 'lateExecutions', on: true, seconds: chance.whole(10, 80) })),
  one('executions come first', 1, (chance) => ({ fault: 'executionsFirst', on: true, seconds: chance.whole(20, 80) })),
  one('commissions come late', 1, (chance) => ({ fault: 'commissions', when: 'late', on: true, seconds: chance.whole(20, 80) })),
  one('a part is filled', 2, (chance) => ({ fault: 'partialFill', quantity: chance.whole(1, 15) })),
  one('told as cancelled, and filled', 1, () => ({ fault: 'cancelledButFilled' })),
  one('reports come twice', 3, (chance) => ({
    fault: 'repeatMessages',
    messages: ['execDetails', 'orderStatus', 'openOrder', 'commissionReport'],
    ...{ on: true, seconds: chance.whole(20, 100) },
  })),
  one('questions hang', 2, (chance) => ({
    fault: 'hangRequests',
    messages: [chance.pick(['reqExecutions', 'reqOpenOrders', 'reqPositions', 'reqHistoricalData', 'reqCompletedOrders'])],
    ...{ late: chance.happens(0.5), on: true, seconds: chance.whole(10, 60) },
  })),
  one('the next execution is not told', 1, () => ({ fault: 'loseMessages', messages: ['execDetails'], count: 1 })),
  one('somebody trades by hand', 1, (chance) => ({ fault: 'handTrade', symbol: 'SPY', quantity: chance.pick([5, -5]) })),
  one('somebody trades what is not ours', 1, () => ({ fault: 'handTrade', symbol: 'AAPL', quantity: 3, price: 300 })),
  one('shares arrive without an execution', 1, () => ({ fault: 'position', symbol: 'SPY', quantity: 5 })),
]

/** As from a pack of cards: in any order, each as often as it weighs before one comes again. @returns the name of what it made happen */
export const createTroublemaker = (chance: Chance, control: (path: string, body: object) => Promise<unknown>): (() => Promise<string>) => {
  let pack: Trouble[] = []
  return async () => {
    if (pack.length === 0) pack = troubles.flatMap((trouble) => Array.from({ length: trouble.weight }, () => trouble))
    const [drawn] = pack.splice(chance.whole(0, pack.length - 1), 1)
    for (const body of drawn!.does(chance)) await control('/faults', body)
    return drawn!.name
  }
}
