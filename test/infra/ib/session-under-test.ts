/** A session with short times, what it reported, and what it logged. */
import type { BrokerReport, OrderTicket } from '../../../domain/ports/broker.ts'
import type { Clock } from '../../../domain/ports/clock.ts'
import { systemClock } from '../../../infra/clock.ts'
import type { Log } from '../../../infra/ib/line.ts'
import { createBrokerSession, type SessionOptions } from '../../../infra/ib/session.ts'
import { until } from './scripted-gateway.ts'

export const quietLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Machine time that runs so many times faster, and market time that begins where it is told to: minutes of patience in a moment. */
export const hurried = (factor: number, marketTime = Date.now()): Clock => {
  const began = performance.now()
  const monotonic = () => (performance.now() - began) * factor
  const after = (milliseconds: number, run: () => void) => {
    const timer = setTimeout(run, milliseconds / factor)
    return () => clearTimeout(timer)
  }
  const now = () => marketTime + monotonic()
  return { now, monotonic, after, at: (time, run) => after(Math.max(0, time - now()), run) }
}

/** Keeps what was logged, as level and text. */
export const keptLog = () => {
  const lines: { level: string; text: string }[] = []
  const level = (name: string) => (_fields: object, text: string) => void lines.push({ level: name, text })
  const log: Log = { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
  return { log, at: (wanted: string) => lines.filter((line) => line.level === wanted).map(({ text }) => text) }
}

export const ticket = (orderId: number, changes: Partial<OrderTicket> = {}): OrderTicket => ({
  orderRef: `abc-${orderId}`,
  orderId,
  account: 'DU1',
  contract: { conId: 756733, symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' },
  action: 'BUY',
  quantity: '10',
  type: 'MKT',
  timeInForce: 'DAY',
  outsideRegularHours: false,
  ...changes,
})

type SessionReport = Extract<BrokerReport, { kind: 'session' }>

export const sessionAt = (port: number, options: Partial<SessionOptions> = {}) => {
  const reports: BrokerReport[] = []
  /** What it said of itself, apart from what the broker said. */
  const states: SessionReport[] = []
  const hear = (report: BrokerReport) => void (report.kind === 'session' ? states.push(report) : reports.push(report))
  const broker = createBrokerSession({
    host: '127.0.0.1',
    port,
    clientId: 7,
    clock: systemClock,
    log: quietLog,
    deadlines: { connect: 1000, question: 1000, history: 1000 },
    backOff: { first: 20, most: 40 },
    ...options,
  })
  const of = <Kind extends BrokerReport['kind']>(kind: Kind) =>
    reports.filter((report): report is Extract<BrokerReport, { kind: Kind }> => report.kind === kind)
  return {
    broker,
    reports,
    of,
    states,
    hear,
    phases: () => states.map(({ phase }) => phase).filter((phase, place, all) => phase !== all[place - 1]),
    told: () => states.filter(({ tell }) => tell).map(({ text }) => text),
    connected: (times = 1) => until(`connected, time ${times}`, () => of('connected').length >= times),
    phase: (phase: SessionReport['phase']) => until(`the session is ${phase}`, () => broker.state().phase === phase),
    /** Connects, and asks what must be asked before anything else, as the engine does. */
    start: async () => {
      broker.start(hear)
      await until('connected', () => broker.connected())
      await broker.snapshot(of('connected')[0]!.managedAccounts[0]!)
    },
  }
}
export type SessionUnderTest = ReturnType<typeof sessionAt>

/** The error of a promise that must fail. */
export const failure = async (promise: Promise<unknown>): Promise<Error> => {
  try {
    await promise
  } catch (error) {
    return error as Error
  }
  throw new Error('it should have failed')
}
