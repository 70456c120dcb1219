import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { executionsView } from '../../projections/executions.ts'
import {
  at,
  broker,
  closed,
  command,
  decision,
  documentsOf,
  filled,
  pathsOfLast,
  pipelineEnded,
  pipelineStarted,
  placed,
  planned,
  resolved,
  SPY,
  scheduled,
  signal,
  snapshot,
  started,
  step,
  type Told,
  VIXY,
  wished,
} from './story.ts'

const ordered = [
  decision({ orders: [wished('r1', '20'), { ...wished('r2', '-50'), ...VIXY }], signals: { dummy: 3 } }),
  planned('r1'),
  planned('r2', { ...VIXY, orderId: 2, quantity: '-50', shares: [{ strategy: 'dummy', quantity: '-50' }] }),
]
const allocated: Told[] = [
  started,
  scheduled('allocation', 'alloc-1', pipelineStarted('alloc-1')),
  step('alloc-1', 'dummy', 'dummy', resolved(SPY), signal('dummy')),
  step('alloc-1', 'allocation', 'allocation-round', ...ordered),
]
const sale = (execution: string, quantity: string) =>
  broker(filled('r2', execution, quantity, { ...VIXY, price: '13', shares: [{ strategy: 'dummy', quantity }] }))
const end = step('alloc-1', 'end', 'allocation', pipelineEnded('alloc-1', 'completed'))
const execution = (...told: Told[]): Document => documentsOf(executionsView, ...told).get('executions/alloc-1')!
const placedLines = (document: Document) => document['orders_placed'] as readonly Record<string, unknown>[]

describe('the view of the executions', () => {
  it('shows what a strategy in the shadow would have done, apart from what was done', () => {
    const line = { ...SPY, wanted: '90', target: '50', book: '0', inFlight: '0', difference: '50' }
    const order = { ...SPY, quantity: '50', type: 'LMT', reduces: false, referencePrice: '450', limitPrice: '472.5' } as const
    const notes = [{ code: 'LIMIT_GROSS', text: 'too much', strategy: 'trend', conId: SPY.conId, numbers: { allowed: '50' } }]
    const shadows = [{ strategy: 'trend', targets: [line], orders: [order], notes }]
    const told = [started, command('allocation', 'alloc-1', pipelineStarted('alloc-1'))]
    const shown = execution(...told, step('alloc-1', 'allocation', 'allocation-round', decision({ shadows, targets: [] })))['decision']
    expect((shown as Record<string, unknown>)['shadows']).to.deep.equal([
      {
        strategy: 'trend',
        diff: [{ strategy: 'trend', ...SPY, weight: null, target: 50, current: 0, in_flight: 0, difference: 50 }],
        orders: [{ ...SPY, action: 'BUY', totalQuantity: 50, orderType: 'LMT', lmtPrice: 472.5, reduces: false }],
        notes: [{ code: 'LIMIT_GROSS', text: 'too much', strategy: 'trend', conId: SPY.conId, numbers: { allowed: 50 } }],
      },
    ])
    expect((shown as Record<string, unknown>)['final_target']).to.deep.equal([])
  })

  it('shows a decision as the plan names it', () => {
    const document = execution(...allocated)
    expect(document).to.deep.include({
      executed_at: at(4),
      started_at: at(2),
      type: 'allocation',
      trigger: 'scheduled',
      job: 'daily',
      status: 'running',
      dryRun: false,
      summary: 'Placed 2 orders: BUY 20 SPY, SELL 50 VIXY.',
    })
    expect(document['context']).to.deep.include({
      portfolio_snapshot_ref: 'positions/paper/portfolio/latest@2026-11-20T20:59:00.000Z',
      strategy_intents_refs: [`strategies/dummy/intent/latest@${at(3)}`],
      missing_strategies: [],
      stale_strategies: [],
      position: 4,
    })
    expect(document['decision']).to.deep.include({
      aggregated_target: [{ ...SPY, quantity: 30, by_strategy: { dummy: 30 } }],
      final_target: [{ ...SPY, quantity: 20, by_strategy: { dummy: 20 } }],
      diff: [{ strategy: 'dummy', ...SPY, weight: 0.5, target: 20, current: 0, in_flight: 0, difference: 20 }],
      notes: [],
    })
    expect(placedLines(document)[1]).to.deep.include({
      orderRef: 'r2',
      orderId: 2,
      symbol: 'VIXY',
      action: 'SELL',
      totalQuantity: 50,
      status: 'planned',
      filled: 0,
      averagePrice: null,
      commission: null,
    })
  })

  it('adds up the strategies in one instrument', () => {
    const line = { ...SPY, inFlight: '0', book: '0', difference: '0' }
    const targets = [
      { strategy: 'dummy', ...line, wanted: '30', target: '20' },
      { strategy: 'other', ...line, wanted: '-5.5', target: '-5.5' },
    ]
    expect(execution(started, command('allocation', 'alloc-1', decision({ targets })))['decision']).to.deep.include({
      aggregated_target: [{ ...SPY, quantity: 24.5, by_strategy: { dummy: 30, other: -5.5 } }],
      final_target: [{ ...SPY, quantity: 14.5, by_strategy: { dummy: 20, other: -5.5 } }],
    })
  })

  it('names missing and stale strategies from the notes, whose numbers are numbers', () => {
    const notes = [
      { code: 'SIGNAL_MISSING', text: 'never', strategy: 'a' },
      { code: 'SIGNAL_FAILED', text: 'failed', strategy: 'b' },
      { code: 'SIGNAL_STALE', text: 'old', strategy: 'c' },
      { code: 'LIMIT_GROSS', text: 'clipped', strategy: 'd', conId: 7, numbers: { wanted: '30', allowed: '20.5' } },
    ]
    const document = execution(started, command('allocation', 'alloc-1', decision({ notes })))
    expect(document['context']).to.deep.include({ missing_strategies: ['a', 'b'], stale_strategies: ['c'] })
    const shown = (document['decision'] as Record<string, unknown[]>)['notes']!
    expect(shown[3]).to.deep.equal({ ...notes[3], numbers: { wanted: 30, allowed: 20.5 } })
  })

  it('follows its orders: fills, prices and commissions, after its pipeline has ended', () => {
    const commission = broker(event('CommissionReported', { executionId: 'e1.01', commission: '1.05', currency: 'USD' }))
    const told = [
      ...allocated,
      end,
      broker(placed('r1')),
      broker(filled('r1', 'e1.01', '8')),
      commission,
      broker(filled('r1', 'e2.01', '2')),
    ]
    const document = execution(...told)
    expect(document).to.deep.include({ status: 'running', updated_at: at(9), executed_at: at(4), finished_at: at(5) })
    expect(placedLines(document)[0]).to.deep.include({
      status: 'working',
      filled: 10,
      averagePrice: 450,
      commission: 1.05,
      commissionCurrency: 'USD',
      commissionsMissing: 1,
    })
    expect(pathsOfLast(executionsView, ...told.slice(0, 8))).to.deep.equal(['executions/alloc-1'])
  })

  it('ends by what became of the orders', () => {
    const filledOrders = [
      broker(filled('r1', 'e1.01', '20'), closed('r1', 'filled', '20')),
      sale('e2.01', '-50'),
      broker(closed('r2', 'filled', '-50')),
    ]
    expect(execution(...allocated, ...filledOrders)['status']).to.equal('running')
    expect(execution(...allocated, end, ...filledOrders)['status']).to.equal('completed')
    expect(execution(...allocated, ...filledOrders, end)).to.deep.include({
      status: 'completed',
      outcome: { status: 'completed', code: null, text: 'all done' },
    })
    expect(execution(...allocated, end, ...filledOrders.slice(0, 1), broker(closed('r2', 'cancelled')))['status']).to.equal(
      'partial_success',
    )
    expect(execution(...allocated, end, sale('e2.01', '-7'), broker(closed('r1', 'expired'), closed('r2', 'expired')))['status']).to.equal(
      'partial_success',
    )
    expect(execution(...allocated, end, broker(closed('r1', 'rejected'), closed('r2', 'expired')))['status']).to.equal('failed')
  })

  it('keeps the orders of every round and the decision of the last', () => {
    const second = step(
      'alloc-1',
      'allocation2',
      'allocation-round',
      decision({ round: 2, orders: [wished('r3', '5')] }),
      planned('r3', { orderId: 3, quantity: '5' }),
    )
    const document = execution(...allocated, second)
    expect(placedLines(document).map(({ orderRef }) => orderRef)).to.deep.equal(['r1', 'r2', 'r3'])
    expect(document['decision']).to.deep.include({ round: 2 })
    expect(document).to.include({ started_at: at(2), executed_at: at(5), trigger: 'scheduled' })
  })

  it('tells a pipeline that ended before it decided from one that had nothing to do', () => {
    const begun = [started, command('orchestrator', 'alloc-1', pipelineStarted('alloc-1'))]
    const failed = execution(...begun, step('alloc-1', 'end', 'orchestrator', pipelineEnded('alloc-1', 'failed', 'the reconcile failed')))
    expect(failed).to.deep.include({
      status: 'failed',
      summary: 'the reconcile failed',
      executed_at: null,
      decision: null,
      orders_placed: [],
      trigger: 'manual',
    })
    const idle = execution(...begun, step('alloc-1', 'allocation', 'allocation-round', decision()), end)
    expect(idle).to.deep.include({ status: 'completed', summary: 'No order.', orders_placed: [] })
    expect(execution(...begun, step('alloc-1', 'end', 'orchestrator', pipelineEnded('alloc-1', 'expired', 'too late')))['status']).to.equal(
      'failed',
    )
  })

  it('shows a dry run with what it would do and why a real one would be refused', () => {
    const dry = decision({ dryRun: true, orders: [wished('r1', '20')], wouldRefuse: 'HALTED' })
    expect(execution(started, command('allocation', 'alloc-1', dry))).to.deep.include({
      dryRun: true,
      status: 'completed',
      trigger: 'manual',
      summary: 'Dry run: would place 1 order: BUY 20 SPY. A real one would be refused: HALTED.',
      orders_placed: [],
    })
  })

  it('refers to the dry signals of a dry run, and calls any job scheduled', () => {
    const job: Told = { ...scheduled('orchestrator', 'alloc-1', pipelineStarted('alloc-1')) }
    const asked = { ...job, cause: { ...job.cause, source: 'cli' } as Told['cause'] }
    const dry = step('alloc-1', 'dummy', 'dummy', signal('dummy', { dryRun: true }))
    const decided = step('alloc-1', 'allocation', 'allocation-round', decision({ dryRun: true, signals: { dummy: 3, other: 2 } }))
    const document = execution(started, asked, dry, decided)
    expect(document).to.include({ trigger: 'scheduled', source: 'cli' })
    expect(document['context']).to.deep.include({
      strategy_intents_refs: [`strategies/dummy/intent/dryRun@${at(3)}`, 'strategies/other/intent/latest@position 2'],
    })
  })

  it('writes nothing for what concerns no decision', () => {
    expect(pathsOfLast(executionsView, ...allocated, command('reconcile', 'c1', snapshot()))).to.deep.equal([])
    expect(pathsOfLast(executionsView, ...allocated, broker(filled('nobody', 'e9.01', '1')))).to.deep.equal([])
  })
})
