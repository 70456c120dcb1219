import { expect } from 'chai'
import { canonical, maximumCommitBytes } from '../../domain/commit.ts'
import { type EventData, event } from '../../domain/events.ts'
import { summary } from '../../handlers/summary.ts'
import { commandsView } from '../../projections/commands.ts'
import { booked, dataOf, filled, given, ordered, ready, SPY } from '../given.ts'
import { command, documentsOf, started } from '../projections/story.ts'
import { apple, deciding, euro, events, executed, held, shows, sighted, spy } from '../shown.ts'

const both = ordered('abc-1', SPY, { trend: '60', hedge: '40' })
const said = (decided: ReturnType<ReturnType<typeof deciding>>): EventData<'AccountSummarized'> =>
  dataOf(events(decided), 'AccountSummarized')[0]!

describe('summary', () => {
  it('shows every value with its currency', () => {
    const all = [
      { key: 'NetLiquidation', value: '100000.55', currency: 'USD' },
      { key: 'CashBalance', value: '-5000.50', currency: 'EUR' },
      { key: 'AccountType', value: 'INDIVIDUAL', currency: '' },
    ]
    const { values, baseCurrency } = said(given(ready).when(deciding(summary, shows({ values: { all } }))))
    expect(values).to.deep.equal(all)
    expect(baseCurrency).to.equal('USD')
  })

  it('gives two orders in one symbol two rows and two fills two rows, which rows by symbol once lost', () => {
    const other = ordered('abc-2', SPY, { trend: '-10' }, { orderId: 2 })
    const openOrders = [sighted('abc-1', spy, { quantity: '100' }), sighted('abc-2', spy, { orderId: 2, permId: 71, quantity: '-10' })]
    const executions = [
      executed('e1.01', spy, '25', { orderRef: 'abc-1' }),
      executed('e2.01', spy, '25', { orderRef: 'abc-1' }),
      executed('e3.01', spy, '-4', { orderRef: 'abc-2' }),
    ]
    const shown = shows({ openOrders, executions, positions: [held(spy, '46')] })
    const { openOrders: orders, fills, positions } = said(given(ready, both, other).when(deciding(summary, shown)))
    expect(orders.map(({ orderRef, holders }) => [orderRef, holders])).to.deep.equal([
      ['abc-1', { trend: '60', hedge: '40' }],
      ['abc-2', { trend: '-10' }],
    ])
    expect(fills.map(({ executionId, holders }) => [executionId, holders])).to.deep.equal([
      ['e1.01', { trend: '15', hedge: '10' }],
      ['e2.01', { trend: '15', hedge: '10' }],
      ['e3.01', { trend: '-4' }],
    ])
    expect(positions[0]).to.deep.include({ symbol: 'SPY', quantity: '46', holders: { trend: '26', hedge: '20' } })
  })

  it('records what it saw: a fill that was never reported is in the books afterwards', () => {
    const shown = shows({ executions: [executed('e1.01', spy, '50', { orderRef: 'abc-1' })], positions: [held(spy, '50')] })
    const decided = events(given(ready, both).when(deciding(summary, shown)))
    expect(decided.map(({ type }) => type)).to.deep.equal(['OrderPlaced', 'FillReceived', 'PositionReconciled', 'AccountSummarized'])
  })

  it('names the holder of what is not ours: manual, nobody, and none for a currency pair', () => {
    const { ledger } = given(ready)
    const shown = shows({
      positions: [held(apple, '10'), held(euro, '20000')],
      openOrders: [sighted('', apple, { orderId: 0, quantity: '5' }), sighted(`${ledger.prefix}-lost`, spy, { quantity: '7' })],
      executions: [executed('h1.01', apple, '3'), executed('h2.01', euro, '20000')],
    })
    const { positions, openOrders, fills } = said(deciding(summary, shown)(ledger))
    expect(positions.map(({ holders }) => holders)).to.deep.equal([{ manual: '10' }, {}])
    expect(openOrders.map(({ holders }) => holders)).to.deep.equal([{ manual: '5' }, { nobody: '7' }])
    expect(fills.map(({ holders }) => holders)).to.deep.equal([{ manual: '3' }, {}])
  })

  it('says what is unexplained beside the books', () => {
    const { positions } = said(given(ready, booked('trend', SPY, '50')).when(deciding(summary, shows({ positions: [held(spy, '45')] }))))
    expect(positions[0]).to.deep.include({ holders: { trend: '50' }, unexplained: '-5' })
  })

  it('shows a corrected execution once, and a commission that has not come as absent', () => {
    const executions = [
      executed('e1.01', spy, '40', { orderRef: 'abc-1' }),
      executed('e1.02', spy, '30', { orderRef: 'abc-1' }),
      executed('e2.01', spy, '10', { orderRef: 'abc-1' }),
    ]
    const commissions = [{ executionId: 'e1.02', commission: '1.05', currency: 'USD', realizedProfit: undefined }]
    const { fills } = said(given(ready, both).when(deciding(summary, shows({ executions, commissions, positions: [held(spy, '40')] }))))
    expect(fills.map(({ executionId, quantity, commission }) => [executionId, quantity, commission])).to.deep.equal([
      ['e1.02', '30', '1.05'],
      ['e2.01', '10', undefined],
    ])
  })

  const many = (count: number) =>
    Array.from({ length: count }, (_, number) =>
      executed(`0000e0d5.65a1b2c3.${number}.01`, spy, '1', {
        orderRef: 'abc123-123456789012-1',
        time: new Date(1_704_800_000_000 + number).toISOString(),
      }),
    )
  const large = ordered('abc123-123456789012-1', SPY, { trend: '6000', hedge: '4000' })
  const known = (count: number) =>
    many(count).map(({ executionId }, number) =>
      filled('abc123-123456789012-1', SPY, executionId, number % 5 < 3 ? { trend: '1' } : { hedge: '1' }),
    )

  it('holds a day of 2,000 fills, each of them, in one commit', () => {
    const shown = shows({ executions: many(2_000), positions: [held(spy, '2000')] })
    const decided = events(given(ready, large, known(2_000)).when(deciding(summary, shown)))
    const data = dataOf(decided, 'AccountSummarized')[0]!
    expect([data.fills.length, data.fillsLeftOut]).to.deep.equal([2_000, 0])
    expect(canonical(decided).length).to.be.below(600_000)
  })

  it('counts the oldest fills of a day that no commit could hold, and never fails for them', () => {
    const shown = shows({ executions: many(5_000), positions: [held(spy, '5000')] })
    const decided = events(given(ready, large, known(5_000)).when(deciding(summary, shown)))
    const data = dataOf(decided, 'AccountSummarized')[0]!
    expect(data.fillsLeftOut).to.be.greaterThan(0)
    expect(data.fills.length + data.fillsLeftOut).to.equal(5_000)
    expect(data.fills.at(-1)!.executionId).to.equal('0000e0d5.65a1b2c3.4999.01')
    expect(canonical(decided).length).to.be.below(maximumCommitBytes)
  })

  it('is not decided before the account is known', () => {
    const decided = summary.decide({ ledger: given(ready).ledger, facts: undefined } as never)
    expect(decided).to.include({ refusal: 'GATEWAY_NOT_READY' })
  })

  it('reads back from the document of its command with numbers', () => {
    const fills = [
      {
        ...{ executionId: 'e1.01', orderRef: 'r1', conId: 1, symbol: 'SPY', currency: 'USD', quantity: '25', price: '410.25' },
        at: 'then',
        holders: { trend: '25' },
      },
    ]
    const data = {
      account: 'DU1',
      takenAt: 'now',
      values: [{ key: 'AccountType', value: 'INDIVIDUAL', currency: '' }],
      positions: [],
      openOrders: [],
      fills,
      fillsLeftOut: 3,
    }
    const told = command('summary', 'c1', event('AccountSummarized', data))
    const { result } = documentsOf(commandsView, started, told).get('commands/c1') as unknown as { result: Record<string, unknown[]> }
    expect(result).to.deep.include({ account: 'DU1', currency: null, fills_left_out: 3, values: data.values })
    expect(result['fills']![0]).to.deep.include({ executionId: 'e1.01', quantity: 25, price: 410.25, holders: { trend: 25 } })
  })
})
