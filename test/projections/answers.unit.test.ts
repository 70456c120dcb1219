/** Every answer has its sentence, the one that comes before the end too. */
import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import { commandsView } from '../../projections/commands.ts'
import { broker, command, connected, documentsOf, filled, planned, resolved, SPY, snapshot, started, type Told, VIXY } from './story.ts'

const documentOf = (...told: Told[]) => documentsOf(commandsView, started, connected, ...told).get('commands/c1')!
const textOf = (...told: Told[]) => documentOf(...told)['text']
const begun = (plan: Record<string, unknown>): DomainEvent =>
  event('PipelineStarted', { pipeline: 'c1', plan, validUntil: '2026-11-23T21:00:00.000Z', endsBy: '2026-11-25T21:00:00.000Z' })
const bought = [
  command(
    'allocation',
    'a1',
    resolved(SPY),
    resolved(VIXY),
    planned('r1', { shares: [{ strategy: 'dummy', quantity: '10' }], quantity: '10' }),
  ),
  broker(filled('r1', 'e1.01', '10')),
]

describe('what a command that is under way says', () => {
  it('close-all: whom it closes, and when the exits work that wait for the open', () => {
    expect(textOf(...bought, command('close-all', 'c1', begun({})))).to.equal(
      'closing dummy: targets are 0; cancels, exits and the proof follow. ' +
        'New York is closed: exits wait at the broker for its open at 2026-11-23T14:30:00.000Z',
    )
  })

  it('orchestrator, allocation and eod-check: what they are at', () => {
    const plan = { signals: ['dummy', 'trend'] }
    expect(textOf(command('orchestrator', 'c1', begun(plan)))).to.equal('signals of dummy, trend, then reconcile and allocation')
    expect(textOf(command('orchestrator', 'c1', begun({ ...plan, dryRun: true, runReconcile: false })))).to.equal(
      'dry run: signals of dummy, trend, then allocation',
    )
    expect(textOf(command('allocation', 'c1', begun({})))).to.equal('deciding, and placing what is decided')
    expect(textOf(command('eod-check', 'c1', begun({ session: '2026-11-20' })))).to.equal('closing the day 2026-11-20')
  })
})

describe('what a command that looked says', () => {
  it('reconcile: what there is, and what does not agree', () => {
    expect(textOf(command('reconcile', 'c1', snapshot()))).to.equal(
      '0 positions, 0 open orders, net liquidation 100000 USD; books, manual and the broker agree',
    )
    const differences = [{ ...SPY, reported: '15', expected: '10', unexplained: '5' }]
    const doubtful = snapshot({ differences, missing: ['r1'] })
    expect(textOf(command('reconcile', 'c1', doubtful))).to.match(
      /; SPY: the broker holds 15, books and manual 10; not named by the broker: r1$/,
    )
  })

  it('summary: what there is, and which figure of which book nobody knows', () => {
    const values = [{ key: 'NetLiquidation', value: '100000.00', currency: 'USD' }]
    const summary = event('AccountSummarized', {
      ...{ account: 'DU1', takenAt: 'now', baseCurrency: 'USD', values, positions: [], openOrders: [], fills: [], fillsLeftOut: 0 },
    })
    expect(textOf(command('summary', 'c1', snapshot(), summary))).to.equal(
      'net liquidation 100000.00 USD, 0 positions, 0 open orders, 0 fills today',
    )
    const given = event('DiscrepancyExplained', {
      ...{ ...VIXY, quantity: '4', as: 'book' as const, moves: [{ holder: 'dummy', quantity: '4' }], unexplained: '0', reason: 'a gift' },
    })
    const told = documentOf(...bought, command('explain', 'x1', given), command('summary', 'c1', snapshot(), summary))
    expect(told['text']).to.include('; not known: dummy in VIXY: ').and.include('VIXY: what some of it cost, since it came without a price')
    expect((told['result'] as { not_known: object[] }).not_known).to.deep.include({
      ...{ strategy: 'dummy', ...VIXY, what: 'cost', text: 'dummy in VIXY: what some of it cost, since it came without a price' },
    })
  })

  it('anything else at least that it is done, or that nothing had to change', () => {
    expect(textOf(command('reconcile', 'c1', event('CommandCompleted', { result: { changed: false } })))).to.equal('nothing had to change')
    expect(textOf(command('shadow', 'c1', event('PeaksReset', { from: '1', to: '1', currency: 'USD', reason: 'asked' })))).to.equal('done')
  })
})
