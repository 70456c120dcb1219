/** The end of a trading day, looking at the state alone. */
import { expect } from 'chai'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import { dayClose, eodCheck } from '../../handlers/eod-check.ts'
import type { Move } from '../../handlers/handler.ts'
import {
  booked,
  caused,
  closed,
  command,
  configured,
  continued,
  dataOf,
  filled,
  given,
  ordered,
  ready,
  SPY,
  type Step,
  snapshot,
  tuesday,
} from '../given.ts'

const engine = {
  ...{ ready: true, notHandedOver: [], said: {}, strategies: {} },
  ...{ validUntil: '2024-01-09T21:55:00.000Z', endsBy: '2024-01-09T21:55:00.000Z' },
}
const beforeClose = '2024-01-09T20:55:00.000Z'
const deciding =
  (now = beforeClose, id = 'eod-1') =>
  (ledger: Ledger): DomainEvent[] => {
    const decided = eodCheck.decide({
      ledger,
      command: { ...command(id, 'eod-check'), body: {} },
      facts: null,
      now: Date.parse(now),
      engine,
    } as never)
    if (isRefusal(decided)) throw new Error(decided.text)
    return decided
  }
const planOf = (events: readonly DomainEvent[]) => dataOf(events, 'PipelineStarted')[0]?.plan
const textOf = (events: readonly DomainEvent[]) => dataOf(events, 'CommandCompleted')[0]?.result['text']

const day = (session: string) => event('DayClosed', { session, flat: true, enforcedFlat: false, books: [], openOrders: [], mismatches: [] })

describe('eod-check', () => {
  it('is about the session that is on or was the last', () => {
    const sessionAt = (now: string) => planOf(given(ready).when(deciding(now)))!['session']
    expect(sessionAt(beforeClose)).to.equal('2024-01-09')
    expect(sessionAt('2024-01-09T23:00:00.000Z'), 'in the evening').to.equal('2024-01-09')
    expect(sessionAt('2024-01-10T13:00:00.000Z'), 'before the next open').to.equal('2024-01-09')
    expect(sessionAt('2024-01-14T17:00:00.000Z'), 'on a Sunday').to.equal('2024-01-12')
  })

  it('closes a session once: a second run says so and changes nothing', () => {
    expect(textOf(given(ready, day('2024-01-09')).when(deciding()))).to.equal('2024-01-09 was closed already')
    expect(planOf(given(ready, day('2024-01-08')).when(deciding()))).to.include({ session: '2024-01-09' })
    const { ledger } = given(ready)
    const open = continued(ledger, caused(command('eod-1', 'eod-check'), ...deciding()(ledger)))
    expect(textOf(deciding(beforeClose, 'eod-2')(open))).to.equal('eod-1 is closing 2024-01-09 already')
  })

  it('trades until the close at most, where flat is enforced, half days too', () => {
    const enforced = configured({ 'eod.enforceFlat': true })
    expect(planOf(given(ready).when(deciding()))).to.deep.equal({ session: '2024-01-09', enforceFlat: false })
    expect(planOf(given(ready, enforced).when(deciding()))).to.include({ tradesUntil: '2024-01-09T21:00:00.000Z' })
    const afterThanksgiving = planOf(given(ready, enforced).when(deciding('2024-11-29T17:55:00.000Z')))
    expect(afterThanksgiving).to.include({ session: '2024-11-29', tradesUntil: '2024-11-29T18:00:00.000Z' })
  })
})

describe('an eod-check that goes on', () => {
  const started = (enforceFlat = false): Step =>
    caused(
      command('p', 'eod-check'),
      event('PipelineStarted', { pipeline: 'p', plan: { session: '2024-01-09', enforceFlat }, validUntil: null, endsBy: engine.endsBy }),
    )
  const step = (name: string, ...events: DomainEvent[]): Step => caused(command(`p:${name}`, name, { pipeline: 'p' }), ...events)
  const morning = snapshot({ takenAt: '2024-01-09T14:35:00.000Z' })
  const holdings = [{ instrument: SPY, quantity: '100', marketPrice: '103' }]
  const reconciled = step('reconcile', snapshot({ takenAt: beforeClose, netLiquidation: '100300', holdings }))
  const bought = [
    ordered('r-1', SPY, { trend: '100' }),
    filled('r-1', SPY, 'e1.01', { trend: '100' }, '100'),
    closed('r-1', 'filled', '100'),
  ]
  const next = (...steps: Step[]): Move => {
    const { ledger } = given(ready, steps)
    return eodCheck.next!(ledger, ledger.pipelines['p']!)
  }
  const names = (move: Move) => ('steps' in move ? move.steps.map(({ id, type }) => `${id} ${type}`) : move)
  const closing = (...steps: Step[]) => {
    const { ledger } = given(ready, steps)
    const asked = { ...command('p:day', 'day-close', { pipeline: 'p' }), body: {} }
    return dataOf(
      dayClose.decide({ ledger, command: asked, facts: null, now: Date.parse(tuesday), engine } as never) as DomainEvent[],
      'DayClosed',
    )[0]!
  }

  it('reconciles, and closes the day; a failed reconcile closes nothing', () => {
    expect(names(next(started()))).to.deep.equal(['p:reconcile reconcile'])
    expect(names(next(started(), reconciled))).to.deep.equal(['p:day day-close'])
    const failed = next(started(), step('reconcile', event('CommandRefused', { code: 'BROKER_REFUSED', text: 'no' })))
    expect(failed).to.have.nested.property('end.outcome', 'failed')
  })

  it('tells what each book made since the first reconcile of the day, and the account', () => {
    const closed = closing(morning, bought, started(), reconciled)
    expect(closed).to.deep.include({ session: '2024-01-09', flat: false, profit: '300', netLiquidation: '100300', currency: 'USD' })
    expect(closed.books).to.deep.equal([{ strategy: 'trend', holdings: { [SPY.conId]: '100' }, profit: '300' }])
  })

  it('says since when the profit counts, and why it is not known', () => {
    const endOf = (...steps: Step[]) => {
      const day = event('DayClosed', closing(...steps))
      const move = next(...steps, step('day', day))
      return 'end' in move ? move.end.text : ''
    }
    expect(endOf(morning, bought, started(), reconciled)).to.include('closed: profit 300 USD since 2024-01-09T14:35:00.000Z')
    const nextMorning = step('reconcile', snapshot({ takenAt: '2024-01-10T13:00:00.000Z' }))
    expect(endOf(started(), nextMorning)).to.include('profit unknown (the account was never looked at on 2024-01-09')
  })

  it('does not invent a profit: unknown is left out', () => {
    const closed = closing(
      morning,
      booked('trend', SPY, '100'),
      started(),
      step('reconcile', snapshot({ takenAt: beforeClose, netLiquidation: undefined })),
    )
    expect(closed).to.not.have.any.keys('profit', 'netLiquidation')
    expect(closed.books[0]).to.not.have.property('profit')
  })

  it('names orders that are open and instruments that do not match', () => {
    const differing = snapshot({
      takenAt: beforeClose,
      differences: [{ conId: SPY.conId, symbol: 'SPY', reported: '5', expected: '0', unexplained: '5' }],
    })
    const steps = [morning, ordered('r-9', SPY, { trend: '3' }), started(), step('reconcile', differing)]
    expect(closing(...steps).openOrders[0]).to.include({ orderRef: 'r-9', status: 'planned' })
    expect(closing(...steps).mismatches[0]).to.include({ symbol: 'SPY' })
    const end = next(...steps, step('day', day('2024-01-09')))
    expect(end).to.have.nested.property('end.outcome', 'partial_success')
    expect(end).to.have.nested.property('end.text').that.includes('r-9').and.includes('5 unexplained')
  })

  it('makes flat first, by the steps of a close-all, where that is enforced', () => {
    const steps = [morning, bought, started(true), reconciled]
    expect(names(next(...steps))).to.deep.equal(['p:clear close-clear'])
    const clear = step('clear', event('StandingTargetsSet', { strategy: 'trend', signal: 0, factor: '0', targets: [] }))
    expect(names(next(...steps, clear))).to.deep.equal(['p:look proof'])
    const exit = ordered('x-1', SPY, { trend: '-100' }, { decision: 'p', closing: true })
    const sold = [exit, filled('x-1', SPY, 'e2.01', { trend: '-100' }, '103'), closed('x-1', 'filled', '-100')]
    const flat = [...steps, clear, step('look', snapshot({ holdings })), step('close', event('CommandCompleted', { result: {} })), sold]
    expect(names(next(...flat))).to.deep.equal(['p:proof proof'])
    expect(names(next(...flat, step('proof', snapshot())))).to.deep.equal(['p:day day-close'])
    expect(next(...flat, step('proof', snapshot()), step('day', day('2024-01-09')))).to.have.nested.property('end.outcome', 'completed')
  })

  it('closes the day though not all could be sold before the session ended, and says so', () => {
    const refused = (name: string) => step(name, event('CommandRefused', { code: 'SESSION_OVER', text: 'over' }))
    const steps = [morning, bought, started(true), reconciled, step('clear', event('CommandCompleted', { result: {} }))]
    const over = [...steps, step('look', snapshot({ holdings })), refused('close')]
    expect(names(next(...over))).to.deep.equal(['p:day day-close'])
    const end = next(...over, step('day', day('2024-01-09')))
    expect(end).to.have.nested.property('end.outcome', 'partial_success')
    expect(end).to.have.nested.property('end.text').that.includes('trend holds 100 SPY')
  })

  it('sells nothing where flat is not enforced', () => {
    expect(names(next(morning, bought, started(false), reconciled))).to.deep.equal(['p:day day-close'])
  })
})
