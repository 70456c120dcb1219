import { expect } from 'chai'
import { decode } from '../../domain/decode.ts'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import dummy from '../../domain/strategies/dummy.ts'
import spymacdvixy from '../../domain/strategies/spymacdvixy.ts'
import type { EngineFacts, Handler } from '../../handlers/handler.ts'
import { handlersFor } from '../../handlers/handlers.ts'
import {
  booked,
  closed,
  configured,
  continued,
  dataOf,
  given,
  ordered,
  ready,
  SPY,
  type Step,
  snapshot,
  together,
  tuesday,
} from '../given.ts'

const handlers = handlersFor({ dummy, spymacdvixy })
const engine: EngineFacts = {
  ...{ ready: true, notHandedOver: [], said: {}, strategies: { dummy, spymacdvixy } },
  ...{ validUntil: null, endsBy: '2024-01-09T16:00:00.000Z' },
}

type Asked = { publishedAt?: string; notHandedOver?: string[]; id?: string }

/** Decides one command as the engine would, body checked by the handler's own codec. */
const deciding =
  (type: string, body: object = {}, { publishedAt = tuesday, notHandedOver = [], id = 'c1' }: Asked = {}) =>
  (ledger: Ledger): DomainEvent[] | string => {
    const { handler } = handlers.published(type) as { handler: Handler }
    const decoded = decode(handler.body, body)
    if (!decoded.ok) return `BODY_INVALID ${decoded.problem}`
    const command = { id, type, publishedAt, source: 'test', body: decoded.value }
    const decided = handler.decide({ ledger, command, facts: null, now: Date.parse(tuesday), engine: { ...engine, notHandedOver } })
    return isRefusal(decided) ? `${decided.refusal} ${decided.text}` : decided
  }
const events = (decided: DomainEvent[] | string): DomainEvent[] => {
  if (typeof decided === 'string') throw new Error(decided)
  return decided
}
const types = (decided: DomainEvent[] | string) => (typeof decided === 'string' ? decided.split(' ')[0] : decided.map(({ type }) => type))
const followed = (ledger: Ledger, decided: DomainEvent[] | string, ...more: Step[]) =>
  continued(ledger, together(...events(decided)), ...more)

const order = ordered('abc-1', SPY, { trend: '100' })

describe('halt', () => {
  it('withdraws what is in hand and leaves alone what was handed over', () => {
    const working = ordered('abc-2', SPY, { trend: '50' }, { orderId: 2 })
    const decided = given(ready, order, working).when(deciding('halt', { reason: 'enough' }, { notHandedOver: ['abc-1'] }))
    expect(types(decided)).to.deep.equal(['TradingHalted', 'OrderClosed'])
    expect(dataOf(events(decided), 'OrderClosed')[0]).to.include({ orderRef: 'abc-1', how: 'withdrawn' })
  })

  it('calls back working orders only when it is wished for', () => {
    const decided = given(ready, order).when(deciding('halt', { cancelWorking: true }))
    expect(types(decided)).to.deep.equal(['TradingHalted', 'OrderCancelRequested'])
    expect(types(given(ready, order, configured({ 'halt.cancelWorking': true })).when(deciding('halt')))).to.include('OrderCancelRequested')
  })

  it('leaves the orders of a close-all, in hand or at work: they lower the risk', () => {
    const exits = [
      ordered('abc-2', SPY, { trend: '-50' }, { orderId: 2, closing: true }),
      ordered('abc-3', SPY, { trend: '-50' }, { orderId: 3, closing: true }),
    ]
    const decided = given(ready, exits).when(deciding('halt', { cancelWorking: true }, { notHandedOver: ['abc-2'] }))
    expect(types(decided)).to.deep.equal(['TradingHalted'])
  })

  it('twice is once, but a later one moves the time before which a resume is void', () => {
    const { ledger } = given(ready)
    const halted = followed(ledger, deciding('halt')(ledger))
    expect(types(deciding('halt')(halted))).to.deep.equal(['CommandCompleted'])
    expect(types(deciding('halt', {}, { publishedAt: '2024-01-09T15:00:01.000Z' })(halted))).to.deep.equal(['TradingHalted'])
  })
})

describe('resume', () => {
  it('published before the halt does nothing', () => {
    const { ledger } = given(ready)
    const halted = followed(ledger, deciding('halt', {}, { publishedAt: '2024-01-09T15:00:02.000Z' })(ledger))
    expect(types(deciding('resume')(halted))).to.equal('SUPERSEDED_BY_HALT')
    expect(types(deciding('resume', {}, { publishedAt: '2024-01-09T15:00:03.000Z' })(halted))).to.deep.equal(['TradingResumed'])
  })

  it('published before a halt does nothing after it, though one that was published earlier still came in between', () => {
    const at = (second: number) => ({ publishedAt: `2024-01-09T15:00:0${second}.000Z` })
    const { ledger } = given(ready)
    const halted = followed(ledger, deciding('halt', {}, at(4))(ledger))
    const resumed = followed(halted, deciding('resume', {}, at(5))(halted))
    const late = followed(resumed, deciding('halt', {}, at(2))(resumed))
    expect(late.trading).to.include({ on: false, haltPublishedAt: at(4).publishedAt })
    expect(types(deciding('resume', {}, at(3))(late))).to.equal('SUPERSEDED_BY_HALT')
    expect(types(deciding('resume', {}, at(6))(late))).to.deep.equal(['TradingResumed'])
  })

  it('is needed once for a new journal, and nothing when trading is on', () => {
    const fresh = event('EngineStarted', { epoch: 1, mode: 'paper' })
    expect(types(given(fresh).when(deciding('resume')))).to.deep.equal(['TradingResumed'])
    expect(types(given(ready).when(deciding('resume')))).to.deep.equal(['CommandCompleted'])
  })
})

describe('configure', () => {
  it('shows old and new of what really changes', () => {
    const decided = given(ready).when(deciding('configure', { changes: { 'exposure.overall': 0.5, freshMinutes: 180 } }))
    expect(dataOf(events(decided), 'ConfigurationChanged')[0]!.changes).to.deep.equal({ 'exposure.overall': { from: 0.9, to: 0.5 } })
  })

  it('is refused whole when anything in it is wrong, and names it', () => {
    const wrong = (changes: object) => given(ready).when(deciding('configure', { changes })) as string
    expect(wrong({ 'exposure.overall': 0.5, 'exposure.overal': 1 })).to.match(/^CONFIGURATION_INVALID.*exposure\.overal/)
    expect(wrong({ 'strategies.dummy.allocation': 0.7, 'strategies.spymacdvixy.allocation': 0.7 })).to.match(/sum to 1\.4/)
    expect(wrong({ 'strategies.dumy.allocation': 0.1 })).to.match(/no strategy "dumy"/)
    expect(wrong({ 'strategies.spymacdvixy.parameters.bearish': 'sideways' })).to.match(/bearish/)
    expect(wrong({ freshMinutes: '60' })).to.match(/freshMinutes must be a number/)
  })

  it('takes a parameter that nobody had set', () => {
    const decided = given(ready).when(deciding('configure', { changes: { 'strategies.spymacdvixy.parameters.bearish': 'flat' } }))
    expect(dataOf(events(decided), 'ConfigurationChanged')[0]!.changes).to.deep.equal({
      'strategies.spymacdvixy.parameters.bearish': { from: null, to: 'flat' },
    })
  })
})

describe('cancel-order', () => {
  it('asks the broker, withdraws what never left, and refuses what has ended or never was', () => {
    const asked = given(ready, order).when(deciding('cancel-order', { orderRef: 'abc-1' }))
    expect(types(asked)).to.deep.equal(['OrderCancelRequested'])
    const again = deciding('cancel-order', { orderRef: 'abc-1' })(continued(given(ready, order).ledger, together(...events(asked))))
    expect(types(again), 'a person who asks again means it').to.deep.equal(['OrderCancelRequested'])
    expect(types(given(ready, order).when(deciding('cancel-order', { orderRef: 'abc-1' }, { notHandedOver: ['abc-1'] })))).to.deep.equal([
      'OrderClosed',
    ])
    expect(types(given(ready, order, closed('abc-1', 'filled')).when(deciding('cancel-order', { orderRef: 'abc-1' })))).to.equal(
      'ORDER_CLOSED',
    )
    expect(types(given(ready).when(deciding('cancel-order', { orderRef: 'abc-9' })))).to.equal('ORDER_UNKNOWN')
  })

  it('helps whoever misspelt a ref, took somebody else’s order for ours, or came too late', () => {
    const cancel = (orderRef: string, ...steps: Step[]) => given(ready, ...steps).when(deciding('cancel-order', { orderRef })) as string
    expect(cancel('abc-9')).to.equal('ORDER_UNKNOWN there is no such order: abc-9; no order of ours is open')
    expect(cancel('abc-9', order)).to.match(/abc-9; open are abc-1$/)
    const foreign = { orderRef: 'desk-7', orderId: 0, permId: 7, status: 'Submitted' }
    expect(cancel('desk-7', snapshot({ openOrders: [foreign] }))).to.match(/not one of ours: call it back where it was given$/)
    expect(cancel('abc-1', order, closed('abc-1', 'filled'))).to.match(
      /^ORDER_CLOSED the order has ended: abc-1 is filled since 2024-01-09T15:00:00.000Z: test$/,
    )
  })
})

describe('resolve-order', () => {
  const body = { orderRef: 'abc-1', as: 'lost', reason: 'the broker confirmed by telephone' }

  it('ends only what is unresolved', () => {
    const doubt = event('OrderUnresolved', { orderRef: 'abc-1', conId: SPY.conId, text: 'not found' })
    expect(dataOf(events(given(ready, order, doubt).when(deciding('resolve-order', body))), 'OrderClosed')[0]).to.include({ how: 'lost' })
    expect(given(ready, order).when(deciding('resolve-order', body))).to.match(
      /^ORDER_NOT_UNRESOLVED .*abc-1 is planned; .*reconcile asks$/,
    )
    const seen = event('OrderPlaced', { orderRef: 'abc-1', orderId: 1, permId: 7, evidence: 'status Submitted' })
    expect(given(ready, order, seen).when(deciding('resolve-order', body))).to.match(/abc-1 is working; .*cancel-order calls it back$/)
    expect(given(ready).when(deciding('resolve-order', body))).to.match(/^ORDER_UNKNOWN/)
    expect(given(ready, order, closed('abc-1', 'lost')).when(deciding('resolve-order', body)), 'a second time').to.match(
      /^ORDER_CLOSED .*is lost/,
    )
    expect(given(ready).when(deciding('resolve-order', { orderRef: 'abc-1' }))).to.match(/^BODY_INVALID/)
  })

  it('ends none of which a fill may stand unexplained: that is explained first', () => {
    const doubt = event('OrderUnresolved', { orderRef: 'abc-1', conId: SPY.conId, text: 'not found' })
    const standing = (unexplained: string) =>
      event('PositionReconciled', {
        ...{ account: 'DU1234567', takenAt: tuesday, asked: 99, exchangeRates: {}, cash: {}, positions: [], openOrders: [], manual: [] },
        differences: [{ conId: SPY.conId, symbol: 'SPY', reported: unexplained, expected: '0', unexplained }],
        ...{ missing: [], unjudged: [] },
      })
    expect(given(ready, order, doubt, standing('40')).when(deciding('resolve-order', body))).to.match(
      /^UNEXPLAINED_FIRST .*40 SPY stand unexplained since .* may be fills of abc-1; explain them as fill, book or manual$/,
    )
    const other = given(ready, order, doubt, standing('-40'))
    expect(dataOf(events(other.when(deciding('resolve-order', body))), 'OrderClosed'), 'a purchase explains no sale').to.have.length(1)
    const { ledger } = given(ready, order, doubt, standing('40'))
    const explained = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '40', as: 'manual' })(ledger))
    expect(dataOf(events(deciding('resolve-order', body)(explained)), 'OrderClosed')[0]).to.include({ how: 'lost' })
  })
})

describe('explain', () => {
  const byHand = event('ForeignExecutionSeen', {
    ...{
      conId: SPY.conId,
      symbol: 'SPY',
      secType: 'STK',
      executionId: 'h1.01',
      orderRef: '',
      quantity: '-10',
      price: '100',
      holder: 'manual',
    },
  })
  const against = event('DiscrepancyFound', { conId: SPY.conId, symbol: 'SPY', kind: 'againstBook', quantity: '-10', text: 'by hand' })
  const handTrade: Step[] = [ready, booked('trend', SPY, '50'), byHand, against]
  const unexplained: Step[] = [
    ...[ready, booked('trend', SPY, '50'), booked('hedge', SPY, '30'), order],
    event('PositionReconciled', {
      ...{ account: 'DU1234567', takenAt: tuesday, asked: 99, exchangeRates: {}, cash: {}, positions: [], openOrders: [], manual: [] },
      differences: [{ conId: SPY.conId, symbol: 'SPY', reported: '120', expected: '80', unexplained: '40' }],
      ...{ missing: [], unjudged: [] },
    }),
  ]

  it('gives a hand trade against a book to the book, and unblocks', () => {
    const { ledger } = given(...handTrade)
    const after = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '-10', as: 'book', strategy: 'trend' })(ledger))
    expect(after.books['trend']).to.deep.equal({ [SPY.conId]: '40' })
    expect(after.manual).to.deep.equal({})
    expect(after.discrepancies).to.deep.equal({})
  })

  it('or leaves it in manual', () => {
    const { ledger } = given(...handTrade)
    const after = followed(ledger, deciding('explain', { instrument: SPY.conId, quantity: '-10', as: 'manual' })(ledger))
    expect([after.books['trend'], after.manual]).to.deep.equal([{ [SPY.conId]: '50' }, { [SPY.conId]: '-10' }])
    expect(after.discrepancies).to.deep.equal({})
  })

  it('in part leaves the rest unexplained and the instrument blocked', () => {
    const { ledger } = given(...unexplained)
    const after = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '15', as: 'manual' })(ledger))
    expect(after.unexplained[SPY.conId]!.quantity).to.equal('25')
    expect(after.manual).to.deep.equal({ [SPY.conId]: '15' })
  })

  it('confirms the fill of an order whose report was lost', () => {
    const { ledger } = given(...unexplained)
    const decided = deciding('explain', { instrument: 'SPY', quantity: '40', as: 'fill', orderRef: 'abc-1', price: '99.5' })(ledger)
    expect(dataOf(events(decided), 'FillReceived')[0]).to.include({ orderRef: 'abc-1', quantity: '40', price: '99.5' })
    const after = followed(ledger, decided)
    expect([after.books['trend'], after.unexplained]).to.deep.equal([{ [SPY.conId]: '90' }, {}])
    expect(after.orders['abc-1']!.filled).to.equal('40')
  })

  it('spreads a corporate action over the holders, in proportion', () => {
    const { ledger } = given(...unexplained)
    const after = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '40', as: 'corporateAction' })(ledger))
    expect([after.books, after.manual]).to.deep.equal([{ trend: { [SPY.conId]: '75' }, hedge: { [SPY.conId]: '45' } }, {}])
  })

  it('refuses more than there is, the other direction, nothing to explain, and an unknown book', () => {
    const refused = (body: object, ...steps: Step[]) => types(given(...steps).when(deciding('explain', body)))
    expect(refused({ instrument: 'SPY', quantity: '41', as: 'manual' }, ...unexplained)).to.equal('EXPLANATION_TOO_LARGE')
    expect(refused({ instrument: 'SPY', quantity: '-1', as: 'manual' }, ...unexplained)).to.equal('EXPLANATION_TOO_LARGE')
    expect(refused({ instrument: 'SPY', quantity: '1', as: 'manual' }, ready)).to.equal('NOTHING_TO_EXPLAIN')
    expect(refused({ instrument: 'TSLA', quantity: '1', as: 'manual' }, ready)).to.equal('INSTRUMENT_UNKNOWN')
    expect(refused({ instrument: 'SPY', quantity: '1', as: 'book', strategy: 'nobody' }, ...unexplained)).to.equal('STRATEGY_UNKNOWN')
    expect(refused({ instrument: 'SPY', quantity: '1,5', as: 'manual' }, ready)).to.equal('BODY_INVALID')
  })

  it('confirms no fill that the order cannot have had', () => {
    const fill = (step: Step, body: object) => types(given(...unexplained, step).when(deciding('explain', { instrument: 'SPY', ...body })))
    const sale = ordered('abc-2', SPY, { trend: '-100' }, { orderId: 2 })
    expect(fill(sale, { quantity: '40', as: 'fill', orderRef: 'abc-2' })).to.equal('EXPLANATION_TOO_LARGE')
    const small = ordered('abc-2', SPY, { trend: '30' }, { orderId: 2 })
    expect(fill(small, { quantity: '40', as: 'fill', orderRef: 'abc-2' })).to.equal('EXPLANATION_TOO_LARGE')
  })

  it('may open the book of a strategy that has none yet', () => {
    const { ledger } = given(...unexplained)
    const after = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '40', as: 'book', strategy: 'dummy' })(ledger))
    expect([after.books['dummy'], after.unexplained]).to.deep.equal([{ [SPY.conId]: '40' }, {}])
  })

  it('lets each trouble of an instrument be explained by itself', () => {
    const changed = event('DiscrepancyFound', {
      conId: SPY.conId,
      symbol: 'SPY',
      kind: 'instrumentChanged',
      quantity: '0',
      text: 'another',
    })
    const { ledger } = given(...unexplained, changed)
    const looked = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '0', as: 'manual' })(ledger))
    expect([looked.discrepancies, looked.unexplained[SPY.conId]!.quantity]).to.deep.equal([{}, '40'])
    const counted = followed(ledger, deciding('explain', { instrument: 'SPY', quantity: '40', as: 'manual' })(ledger))
    expect([counted.discrepancies[SPY.conId]!.kind, counted.unexplained]).to.deep.equal(['instrumentChanged', {}])
  })
})

describe('names of commands', () => {
  it('understand the aliases of strategies and underscores, and nothing else', () => {
    expect(handlers.published('spy_macd_vixy')?.type).to.equal('spymacdvixy')
    expect(handlers.published('SpyMacdVixy')?.type).to.equal('spymacdvixy')
    expect(handlers.published('cancel_order')?.type).to.equal('cancel-order')
    expect(handlers.published('allocation-round'), 'a step only').to.equal(undefined)
    expect(handlers.published('constructor')).to.equal(undefined)
    expect(handlers.published('alocation')).to.equal(undefined)
  })

  it('a body with a misspelt field is refused by name', () => {
    expect(given(ready).when(deciding('orchestrator', { dryrun: true }))).to.match(/^BODY_INVALID.*dryrun/)
    expect(given(ready).when(deciding('allocation', { freshMinutes: 0 }))).to.match(/^BODY_INVALID.*freshMinutes/)
    expect(given(ready).when(deciding('allocation', { orderProperties: { timeInforce: 'GTC' } }))).to.match(/^BODY_INVALID.*timeInforce/)
  })
})
