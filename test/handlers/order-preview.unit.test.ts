import { expect } from 'chai'
import type { DomainEvent } from '../../domain/events.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import { type Broker, BrokerUnavailable, type OrderTicket, type Preview } from '../../domain/ports/broker.ts'
import { createOrderDesk, type OrderDesk } from '../../handlers/order-desk.ts'
import { judgePreview } from '../../handlers/order-preview.ts'
import { createWriter, type Writer } from '../../handlers/writer.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { closed, dataOf, ordered, ready, SPY, tuesday } from '../given.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { silent } from './ports-in-hand.ts'

const preview = (availableFundsAfter: string | undefined): Preview => ({
  ...{ initialMarginChange: '9000', initialMarginAfter: '60000', equityAfter: '50000', availableFundsAfter },
  ...{ commission: undefined, warning: undefined },
})
const buy = (orderRef: string, orderId: number) => ordered(orderRef, SPY, { trend: '100' }, { orderId, previewId: orderId - 1 })
const sell = (orderRef: string, orderId: number) => ordered(orderRef, SPY, { trend: '-100' }, { orderId, reduces: true })

describe('an increase that is previewed', () => {
  let ledger: Ledger
  let writer: Writer
  let desk: OrderDesk
  let placed: OrderTicket[]
  let asked: { ticket: OrderTicket; answer: (answer: Preview) => void; fail: (error: Error) => void }[]
  let may: 'yes' | 'wait' | { not: string }
  let written: DomainEvent[]

  const commit = (...events: DomainEvent[]) =>
    writer.enqueue(async () => void (await writer.commit({ kind: 'engine', reason: 'test' }, events)))
  /** Whatever was answered is heard, and what follows from it is written. */
  const settled = async () => {
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setImmediate(resolve))
      await writer.enqueue(() => {})
    }
  }
  const withdrawn = () => dataOf(written, 'OrderClosed').map(({ orderRef, how, text }) => `${orderRef} ${how}: ${text}`)
  const refs = () => placed.map(({ orderRef }) => orderRef)

  beforeEach(async () => {
    ledger = initialLedger()
    ;[placed, asked, written, may] = [[], [], [], 'yes']
    const broker = {
      place: (ticket: OrderTicket) => void placed.push(ticket),
      whatIf: (ticket: OrderTicket) => new Promise<Preview>((answer, fail) => asked.push({ ticket, answer, fail })),
    } as unknown as Broker
    writer = createWriter({
      ...{ journal: memoryJournal(createMemory()), clock: simulatedClock(Date.parse(tuesday)), ledger },
      committed: (done) => {
        written.push(...done.events)
        desk.take(done)
      },
      failed: (reason) => {
        throw reason
      },
    })
    desk = createOrderDesk({
      ...{ ledger, broker, writer, log: silent, reportsTogether: false, mayHandOver: () => may },
      ask: () => {},
    })
    ledger.epoch = 1
    for (const step of ready) await commit(step as DomainEvent)
  })

  it('goes out when the broker leaves funds for it, asked once under an id of its own', async () => {
    await commit(buy('abc-1', 2))
    desk.handOver()
    expect([asked.length, placed.length, desk.notHandedOver()]).to.deep.equal([1, 0, ['abc-1']])
    expect(asked[0]!.ticket).to.include({ orderId: 1, quantity: '100', action: 'BUY' })
    asked[0]!.answer(preview('0'))
    await settled()
    expect(placed.map(({ orderRef, orderId }) => [orderRef, orderId])).to.deep.equal([['abc-1', 2]])
    expect([asked.length, withdrawn(), desk.notHandedOver()]).to.deep.equal([1, [], []])
  })

  it('is withdrawn with its numbers when it would take more than there is, and never sent', async () => {
    await commit(buy('abc-1', 2))
    asked[0]!.answer(preview('-10000'))
    await settled()
    expect(withdrawn()).to.deep.equal([
      'abc-1 withdrawn: not handed over: too little buying power: the initial margin would be 60000 (9000 more than now) of an equity of 50000, available funds -10000',
    ])
    desk.handOver()
    expect([placed, desk.notHandedOver()]).to.deep.equal([[], []])
  })

  it('lets what comes after it go in the order of the ids, whatever becomes of it', async () => {
    await commit(sell('abc-1', 1), buy('abc-2', 3), buy('abc-3', 5))
    await commit(sell('abc-4', 6))
    expect([refs(), asked.length]).to.deep.equal([['abc-1'], 1])
    asked[0]!.answer(preview('-1'))
    await settled()
    expect([refs(), asked.length]).to.deep.equal([['abc-1'], 2])
    asked[1]!.answer(preview('1'))
    await settled()
    expect(refs()).to.deep.equal(['abc-1', 'abc-3', 'abc-4'])
  })

  it('is withdrawn with all that would have to ask too when there is no answer; reductions go', async () => {
    await commit(buy('abc-1', 2), buy('abc-2', 4))
    await commit(sell('abc-3', 5))
    asked[0]!.fail(new BrokerUnavailable('timedOut', 'the preview was not answered within 5000 ms'))
    await settled()
    expect(withdrawn().map((text) => text.slice(0, 15))).to.deep.equal(['abc-1 withdrawn', 'abc-2 withdrawn'])
    expect(withdrawn()[0]).to.contain('could not be asked').and.to.contain('5000 ms')
    expect([asked.length, refs()]).to.deep.equal([1, ['abc-3']])
  })

  it('is withdrawn alone when the broker would refuse it', async () => {
    await commit(buy('abc-1', 2), buy('abc-2', 4))
    asked[0]!.fail(new BrokerUnavailable('refused', 'no permission for this contract (201)', 201))
    await settled()
    expect(withdrawn()).to.deep.equal([
      'abc-1 withdrawn: not handed over: the broker would refuse it: no permission for this contract (201)',
    ])
    expect(asked).to.have.length(2)
  })

  it('does not go out on an answer that came after a halt', async () => {
    await commit(buy('abc-1', 2))
    may = { not: 'trading is halted' }
    asked[0]!.answer(preview('100'))
    await settled()
    expect([placed, withdrawn()]).to.deep.equal([[], ['abc-1 withdrawn: not handed over: trading is halted']])
  })

  it('does not go out on an answer that came after its end', async () => {
    await commit(buy('abc-1', 2))
    await commit(closed('abc-1', 'withdrawn'))
    asked[0]!.answer(preview('100'))
    await settled()
    expect(placed).to.deep.equal([])
  })

  it('is not granted where the broker gives no number: unknown is not enough', () => {
    expect(judgePreview(preview(undefined))).to.deep.include({ may: false })
    expect(judgePreview(preview('0.01'))).to.deep.equal({ may: true })
  })

  it('is not asked about where no preview was planned', async () => {
    await commit(ordered('abc-1', SPY, { trend: '100' }, { orderId: 1 }))
    expect([refs(), asked.length]).to.deep.equal([['abc-1'], 0])
  })
})
