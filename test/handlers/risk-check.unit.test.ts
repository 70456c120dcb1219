import { expect } from 'chai'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import type { BrokerSnapshot } from '../../domain/ports/broker.ts'
import { riskCheck } from '../../handlers/risk-check.ts'
import { command, configured, continued, dataOf, given, ordered, ready, SPY, snapshot, together, tuesday } from '../given.ts'

const morning = '2024-01-09T14:35:00.000Z'
const wednesday = '2024-01-10T17:00:00.000Z'

const shown = (netLiquidation: string | undefined, takenAt: string): BrokerSnapshot => ({
  ...{ account: 'DU1234567', takenAt, executions: [], commissions: [], openOrders: [], completedOrders: [], positions: [] },
  values: {
    ...{ baseCurrency: 'USD', netLiquidation, availableFunds: undefined, grossPositionValue: undefined },
    ...{ cash: {}, exchangeRates: { USD: '1' }, all: [] },
  },
})

/** Decides as the engine would, over what the broker shows at that time. */
const checking =
  (netLiquidation: string | undefined, { takenAt = tuesday, body = {}, notHandedOver = [] as string[] } = {}) =>
  (ledger: Ledger): DomainEvent[] => {
    const engine = { ready: true, notHandedOver, said: {}, strategies: {}, validUntil: null, endsBy: takenAt }
    const facts = { asked: ledger.position, snapshot: shown(netLiquidation, takenAt) }
    const asked = { ...command('risk-1', 'risk-check', { publishedAt: takenAt }), body }
    const decided = riskCheck.decide({ ledger, command: asked, facts, now: Date.parse(takenAt), engine } as never)
    if (isRefusal(decided)) throw new Error(decided.text)
    return decided
  }
const types = (events: readonly DomainEvent[]) => events.map(({ type }) => type)
const resultOf = (events: readonly DomainEvent[]) => dataOf(events, 'CommandCompleted')[0]!.result
const began = snapshot({ takenAt: morning })

describe('risk-check', () => {
  it('records what the broker shows, and judges by that', () => {
    const events = given(ready, began).when(checking('98000'))
    expect(types(events)).to.deep.equal(['PositionReconciled', 'CommandCompleted'])
    expect(resultOf(events)).to.deep.include({ text: 'within all limits', session: '2024-01-09', net_liquidation: 98000, stuck: [] })
    expect(resultOf(events)['caveat']).to.include('deposits')
  })

  it('tells a breach once, not at every check, and again after it was over', () => {
    const first = given(ready, began).ledger
    const told = checking('94000')(first)
    expect(dataOf(told, 'RiskBreached')).to.have.length(1)
    expect(dataOf(told, 'RiskBreached')[0]).to.include({
      rule: 'dailyDrawdown',
      scope: 'account',
      value: '0.06',
      limit: '0.05',
      from: '100000',
    })
    const known = continued(first, together(...told))
    expect(dataOf(told, 'RiskBreached')[0]!.text, 'how it ends').to.match(
      /nothing increases: it ends with the first reconcile of the next session$/,
    )
    expect(types(checking('93000')(known))).to.not.include('RiskBreached')
    const over = checking('97000')(known)
    expect(dataOf(over, 'RiskRecovered')).to.have.length(1)
    expect(types(checking('94000')(continued(known, together(...over))))).to.include('RiskBreached')
  })

  it('tells a breach of the next day anew, though nobody looked in between', () => {
    const known = continued(given(ready, began).ledger, together(...checking('94000')(given(ready, began).ledger)))
    const morningAfter = continued(known, snapshot({ takenAt: '2024-01-10T14:35:00.000Z', netLiquidation: '94000' }))
    const [breach] = dataOf(checking('88000', { takenAt: wednesday })(morningAfter), 'RiskBreached')
    expect(breach).to.include({ rule: 'dailyDrawdown', session: '2024-01-10' })
  })

  it('halts only where it is configured so, in the same commit, with what is in hand withdrawn', () => {
    expect(types(given(ready, began).when(checking('94000')))).to.not.include('TradingHalted')
    const halting = configured({ 'risk.haltOnBreach': true })
    const inHand = ordered('r-1', SPY, { trend: '5' })
    const events = given(ready, halting, began, inHand).when(checking('94000', { notHandedOver: ['r-1'] }))
    expect(types(events)).to.deep.equal(['PositionReconciled', 'RiskBreached', 'TradingHalted', 'OrderClosed', 'CommandCompleted'])
    expect(dataOf(events, 'TradingHalted')[0]!.reason).to.include('dailyDrawdown of account')
    expect(resultOf(events)['halted']).to.equal(true)
  })

  it('does not halt again after a person resumed over a breach that is known', () => {
    const halting = configured({ 'risk.haltOnBreach': true })
    const { ledger } = given(ready, halting, began)
    const resumed = continued(ledger, together(...checking('94000')(ledger)), event('TradingResumed', { reason: 'I know' }))
    expect(types(checking('93500')(resumed))).to.not.include('TradingHalted')
  })

  it('names the orders that are stuck', () => {
    const stuck = ordered('r-1', SPY, { trend: '5' })
    const later = '2024-01-09T16:00:00.000Z'
    const events = given(ready, began, stuck).when(checking('100000', { takenAt: later }))
    expect(resultOf(events)['stuck']).to.have.nested.property('[0]').that.includes({ orderRef: 'r-1', why: 'unseen' })
  })

  it('says that nothing is known where the broker tells no net liquidation', () => {
    expect(resultOf(given(ready).when(checking(undefined)))).to.deep.include({ net_liquidation: null, drawdowns: [], session: null })
  })

  it('resets the peaks after a withdrawal', () => {
    const before = snapshot({ takenAt: '2024-01-08T15:00:00.000Z', netLiquidation: '200000' })
    expect(dataOf(given(ready, before, began).when(checking('100000')), 'RiskBreached')[0]).to.include({
      rule: 'peakDrawdown',
      value: '0.5',
    })
    expect(dataOf(given(ready, before, began).when(checking('100000')), 'RiskBreached')[0]!.text, 'what to do').to.match(
      /risk-check.*resetPeaks/,
    )
    const events = given(ready, before, began).when(checking('100000', { body: { resetPeaks: true, reason: 'paid out' } }))
    expect(dataOf(events, 'PeaksReset')).to.deep.equal([{ from: '200000', to: '100000', currency: 'USD', reason: 'paid out' }])
    expect(types(events)).to.not.include('RiskBreached')
    expect(resultOf(events)['text']).to.equal('within all limits; peaks count from now on')
    expect(types(checking('100000')(continued(given(ready, before, began).ledger, together(...events))))).to.not.include('RiskBreached')
  })
})
