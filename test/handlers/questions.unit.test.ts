import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { Broker, BrokerSnapshot } from '../../domain/ports/broker.ts'
import type { OrderDesk } from '../../handlers/order-desk.ts'
import { createQuestions, type Questions } from '../../handlers/questions.ts'
import { createWriter, type Writer } from '../../handlers/writer.ts'
import { type SimulatedClock, simulatedClock } from '../../infra/clock.ts'
import { until } from '../contract/until.ts'
import { dataOf, ordered, ready, SPY, tuesday } from '../given.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { silent } from './ports-in-hand.ts'

const second = 1_000

describe('the engine’s own questions', () => {
  let ledger: Ledger
  let writer: Writer
  let questions: Questions
  let clock: SimulatedClock
  let written: DomainEvent[]
  let answered: number
  /** Questions that wait for their answer. */
  let open: { answer(snapshot?: Partial<BrokerSnapshot>): void; fail(reason: string): void }[]
  let asked: number
  let inHand: string[]
  let heard: number
  let saidUntil: number[]

  const commit = (...events: DomainEvent[]) =>
    writer.enqueue(async () => void (await writer.commit({ kind: 'engine', reason: 'test' }, events)))
  const snapshot = (parts: Partial<BrokerSnapshot>): BrokerSnapshot => ({
    ...{ account: 'DU1234567', takenAt: new Date(clock.now()).toISOString(), executions: [], commissions: [] },
    ...{ openOrders: [], completedOrders: [], positions: [] },
    values: {
      ...{ baseCurrency: 'USD', netLiquidation: '100000', availableFunds: '90000', grossPositionValue: undefined },
      ...{ cash: {}, exchangeRates: {}, all: [] },
    },
    ...parts,
  })
  const openQuestions = (count: number) => until(`${count} questions are open`, () => open.length === count)
  const answerNext = async (parts: Partial<BrokerSnapshot> = {}) => {
    const before = answered
    open.shift()!.answer(parts)
    await until('it is judged', () => answered === before + 1)
  }
  const reconciled = () => dataOf(written, 'PositionReconciled')

  beforeEach(async () => {
    ledger = initialLedger()
    ledger.epoch = 1
    clock = simulatedClock(Date.parse(tuesday))
    ;[written, open, inHand, saidUntil] = [[], [], [], []]
    ;[answered, asked, heard] = [0, 0, 0]
    const broker = {
      connected: () => true,
      snapshot: () => {
        asked++
        return new Promise<BrokerSnapshot>((resolve, reject) =>
          open.push({ answer: (parts = {}) => resolve(snapshot(parts)), fail: (reason) => reject(new Error(reason)) }),
        )
      },
    } as unknown as Broker
    const desk = {
      notHandedOver: () => inHand,
      sequence: () => heard,
      said: (sequence: number) => {
        saidUntil.push(sequence)
        return {}
      },
    } as unknown as OrderDesk
    writer = createWriter({
      ...{ journal: memoryJournal(createMemory()), clock, ledger },
      committed: ({ events }) => {
        written.push(...events)
        questions.arm()
      },
      failed: (reason) => {
        throw reason
      },
    })
    questions = createQuestions({
      ...{ ledger, broker, clock, writer, desk, log: silent },
      line: () => 1,
      answered: () => answered++,
      settled: () => undefined,
    })
    for (const step of ready) await commit(step as DomainEvent)
  })
  afterEach(() => questions.stop())

  it('judge no order that was planned after they were asked, whenever the answer comes', async () => {
    questions.ask('test')
    await openQuestions(1)
    await commit(ordered('abc-1', SPY, { trend: '100' }))
    await answerNext()
    expect(reconciled()[0]).to.deep.include({ missing: [], unjudged: [SPY.conId] })
    questions.ask('again')
    await openQuestions(1)
    await answerNext()
    expect(reconciled()[1]!.missing).to.deep.equal(['abc-1'])
  })

  it('judge no order that is still in hand', async () => {
    await commit(ordered('abc-1', SPY, { trend: '100' }))
    inHand = ['abc-1']
    questions.ask('test')
    await openQuestions(1)
    await answerNext()
    expect(reconciled()[0]!.missing).to.deep.equal([])
  })

  it('confirm no end that was announced after they were asked', async () => {
    heard = 4
    questions.ask('test')
    await openQuestions(1)
    heard = 5
    await answerNext()
    expect(saidUntil).to.deep.equal([4])
  })

  it('are asked once more, and only once, when a doubt arises while one is open', async () => {
    questions.ask('first')
    await openQuestions(1)
    questions.ask('second')
    questions.ask('third')
    expect(asked).to.equal(1)
    await answerNext()
    await openQuestions(1)
    await answerNext()
    await until('nothing is open', () => !questions.open())
    expect(asked).to.equal(2)
  })

  it('that get no answer change nothing, and are asked again after ten seconds', async () => {
    questions.ask('test')
    await openQuestions(1)
    open.shift()!.fail('no answer within 30 s')
    await until('nothing is open', () => !questions.open())
    expect([reconciled(), answered]).to.deep.equal([[], 0])
    await clock.moveTo(clock.now() + 10 * second - 1)
    expect(asked).to.equal(1)
    await clock.moveTo(clock.now() + 1)
    await openQuestions(1)
    await answerNext()
    expect(answered).to.equal(1)
  })

  it('are asked a minute after a plan that nobody has shown, and a minute after it was missed first', async () => {
    await commit(ordered('abc-1', SPY, { trend: '100' }))
    await clock.moveTo(clock.now() + 60 * second - 1)
    expect(asked).to.equal(0)
    await clock.moveTo(clock.now() + 1)
    await openQuestions(1)
    await answerNext()
    expect(ledger.orders['abc-1']!.missingSince).not.to.equal(null)
    await clock.moveTo(clock.now() + 60 * second)
    await openQuestions(1)
    await answerNext()
    expect(dataOf(written, 'OrderUnresolved').map(({ orderRef }) => orderRef)).to.deep.equal(['abc-1'])
  })

  it('end with the engine: none is asked any more, overdue or not', async () => {
    await commit(ordered('abc-1', SPY, { trend: '100' }))
    questions.stop()
    questions.ask('test')
    await commit(event('OrderCancelRequested', { orderRef: 'abc-1', reason: 'test' }))
    await clock.moveTo(clock.now() + 3_600 * second)
    expect(asked).to.equal(0)
  })
})
