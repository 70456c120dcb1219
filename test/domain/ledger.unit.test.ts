import { expect } from 'chai'
import fc from 'fast-check'
import { canonical, store } from '../../domain/commit.ts'
import { add, type Decimal, isZero, subtract, sum } from '../../domain/decimal.ts'
import { event } from '../../domain/events.ts'
import { fold, foldEvents } from '../../domain/fold.ts'
import { blockedBecause, booksIn, initialLedger, type Ledger, lastWord, openOrders, openOrdersIn } from '../../domain/ledger.ts'
import { recall } from '../../domain/remembered.ts'
import {
  at,
  booked,
  caused,
  closed,
  command,
  configured,
  continued,
  failed,
  filled,
  ledgerOf,
  neutral,
  ordered,
  ready,
  SPY,
  type Step,
  snapshot,
  stands,
  together,
  tuesday,
  VIXY,
  wants,
} from '../given.ts'

const bookOf = (ledger: Ledger, strategy: string): Record<string, Decimal> => ({ ...ledger.books[strategy] })
const spy = SPY.conId
const differs = (unexplained: Decimal, more: Parameters<typeof snapshot>[0] = {}): Step =>
  snapshot({ differences: [{ conId: spy, symbol: 'SPY', reported: unexplained, expected: '0', unexplained }], ...more })
const foreign = (executionId: string, quantity: Decimal, holder: 'manual' | 'nobody' = 'manual', secType = 'STK') =>
  event('ForeignExecutionSeen', { conId: spy, symbol: 'SPY', secType, executionId, orderRef: '', quantity, price: '100', holder })
const placed = (orderRef: string, permId = 70) => event('OrderPlaced', { orderRef, orderId: 1, permId, evidence: 'open order' })
const found = event('DiscrepancyFound', { conId: spy, symbol: 'SPY', kind: 'position', quantity: '5', text: '5 too many' })
const explained = (moves: { holder: string; quantity: Decimal }[], unexplained: Decimal = '0') =>
  event('DiscrepancyExplained', { conId: spy, symbol: 'SPY', quantity: '5', as: 'manual', moves, unexplained, reason: 'test' })

describe('ledger: fills', () => {
  const order = ordered('r-1', SPY, { trend: '60', hedge: '40' })

  it('reach the books part by part, in the same commit as the fill', () => {
    const ledger = ledgerOf(order, filled('r-1', SPY, 'e1.01', { trend: '6', hedge: '4' }))
    expect([bookOf(ledger, 'trend'), bookOf(ledger, 'hedge')]).to.deep.equal([{ [spy]: '6' }, { [spy]: '4' }])
    expect(ledger.orders['r-1']).to.include({ filled: '10', seen: true, status: 'planned' })
    expect(ledger.reportedAt[spy]).to.equal(ledger.position)
  })

  it('stay in the books when the rest of the order is cancelled, and only they', () => {
    const ledger = ledgerOf(order, filled('r-1', SPY, 'e1.01', { trend: '6', hedge: '4' }), closed('r-1', 'cancelled', '10'))
    expect(booksIn(ledger, spy)).to.equal('10')
    expect(openOrders(ledger)).to.deep.equal([])
  })

  it('do not reach any book by a cancel alone (a cancelled order was booked as filled)', () => {
    expect(booksIn(ledgerOf(order, placed('r-1'), closed('r-1', 'cancelled')), spy)).to.equal('0')
  })

  it('are replaced by their correction, in the books too', () => {
    const ledger = ledgerOf(
      order,
      filled('r-1', SPY, 'e1.01', { trend: '6', hedge: '4' }),
      filled('r-1', SPY, 'e2.01', { trend: '3', hedge: '2' }),
      filled('r-1', SPY, 'e1.02', { trend: '0', hedge: '1' }),
    )
    expect([bookOf(ledger, 'trend'), bookOf(ledger, 'hedge')]).to.deep.equal([{ [spy]: '3' }, { [spy]: '3' }])
    expect(ledger.orders['r-1']!.filled).to.equal('6')
    expect(recall(ledger.executions, 'e1')).to.include({ executionId: 'e1.02', quantity: '1', holder: 'books', orderRef: 'r-1' })
  })

  it('of a close-all that sells what is manual too go to manual, a correction as well, and make it no book', () => {
    const exit = ordered('r-3', SPY, { trend: '-6', manual: '-4' }, { closing: true })
    const held = [foreign('f1.01', '4'), booked('trend', SPY, '6')]
    const sold = ledgerOf(...held, exit, filled('r-3', SPY, 'e1.01', { trend: '-6', manual: '-4' }))
    expect([{ ...sold.manual }, { ...sold.books }]).to.deep.equal([{}, { trend: {} }])
    const corrected = continued(sold, filled('r-3', SPY, 'e1.02', { trend: '-6', manual: '-3' }))
    expect({ ...corrected.manual }).to.deep.equal({ [spy]: '1' })
  })

  it('count also when they come after the end of the order', () => {
    const ledger = ledgerOf(order, closed('r-1', 'cancelled'), filled('r-1', SPY, 'e1.01', { trend: '6', hedge: '4' }))
    expect(booksIn(ledger, spy)).to.equal('10')
  })

  it('make no empty entry when a book comes to nothing', () => {
    const sale = ordered('r-2', SPY, { trend: '-6' })
    const ledger = ledgerOf(...[order, filled('r-1', SPY, 'e1.01', { trend: '6' }), sale, filled('r-2', SPY, 'e2.01', { trend: '-6' })])
    expect(bookOf(ledger, 'trend')).to.deep.equal({})
  })

  it('of an order that nobody planned change nothing', () => {
    const ledger = ledgerOf(filled('r-9', SPY, 'e1.01', { trend: '6' }))
    expect(booksIn(ledger, spy)).to.equal('0')
  })

  it('keep their commission apart: none is not zero', () => {
    const ledger = ledgerOf(order, filled('r-1', SPY, 'e1.01', { trend: '6' }))
    expect(recall(ledger.commissions, 'e1')).to.equal(undefined)
    const later = continued(ledger, event('CommissionReported', { executionId: 'e1.01', commission: '0.35', currency: 'USD' }))
    expect(recall(later.commissions, 'e1')).to.include({ commission: '0.35' })
  })
})

describe('ledger: executions that are not ours', () => {
  it('go to manual and no book, and a correction moves only the difference', () => {
    const ledger = ledgerOf(foreign('f1.01', '10'), foreign('f1.02', '7'))
    expect({ ...ledger.manual }).to.deep.equal({ [spy]: '7' })
    expect(booksIn(ledger, spy)).to.equal('0')
    expect(ledger.ours[spy]).to.equal(undefined)
  })

  it('leave no manual entry of 0', () => {
    expect({ ...ledgerOf(foreign('f1.01', '10'), foreign('f2.01', '-10')).manual }).to.deep.equal({})
  })

  it('with our prefix and no plan belong to nobody and block the instrument', () => {
    const ledger = ledgerOf(foreign('f1.01', '10', 'nobody'))
    expect({ ...ledger.manual }).to.deep.equal({})
    expect(ledger.unexplained[spy]).to.include({ quantity: '10', found: true })
    expect(blockedBecause(ledger, spy)).to.contain('10 unexplained')
    expect(blockedBecause(continued(ledger, foreign('f1.02', '0', 'nobody')), spy)).to.equal(undefined)
  })

  it('in cash pairs are remembered and held by nobody', () => {
    const ledger = ledgerOf(foreign('f1.01', '10', 'manual', 'CASH'))
    expect({ ...ledger.manual }).to.deep.equal({})
    expect(recall(ledger.executions, 'f1')).to.include({ quantity: '10' })
  })
})

describe('ledger: differences', () => {
  it('block at first sight', () => {
    const ledger = ledgerOf(differs('5'))
    expect(ledger.unexplained[spy]).to.deep.equal({ symbol: 'SPY', quantity: '5', since: tuesday, found: false })
    expect(blockedBecause(ledger, spy)).to.contain('5 unexplained')
    expect(blockedBecause(ledger, VIXY.conId)).to.equal(undefined)
  })

  it('free the instrument when the next snapshot agrees', () => {
    const ledger = ledgerOf(differs('5'), found, snapshot())
    expect([blockedBecause(ledger, spy), ledger.unexplained[spy], ledger.discrepancies[spy]]).to.deep.equal([
      undefined,
      undefined,
      undefined,
    ])
  })

  it('stay where the next snapshot could not judge', () => {
    expect(blockedBecause(ledgerOf(differs('5'), snapshot({ unjudged: [spy] })), spy)).to.contain('5 unexplained')
  })

  it('keep the time of their first sight while they are the same, and not when they change', () => {
    const later = at('2024-01-09T16:00:00.000Z')
    expect(ledgerOf(differs('5'), later, differs('5')).unexplained[spy]!.since).to.equal(tuesday)
    expect(ledgerOf(differs('5'), later, differs('6')).unexplained[spy]!.since).to.equal('2024-01-09T16:00:00.000Z')
  })

  it('are told apart from a found discrepancy, which other kinds of snapshots do not lift', () => {
    const against = event('DiscrepancyFound', { conId: spy, symbol: 'SPY', kind: 'againstBook', quantity: '-5', text: 'sold by hand' })
    expect(blockedBecause(ledgerOf(against, snapshot()), spy)).to.equal('sold by hand')
  })

  it('end by an explanation that leaves nothing, moved to where it says', () => {
    const ledger = ledgerOf(
      differs('5'),
      found,
      explained([
        { holder: 'manual', quantity: '2' },
        { holder: 'trend', quantity: '3' },
      ]),
    )
    expect([ledger.manual[spy], ledger.books['trend']![spy]]).to.deep.equal(['2', '3'])
    expect(blockedBecause(ledger, spy)).to.equal(undefined)
    expect(ledger.ours[spy]).to.equal(true)
  })

  it('go on blocking by what an explanation leaves', () => {
    const ledger = ledgerOf(differs('5'), explained([{ holder: 'manual', quantity: '2' }], '3'))
    expect(blockedBecause(ledger, spy)).to.contain('3 unexplained')
  })

  it('block while an order of the instrument is unresolved', () => {
    const unresolved = event('OrderUnresolved', { orderRef: 'r-1', conId: spy, text: 'not found' })
    const ledger = ledgerOf(ordered('r-1', SPY, { trend: '5' }), unresolved)
    expect(blockedBecause(ledger, spy)).to.equal('order r-1 is unresolved')
    expect(blockedBecause(continued(ledger, placed('r-1')), spy)).to.equal(undefined)
    expect(blockedBecause(continued(ledger, closed('r-1', 'lost')), spy)).to.equal(undefined)
  })
})

describe('ledger: snapshots', () => {
  it('take what is manual from the snapshot, and zero is an answer', () => {
    const manual = (quantity: Decimal) => snapshot({ manual: [{ conId: 265598, symbol: 'AAPL', quantity }] })
    expect({ ...ledgerOf(manual('10')).manual }).to.deep.equal({ 265598: '10' })
    expect({ ...ledgerOf(manual('10'), manual('0')).manual }).to.deep.equal({})
    expect({ ...ledgerOf(manual('10'), snapshot()).manual }).to.deep.equal({ 265598: '10' })
  })

  it('doubt an order since the first one that misses it, until it shows', () => {
    const missing = snapshot({ asked: 1, missing: ['r-1'] })
    const ledger = ledgerOf(ordered('r-1', SPY, { trend: '5' }), missing, at('2024-01-09T15:02:00.000Z'), missing)
    expect(ledger.orders['r-1']!.missingSince).to.equal(tuesday)
    expect(continued(ledger, snapshot({ asked: 1 })).orders['r-1']!.missingSince).to.equal(null)
    expect(continued(ledger, placed('r-1')).orders['r-1']!.missingSince).to.equal(null)
  })

  it('judge no order that was planned after the questions began', () => {
    const missing = snapshot({ asked: 1, missing: ['r-1'] })
    const ledger = ledgerOf(ordered('r-1', SPY, { trend: '5' }), missing, snapshot({ asked: 0 }))
    expect(ledger.orders['r-1']!.missingSince).to.equal(tuesday)
  })
})

describe('ledger: orders', () => {
  it('go from planned to working to closed', () => {
    const planned = ledgerOf(ordered('r-1', SPY, { trend: '5' }, { orderId: 12 }))
    expect([planned.orders['r-1']!.status, planned.highestOrderId, planned.ours[spy]]).to.deep.equal(['planned', 12, true])
    const working = continued(planned, placed('r-1'))
    expect(working.orders['r-1']).to.include({ status: 'working', seen: true, permId: 70 })
    const done = continued(working, closed('r-1', 'rejected'))
    expect(done.orders['r-1']).to.include({ status: 'closed', how: 'rejected', closedAt: tuesday })
    expect([openOrders(working).length, openOrdersIn(working, VIXY.conId).length, openOrders(done).length]).to.deep.equal([1, 0, 0])
  })

  it('come back when they show themselves after their end, but for one that was filled', () => {
    const order = ordered('r-1', SPY, { trend: '5' })
    for (const how of ['lost', 'expired', 'cancelled', 'rejected'] as const)
      expect(ledgerOf(order, closed('r-1', how), placed('r-1')).orders['r-1'], how).to.include({
        status: 'working',
        how: null,
        closedAt: null,
      })
    expect(ledgerOf(order, closed('r-1', 'filled'), placed('r-1')).orders['r-1']).to.include({ status: 'closed', how: 'filled' })
  })

  it('never lower the highest order id', () => {
    const ledger = ledgerOf(ordered('r-1', SPY, { trend: '5' }, { orderId: 12 }), ordered('r-2', SPY, { trend: '5' }, { orderId: 7 }))
    expect(ledger.highestOrderId).to.equal(12)
  })

  it('remember that a cancel was asked for', () => {
    const asked = event('OrderCancelRequested', { orderRef: 'r-1', reason: 'test' })
    expect(ledgerOf(ordered('r-1', SPY, { trend: '5' }), asked).orders['r-1']!.cancelRequested).to.equal(true)
  })
})

describe('ledger: forgetting', () => {
  const order = ordered('r-1', SPY, { trend: '5' })
  const done = [order, filled('r-1', SPY, 'e1.01', { trend: '5' }), closed('r-1', 'filled', '5'), foreign('f1.01', '3')]
  const daysLater = (days: number) => [...done, at(new Date(Date.parse(tuesday) + days * 86_400_000).toISOString()), neutral('trend')]

  it('keeps executions and closed orders for 35 days at least', () => {
    const ledger = ledgerOf(...daysLater(35))
    expect(recall(ledger.executions, 'e1')).not.to.equal(undefined)
    expect(recall(ledger.executions, 'f1')).not.to.equal(undefined)
    expect(ledger.orders['r-1']).not.to.equal(undefined)
  })

  it('drops them in the end, and keeps what they did', () => {
    const ledger = ledgerOf(...daysLater(100))
    expect(recall(ledger.executions, 'e1')).to.equal(undefined)
    expect(ledger.orders['r-1']).to.equal(undefined)
    expect([ledger.books['trend']![spy], ledger.manual[spy]]).to.deep.equal(['5', '3'])
  })

  it('never drops an order that is open', () => {
    const ledger = ledgerOf(order, at('2025-01-09T15:00:00.000Z'), neutral('trend'))
    expect(ledger.orders['r-1']!.status).to.equal('planned')
  })
})

describe('ledger: signals, standing targets and crossing', () => {
  it('take the later of signal and failure for the last word', () => {
    expect(lastWord(ledgerOf(wants('trend', []), failed('trend')), 'trend')).to.include({ code: 'BARS_STALE' })
    expect(lastWord(ledgerOf(failed('trend'), wants('trend', [])), 'trend')).to.include({ kind: 'targets', position: 2 })
    expect(lastWord(ledgerOf(), 'trend')).to.equal(undefined)
  })

  it('never take a dry run for a word, except inside its own pipeline', () => {
    const dry = wants('trend', [{ instrument: SPY, weight: '1' }], { dryRun: true })
    const started = event('PipelineStarted', { pipeline: 'p', plan: { dryRun: true }, validUntil: null, endsBy: tuesday })
    const ledger = ledgerOf(dry, caused(command('p', 'orchestrator'), started), caused(command('p:trend', 'trend', { pipeline: 'p' }), dry))
    expect(lastWord(ledger, 'trend')).to.equal(undefined)
    expect(ledger.pipelines['p']!.drySignals['trend']).to.include({ kind: 'targets' })
    expect(ledger.pipelines['p']!.steps['p:trend']).to.include({ outcome: 'done' })
  })

  it('keep a standing target that the next set does not name', () => {
    const ledger = ledgerOf(
      stands('trend', [
        { instrument: SPY, quantity: '5' },
        { instrument: VIXY, quantity: '7' },
      ]),
      stands('trend', [{ instrument: SPY, quantity: '0' }], '0.5'),
    )
    expect(ledger.standing['trend']![spy]).to.include({ quantity: '0', signal: 1, factor: '0.5' })
    expect(ledger.standing['trend']![VIXY.conId]).to.include({ quantity: '7' })
  })

  it('move books against each other when they are crossed', () => {
    const crossed = event('PositionsCrossed', {
      ...{ conId: spy, symbol: 'SPY', price: '100', priceAt: tuesday },
      moves: [
        { strategy: 'trend', quantity: '-5' },
        { strategy: 'hedge', quantity: '5' },
      ],
    })
    const ledger = ledgerOf(booked('trend', SPY, '5'), crossed)
    expect([bookOf(ledger, 'trend'), bookOf(ledger, 'hedge')]).to.deep.equal([{}, { [spy]: '5' }])
  })
})

describe('ledger: the engine, the switch and the configuration', () => {
  it('is off until the first resume, and remembers when a halt was published', () => {
    expect(ledgerOf().trading.on).to.equal(false)
    const halted = event('TradingHalted', { reason: 'stop', publishedAt: tuesday, cancelWorking: false })
    const resumed = event('TradingResumed', { reason: 'go' })
    expect(ledgerOf(resumed, halted).trading).to.deep.equal({ on: false, reason: 'stop', haltPublishedAt: tuesday })
    expect(ledgerOf(halted, resumed).trading).to.deep.equal({ on: true, reason: 'go', haltPublishedAt: tuesday })
  })

  it('keeps the switch over a restart, and is disconnected until the gateway is there again', () => {
    const ledger = ledgerOf(...ready, event('EngineStarted', { epoch: 2, mode: 'paper' }))
    expect(ledger.trading.on).to.equal(true)
    expect([ledger.epoch, ledger.gateway.connected]).to.deep.equal([2, false])
  })

  it('fixes the account by the first connection for ever', () => {
    const other = event('GatewayConnected', { account: 'DU9999999', nextValidId: 5, serverVersion: 193 })
    expect(ledgerOf(...ready, other)).to.include({ account: 'DU1234567', nextValidId: 5 })
  })

  it('takes the prefix of order refs from the first commit', () => {
    const ledger = ledgerOf(...ready)
    expect(ledger.prefix).to.match(/^[0-9a-f]{6}$/)
    expect(continued(ledger, neutral('trend')).prefix).to.equal(ledger.prefix)
  })

  it('lays changes of the configuration over each other', () => {
    const ledger = ledgerOf(
      configured({ 'exposure.overall': 0.5 }),
      configured({ freshMinutes: 5 }),
      configured({ 'exposure.overall': 0.7 }),
    )
    expect({ ...ledger.configuration }).to.deep.equal({ 'exposure.overall': 0.7, freshMinutes: 5 })
    expect(ledger.configuredAt).to.equal(3)
  })

  it('follows no commit that does not follow', () => {
    const commit = {
      position: 2,
      epoch: 1,
      recordedAt: tuesday,
      cause: { kind: 'broker', report: 'test' } as const,
      events: [],
      previousHash: 'x',
    }
    expect(() => foldEvents(initialLedger(), commit, 'hash', [])).to.throw('commit 2 does not follow position 0')
  })

  it('names an event it cannot read', () => {
    const cause = { kind: 'broker', report: 'test' } as const
    const unknown = { type: 'OrderGuessed', v: 1, occurredAt: tuesday, data: {} }
    const stored = store({ position: 1, epoch: 1, recordedAt: tuesday, cause, events: [unknown], previousHash: '0'.repeat(64) })
    expect(() => fold(initialLedger(), stored)).to.throw('OrderGuessed')
  })
})

describe('ledger, whatever comes', () => {
  const strategies = ['trend', 'hedge'] as const
  const report = fc.record({
    order: fc.nat(2),
    execution: fc.nat(3),
    revision: fc.integer({ min: 1, max: 3 }),
    shares: fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })),
    kind: fc.constantFrom('fill', 'foreign', 'crossed'),
  })

  it('books and manual are the sum of the latest revisions of all executions', () => {
    fc.assert(
      fc.property(fc.array(report, { maxLength: 25 }), (reports) => {
        const latest = new Map<string, Decimal>()
        const steps: Step[] = [0, 1, 2].map((number) => ordered(`r-${number}`, SPY, { trend: '50', hedge: '50' }, { orderId: number + 1 }))
        for (const { order, execution, revision, shares, kind } of reports) {
          const split = Object.fromEntries(strategies.map((strategy, index) => [strategy, String(shares[index])]))
          const id = `${kind}-${order}-${execution}`
          const quantity = String(shares[0] + shares[1])
          if (kind === 'crossed') {
            const moves = strategies.map((strategy, index) => ({ strategy, quantity: String(index === 0 ? shares[0] : 0 - shares[0]) }))
            steps.push(event('PositionsCrossed', { conId: spy, symbol: 'SPY', price: '100', priceAt: tuesday, moves }))
            continue
          }
          latest.set(id, quantity)
          steps.push(kind === 'fill' ? filled(`r-${order}`, SPY, `${id}.0${revision}`, split) : foreign(`${id}.0${revision}`, quantity))
        }
        const ledger = ledgerOf(...steps)
        expect(add(booksIn(ledger, spy), ledger.manual[spy] ?? '0')).to.equal(sum([...latest.values()]))
        for (const number of [0, 1, 2]) {
          const { fills, filled: total } = ledger.orders[`r-${number}`]!
          expect(subtract(sum(Object.values(fills).map(({ quantity }) => quantity)), total)).to.equal('0')
        }
        for (const book of Object.values(ledger.books)) for (const quantity of Object.values(book)) expect(isZero(quantity)).to.equal(false)
      }),
      { numRuns: 150 },
    )
  })

  it('is plain JSON: a copy of its text goes on like the original', () => {
    const begin: Step[] = [...ready, snapshot(), booked('trend', SPY, '5'), ordered('r-1', SPY, { trend: '5' })]
    const rest: Step[] = [filled('r-1', SPY, 'e1.01', { trend: '5' }), together(closed('r-1', 'filled', '5'), neutral('hedge'))]
    const original = ledgerOf(...begin)
    const copy = JSON.parse(canonical(original)) as Ledger
    expect(canonical(continued(copy, ...rest))).to.equal(canonical(continued(original, ...rest)))
  })
})
