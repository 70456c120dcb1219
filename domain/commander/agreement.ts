/** Do the strategies and the commander agree? Each strategy's own difference beside the one that was decided, and why they differ. */
import { add, type Decimal, isZero } from '../decimal.ts'
import type { EventData, Note } from '../events.ts'
import type { Ledger, Signal } from '../ledger.ts'
import { type Proposal, proposedDelta } from './proposed-delta.ts'

type Decided = EventData<'AllocationDecided'>

/** `proposed` is null where the strategy has no idea. `inFlight` counts as decided: it was ordered before. */
export type Agreement = {
  strategy: string
  conId: number
  symbol: string
  proposed: Decimal | null
  decided: Decimal
  inFlight: Decimal
  agree: boolean
  why: string[]
}

/** The signal that the decision rests on; a dry run may rest on one of its own. */
const signalOf = (ledger: Readonly<Ledger>, strategy: string, { signals, dryRun }: Decided, pipeline: string): Signal | undefined => {
  const own = dryRun ? ledger.pipelines[pipeline]?.drySignals[strategy] : undefined
  return [own, ledger.signals[strategy]].find((signal) => signal?.position === signals[strategy])
}

/** @param before the ledger as the decision found it @param pipeline the id of the execution */
export const agreementOf = (before: Readonly<Ledger>, decision: Decided, pipeline: string): Agreement[] => {
  const notes = [...decision.notes, ...(decision.shadows ?? []).flatMap((shadow) => shadow.notes)]
  const whyIn = (strategy: string, conId: number): string[] =>
    notes
      .filter((note) => note.strategy === strategy && (note.conId ?? conId) === conId)
      .map(({ code, text, numbers }: Note) => `${code}: ${text}${numbers === undefined ? '' : ` ${JSON.stringify(numbers)}`}`)
  const proposals = new Map<string, Proposal>()
  for (const { strategy } of decision.strategies) {
    const signal = signalOf(before, strategy, decision, pipeline)
    for (const proposal of signal === undefined ? [] : proposedDelta(before, signal))
      proposals.set(`${strategy} ${proposal.conId}`, proposal)
  }
  const lines = [
    ...decision.targets,
    ...(decision.shadows ?? []).flatMap(({ strategy, targets }) => targets.map((target) => ({ strategy, ...target }))),
  ]
  return lines.map(({ strategy, conId, symbol, difference, inFlight }) => {
    const proposed = proposals.get(`${strategy} ${conId}`)?.delta ?? null
    const agree = proposed === null ? isZero(difference) : proposed === add(difference, inFlight)
    const silent = 'the decision was sized by another price or another account than the strategy had'
    const reasons = whyIn(strategy, conId)
    return {
      strategy,
      conId,
      symbol,
      proposed,
      decided: difference,
      inFlight,
      agree,
      why: agree || reasons.length > 0 ? reasons : [silent],
    }
  })
}
