import { expect } from 'chai'
import { allocate } from '../../../domain/commander/commander.ts'
import { isRefusal, passes, type Refusal } from '../../../domain/errors.ts'
import { event } from '../../../domain/events.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import { accepted, configured, dataOf, facts, given, ready, request, SPY, type Step, snapshot, tuesday, wants } from '../../given.ts'

const now = Date.parse(tuesday)
const halted = event('TradingHalted', { reason: 'a look at things', publishedAt: tuesday, cancelWorking: false })

const refusalOf = (decision: ReturnType<typeof allocate>): Refusal => {
  if (!isRefusal(decision)) throw new Error('it was not refused')
  return decision
}

const decided =
  (more: Parameters<typeof request>[0] = {}, known: Parameters<typeof facts>[0] = {}, time = now) =>
  (ledger: Ledger) =>
    allocate(ledger, request(more), facts(known), time)

const account: Step[] = [...ready, snapshot()]

describe('commander: may we', () => {
  it('decides when all is known and young', () => {
    expect(given(...account).when(decided())).to.be.an('array')
  })

  it('refuses while trading is halted, with the reason', () => {
    const refusal = refusalOf(given(...account, halted).when(decided()))
    expect(refusal).to.include({ refusal: 'HALTED' })
    expect(refusal.text).to.contain('a look at things')
  })

  it('refuses before the first resume of a journal', () => {
    const never = account.filter((step) => !('type' in step && step.type === 'TradingResumed'))
    expect(refusalOf(given(...never).when(decided())).refusal).to.equal('HALTED')
  })

  it('decides a dry run while halted all the same and says what a real one would be told', () => {
    const steps = [configured({ 'strategies.trend.allocation': 1 }), wants('trend', [{ instrument: SPY, weight: '1' }])]
    const events = accepted(given(...account, ...steps, halted).when(decided({ dryRun: true })))
    expect(events).to.have.length(1)
    const [decision] = dataOf(events, 'AllocationDecided')
    expect(decision).to.include({ dryRun: true, wouldRefuse: 'HALTED' })
    expect(decision!.orders.map(({ quantity }) => quantity)).to.deep.equal(['900'])
  })

  it('says nothing of a refusal in a dry run that a real one would not meet', () => {
    const [decision] = dataOf(accepted(given(...account).when(decided({ dryRun: true }))), 'AllocationDecided')
    expect(decision).not.to.have.property('wouldRefuse')
  })

  it('waits for the gateway: a refusal that passes, for a dry run too', () => {
    for (const dryRun of [false, true]) {
      const refusal = refusalOf(given(...account).when(decided({ dryRun }, { gatewayReady: false })))
      expect(refusal.refusal).to.equal('GATEWAY_NOT_READY')
      expect(passes(refusal)).to.equal(true)
    }
  })

  it('waits until the journal has an account', () => {
    const without = account.filter((step) => !('type' in step && step.type === 'GatewayConnected'))
    expect(refusalOf(given(...without).when(decided())).refusal).to.equal('GATEWAY_NOT_READY')
  })

  it('refuses when the account was never reconciled', () => {
    expect(refusalOf(given(...ready).when(decided())).refusal).to.equal('SNAPSHOT_MISSING')
  })

  it('decides at exactly the age that is allowed and refuses a millisecond later (it only warned)', () => {
    const minutes = (count: number) => now + count * 60_000
    expect(given(...account).when(decided({}, {}, minutes(180)))).to.be.an('array')
    expect(refusalOf(given(...account).when(decided({}, {}, minutes(180) + 1))).refusal).to.equal('SNAPSHOT_STALE')
    expect(refusalOf(given(...account).when(decided({ freshMinutes: 5 }, {}, minutes(5) + 1))).refusal).to.equal('SNAPSHOT_STALE')
    expect(refusalOf(given(...account, configured({ freshMinutes: 10 })).when(decided({}, {}, minutes(11)))).refusal).to.equal(
      'SNAPSHOT_STALE',
    )
  })

  it('refuses a snapshot that is three days old, whatever was signalled', () => {
    const old = snapshot({ takenAt: '2024-01-06T15:00:00.000Z' })
    const steps = [configured({ 'strategies.trend.allocation': 1 }), wants('trend', [{ instrument: SPY, weight: '1' }])]
    expect(refusalOf(given(...ready, old, ...steps).when(decided())).refusal).to.equal('SNAPSHOT_STALE')
    expect(refusalOf(given(...ready, old, ...steps).when(decided({ dryRun: true }))).refusal).to.equal('SNAPSHOT_STALE')
  })

  it('refuses a net liquidation that is absent, zero, negative or of no currency', () => {
    for (const wrong of [{ netLiquidation: undefined }, { netLiquidation: '0' }, { netLiquidation: '-5' }, { baseCurrency: undefined }])
      expect(refusalOf(given(...ready, snapshot(wrong)).when(decided())).refusal, JSON.stringify(wrong)).to.equal('NET_LIQUIDATION_MISSING')
  })

  it('refuses a strategy that the engine does not know, by name', () => {
    const refusal = refusalOf(given(...account).when(decided({ strategies: ['trend', 'nobody'] })))
    expect(refusal.refusal).to.equal('STRATEGY_UNKNOWN')
    expect(refusal.text).to.contain('nobody')
  })
})
