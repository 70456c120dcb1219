/**
 * What a target by weight would come to with the account as it was last reconciled. For people only:
 * the quantity that counts is set by the commander, from the account at its own decision.
 */
import { settingOf, strategySettingOf } from '../configuration.ts'
import { absolute, type Decimal, decimal, isZero, larger, multiply, proportion, sum } from '../decimal.ts'
import type { EventData } from '../events.ts'
import type { Ledger } from '../ledger.ts'

type Generated = EventData<'SignalGenerated'>

/** Null where price, account, instrument or rate is not known. */
export const indicativeQuantity = (
  ledger: Readonly<Ledger>,
  { strategy, targets, prices }: Generated,
  target: Generated['targets'][number],
): Decimal | null => {
  const { snapshot, configuration } = ledger
  const instrument = ledger.instruments[target.conId]
  const price = prices.find(({ conId }) => conId === target.conId)?.value
  if (target.weight === undefined || snapshot?.netLiquidation === undefined || instrument === undefined || price === undefined) return null
  const rate = instrument.currency === snapshot.baseCurrency ? '1' : snapshot.exchangeRates[instrument.currency]
  if (rate === undefined) return null
  const unit = multiply(multiply(price, instrument.multiplier), rate)
  if (isZero(unit)) return null
  const factor = multiply(
    decimal(settingOf(configuration, 'exposure.overall')),
    decimal(strategySettingOf(configuration, strategy, 'allocation')),
  )
  // Absolute weights that sum to more than 1 are scaled to 1.
  const weights = larger(sum(targets.map(({ weight }) => absolute(weight ?? '0'))), '1')
  return proportion(multiply(snapshot.netLiquidation, factor), target.weight, multiply(weights, unit), instrument.sizeStep)
}
