/** What people are told of, each with what to do next. */
import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger } from '../../domain/ledger.ts'
import type { Alert } from '../../domain/ports/alert-channel.ts'
import { alertsOf } from '../../projections/alerts.ts'
import { at, closed, decision, pipelineEnded, SPY } from './story.ts'

const told = (...events: DomainEvent[]): Alert[] =>
  alertsOf({ position: 7, recordedAt: at(7), cause: { kind: 'engine', reason: 'test' } }, events, initialLedger())
const breach = (rule: 'dailyDrawdown' | 'peakDrawdown') =>
  event('RiskBreached', {
    ...{ rule, scope: 'account', value: '0.25', limit: '0.2', base: '100000', currency: 'USD', session: '2026-11-20' },
    ...{ from: '100000', fromAt: at(0), latest: '75000', latestAt: at(6), text: `${rule} of account: 25.00 % lost` },
  })

describe('an alert', () => {
  const news: [string, DomainEvent, RegExp][] = [
    ['a halt', event('TradingHalted', { reason: 'the news', publishedAt: at(0), cancelWorking: false }), /resume/],
    ['a loss of the day', breach('dailyDrawdown'), /close-all\)$/],
    ['a loss from the peak', breach('peakDrawdown'), /risk-check --data '\{"resetPeaks":true,"reason":"…"\}'/],
    ['an order in doubt', event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'not found' }), /resolve-order/],
    ['an order that was rejected', closed('r1', 'rejected'), /next decision/],
    ['a difference', event('DiscrepancyFound', { ...SPY, kind: 'position', quantity: '10', text: 'seen twice' }), /explain/],
    ['a fault of ours', event('CommandFailed', { code: 'UNEXPECTED', text: 'x is undefined' }), /log/],
    ['a pipeline that failed', pipelineEnded('p1', 'failed'), /executions\/p1/],
    ['a signal that failed', event('SignalFailed', { strategy: 'dummy', dryRun: false, code: 'BARS_STALE', text: 'old' }), /dummy/],
    [
      'a book without a strategy',
      decision({ notes: [{ code: 'BOOK_WITHOUT_STRATEGY', text: 'held until somebody decides', strategy: 'gone' }] }),
      /gone/,
    ],
  ]
  for (const [what, happened, next] of news)
    it(`of ${what} says what to do next`, () => {
      const alerts = told(happened)
      expect(alerts).to.have.length(1)
      expect(alerts[0]!.next).to.match(next)
      expect([alerts[0]!.position, alerts[0]!.at]).to.deep.equal([7, at(7)])
    })

  it('is given of two things at once for each, under names of their own', () => {
    const alerts = told(breach('dailyDrawdown'), breach('peakDrawdown'))
    expect(new Set(alerts.map(({ id }) => id)).size).to.equal(2)
  })

  describe('of a run that the schedule asked for and the engine refused', () => {
    const job = (more: object = {}) => ({
      ...{ kind: 'command' as const, id: 'orchestrator@2026-11-20T21:05:00Z', type: 'orchestrator', publishedAt: at(0) },
      ...{ source: 'scheduler', job: 'orchestrator', ...more },
    })
    const refused = (code: string, cause: ReturnType<typeof job>) =>
      alertsOf({ position: 7, recordedAt: at(7), cause }, [event('CommandRefused', { code, text: 'why' })], initialLedger())

    it('has the name that it would have had if nobody had decided it: it is told once', () => {
      for (const code of ['EXPIRED', 'BODY_INVALID', 'STRATEGY_UNKNOWN'])
        expect(refused(code, job()).map(({ id, text, next }) => [id, text, next])).to.deep.equal([
          ['not-run-orchestrator@2026-11-20T21:05:00Z', `${code}: why`, 'If it is still wanted, by hand: ibt publish orchestrator'],
        ])
    })

    it('is silent of holidays, of another close and of a halt, and of what a person asked for', () => {
      for (const code of ['NO_SESSION', 'OTHER_CLOSE', 'HALTED']) expect(refused(code, job())).to.deep.equal([])
      const { job: _, ...byHand } = job()
      expect(refused('EXPIRED', byHand as ReturnType<typeof job>)).to.deep.equal([])
      expect(refused('EXPIRED', job({ pipeline: 'p1' }))).to.deep.equal([])
    })
  })

  it('of a book without a strategy comes again in the next month, for as long as it is so', () => {
    const note = decision({ notes: [{ code: 'BOOK_WITHOUT_STRATEGY', text: 'held until somebody decides', strategy: 'gone' }] })
    const idOn = (recordedAt: string) =>
      alertsOf({ position: 7, recordedAt, cause: { kind: 'engine', reason: 'test' } }, [note], initialLedger())[0]!.id
    expect(idOn('2026-11-02T15:00:00.000Z')).to.equal(idOn('2026-11-20T15:00:00.000Z'))
    expect(idOn('2026-12-02T15:00:00.000Z')).to.not.equal(idOn('2026-11-20T15:00:00.000Z'))
  })
})
