/** What a pipeline does next, looking at the state alone. */
import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import type { Move } from '../../handlers/handler.ts'
import { orchestrator } from '../../handlers/orchestrator.ts'
import { allocationRounds } from '../../handlers/pipeline.ts'
import { caused, closed, command, continued, given, ordered, ready, SPY, type Step, tuesday } from '../given.ts'

const started = (plan: Record<string, unknown> = {}, type = 'allocation'): Step =>
  caused(command('p', type), event('PipelineStarted', { pipeline: 'p', plan, validUntil: null, endsBy: '2024-01-09T16:00:00.000Z' }))
const step = (id: string, type: string, ...events: DomainEvent[]): Step => caused(command(id, type, { pipeline: 'p' }), ...events)
const refused = (code: string, text = 'test') => event('CommandRefused', { code, text })

/** A round that decided on these orders and cancels; the orders themselves are events of their own. */
const decided = (round: number, { orders = [], cancels = [] }: { orders?: string[]; cancels?: string[] } = {}): Step =>
  step(
    `p:allocation${round === 1 ? '' : round}`,
    'allocation-round',
    event('AllocationDecided', {
      ...{ dryRun: false, round, snapshot: { position: 1, takenAt: tuesday, netLiquidation: '100000', currency: 'USD' } },
      ...{ signals: {}, configuration: 0, exposure: '0.9', instruments: [], strategies: [], targets: [], cancels, notes: [] },
      orders: orders.map((orderRef) => ({
        ...{ orderRef, conId: SPY.conId, symbol: 'SPY', quantity: '10', type: 'MKT', reduces: false, referencePrice: '100', shares: [] },
      })),
    }),
    ...orders.map((orderRef) => ordered(orderRef, SPY, { trend: '10' })),
  )
const seen = (orderRef: string) => event('OrderPlaced', { orderRef, orderId: 1, permId: 7, evidence: 'status Submitted' })
const doubted = (orderRef: string) => event('OrderUnresolved', { orderRef, conId: SPY.conId, text: 'not found' })

type Policy = (ledger: Ledger, pipeline: Ledger['pipelines'][string]) => Move
const next = (policy: Policy, ...steps: Step[]): Move => {
  const { ledger } = given(ready, ...steps)
  return policy(ledger, ledger.pipelines['p']!)
}
const round = (number: number) => ({
  steps: [{ id: `p:allocation${number === 1 ? '' : number}`, type: 'allocation-round', body: {} }],
})
const outcome = (move: Move) => ('end' in move ? move.end.outcome : move)

describe('an allocation', () => {
  const then = (...steps: Step[]) => next(allocationRounds, started(), ...steps)

  it('decides, and ends at once when there was nothing to order', () => {
    expect(then()).to.deep.equal(round(1))
    expect(then(decided(1))).to.deep.equal({ end: { outcome: 'completed', text: 'nothing to order' } })
  })

  it('waits until each of its orders is seen, and no longer', () => {
    const both = decided(1, { orders: ['a-1', 'a-2'] })
    expect(then(both)).to.deep.equal({ wait: true })
    expect(then(both, seen('a-1'))).to.deep.equal({ wait: true })
    expect(then(both, seen('a-1'), seen('a-2'))).to.deep.equal({ end: { outcome: 'completed', text: '2 orders at the broker' } })
  })

  it('ends with what became of its orders: refused, withdrawn, lost or in doubt is no success', () => {
    const both = decided(1, { orders: ['a-1', 'a-2'] })
    for (const bad of [closed('a-2', 'rejected'), closed('a-2', 'withdrawn'), closed('a-2', 'lost'), doubted('a-2')]) {
      const move = then(both, seen('a-1'), bad)
      expect(outcome(move)).to.equal('partial_success')
      expect('end' in move && move.end.text).to.include('a-2')
    }
    expect(outcome(then(both, closed('a-1', 'rejected'), doubted('a-2')))).to.equal('failed')
    expect(outcome(then(both, seen('a-1'), seen('a-2'), closed('a-2', 'cancelled')))).to.equal('completed')
  })

  describe('that had to cancel first', () => {
    const working = [ordered('old', SPY, { trend: '-5' }), seen('old')]
    const cancels = { cancels: ['old'] }

    it('waits until it is over, then decides again', () => {
      expect(then(...working, decided(1, cancels))).to.deep.equal({ wait: true })
      expect(then(...working, decided(1, cancels), closed('old', 'cancelled'))).to.deep.equal(round(2))
      expect(then(...working, decided(1, cancels), closed('old', 'filled')), 'filled instead').to.deep.equal(round(2))
    })

    it('decides three times at most, and then says that it did not come to an end', () => {
      const twice = [decided(1, cancels), closed('old', 'cancelled'), decided(2, cancels)]
      expect(then(...working, ...twice)).to.deep.equal(round(3))
      const move = then(...working, ...twice, decided(3, cancels))
      expect(outcome(move)).to.equal('partial_success')
      expect('end' in move && move.end.text).to.include('after 3 decisions')
    })

    it('counts the orders of all its rounds', () => {
      const rounds = [decided(1, { ...cancels, orders: ['a-1'] }), closed('old', 'cancelled'), decided(2, { orders: ['b-1'] })]
      expect(then(...working, ...rounds, seen('b-1'))).to.deep.equal({ wait: true })
      expect(outcome(then(...working, ...rounds, seen('b-1'), closed('a-1', 'rejected')))).to.equal('partial_success')
    })
  })

  it('that was refused ends refused, with the code and the reason', () => {
    expect(then(step('p:allocation', 'allocation-round', refused('HALTED', 'trading is halted: the news')))).to.deep.include({
      end: { outcome: 'refused', code: 'HALTED', text: 'trading is halted: the news' },
    })
    const failed = event('CommandFailed', { code: 'UNEXPECTED', text: 'a bug' })
    expect(outcome(then(step('p:allocation', 'allocation-round', failed)))).to.equal('failed')
  })

  it('of a dry run ends when it is decided, and waits for nobody', () => {
    expect(outcome(next(allocationRounds, started({ dryRun: true }), decided(1, { cancels: ['a-9'] })))).to.equal('completed')
  })
})

describe('an orchestrator that goes on', () => {
  const then = (...steps: Step[]) => next(orchestrator.next!, started({ signals: ['hedge', 'trend'] }, 'orchestrator'), ...steps)
  const failed = (strategy: string) =>
    step(`p:${strategy}`, strategy, event('SignalFailed', { strategy, dryRun: false, code: 'X', text: '' }))
  const types = (move: Move) => ('steps' in move ? move.steps.map(({ id }) => id) : move)

  it('asks for all signals side by side, and for the rest of them after a restart', () => {
    expect(types(then())).to.deep.equal(['p:hedge', 'p:trend'])
    expect(types(then(failed('hedge')))).to.deep.equal(['p:trend'])
  })

  it('reconciles after the signals, and allocates after that, though a signal failed', () => {
    expect(types(then(failed('hedge'), failed('trend')))).to.deep.equal(['p:reconcile'])
    const reconciled = step('p:reconcile', 'reconcile', event('CommandCompleted', { result: {} }))
    expect(types(then(failed('hedge'), failed('trend'), reconciled))).to.deep.equal(['p:allocation'])
  })

  it('allocates nothing after a reconcile that failed, and says why', () => {
    for (const no of [refused('EXPIRED'), event('CommandFailed', { code: 'UNEXPECTED', text: 'a bug' })]) {
      const move = then(failed('hedge'), failed('trend'), step('p:reconcile', 'reconcile', no))
      expect(move).to.deep.equal({
        end: { outcome: 'failed', code: no.data.code, text: `the reconcile failed, so nothing was allocated: ${no.data.text}` },
      })
    }
  })

  it('takes up where it stood: what a restart finds done is not done again', () => {
    const { ledger } = given(ready, started({ signals: ['trend'] }, 'orchestrator'), failed('trend'))
    const later = continued(
      ledger,
      step('p:reconcile', 'reconcile', event('CommandCompleted', { result: {} })),
      decided(1, { orders: ['a-1'] }),
    )
    expect(orchestrator.next!(later, later.pipelines['p']!)).to.deep.equal({ wait: true })
  })
})
