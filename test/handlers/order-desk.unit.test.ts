import { expect } from 'chai'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { Order } from '../../domain/order.ts'
import type { Broker, OrderTicket } from '../../domain/ports/broker.ts'
import { createOrderDesk, type DeskReport, type OrderDesk, ticketFor } from '../../handlers/order-desk.ts'
import { createWriter, type Writer } from '../../handlers/writer.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { closed, dataOf, given, ordered, ready, SPY, tuesday } from '../given.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { contract, silent } from './ports-in-hand.ts'

const buy = (orderRef = 'abc-1', orderId = 1) => ordered(orderRef, SPY, { trend: '100' }, { orderId })
const halted = event('TradingHalted', { reason: 'enough', publishedAt: tuesday, cancelWorking: false })
const cancelRequested = event('OrderCancelRequested', { orderRef: 'abc-1', reason: 'test' })

describe('the order desk', () => {
  let ledger: Ledger
  let writer: Writer
  let desk: OrderDesk
  let placed: OrderTicket[]
  let cancelled: number[]
  let asked: string[]
  let may: 'yes' | 'wait' | { not: string } | ((order: Order) => 'yes' | { not: string })
  let written: DomainEvent[]
  let socket: { fails: boolean }

  const commit = (...events: DomainEvent[]) =>
    writer.enqueue(async () => void (await writer.commit({ kind: 'engine', reason: 'test' }, events)))
  const hear = async (report: DeskReport) => {
    desk.hear(report)
    await drained()
  }
  /** What was queued until now is done. */
  const drained = () => writer.enqueue(() => {})

  beforeEach(async () => {
    ledger = initialLedger()
    ;[placed, cancelled, asked, written, may, socket] = [[], [], [], [], 'yes', { fails: false }]
    const broker = {
      place: (ticket: OrderTicket) => {
        if (socket.fails) throw new Error('the socket is closed')
        placed.push(ticket)
      },
      cancel: (orderId: number) => {
        if (socket.fails) throw new Error('the socket is closed')
        cancelled.push(orderId)
      },
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
      ...{
        ledger,
        broker,
        writer,
        log: silent,
        reportsTogether: false,
        mayHandOver: (order: Order) => (typeof may === 'function' ? may(order) : may),
      },
      ask: (reason) => void asked.push(reason),
    })
    ledger.epoch = 1
    for (const step of ready) await commit(step as DomainEvent)
  })

  const ends = () => dataOf(written, 'OrderClosed').map(({ orderRef, how }) => [orderRef, how])
  const sighted = (status: string, orderRef = 'abc-1'): DeskReport => ({
    kind: 'order',
    sighting: {
      ...{ orderRef, orderId: 1, clientId: 7, permId: 70, account: 'DU1234567', contract, status },
      ...{ filled: undefined, remaining: undefined },
    },
  })
  const told = (meaning: 'rejected' | 'cancelled' | 'cancelRefused', orderId = 1): DeskReport => ({
    ...{ kind: 'orderMessage', orderId, code: 202, text: 'as the broker says it', meaning },
  })

  describe('hands over', () => {
    it('each planned order once, whatever is committed afterwards', async () => {
      await commit(buy())
      await commit(halted)
      desk.handOver()
      expect(placed.map(({ orderRef }) => orderRef)).to.deep.equal(['abc-1'])
      expect(desk.notHandedOver()).to.deep.equal([])
    })

    it('of several only those that may go: an exit goes out, and what would open something is withdrawn', async () => {
      may = ({ closing }) => (closing ? 'yes' : { not: 'trading is halted' })
      const exit = ordered('abc-2', SPY, { trend: '-40' }, { orderId: 2, closing: true })
      await commit(buy(), exit, buy('abc-3', 3))
      await drained()
      expect(placed.map(({ orderRef }) => orderRef)).to.deep.equal(['abc-2'])
      expect(ends()).to.deep.equal([
        ['abc-1', 'withdrawn'],
        ['abc-3', 'withdrawn'],
      ])
    })

    it('what waited for a halt, as soon as it may, and once', async () => {
      may = 'wait'
      await commit(buy())
      expect([placed.length, desk.notHandedOver()]).to.deep.equal([0, ['abc-1']])
      may = 'yes'
      desk.handOver()
      desk.handOver()
      await drained()
      expect([placed.length, ends()]).to.deep.equal([1, []])
    })

    it('nothing that was closed while it waited', async () => {
      may = 'wait'
      await commit(buy())
      await commit(closed('abc-1', 'withdrawn'))
      expect(desk.notHandedOver()).to.deep.equal([])
      may = 'yes'
      desk.handOver()
      expect(placed).to.deep.equal([])
    })

    it('nothing that the broker showed already', async () => {
      may = 'wait'
      await commit(buy())
      await commit(event('OrderPlaced', { orderRef: 'abc-1', orderId: 1, permId: 70, evidence: 'test' }))
      may = 'yes'
      desk.handOver()
      await drained()
      expect([placed, ends(), desk.notHandedOver()]).to.deep.equal([[], [], []])
    })

    it('nothing that another engine planned', async () => {
      may = 'wait'
      await commit(buy())
      ledger.epoch = 2
      may = 'yes'
      desk.handOver()
      await drained()
      expect([placed, ends()], 'and it is asked for, not withdrawn').to.deep.equal([[], []])
    })

    it('nothing after it may not: what is in hand is withdrawn with the reason', async () => {
      may = { not: 'the lease is no longer certain' }
      await commit(buy())
      await drained()
      expect(dataOf(written, 'OrderClosed')[0]).to.include({ how: 'withdrawn', text: 'not handed over: the lease is no longer certain' })
      may = 'yes'
      desk.handOver()
      expect(placed).to.deep.equal([])
    })

    it('nothing to a socket that throws: that order is withdrawn, the others go', async () => {
      socket.fails = true
      await commit(buy())
      await drained()
      socket.fails = false
      await commit(buy('abc-2', 2))
      expect(placed.map(({ orderRef }) => orderRef)).to.deep.equal(['abc-2'])
      expect(ends()).to.deep.equal([['abc-1', 'withdrawn']])
    })

    it('and never withdraws what has left in the meantime, nor hands over what is being withdrawn', async () => {
      may = 'wait'
      await commit(buy('abc-1', 1))
      let free: () => void = () => {}
      const busy = writer.enqueue(
        () =>
          new Promise<void>((resolve) => {
            free = resolve
          }),
      )
      may = { not: 'the line to the broker is down' }
      desk.handOver()
      may = 'yes'
      desk.handOver()
      free()
      await busy
      await drained()
      expect([placed.length, ends()], 'it left before its turn to be withdrawn').to.deep.equal([1, []])

      may = 'wait'
      await commit(buy('abc-2', 2))
      may = { not: 'the line to the broker is down' }
      desk.handOver() // the queue is free: this withdrawal is being written already
      may = 'yes'
      desk.handOver()
      await drained()
      expect([placed.length, ends()]).to.deep.equal([1, [['abc-2', 'withdrawn']]])
    })
  })

  describe('writes on the ticket', () => {
    const ticket = (details: Parameters<typeof ordered>[3] = {}, quantity = '100') => {
      const { ledger } = given(ready, ordered('abc-1', SPY, { trend: quantity }, { orderId: 9, ...details }))
      return ticketFor(ledger.orders['abc-1']!)
    }

    it('the side and an unsigned quantity', () => {
      expect(ticket()).to.include({ action: 'BUY', quantity: '100', orderId: 9, orderRef: 'abc-1', account: 'DU1234567' })
      expect(ticket({}, '-100')).to.include({ action: 'SELL', quantity: '100' })
    })

    it('limit, time in force, hours and algo as they were planned, and no limit on a market order', () => {
      const algo = { strategy: 'Adaptive', parameters: { adaptivePriority: 'Patient' } }
      expect(ticket({ type: 'LMT', limitPrice: '105', algo })).to.deep.include({ type: 'LMT', limitPrice: '105', timeInForce: 'DAY', algo })
      expect(ticket({ timeInForce: 'GTC', outsideRegularHours: true })).to.include({ timeInForce: 'GTC', outsideRegularHours: true })
      expect(ticket()).not.to.have.any.keys('limitPrice', 'algo')
    })
  })

  describe('asks for a cancel', () => {
    it('when it is wished for, and again after a connect as long as the order is open', async () => {
      await commit(buy('abc-1', 1), buy('abc-2', 2))
      await commit(cancelRequested)
      desk.cancelAgain()
      expect(cancelled).to.deep.equal([1, 1])
      await commit(closed('abc-1', 'cancelled'))
      desk.cancelAgain()
      expect(cancelled).to.deep.equal([1, 1])
    })

    it('later, when it could not be sent', async () => {
      await commit(buy())
      socket.fails = true
      await commit(cancelRequested)
      socket.fails = false
      desk.cancelAgain()
      expect(cancelled).to.deep.equal([1])
    })
  })

  describe('hears of an end', () => {
    for (const [what, report, how] of [
      ['a status', sighted('Cancelled'), 'cancelled'],
      ['a message', told('cancelled'), 'cancelled'],
    ] as const)
      it(`by ${what}, and believes it only after the broker was asked, once`, async () => {
        await commit(buy())
        const before = desk.sequence()
        await hear(report)
        await hear(report)
        expect(asked).to.have.length(1)
        expect(ends(), 'not yet').to.deep.equal([])
        expect(desk.said(before), 'a question that was asked before does not confirm it').to.deep.equal({})
        expect(desk.said(desk.sequence())['abc-1']).to.include({ how })
        await commit(closed('abc-1', 'cancelled'))
        expect(desk.said(desk.sequence())).to.deep.equal({})
      })

    it('by a rejection: at once where the broker never showed it, else after it was asked', async () => {
      await commit(buy())
      await hear(told('rejected'))
      expect([ends(), asked.length]).to.deep.equal([[['abc-1', 'rejected']], 0])
      await commit(buy('abc-2', 2))
      await hear(sighted('Submitted', 'abc-2'))
      await hear(told('rejected', 2))
      expect([ends().length, asked.length]).to.deep.equal([1, 1])
      expect(desk.said(desk.sequence())['abc-2']).to.include({ how: 'rejected', code: 202 })
    })

    it('never by a status of being filled or inactive', async () => {
      await commit(buy())
      for (const status of ['Filled', 'Inactive', 'PendingCancel']) await hear(sighted(status))
      expect([asked, ends(), desk.said(desk.sequence())]).to.deep.equal([[], [], {}])
    })

    it('that is none when a cancel is refused: it asks what became of the order', async () => {
      await commit(buy())
      await hear(told('cancelRefused'))
      expect(asked).to.have.length(1)
      expect(desk.said(desk.sequence())).to.deep.equal({})
    })

    it('of orders that are not ours, and does nothing', async () => {
      await commit(buy())
      await hear(sighted('Cancelled', 'somebody else'))
      await hear(told('cancelled', 99))
      expect([asked, ends()]).to.deep.equal([[], []])
    })
  })
})
