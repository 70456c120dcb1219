/**
 * `trade-reconciliation`: every execution of the day against orders and books. What differs is listed; what puts an instrument in doubt
 * and is shown again by a second answer of the broker becomes a discrepancy, which blocks it until somebody has looked.
 */
import { type Command, TradeReconciliationBody } from '../domain/commands.ts'
import { refuse } from '../domain/errors.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { auditTrades, isDoubt, nameOf, type TradeDifference } from '../domain/trade-audit.ts'
import { type FreshLook, lookAtAccount, recordLook } from './fresh-look.ts'
import { defineHandler } from './handler.ts'

/** More lines help nobody; the rest is counted. */
const shownDifferences = 1_000

const doubtsOf = (ledger: Readonly<Ledger>, command: Command, look: FreshLook, now: number): string[] => {
  const { after } = recordLook({ ledger, command, now, engine: { said: {}, notHandedOver: [] } }, look)
  return auditTrades(ledger, after, look).differences.filter(isDoubt).map(nameOf)
}

/** One for each instrument that nothing blocks yet. */
const discrepancies = (after: Ledger, differences: readonly TradeDifference[], seenBefore: readonly string[]): DomainEvent[] => {
  const blocked = new Set(Object.keys(after.discrepancies).map(Number))
  return differences.flatMap((difference) => {
    const { conId, symbol, text } = difference
    if (conId === undefined || symbol === undefined || blocked.has(conId)) return []
    if (!isDoubt(difference) || !seenBefore.includes(nameOf(difference))) return []
    blocked.add(conId)
    return [event('DiscrepancyFound', { conId, symbol, kind: 'trade', quantity: '0', text: `trades do not agree: ${text}` })]
  })
}

export const tradeReconciliation = defineHandler({
  body: TradeReconciliationBody,
  needsBroker: true,
  gather: async (ports, command, ledger): Promise<(FreshLook & { doubts: string[] }) | undefined> => {
    const first = await lookAtAccount(ports, ledger)
    if (first === undefined) return undefined
    const doubts = doubtsOf(ledger, command, first, ports.now)
    return doubts.length === 0 ? { ...first, doubts } : { ...(await lookAtAccount(ports, ledger))!, doubts }
  },
  decide: (decision) => {
    const { ledger, facts } = decision
    if (facts === undefined) return refuse('GATEWAY_NOT_READY')
    const { events, after } = recordLook(decision, facts)
    const { differences, ...counts } = auditTrades(ledger, after, facts)
    const shown = differences.slice(0, shownDifferences)
    return [
      ...events,
      ...discrepancies(after, differences, facts.doubts),
      event('TradesReconciled', {
        ...{ ...counts, takenAt: facts.snapshot.takenAt },
        ...{ differences: shown, differencesLeftOut: differences.length - shown.length },
      }),
    ]
  },
})
