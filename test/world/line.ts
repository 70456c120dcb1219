/**
 * The line between a process and the broker: the `Broker` port. One at a time, made anew after each loss.
 * Reports come in order for one subject and in any order between two; some come late, some twice, some never. Answers get lost.
 */
import { type Broker, type BrokerReport, type BrokerSnapshot, BrokerUnavailable } from '../../domain/ports/broker.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { account, type SimulatedBroker } from './broker.ts'
import type { Chance } from './chance.ts'
import type { WorldClock } from './clock.ts'
import type { Faults } from './faults.ts'
import { contractOf, contracts, isPair, type Market } from './market.ts'
import type { Process } from './process.ts'

/** What a person at the switchboard can do to every line, and what the broker says over it. */
export type Exchange = {
  tell(report: BrokerReport, key: string): void
  /** The gateway is away for so long: no line stands. */
  cutOff(milliseconds: number): void
  /** The gateway is there, but has lost its own line to the broker. */
  cutLink(milliseconds: number): void
  /** The gateway gives up a line whose other end has not been heard of for long. */
  giveUp(process: Process): void
  portOf(process: Process): Broker
}

export type ExchangeOptions = {
  clock: WorldClock
  chance: Chance
  faults: Faults
  market: Market
  broker: () => SimulatedBroker
  /** How many commits are durable. */
  journal: () => number
  /** Whether the engine that planned the order holds the lease at this moment, by the lease itself. */
  mayAct: (orderRef: string) => boolean
}

type Line = {
  process: Process
  listener: (report: BrokerReport) => void
  open: boolean
  /** When the last report on each subject arrives, and the last thing that was written: neither is overtaken by what follows. */
  lastTold: Map<string, number>
  lastWritten: number
  onEnd: Set<() => void>
}

const answerDeadlineMs = 15_000
const retryMs = 2_000

export const createExchange = ({ clock, chance, faults, market, broker, journal, mayAct }: ExchangeOptions): Exchange => {
  let standing: Line | undefined
  let gatewayIsUp = true
  let linkIsUp = true

  const drop = (line: Line): void => {
    if (!line.open) return
    line.open = false
    if (standing === line) standing = undefined
    for (const run of [...line.onEnd]) run()
  }

  const send = (line: Line, report: BrokerReport, key: string, delay: number): void => {
    const due = Math.max(clock.monotonic() + delay, line.lastTold.get(key) ?? 0)
    line.lastTold.set(key, due)
    clock.after(due - clock.monotonic(), () => line.open && line.listener(report))
  }

  const positions = (): BrokerSnapshot['positions'] =>
    [...broker().positions]
      .filter(([conId, quantity]) => quantity !== 0 && !isPair(conId))
      .map(([conId, quantity]) => {
        const price = String(market.price(conId) / 100)
        return {
          ...{ contract: contractOf(conId), quantity: String(quantity), averageCost: price, marketPrice: price },
          ...{ marketValue: undefined, unrealizedProfit: undefined, realizedProfit: undefined },
        }
      })

  const portOf = (process: Process): Broker => {
    let line: Line | undefined
    let report: (said: BrokerReport) => void = () => undefined
    let closed = false

    const retry = (): void => {
      if (!closed) process.clock.after(retryMs, connect)
    }
    const connect = (): void => {
      // A gateway that still believes in the line of a dead process refuses the same client id (326).
      if (closed || !gatewayIsUp || standing !== undefined) {
        retry()
        return
      }
      const opened: Line = { process, listener: report, open: true, lastTold: new Map(), lastWritten: 0, onEnd: new Set() }
      line = opened
      standing = opened
      opened.onEnd.add(() => {
        if (line === opened) line = undefined
        process.heard(report)({ kind: 'lost', reason: 'the connection ended' })
        retry()
      })
      const managedAccounts = [account]
      send(opened, { kind: 'connected', managedAccounts, nextValidId: broker().nextValidId(), serverVersion: 176 }, 'line', 5)
      if (!linkIsUp) send(opened, { kind: 'link', state: 'down', reason: 'the link is down' }, 'line', 5)
    }
    process.onEnd(() => {
      closed = true
      const left = line
      if (left === undefined) return
      left.open = false
      clock.after(chance.whole(0, 8_000), () => {
        if (standing === left) standing = undefined
      })
    })

    const needLine = (): Line => {
      if (line === undefined || closed) throw new BrokerUnavailable('notReady', 'there is no connection')
      return line
    }
    /** What is written to a socket may be lost with it, and arrive though its process is gone. */
    const write = (point: string, arrive: () => void): void => {
      process.step(`${point}, before`)
      const over = needLine()
      const lost = faults.happens('the socket ends with an order in it')
      over.lastWritten = Math.max(over.lastWritten, clock.monotonic() + faults.latency())
      clock.after(over.lastWritten - clock.monotonic(), () => {
        const arrives = over.open || chance.happens(0.5)
        if (arrives && !lost) arrive()
      })
      if (lost) clock.after(1, () => drop(over))
      process.step(`${point}, done`)
    }
    /** Rejects when the line ends before the answer, or when none comes. */
    const question = <T>(point: string, parts: (() => void)[], answer: () => T, lost: boolean): Promise<T> => {
      const over = line
      if (over === undefined || closed) return Promise.reject(new BrokerUnavailable('notReady', 'there is no connection'))
      return new Promise((resolve, reject) => {
        const fail = () => reject(new BrokerUnavailable('lost', 'the connection ended before the answer'))
        const failed = process.heard(fail)
        over.onEnd.add(failed)
        const callOff = process.clock.after(answerDeadlineMs, () => reject(new BrokerUnavailable('timedOut', `no answer to ${point}`)))
        const next = async (): Promise<void> => {
          for (const part of parts) await process.call(point, () => over.open && part(), faults.latency)
          if (!over.open || lost || !linkIsUp) return
          over.onEnd.delete(failed)
          callOff()
          resolve(answer())
        }
        void next()
      })
    }

    const snapshot = (of: string): Promise<BrokerSnapshot> => {
      const taken: Pick<BrokerSnapshot, 'executions' | 'openOrders' | 'completedOrders' | 'positions'> = {
        ...{ executions: [], openOrders: [], completedOrders: [], positions: [] },
      }
      let read = clock.now()
      // Each part is another question: the world goes on between them.
      const parts = [
        () => {
          read = clock.now()
          Object.assign(taken, { executions: broker().executions() })
        },
        () => void Object.assign(taken, { openOrders: broker().openOrders() }),
        () => void Object.assign(taken, { completedOrders: broker().completedOrders() }),
        () => void Object.assign(taken, { positions: positions() }),
      ]
      const answer = (): BrokerSnapshot => {
        const takenAt = isoTime(clock.now())
        broker().looks.set(takenAt, read)
        const values = {
          ...{ baseCurrency: 'USD', netLiquidation: String(broker().netLiquidation()), availableFunds: '100000' },
          ...{ grossPositionValue: undefined, cash: { USD: '100000', EUR: String(broker().euros()) } },
          ...{ exchangeRates: { USD: '1', EUR: '1.1' }, all: [] },
        }
        return { account: of, takenAt, ...taken, commissions: [], values }
      }
      return question('broker.snapshot', parts, answer, faults.happens('a snapshot is not answered'))
    }
    const ask = <T>(point: string, answer: () => T): Promise<T> =>
      question(point, [() => undefined], answer, faults.happens('a question is not answered'))

    return {
      start: (listener) => {
        report = process.heard(listener)
        process.clock.after(faults.latency(), connect)
      },
      connected: () => line !== undefined && !closed,
      place: (ticket) => {
        const handedOver = { journal: journal(), mayAct: mayAct(ticket.orderRef), at: clock.now() }
        write('broker.place', () => broker().receive(ticket, handedOver))
      },
      whatIf: () => {
        const unknown = { initialMarginChange: undefined, initialMarginAfter: undefined, commission: undefined, warning: undefined }
        return ask('broker.whatIf', () => ({ ...unknown, equityAfter: '100000', availableFundsAfter: '100000' }))
      },
      cancel: (orderId) => write('broker.cancel', () => broker().cancel(orderId)),
      snapshot,
      contracts: ({ symbol, secType, currency }) =>
        ask('broker.contracts', () =>
          contracts.filter((contract) => contract.symbol === symbol && contract.secType === secType && contract.currency === currency),
        ),
      bars: ({ contract, duration }) => ask('broker.bars', () => market.bars(contract.conId, Number.parseInt(duration, 10))),
      quotes: () => ask('broker.quotes', () => []),
      currentTime: () => ask('broker.currentTime', () => isoTime(clock.now())),
      close: async () => {
        closed = true
        if (line === undefined) return
        line.open = false
        if (standing === line) standing = undefined
      },
    }
  }

  return {
    tell: (said, key) => {
      const line = standing
      if (line === undefined || !linkIsUp || faults.happens('a report is never sent')) return
      send(line, said, key, faults.happens('a report comes late') ? chance.whole(1_000, 90_000) : chance.whole(1, 30))
      if (faults.happens('a report comes twice')) send(line, said, key, chance.whole(1, 20_000))
    },
    cutOff: (milliseconds) => {
      gatewayIsUp = false
      if (standing !== undefined) {
        faults.hit('the line is cut')
        drop(standing)
      }
      clock.after(milliseconds, () => {
        gatewayIsUp = true
      })
    },
    cutLink: (milliseconds) => {
      linkIsUp = false
      if (standing !== undefined) faults.hit('the link is cut')
      if (standing !== undefined) send(standing, { kind: 'link', state: 'down', reason: '1100' }, 'line', 1)
      clock.after(milliseconds, () => {
        linkIsUp = true
        if (standing !== undefined) send(standing, { kind: 'link', state: 'up', reason: '1102' }, 'line', 1)
      })
    },
    giveUp: (process) => {
      if (standing?.process === process) drop(standing)
    },
    portOf,
  }
}
