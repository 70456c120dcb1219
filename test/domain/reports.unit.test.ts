import { expect } from 'chai'
import type { Ledger } from '../../domain/ledger.ts'
import type { Execution, OrderSighting } from '../../domain/ports/broker.ts'
import { draftOf, recordCommission, recordExecution, recordOpenOrder, recordRejection, recordSighting } from '../../domain/reports.ts'
import { booked, closed, continued, dataOf, filled, given, ordered, ready, SPY, type Step, together, tuesday } from '../given.ts'

const order = ordered('abc-1', SPY, { trend: '60', hedge: '40' })
const contract = { conId: SPY.conId, symbol: 'SPY', secType: 'STK', currency: 'USD' }

const execution = (details: Partial<Execution> = {}): Execution => ({
  ...{ executionId: 'e1.01', orderRef: 'abc-1', orderId: 1, clientId: 7, permId: 70, account: 'DU1234567', contract },
  ...{ quantity: '50', price: '100', time: tuesday },
  ...details,
})
const byHand = (executionId: string, quantity: string) => execution({ executionId, orderRef: '', quantity })
const sighting = (status: string, orderRef: string | undefined = 'abc-1'): OrderSighting => ({
  ...{ orderRef, orderId: 1, clientId: 7, permId: 70, account: 'DU1234567', contract, status, filled: undefined, remaining: undefined },
})
const executed =
  (...executions: Execution[]) =>
  (ledger: Ledger) => {
    const draft = draftOf(ledger)
    return executions.flatMap((item) => recordExecution(draft, item))
  }
const types = (events: readonly { type: string }[]) => events.map(({ type }) => type)

describe('reports of executions', () => {
  it('are the first evidence of an order that was never seen, and its fill', () => {
    const events = given(ready, order).when(executed(execution()))
    expect(types(events)).to.deep.equal(['OrderPlaced', 'FillReceived'])
    expect(dataOf(events, 'FillReceived')[0]!.shares).to.deep.equal([
      { strategy: 'trend', quantity: '30' },
      { strategy: 'hedge', quantity: '20' },
    ])
  })

  it('count once, however often they are reported', () => {
    const { ledger } = given(ready, order)
    expect(types(executed(execution(), execution())(ledger))).to.deep.equal(['OrderPlaced', 'FillReceived'])
    const after = continued(ledger, together(...executed(execution())(ledger)))
    expect(executed(execution())(after)).to.deep.equal([])
  })

  it('close the order when their sum reaches its quantity, also within one answer', () => {
    const events = given(ready, order).when(executed(execution(), execution({ executionId: 'e2.01' })))
    expect(types(events)).to.deep.equal(['OrderPlaced', 'FillReceived', 'FillReceived', 'OrderClosed'])
    const totals = dataOf(events, 'FillReceived').map(({ shares }) => shares.map(({ quantity }) => Number(quantity)))
    expect([totals[0]![0]! + totals[1]![0]!, totals[0]![1]! + totals[1]![1]!]).to.deep.equal([60, 40])
  })

  it('are replaced by their correction', () => {
    const { ledger } = given(ready, order)
    const after = continued(ledger, together(...executed(execution())(ledger)))
    const [corrected] = dataOf(executed(execution({ executionId: 'e1.02', quantity: '30' }))(after), 'FillReceived')
    expect(corrected).to.include({ executionId: 'e1.02', replaces: 'e1.01', quantity: '30' })
    const final = continued(after, together(...executed(execution({ executionId: 'e1.02', quantity: '30' }))(after)))
    expect(final.orders['abc-1']!.filled).to.equal('30')
    expect(final.books).to.deep.equal({ trend: { [SPY.conId]: '18' }, hedge: { [SPY.conId]: '12' } })
    expect(executed(execution())(final), 'the old revision, reported again').to.deep.equal([])
  })

  it('that arrive after the cancel are in the books all the same', () => {
    const events = given(ready, order, closed('abc-1', 'cancelled')).when(executed(execution()))
    expect(types(events)).to.deep.equal(['FillReceived'])
  })

  it('without a ref of ours go to manual', () => {
    const events = given(ready).when(executed(execution({ orderRef: 'by hand' })))
    expect(dataOf(events, 'ForeignExecutionSeen')[0]).to.include({ holder: 'manual', quantity: '50' })
    expect(types(events)).to.deep.equal(['ForeignExecutionSeen'])
  })

  it('by hand against a book block the instrument', () => {
    const events = given(ready, booked('trend', SPY, '50')).when(executed(execution({ orderRef: '', quantity: '-10' })))
    expect(types(events)).to.deep.equal(['ForeignExecutionSeen', 'DiscrepancyFound'])
    expect(dataOf(events, 'DiscrepancyFound')[0]).to.include({ kind: 'againstBook', quantity: '-10' })
  })

  it('by hand against a book count together, corrections included', () => {
    const { ledger } = given(ready, booked('trend', SPY, '50'))
    const events = executed(byHand('h1.01', '-5'), byHand('h2.01', '-5'), byHand('h2.02', '-3'))(ledger)
    expect(dataOf(events, 'DiscrepancyFound').map(({ quantity }) => quantity)).to.deep.equal(['-5', '-10', '-8'])
    const after = continued(ledger, together(...events))
    expect([after.manual, after.discrepancies[SPY.conId]!.quantity]).to.deep.equal([{ [SPY.conId]: '-8' }, '-8'])
    const later = executed(byHand('h1.02', '-4'))(after)
    expect(dataOf(later, 'DiscrepancyFound')[0]!.quantity).to.equal('-7')
  })

  it('by hand stand against a book that a fill of the same answer makes, and not against one that it ends', () => {
    const against = (steps: Step[], ...executions: Execution[]) =>
      dataOf(executed(...executions)(given(...steps).ledger), 'DiscrepancyFound').map(({ kind, quantity }) => [kind, quantity])
    const mine = execution({ quantity: '50' })
    expect(against([ready, order], mine, byHand('h1.01', '-5'))).to.deep.equal([['againstBook', '-5']])
    expect(against([ready, order], byHand('h1.01', '-5'))).to.deep.equal([])
    const sold = execution({ executionId: 'e2.01', orderRef: 'abc-2', quantity: '-50' })
    const long = [ready, booked('trend', SPY, '50'), ordered('abc-2', SPY, { trend: '-50' })]
    expect(against(long, byHand('h1.01', '-5'))).to.deep.equal([['againstBook', '-5']])
    expect(against(long, sold, byHand('h1.01', '-5'))).to.deep.equal([])
    // The correction of a fill counts for what it changes.
    const filledBefore = filled('abc-1', SPY, 'e1.01', { trend: '30', hedge: '20' })
    expect(
      against([ready, order, filledBefore], execution({ executionId: 'e1.02', quantity: '40' }), byHand('h1.01', '-5')),
    ).to.have.length(1)
    expect(against([ready, order, filledBefore], execution({ executionId: 'e1.02', quantity: '0' }), byHand('h1.01', '-5'))).to.deep.equal(
      [],
    )
  })

  it('by hand are measured against what an order of ours leaves of `manual` in the same answer', () => {
    const closes = (quantity: string) => execution({ executionId: 'm1.01', orderRef: 'abc-3', quantity })
    const beside = (manual: string, closing: string): Step[] => [
      ...[ready, booked('trend', SPY, '20'), booked('manual', SPY, manual)],
      ordered('abc-3', SPY, { manual: closing }),
    ]
    for (const [manual, closing] of [
      ['10', '-10'],
      ['-10', '10'],
    ] as const) {
      const { ledger } = given(...beside(manual, closing))
      const events = executed(closes(closing), byHand('h1.01', '-5'))(ledger)
      expect(dataOf(events, 'DiscrepancyFound').map(({ kind, quantity }) => [kind, quantity])).to.deep.equal([['againstBook', '-5']])
      expect(continued(ledger, together(...events)).manual).to.deep.equal({ [SPY.conId]: '-5' })
    }
  })

  it('that end their order leave nothing for a word of the same answer that it is still at work', () => {
    const draft = draftOf(given(ready, order).ledger)
    const whole = recordExecution(draft, execution({ quantity: '100' }))
    expect(types(whole)).to.deep.equal(['OrderPlaced', 'FillReceived', 'OrderClosed'])
    expect(recordOpenOrder(draft, sighting('Submitted'), 9)).to.deep.equal([])
  })

  it('of another account of the login are ignored', () => {
    const { ledger } = given(ready, order)
    expect(executed(execution({ account: 'DU7654321' }), execution({ account: 'DU7654321', orderRef: '' }))(ledger)).to.deep.equal([])
  })

  it('with our prefix and no plan belong to nobody and are a discrepancy, never manual', () => {
    const { ledger } = given(ready)
    const events = executed(execution({ orderRef: `${ledger.prefix}-0123456789ab-1` }))(ledger)
    expect(dataOf(events, 'ForeignExecutionSeen')[0]!.holder).to.equal('nobody')
    expect(dataOf(events, 'DiscrepancyFound')[0]!.kind).to.equal('orphanExecution')
    const after = continued(ledger, together(...events))
    expect(after.manual).to.deep.equal({})
    expect(after.unexplained[SPY.conId]).to.include({ quantity: '50', found: true })
  })

  it('of cash pairs are remembered and held by nobody', () => {
    const cash = { ...contract, conId: 12087792, symbol: 'EUR', secType: 'CASH' }
    const { ledger } = given(ready)
    const events = executed(execution({ orderRef: '', contract: cash }))(ledger)
    const after = continued(ledger, together(...events))
    expect(after.manual).to.deep.equal({})
    expect(executed(execution({ orderRef: '', contract: cash }))(after)).to.deep.equal([])
  })
})

describe('reports of commissions', () => {
  const commission = { executionId: 'e1.01', commission: '1', currency: 'USD', realizedProfit: undefined }

  it('may come before their execution, count once, and leave out what the broker does not know', () => {
    const { ledger } = given(ready, order)
    const events = recordCommission(draftOf(ledger), commission)
    expect(dataOf(events, 'CommissionReported')[0]).to.deep.equal({ executionId: 'e1.01', commission: '1', currency: 'USD' })
    expect(recordCommission(draftOf(continued(ledger, together(...events))), commission)).to.deep.equal([])
  })

  it('of another account of the login are ignored', () => {
    const { ledger } = given(ready, order)
    expect(recordCommission(draftOf(ledger), { ...commission, account: 'DU7654321' })).to.deep.equal([])
    expect(recordCommission(draftOf(ledger), { ...commission, account: 'DU1234567' })).to.have.length(1)
  })
})

describe('reports of orders', () => {
  const sighted = (seen: OrderSighting) => (ledger: Ledger) => recordSighting(draftOf(ledger), seen)

  it('show that the broker has it, once', () => {
    const { ledger } = given(ready, order)
    const events = sighted(sighting('PreSubmitted'))(ledger)
    expect(types(events)).to.deep.equal(['OrderPlaced'])
    expect(sighted(sighting('Submitted'))(continued(ledger, together(...events)))).to.deep.equal([])
  })

  it('never move a book: a status Filled is no fill', () => {
    expect(types(given(ready, order).when(sighted(sighting('Filled'))))).to.deep.equal(['OrderPlaced'])
  })

  it('of others change nothing', () => {
    expect(given(ready, order).when(sighted(sighting('Submitted', 'somebody else')))).to.deep.equal([])
    expect(given(ready, order).when(sighted({ ...sighting('Submitted'), orderRef: undefined }))).to.deep.equal([])
    expect(given(ready, order).when(sighted({ ...sighting('Submitted'), account: 'DU7654321' }))).to.deep.equal([])
  })

  it('bring an order back that was only thought lost', () => {
    const { ledger } = given(ready, order, closed('abc-1', 'lost'))
    const events = sighted(sighting('Submitted'))(ledger)
    expect(continued(ledger, together(...events)).orders['abc-1']).to.include({ status: 'working', how: null })
    expect(given(ready, order, closed('abc-1', 'withdrawn')).when(sighted(sighting('Submitted')))).to.deep.equal([])
  })

  it('that refuse it close it, unless the broker showed or filled it before', () => {
    const message = { orderId: 1, code: 201, text: 'Order rejected - reason: margin' }
    const refused = (ledger: Ledger) => recordRejection(draftOf(ledger), message)
    expect(dataOf(given(ready, order).when(refused), 'OrderClosed')[0]).to.include({ how: 'rejected', code: 201 })
    const fill = filled('abc-1', SPY, 'e1.01', { trend: '30', hedge: '20' })
    expect(given(ready, order, fill).when(refused)).to.deep.equal([])
    expect(given(ready).when(refused)).to.deep.equal([])
  })
})
