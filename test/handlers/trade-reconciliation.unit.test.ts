import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { blockedBecause, type Ledger } from '../../domain/ledger.ts'
import type { BrokerSnapshot, Execution } from '../../domain/ports/broker.ts'
import { explain } from '../../handlers/explain.ts'
import type { Ports } from '../../handlers/handler.ts'
import { tradeReconciliation } from '../../handlers/trade-reconciliation.ts'
import { at, booked, closed, continued, dataOf, filled, ledgerOf, ordered, ready, SPY, type Step, together, tuesday } from '../given.ts'
import { apple, deciding, euro, events, executed, held, shows, sighted, spy } from '../shown.ts'

const order = ordered('abc-1', SPY, { trend: '60', hedge: '40' })
const fills: Step[] = [
  filled('abc-1', SPY, 'e1.01', { trend: '24', hedge: '16' }),
  filled('abc-1', SPY, 'e2.01', { trend: '36', hedge: '24' }),
  closed('abc-1', 'filled', '100'),
]
const commissionOf = ({ executionId }: Execution) => ({ executionId, commission: '1', currency: 'USD', realizedProfit: undefined })
const first = executed('e1.01', spy, '40', { orderRef: 'abc-1' })
const second = executed('e2.01', spy, '60', { orderRef: 'abc-1' })

/** All executions with their commissions. */
const day = (executions: Execution[], more: Partial<BrokerSnapshot> = {}): BrokerSnapshot =>
  shows({ executions, commissions: executions.map(commissionOf), positions: [held(spy, '100')], ...more } as Parameters<typeof shows>[0])

/** The second answer repeats every doubt that is named. */
const auditing = (snapshot: BrokerSnapshot, doubts: string[] = []) => deciding(tradeReconciliation, snapshot, { facts: { doubts } })
const audited = (ledger: Ledger, snapshot: BrokerSnapshot, doubts: string[] = []) => {
  const decided = events(auditing(snapshot, doubts)(ledger))
  const [result] = dataOf(decided, 'TradesReconciled')
  return { ...result!, kinds: result!.differences.map(({ kind }) => kind), found: dataOf(decided, 'DiscrepancyFound'), decided }
}
const traded = ledgerOf(ready, order, fills)

describe('trade-reconciliation', () => {
  it('finds nothing where executions, orders and books agree', () => {
    expect(audited(traded, day([first, second]))).to.deep.include({
      ...{ session: '2024-01-09', executions: 2, orders: 1, notOurs: 0, kinds: [], found: [] },
    })
  })

  it('counts a partial fill as it is, where only whole orders were once booked', () => {
    const part = ledgerOf(ready, order, filled('abc-1', SPY, 'e1.01', { trend: '24', hedge: '16' }))
    const open = sighted('abc-1', spy, { filled: '40', remaining: '60' })
    expect(audited(part, day([first], { openOrders: [open], positions: [held(spy, '40')] })).kinds).to.deep.equal([])
  })

  it('takes up a fill that nobody reported, and finds its order and books in step afterwards', () => {
    const { kinds, decided } = audited(ledgerOf(ready, order), day([first, second]))
    expect(kinds).to.deep.equal([])
    expect(dataOf(decided, 'FillReceived').map(({ shares }) => shares.map(({ quantity }) => quantity))).to.deep.equal([
      ['24', '16'],
      ['36', '24'],
    ])
  })

  it('takes a correction for what it replaces, also where both are named', () => {
    const corrected = { ...second, executionId: 'e2.02', quantity: '59' }
    const shown = day([first, second, corrected], { positions: [held(spy, '99')] })
    expect(audited(traded, shown)).to.deep.include({ executions: 2, kinds: [] })
    const completed = {
      ...{
        orderRef: 'abc-1',
        permId: 70,
        account: 'DU1234567',
        contract: spy,
        status: 'Filled',
        completedStatus: '',
        completedTime: tuesday,
      },
      filled: '100',
    }
    const told = audited(traded, { ...shown, completedOrders: [completed] })
    expect(told.kinds, 'the order still says what it was filled with').to.deep.equal([])
  })

  it('lists a commission that has not come, and blocks nothing for it', () => {
    const { differences, found } = audited(traded, day([first, second], { commissions: [commissionOf(first)] }))
    expect(differences.map(({ kind, executionId }) => [kind, executionId])).to.deep.equal([['commissionMissing', 'e2.01']])
    expect(found).to.deep.equal([])
    const late = event('CommissionReported', { executionId: 'e2.01', commission: '1', currency: 'USD' })
    expect(audited(continued(traded, late), day([first, second], { commissions: [commissionOf(first)] })).kinds).to.deep.equal([])
  })

  it('matches by the ref alone: an execution with the ids of our order and without its ref is not ours', () => {
    const reused = executed('x1.01', apple, '7', { orderId: 1, permId: 70, clientId: 7 })
    const shown = day([first, second, reused], { positions: [held(spy, '100'), held(apple, '7')] })
    expect(audited(traded, shown)).to.deep.include({ executions: 3, orders: 1, notOurs: 1, kinds: [] })
  })

  it('lists a fill with our prefix and no plan, which is blocked by what recorded it', () => {
    const orphan = executed('x1.01', spy, '5', { orderRef: `${traded.prefix}-gone-1` })
    const { kinds, found } = audited(traded, day([first, second, orphan], { positions: [held(spy, '105')] }))
    expect(kinds).to.include('orphanExecution')
    expect(found.map(({ kind }) => kind)).to.deep.equal(['orphanExecution'])
  })

  it('doubts an order of which the broker says another quantity than its executions make', () => {
    const completed = {
      ...{
        orderRef: 'abc-1',
        permId: 70,
        account: 'DU1234567',
        contract: spy,
        status: 'Filled',
        completedStatus: '',
        completedTime: tuesday,
      },
      filled: '90',
    }
    const shown = day([first, second], { completedOrders: [completed] })
    const once = audited(traded, shown)
    expect(once.differences).to.deep.equal([
      {
        ...{ kind: 'filledDiffers', conId: SPY.conId, symbol: 'SPY', orderRef: 'abc-1', expected: '100', reported: '90' },
        text: 'the broker says that 90 SPY of abc-1 are filled, its executions make 100',
      },
    ])
    expect(once.found, 'one answer is not enough').to.deep.equal([])
    expect(audited(traded, shown, ['filledDiffers abc-1']).found[0]).to.include({ kind: 'trade', conId: SPY.conId, quantity: '0' })
  })

  it('doubts what the journal counts and a longer answer leaves out; how far the answer goes back is the gateway’s own', () => {
    const earlier = executed('e0.01', apple, '1', { time: '2024-01-09T14:59:00.000Z' })
    const both = { positions: [held(spy, '100'), held(apple, '1')] }
    expect(audited(traded, day([first, second])).kinds).to.deep.equal([])
    expect(audited(traded, day([earlier, first], both)).kinds).to.deep.equal(['unknownToBroker'])
    expect(audited(traded, day([], { positions: [held(spy, '100')] })).kinds, 'it has forgotten everything').to.deep.equal([])
    const byHand = ledgerOf(
      ready,
      order,
      filled('abc-1', SPY, 'explained:c9.01', { trend: '60', hedge: '40' }),
      closed('abc-1', 'filled', '100'),
    )
    expect(audited(byHand, day([earlier], both)).kinds, 'a person confirmed it').to.deep.equal([])
  })

  it('doubts a fill whose shares do not sum to it', () => {
    const wrong = ledgerOf(
      ready,
      order,
      event('FillReceived', {
        ...{ orderRef: 'abc-1', executionId: 'e1.01', conId: SPY.conId, symbol: 'SPY' },
        ...{ quantity: '40', price: '100', shares: [{ strategy: 'trend', quantity: '39' }] },
      }),
    )
    expect(audited(wrong, day([first], { positions: [held(spy, '39')] })).kinds).to.include('sharesDiffer')
  })

  it('doubts an order that was filled beyond its quantity', () => {
    const third = executed('e3.01', spy, '10', { orderRef: 'abc-1' })
    expect(audited(traded, day([first, second, third], { positions: [held(spy, '110')] })).kinds).to.deep.equal(['overfilled'])
  })

  it('says what is unexplained, and leaves it to a second reconcile to find a discrepancy', () => {
    const { kinds, found } = audited(ledgerOf(ready, booked('trend', SPY, '50')), day([], { positions: [held(spy, '45')] }))
    expect([kinds, found]).to.deep.equal([['position'], []])
  })

  it('judges no instrument with a report since it asked', () => {
    const completed = {
      ...{
        orderRef: 'abc-1',
        permId: 70,
        account: 'DU1234567',
        contract: spy,
        status: 'Filled',
        completedStatus: '',
        completedTime: tuesday,
      },
      filled: '90',
    }
    const shown = day([first, second], { completedOrders: [completed] })
    const decided = deciding(tradeReconciliation, shown, { facts: { doubts: [], asked: traded.position - 2 } })(traded)
    expect(dataOf(events(decided), 'TradesReconciled')[0]!.differences).to.deep.equal([])
  })

  it('counts a currency pair among the executions, and asks no book for it', () => {
    const converted = executed('f1.01', euro, '-1000')
    expect(audited(traded, day([first, second, converted]))).to.deep.include({ executions: 3, kinds: [] })
  })

  it('ends with the block of an instrument that a person has looked at', () => {
    const found = event('DiscrepancyFound', { conId: SPY.conId, symbol: 'SPY', kind: 'trade', quantity: '0', text: 'trades do not agree' })
    const blocked = continued(traded, at(tuesday), found)
    expect(blockedBecause(blocked, SPY.conId)).to.equal('trades do not agree')
    const looked = deciding(explain, day([]), { body: { instrument: 'SPY', quantity: '0', as: 'manual', reason: 'the broker was asked' } })(
      blocked,
    )
    expect(blockedBecause(continued(blocked, together(...events(looked))), SPY.conId)).to.equal(undefined)
    expect(
      audited(blocked, day([first], { positions: [held(spy, '100')] }), ['unknownToBroker e2.01']).found,
      'once is enough',
    ).to.deep.equal([])
  })

  it('blocks nothing for executions that wait to be counted', () => {
    const large = ordered('abc-3', SPY, { trend: '900' }, { orderId: 3 })
    const many = Array.from({ length: 900 }, (_, number) => executed(`m${number}.01`, spy, '1', { orderRef: 'abc-3' }))
    const open = sighted('abc-3', spy, { filled: '900', remaining: '0' })
    const shown = day(many, { openOrders: [open], positions: [held(spy, '900')] })
    const doubts = ['filledDiffers abc-3', ...many.map(({ executionId }) => `notYetCounted ${executionId}`)]
    const { kinds, found } = audited(ledgerOf(ready, large), shown, doubts)
    expect([...new Set(kinds)]).to.deep.equal(['notYetCounted', 'position'])
    expect(found).to.deep.equal([])
  })

  it('bounds what it lists, and counts the rest', () => {
    const many = Array.from({ length: 1_500 }, (_, number) => executed(`m${number}.01`, apple, '1'))
    const { differences, differencesLeftOut } = audited(traded, day([...many], { commissions: [] }))
    expect([differences.length, differencesLeftOut]).to.deep.equal([1_000, 500])
  })

  describe('asks twice before it doubts', () => {
    const asked = async (...answers: BrokerSnapshot[]) => {
      const left = [...answers]
      const broker = { snapshot: async () => left.shift()! }
      const ports = { broker, now: Date.parse(tuesday) } as unknown as Ports
      const facts = (await tradeReconciliation.gather(
        ports,
        { id: 'c1', type: 't', publishedAt: tuesday, source: 's', body: {} },
        traded,
      )) as { doubts: string[] }
      return { doubts: facts.doubts, asked: answers.length - left.length }
    }
    const earlier = executed('e0.01', apple, '1', { time: '2024-01-09T14:59:00.000Z' })

    it('once is enough where all agrees', async () => {
      expect(await asked(day([first, second]), day([]))).to.deep.equal({ doubts: [], asked: 1 })
    })
    it('again where it does not', async () => {
      expect(await asked(day([earlier, first]), day([first, second]))).to.deep.equal({ doubts: ['unknownToBroker e2.01'], asked: 2 })
    })
  })
})
