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
})
