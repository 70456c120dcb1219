import { expect } from 'chai'
import { blockedBecause, type Ledger } from '../../domain/ledger.ts'
import { inFlightOf } from '../../domain/order.ts'
import type { BrokerSnapshot } from '../../domain/ports/broker.ts'
import { nextQuestionAt, reconcile, type SnapshotFacts } from '../../domain/reconcile.ts'
import {
  at,
  booked,
  closed,
  continued,
  dataOf,
  filled,
  given,
  ledgerOf,
  ordered,
  ready,
  SPY,
  type Step,
  together,
  tuesday,
  tuesdayClose,
} from '../given.ts'

const minute = 60_000
const now = Date.parse(tuesday)
const contract = { conId: SPY.conId, symbol: 'SPY', secType: 'STK', currency: 'USD' }
const apple = { conId: 265598, symbol: 'AAPL', secType: 'STK', currency: 'USD' }

const held = (quantity: string, of = contract) => ({
  ...{
    contract: of,
    quantity,
    averageCost: '100',
    marketPrice: '101',
    marketValue: undefined,
    unrealizedProfit: undefined,
    realizedProfit: undefined,
  },
})
const order = ordered('abc-1', SPY, { trend: '100' })
const execution = {
  ...{ executionId: 'e1.01', orderRef: 'abc-1', orderId: 1, clientId: 7, permId: 70, account: 'DU1234567', contract },
  ...{ quantity: '40', price: '100', time: tuesday },
}
const open = {
  ...{ orderRef: 'abc-1', orderId: 1, clientId: 7, permId: 70, account: 'DU1234567', contract, status: 'Submitted' },
  ...{ filled: undefined, remaining: undefined },
}
const completed = {
  ...{ orderRef: 'abc-1', permId: 70, account: 'DU1234567', contract, status: 'Cancelled', completedStatus: 'Cancelled by Trader' },
  ...{ completedTime: tuesday, filled: undefined },
}

const shows = (parts: Partial<BrokerSnapshot> = {}): BrokerSnapshot => ({
  ...{ account: 'DU1234567', takenAt: tuesday, executions: [], commissions: [], openOrders: [], completedOrders: [], positions: [] },
  values: {
    ...{ baseCurrency: 'USD', netLiquidation: '100000', availableFunds: '90000', grossPositionValue: undefined },
    ...{ cash: { USD: '100000' }, exchangeRates: { USD: '1' }, all: [] },
  },
  ...parts,
})
const judging =
  (snapshot: BrokerSnapshot, time = now, more: Partial<SnapshotFacts> = {}) =>
  (ledger: Ledger) =>
    reconcile(ledger, { snapshot, asked: ledger.position, said: {}, notHandedOver: [], ...more }, time)
const types = (events: readonly { type: string }[]) => events.map(({ type }) => type)
/** What the ledger is after a snapshot was judged at a time. */
const judged = (ledger: Ledger, snapshot: BrokerSnapshot, time: number): Ledger =>
  continued(
    ledger,
    at(new Date(time).toISOString()),
    together(...judging({ ...snapshot, takenAt: new Date(time).toISOString() }, time)(ledger)),
  )

describe('reconcile: holdings', () => {
  it('gives to manual what is in no book and was never named by us', () => {
    const events = given(ready).when(judging(shows({ positions: [held('10', apple), held('5')] })))
    expect(dataOf(events, 'PositionReconciled')[0]!.manual.map(({ symbol, quantity }) => [symbol, quantity])).to.deep.equal([
      ['AAPL', '10'],
      ['SPY', '5'],
    ])
  })

  it('takes it back from manual when it is gone: zero is a reported value', () => {
    const ledger = judged(ledgerOf(ready), shows({ positions: [held('10', apple)] }), now)
    expect(judged(ledger, shows(), now + minute).manual).to.deep.equal({})
  })

  it('blocks an instrument of ours at the first sight of a difference, and finds a discrepancy at the second', () => {
    const first = judged(ledgerOf(ready, booked('trend', SPY, '50')), shows({ positions: [held('45')] }), now)
    expect(first.unexplained[SPY.conId]).to.include({ quantity: '-5', found: false })
    expect(first.manual).to.deep.equal({})
    expect(types(judging(shows({ positions: [held('45')] }), now + minute - 1)(first))).to.deep.equal(['PositionReconciled'])
    const events = judging(shows({ positions: [held('45')] }), now + minute)(first)
    expect(dataOf(events, 'DiscrepancyFound')[0]).to.include({ kind: 'position', quantity: '-5' })
  })

  it('unblocks it when the difference is gone, which a late report may do', () => {
    const first = judged(ledgerOf(ready, booked('trend', SPY, '50')), shows({ positions: [held('45')] }), now)
    expect(judged(first, shows({ positions: [held('50')] }), now + minute).unexplained).to.deep.equal({})
  })

  it('counts an execution it brings before it looks at the position', () => {
    const events = given(ready, order).when(judging(shows({ executions: [execution], openOrders: [open], positions: [held('40')] })))
    expect(types(events)).to.deep.equal(['OrderPlaced', 'FillReceived', 'PositionReconciled'])
    expect(dataOf(events, 'PositionReconciled')[0]!.differences).to.deep.equal([])
  })

  it('counts an execution and its correction once, also when one answer brings both', () => {
    const corrected = { ...execution, executionId: 'e1.02', quantity: '30' }
    const events = given(ready, order).when(
      judging(shows({ executions: [execution, corrected], openOrders: [open], positions: [held('30')] })),
    )
    expect(dataOf(events, 'PositionReconciled')[0]!.differences).to.deep.equal([])
  })

  it('asks again for an execution with our prefix and no plan that the positions do not show yet', () => {
    const ledger = ledgerOf(ready, booked('trend', SPY, '20'))
    const orphan = { ...execution, orderRef: `${ledger.prefix}-0123456789ab-1` }
    const lagging = judged(ledger, shows({ executions: [orphan], positions: [held('20')] }), now)
    expect([lagging.unexplained[SPY.conId]!.quantity, nextQuestionAt(lagging)]).to.deep.equal(['40', now + minute])
    const arrived = judged(lagging, shows({ executions: [orphan], positions: [held('60')] }), now + minute)
    expect([arrived.unexplained[SPY.conId]!.quantity, nextQuestionAt(arrived)]).to.deep.equal(['40', undefined])
    expect(judged(lagging, shows({ executions: [orphan], positions: [held('20')] }), now + minute).unexplained).to.deep.equal({})
  })

  it('never gives an execution with our prefix and no plan to manual, in an instrument that we never named', () => {
    const { ledger } = given(ready.slice(0, 3))
    const orphan = { ...execution, orderRef: `${ledger.prefix}-0123456789ab-1` }
    const after = judged(ledger, shows({ executions: [orphan], positions: [held('40')] }), now)
    expect([after.manual, after.unexplained[SPY.conId]!.quantity]).to.deep.equal([{}, '40'])
    const later = judged(after, shows({ executions: [orphan], positions: [held('40')] }), now + minute)
    expect([later.manual, blockedBecause(later, SPY.conId)]).to.deep.equal([{}, after.discrepancies[SPY.conId]!.text])
  })

  it('keeps the block of a hand trade when a difference beside it comes and goes', () => {
    const byHand = { ...execution, orderRef: '', executionId: 'h1.01', quantity: '-5' }
    let ledger = judged(ledgerOf(ready, booked('trend', SPY, '10')), shows({ executions: [byHand], positions: [held('5')] }), now)
    for (const step of [1, 2]) ledger = judged(ledger, shows({ positions: [held('7')] }), now + step * 2 * minute)
    expect(ledger.unexplained[SPY.conId]).to.include({ quantity: '2', found: true })
    ledger = judged(ledger, shows({ positions: [held('5')] }), now + 6 * minute)
    expect([ledger.unexplained, ledger.discrepancies[SPY.conId]!.kind]).to.deep.equal([{}, 'againstBook'])
  })

  it('judges no instrument that had a report after the questions began', () => {
    const ledger = ledgerOf(ready, order)
    const asked = ledger.position
    const reported = continued(
      ledger,
      together(...judging(shows({ executions: [execution], openOrders: [open], positions: [held('40')] }))(ledger)),
    )
    const events = judging(shows({ openOrders: [open] }), now, { asked })(reported)
    expect(dataOf(events, 'PositionReconciled')[0]).to.deep.include({ differences: [], unjudged: [SPY.conId] })
  })

  it('leaves cash pairs out', () => {
    const pair = { conId: 12087792, symbol: 'EUR', secType: 'CASH', currency: 'USD' }
    const events = given(ready).when(judging(shows({ positions: [held('1000', pair)] })))
    expect(dataOf(events, 'PositionReconciled')[0]).to.deep.include({ manual: [], differences: [] })
  })

  it('keeps an absent value absent: a missing net liquidation is not zero', () => {
    const values = { ...shows().values, netLiquidation: undefined }
    const events = given(ready).when(judging(shows({ values })))
    expect(dataOf(events, 'PositionReconciled')[0]).not.to.have.property('netLiquidation')
  })
})

describe('reconcile: orders', () => {
  it('sees a planned order among the open ones', () => {
    expect(types(given(ready, order).when(judging(shows({ openOrders: [open] }))))).to.deep.equal(['OrderPlaced', 'PositionReconciled'])
  })

  it('asks twice before it doubts an order that no answer names, and never sends it again', () => {
    const ledger = ledgerOf(ready, order)
    const first = judged(ledger, shows(), now)
    expect(first.orders['abc-1']).to.include({ status: 'planned', missingSince: tuesday })
    expect(types(judging(shows(), now + minute - 1)(first))).to.deep.equal(['PositionReconciled'])
    expect(types(judging(shows(), now + minute)(first))).to.deep.equal(['PositionReconciled', 'OrderUnresolved'])
  })

  it('closes a lost order only when its time in force is over and nothing is unexplained', () => {
    const doubted = judged(judged(ledgerOf(ready, order), shows(), now), shows(), now + minute)
    const evening = Date.parse(tuesdayClose) + minute
    expect(dataOf(judging(shows(), evening)(doubted), 'OrderClosed')[0]).to.include({ how: 'lost' })
    const filledUnseen = judging(shows({ positions: [held('100')] }), evening)(doubted)
    expect(dataOf(filledUnseen, 'OrderClosed')).to.deep.equal([])
  })

  it('proposes a fill to confirm where a missing order would explain the difference', () => {
    const doubted = judged(judged(ledgerOf(ready, order), shows(), now), shows({ positions: [held('100')] }), now + minute)
    const events = judging(shows({ positions: [held('100')] }), now + 2 * minute)(doubted)
    expect(dataOf(events, 'DiscrepancyFound')[0]!.proposedFill).to.deep.equal({ orderRef: 'abc-1', quantity: '100' })
  })

  it('says expired of one that the broker had shown', () => {
    const seen = judged(ledgerOf(ready, order), shows({ openOrders: [open] }), now)
    const evening = Date.parse(tuesdayClose) + minute
    const events = judging(shows(), evening + minute)(judged(seen, shows(), evening))
    expect(dataOf(events, 'OrderClosed')[0]).to.include({
      ...{ how: 'expired', text: 'no longer at the broker after its time in force, and nothing is unexplained' },
    })
  })

  it('claims nothing of a pair that was forgotten: its holding is cash, and no position tells of it', () => {
    const [pair, evening] = [{ ...SPY, conId: 12087792, symbol: 'EUR', secType: 'CASH' }, Date.parse(tuesdayClose) + minute]
    const doubted = judged(judged(ledgerOf(ready, ordered('abc-1', pair, { trend: '1000' })), shows(), now), shows(), now + minute)
    const [end] = dataOf(judging(shows(), evening)(doubted), 'OrderClosed')
    expect(end).to.include({ how: 'lost' })
    expect(end!.text).to.match(/time in force is over, and whether it filled shows in the cash alone$/)
  })

  it('believes a cancel after the executions were counted: the filled part is in the books', () => {
    const events = given(ready, order).when(
      judging(shows({ executions: [execution], completedOrders: [completed], positions: [held('40')] })),
    )
    expect(types(events)).to.deep.equal(['OrderPlaced', 'FillReceived', 'PositionReconciled', 'OrderClosed'])
    expect(dataOf(events, 'OrderClosed')[0]).to.include({ how: 'cancelled', filled: '40' })
  })

  it('does not believe a cancel whose executions have not come', () => {
    const events = given(ready, order).when(judging(shows({ completedOrders: [{ ...completed, filled: '100' }] })))
    expect(dataOf(events, 'OrderClosed')).to.deep.equal([])
  })

  it('believes what the broker announced to this process, once the questions confirm it', () => {
    const said = { 'abc-1': { how: 'cancelled' as const, text: 'the broker says Cancelled' } }
    const { ledger } = given(ready, order)
    expect(dataOf(judging(shows(), now, { said })(ledger), 'OrderClosed')[0]).to.include({ how: 'cancelled' })
    expect(dataOf(judging(shows({ openOrders: [open] }), now, { said })(ledger), 'OrderClosed'), 'still open').to.deep.equal([])
  })

  it('takes an order back that is at work after its end was recorded: it would be ordered twice', () => {
    for (const how of ['cancelled', 'rejected'] as const) {
      const ended = ledgerOf(ready, order, closed('abc-1', how))
      const after = judged(ended, shows({ openOrders: [open] }), now)
      expect(after.orders['abc-1'], how).to.include({ status: 'working', how: null, closedAt: null })
      expect(inFlightOf(after.orders['abc-1']!, 'trend')).to.equal('100')
      const dead = { ...open, status: 'Inactive' }
      expect(judged(ended, shows({ openOrders: [dead] }), now).orders['abc-1'], 'refused orders show as Inactive').to.include({ how })
    }
  })

  it('leaves an order closed that ended after the questions began', () => {
    const planned = ledgerOf(ready, order)
    const ended = continued(planned, closed('abc-1', 'cancelled'))
    const events = judging(shows({ openOrders: [open] }), now, { asked: planned.position })(ended)
    expect(dataOf(events, 'OrderPlaced')).to.deep.equal([])
  })

  it('believes a rejection of an order that the broker goes on listing as inactive', () => {
    const said = { 'abc-1': { how: 'rejected' as const, text: 'margin', code: 201 } }
    const inactive = { ...open, status: 'Inactive' }
    const { ledger } = given(ready, order)
    expect(dataOf(judging(shows({ openOrders: [inactive] }), now, { said })(ledger), 'OrderClosed')[0]).to.include({
      how: 'rejected',
      code: 201,
    })
    expect(dataOf(judging(shows({ openOrders: [inactive] }))(ledger), 'OrderClosed'), 'inactive alone ends nothing').to.deep.equal([])
  })

  it('blocks an instrument in which an order with our prefix works for which there is no plan', () => {
    const { ledger } = given(ready)
    const orphan = { ...open, orderRef: `${ledger.prefix}-0123456789ab-1` }
    const events = judging(shows({ openOrders: [orphan] }))(ledger)
    expect(dataOf(events, 'DiscrepancyFound')[0]).to.include({ kind: 'orphanOrder', conId: SPY.conId })
    const blocked = continued(ledger, together(...events))
    expect(blockedBecause(blocked, SPY.conId)).to.include('there is no plan')
    expect(dataOf(judging(shows({ openOrders: [orphan] }))(blocked), 'DiscrepancyFound'), 'once').to.deep.equal([])
    expect(dataOf(judging(shows({ openOrders: [{ ...orphan, orderRef: 'by hand' }] }))(ledger), 'DiscrepancyFound')).to.deep.equal([])
  })

  it('judges no order that was planned after the questions began, nor one still in hand', () => {
    const steps: Step[] = [ready, order]
    const asked = ledgerOf(ready).position
    expect(dataOf(given(steps).when(judging(shows(), now, { asked })), 'PositionReconciled')[0]!.missing).to.deep.equal([])
    expect(dataOf(given(steps).when(judging(shows(), now, { notHandedOver: ['abc-1'] })), 'PositionReconciled')[0]!.missing).to.deep.equal(
      [],
    )
  })
})

describe('the next question', () => {
  it('is none while nothing is open', () => {
    expect(nextQuestionAt(ledgerOf(ready))).to.equal(undefined)
  })

  it('is asked a minute after a plan that nobody has shown, then after its time in force', () => {
    const ledger = ledgerOf(ready, order)
    expect(nextQuestionAt(ledger)).to.equal(now + minute)
    const seen = judged(ledger, shows({ openOrders: [open] }), now)
    expect(nextQuestionAt(seen)).to.equal(Date.parse(tuesdayClose) + 5 * minute)
  })

  it('is asked once more for an instrument that could not be judged', () => {
    const before = ledgerOf(ready, booked('trend', SPY, '10'))
    const traded = continued(before, order, filled('abc-1', SPY, 'e1.01', { trend: '100' }), closed('abc-1', 'filled', '100'))
    const after = continued(traded, together(...judging(shows({ positions: [held('10')] }), now, { asked: before.position })(traded)))
    expect(nextQuestionAt(after)).to.equal(now + minute)
    expect(nextQuestionAt(judged(after, shows({ positions: [held('110')] }), now + minute))).to.equal(undefined)
  })

  it('is not asked again for what a later question has settled', () => {
    const doubted = judged(judged(ledgerOf(ready, order), shows(), now), shows(), now + minute)
    expect(nextQuestionAt(doubted)).to.equal(Date.parse(tuesdayClose) + 5 * minute)
  })

  it('is asked after midnight for an order that the broker calls filled, and whose executions it corrected to less', () => {
    const evening = Date.parse(tuesdayClose) + 5 * minute
    const midnight = Date.parse('2024-01-10T05:00:00.000Z')
    const seen = judged(ledgerOf(ready, order), shows({ openOrders: [open] }), now)
    const corrected = continued(seen, filled('abc-1', SPY, 'e1.02', { trend: '99' }))
    const positions = [held('99')]
    const named = judged(corrected, shows({ completedOrders: [{ ...completed, status: 'Filled' }], positions }), evening)
    expect([named.orders['abc-1']!.status, nextQuestionAt(named)]).to.deep.equal(['working', midnight + 5 * minute])
    for (const look of ['04:59:00', '05:00:01', '05:02:00'])
      expect(
        nextQuestionAt(
          judged(named, shows({ completedOrders: [{ ...completed, status: 'Filled' }], positions }), Date.parse(`2024-01-10T${look}.000Z`)),
        ),
        look,
      ).to.equal(midnight + 5 * minute)
    const forgotten = judged(named, shows({ positions }), midnight + 5 * minute)
    expect(nextQuestionAt(forgotten)).to.equal(midnight + 6 * minute)
    const over = judged(forgotten, shows({ positions }), midnight + 6 * minute)
    expect([over.orders['abc-1']!.how, nextQuestionAt(over)]).to.deep.equal(['expired', undefined])
  })
})
