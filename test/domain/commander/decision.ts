/** What the tests of the rules share: one decision at ten o'clock on a Tuesday, and the parts of it that are looked at. */
import { type AllocationFacts, type AllocationRequest, allocate } from '../../../domain/commander/commander.ts'
import type { Decimal } from '../../../domain/decimal.ts'
import type { DomainEvent, EventData, Note } from '../../../domain/events.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import { accepted, dataOf, facts, request, type Traded, tuesday } from '../../given.ts'

export const now = Date.parse(tuesday)

/** For `given(…).when(…)`. @throws Error when it is refused */
export const deciding =
  (wished: Partial<AllocationRequest> = {}, known: Partial<AllocationFacts> = {}, time: number = now) =>
  (ledger: Ledger): DomainEvent[] =>
    accepted(allocate(ledger, request(wished), facts(known), time))

export const decisionOf = (events: readonly DomainEvent[]): EventData<'AllocationDecided'> => dataOf(events, 'AllocationDecided')[0]!

export const codesOf = (events: readonly DomainEvent[], strategy?: string): string[] =>
  decisionOf(events)
    .notes.filter((note) => strategy === undefined || note.strategy === strategy)
    .map(({ code }) => code)

export const noteOf = (events: readonly DomainEvent[], code: string): Note => {
  const found = decisionOf(events).notes.find((note) => note.code === code)
  if (found === undefined) throw new Error(`no note ${code} among ${codesOf(events).join(', ') || 'none'}`)
  return found
}

/** Orders as `SPY 100` in their order. */
export const ordersOf = (events: readonly DomainEvent[]): string[] =>
  dataOf(events, 'OrderPlanned').map(({ symbol, quantity }) => `${symbol} ${quantity}`)

export const targetOf = (events: readonly DomainEvent[], strategy: string, { conId }: Traded) => {
  const line = decisionOf(events).targets.find((target) => target.strategy === strategy && target.conId === conId)
  if (line === undefined) throw new Error(`no line of ${strategy} in ${conId}`)
  return line
}

export const standingOf = (events: readonly DomainEvent[], strategy: string): Record<string, Decimal> =>
  Object.fromEntries(
    dataOf(events, 'StandingTargetsSet')
      .filter((set) => set.strategy === strategy)
      .flatMap(({ targets }) => targets.map(({ symbol, quantity }) => [symbol, quantity])),
  )
