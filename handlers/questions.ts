/**
 * The engine's own questions: after every connect, when a report leaves a doubt, when something is overdue.
 * They are the reconcile's questions and its decision; only the cause differs.
 */
import type { Ledger } from '../domain/ledger.ts'
import { type Broker, BrokerUnavailable } from '../domain/ports/broker.ts'
import type { Clock } from '../domain/ports/clock.ts'
import { nextQuestionAt, reconcile } from '../domain/reconcile.ts'
import type { OrderDesk } from './order-desk.ts'
import type { Log, Writer } from './writer.ts'

/** Wait after a question that got no answer. */
const retryMs = 10_000

export type Questions = {
  /** Asks now; one that is under way is followed by another, since it may have begun too early. */
  ask(reason: string): void
  /** Sets the timer for what will be overdue. Called after every commit. */
  arm(): void
  open(): boolean
  stop(): void
}

export const createQuestions = ({
  ledger,
  broker,
  clock,
  writer,
  desk,
  log,
  line,
  answered,
  settled,
}: {
  ledger: Readonly<Ledger>
  broker: Broker
  clock: Clock
  writer: Writer
  desk: OrderDesk
  log: Log
  /** Changes with every line to the broker. */
  line: () => number
  /** Told on which line the questions were asked. */
  answered: (line: number) => void
  /** Told when nothing is asked any more, answered or not. */
  settled: () => void
}): Questions => {
  let underWay = false
  let again: string | undefined
  let stopped = false
  let cancelTimer = () => {}

  const askOnce = async (reason: string): Promise<void> => {
    const { account, position: asked } = ledger
    if (account === null) return
    const sequence = desk.sequence()
    const on = line()
    const snapshot = await broker.snapshot(account)
    await writer.enqueue(async () => {
      const facts = { snapshot, asked, said: desk.said(sequence), notHandedOver: desk.notHandedOver() }
      await writer.commit({ kind: 'engine', reason }, reconcile(ledger, facts, clock.now()))
    })
    answered(on)
  }

  const ask = (reason: string): void => {
    if (stopped || !broker.connected()) return
    if (underWay) {
      again = reason
      return
    }
    underWay = true
    askOnce(reason)
      .catch((error: Error) => {
        log.warn({ reason }, `the broker did not answer the engine's questions: ${error.message}`)
        // what brings the line back asks anew; until then every question would only be refused
        if (error instanceof BrokerUnavailable && error.why === 'notReady') return
        if (!stopped) clock.at(clock.now() + retryMs, () => ask(reason))
      })
      .finally(() => {
        underWay = false
        const next = again
        again = undefined
        if (next !== undefined) ask(next)
        if (!underWay && !stopped) settled()
      })
  }

  return {
    ask,
    arm: () => {
      cancelTimer()
      const time = nextQuestionAt(ledger)
      cancelTimer = time === undefined || stopped ? () => {} : clock.at(time, () => ask('overdue'))
    },
    open: () => underWay,
    stop: () => {
      stopped = true
      cancelTimer()
    },
  }
}
