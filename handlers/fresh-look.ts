/**
 * A fresh look at the account, for intents that judge by it: what the broker shows is recorded as a reconcile records it, and the
 * intent's own decision is about the state that this gives.
 */
import type { Command } from '../domain/commands.ts'
import type { DomainEvent } from '../domain/events.ts'
import { evolve } from '../domain/fold.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { BrokerSnapshot } from '../domain/ports/broker.ts'
import { isoTime } from '../domain/ports/clock.ts'
import { reconcile } from '../domain/reconcile.ts'
import type { Remembered } from '../domain/remembered.ts'
import { ledgerFrom, snapshotOf } from '../domain/snapshot.ts'
import type { Decision, Ports } from './handler.ts'

/** `asked`: the ledger's position when the questions began. */
export type FreshLook = { asked: number; snapshot: BrokerSnapshot }

/** @returns undefined while the account is not known @throws BrokerUnavailable */
export const lookAtAccount = async ({ broker }: Pick<Ports, 'broker'>, ledger: Readonly<Ledger>): Promise<FreshLook | undefined> => {
  const { position: asked, account } = ledger
  return account === null ? undefined : { asked, snapshot: await broker.snapshot(account) }
}

/** What is remembered is never changed, only added to: its months are copied, its entries are shared. */
const copyOf = <T>(memory: Readonly<Remembered<T>>): Remembered<T> =>
  Object.fromEntries(Object.entries(memory).map(([month, entries]) => [month, { ...entries }]))

/** The state as these events would leave it, on a copy. */
export const stateAfter = (ledger: Readonly<Ledger>, events: readonly DomainEvent[], command: Command, now: number): Ledger => {
  const copy = ledgerFrom(snapshotOf({ ...ledger, executions: {}, commissions: {} }, ''))
  if (!copy.ok) throw new Error(`the state cannot be copied: ${copy.problem}`)
  const after: Ledger = { ...copy.value, executions: copyOf(ledger.executions), commissions: copyOf(ledger.commissions) }
  const { body: _, ...cause } = command
  const place = {
    position: ledger.position + 1,
    epoch: ledger.epoch,
    recordedAt: isoTime(now),
    cause: { kind: 'command', ...cause } as const,
  }
  for (const event of events) evolve(after, event, place)
  return after
}

type Looking = Pick<Decision<unknown, unknown>, 'ledger' | 'command' | 'now'> & {
  engine: Pick<Decision<unknown, unknown>['engine'], 'said' | 'notHandedOver'>
}

/** The events that the look gives, and the state after them. */
export const recordLook = ({ ledger, command, now, engine }: Looking, look: FreshLook): { events: DomainEvent[]; after: Ledger } => {
  const events = reconcile(ledger, { ...look, said: engine.said, notHandedOver: engine.notHandedOver }, now)
  return { events, after: stateAfter(ledger, events, command, now) }
}
