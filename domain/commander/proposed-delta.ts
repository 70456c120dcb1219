/** A strategy's own idea of the difference: its target less what its book holds. The commander decides by rules of its own. */
import { type Decimal, subtract } from '../decimal.ts'
import type { EventData } from '../events.ts'
import type { Ledger, Signal } from '../ledger.ts'
import { indicativeQuantity } from './indicative.ts'

/** `target` is null where nobody can tell it: no price, no account, no instrument. */
export type Proposal = { conId: number; symbol: string; target: Decimal | null; holding: Decimal; delta: Decimal | null }

type Target = EventData<'SignalGenerated'>['targets'][number]

/**
 * One line for each instrument that the signal names or for which a target stands; what it does not speak of it has no idea about.
 * A signal that was sized already has the quantities of then.
 */
export const proposedDelta = (ledger: Readonly<Ledger>, signal: Signal): Proposal[] => {
  const standing = ledger.standing[signal.strategy] ?? {}
  const named = new Map<number, Target>(signal.targets.map((target) => [target.conId, target]))
  const targetIn = (conId: number): Decimal | null => {
    const target = named.get(conId)
    const stands = standing[conId]
    if (target === undefined || stands?.signal === signal.position) return stands?.quantity ?? null
    return target.quantity ?? indicativeQuantity(ledger, signal, target)
  }
  const conIds = [...new Set([...named.keys(), ...Object.keys(standing).map(Number)])].sort((left, right) => left - right)
  return conIds.map((conId) => {
    const [target, holding] = [targetIn(conId), ledger.books[signal.strategy]?.[conId] ?? '0']
    const symbol = named.get(conId)?.symbol ?? ledger.instruments[conId]?.symbol ?? String(conId)
    return { conId, symbol, target, holding, delta: target === null ? null : subtract(target, holding) }
  })
}
