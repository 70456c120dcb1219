import { expect } from 'chai'
import { canonical } from '../../domain/commit.ts'
import { blockedBecause, type Ledger } from '../../domain/ledger.ts'
import type { BrokerSnapshot } from '../../domain/ports/broker.ts'
import { nextQuestionAt, reconcile } from '../../domain/reconcile.ts'
import { at, continued, dataOf, ledgerOf, ordered, ready, SPY, together, tuesday } from '../given.ts'
import { apple, executed, held, shows, spy } from '../shown.ts'

const minute = 60_000
const order = ordered('abc123-123456789012-1', SPY, { trend: '1200', hedge: '800' })
const commissionOf = ({ executionId }: { executionId: string }) => ({
  executionId,
  commission: '1.05',
  currency: 'USD',
  realizedProfit: '12.5',
})

/** A day of 2,000 executions that nobody has heard of. */
const executions = Array.from({ length: 2_000 }, (_, number) =>
  executed(`0000e0d5.65a1b2c3.${String(number).padStart(4, '0')}.01`, spy, '1', { orderRef: 'abc123-123456789012-1' }),
)
const completed = {
  ...{
    orderRef: 'abc123-123456789012-1',
    permId: 70,
    account: 'DU1234567',
    contract: spy,
    status: 'Cancelled',
    completedStatus: 'Cancelled',
  },
  ...{ completedTime: tuesday, filled: undefined },
}
const day: BrokerSnapshot = shows({
  ...{ executions, commissions: executions.map(commissionOf), positions: [held(spy, '2000')], completedOrders: [completed] },
})

const asking = (ledger: Ledger, snapshot: BrokerSnapshot, time: number) => {
  const takenAt = new Date(time).toISOString()
  const events = reconcile(ledger, { snapshot: { ...snapshot, takenAt }, asked: ledger.position, said: {}, notHandedOver: [] }, time)
  return { events, after: continued(ledger, at(takenAt), together(...events)) }
}

describe('a reconcile of more executions than one commit holds', () => {
  const now = Date.parse(tuesday)
  let first: ReturnType<typeof asking>
  before(() => {
    first = asking(ledgerOf(ready, order), day, now)
  })

  it('counts as many as fit, blocks the instrument, and keeps the order open for the rest', () => {
    expect(canonical(first.events).length).to.be.below(600_000)
    expect(dataOf(first.events, 'FillReceived').length).to.equal(700)
    expect(blockedBecause(first.after, SPY.conId)).to.match(/^1300 unexplained/)
    expect(dataOf(first.events, 'OrderClosed')).to.deep.equal([])
    expect(nextQuestionAt(first.after)).to.equal(now + minute)
  })

  it('counts the rest by the next questions, and finds no discrepancy on the way', () => {
    const second = asking(first.after, day, now + minute)
    const third = asking(second.after, day, now + 2 * minute)
    expect([first, second, third].map(({ events }) => dataOf(events, 'FillReceived').length)).to.deep.equal([700, 700, 600])
    expect([first, second, third].flatMap(({ events }) => dataOf(events, 'DiscrepancyFound'))).to.deep.equal([])
    expect(third.after.books).to.deep.equal({ trend: { [SPY.conId]: '1200' }, hedge: { [SPY.conId]: '800' } })
    expect([blockedBecause(third.after, SPY.conId), third.after.orders['abc123-123456789012-1']!.how]).to.deep.equal([undefined, 'filled'])
  })

  it('asks again also where what waits makes no difference', () => {
    const trades = Array.from({ length: 1_400 }, (_, number) => executed(`h${number}.01`, apple, number % 2 === 0 ? '1' : '-1'))
    const { after } = asking(ledgerOf(ready), shows({ executions: trades }), now)
    expect(nextQuestionAt(after)).to.equal(now + minute)
    expect(nextQuestionAt(asking(after, shows({ executions: trades }), now + minute).after)).to.equal(undefined)
  })
})
