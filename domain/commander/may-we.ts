/** Rule 1: may we decide at all? The books of record must be there, known and young. */
import { type Decimal, sign } from '../decimal.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Ledger, Snapshot } from '../ledger.ts'
import type { AllocationFacts, AllocationRequest } from './request.ts'
import { snapshotTooOld } from './snapshot-age.ts'

/** What every later rule stands on. `wouldRefuse`: set on a dry run that would be refused if it were real. */
export type Grounds = { snapshot: Snapshot; netLiquidation: Decimal; currency: string; wouldRefuse?: 'HALTED' }

export const mayWe = (ledger: Readonly<Ledger>, request: AllocationRequest, facts: AllocationFacts, now: number): Grounds | Refusal => {
  const halted = !ledger.trading.on
  if (halted && !request.dryRun) return refuse('HALTED', ledger.trading.reason)
  if (!facts.gatewayReady || ledger.account === null) return refuse('GATEWAY_NOT_READY')
  const unknown = request.strategies?.find((id) => !facts.knownStrategies.includes(id))
  if (unknown !== undefined) return refuse('STRATEGY_UNKNOWN', unknown)
  const { snapshot } = ledger
  if (snapshot === null) return refuse('SNAPSHOT_MISSING')
  const tooOld = snapshotTooOld(snapshot, ledger, request, now)
  if (tooOld !== undefined) return tooOld
  const { netLiquidation, baseCurrency } = snapshot
  if (netLiquidation === undefined || sign(netLiquidation) <= 0) return refuse('NET_LIQUIDATION_MISSING', netLiquidation ?? 'absent')
  if (baseCurrency === undefined) return refuse('NET_LIQUIDATION_MISSING', 'its currency is absent')
  return { snapshot, netLiquidation, currency: baseCurrency, ...(halted ? { wouldRefuse: 'HALTED' as const } : {}) }
}
