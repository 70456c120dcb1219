/**
 * What a target by weight would come to with the account as it was last reconciled. For people only:
 * the quantity that counts is set by the commander, from the account at its own decision.
 */
import { settingOf, strategySettingOf } from '../domain/configuration.ts'
import { absolute, compare, type Decimal, decimal, divide, isZero, multiply, sum, towardsZero } from '../domain/decimal.ts'
import type { EventData } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'

type Generated = EventData<'SignalGenerated'>

/** Absolute weights that sum to more than 1 are scaled to 1. */
const scaled = (weight: Decimal, targets: Generated['targets']): Decimal => {
  const total = sum(targets.map((target) => absolute(target.weight ?? '0')))
  return compare(total, '1') > 0 ? divide(weight, total) : weight
}

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
  const money = multiply(multiply(snapshot.netLiquidation, factor), scaled(target.weight, targets))
  return towardsZero(divide(money, unit), instrument.sizeStep)
}
