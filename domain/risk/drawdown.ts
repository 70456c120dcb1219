/** How much of it was lost, since the trading day's first reconcile and from the peak, of the account and of each strategy's capital? */
import { type Configuration, settingOf, strategySettingOf } from '../configuration.ts'
import { compare, type Decimal, decimal, divide, larger, multiply, sign, subtract } from '../decimal.ts'
import type { Ledger } from '../ledger.ts'
import type { Mark, Track } from './track.ts'

export const drawdownRules = ['dailyDrawdown', 'peakDrawdown'] as const
export type DrawdownRule = (typeof drawdownRules)[number]

/** `scope`: `account` or a strategy's id. `value` and `limit` are fractions of `base`: what was there, or the strategy's capital. */
export type Drawdown = {
  rule: DrawdownRule
  scope: string
  from: Mark
  latest: Mark
  base: Decimal
  value: Decimal
  limit: Decimal
  breached: boolean
}

type Measured = { scope: string; track: Track; base: (from: Mark) => Decimal; limitOf: (rule: DrawdownRule) => number }

/** One that has no base to be a fraction of is not judged: nothing was there to be lost. */
const measure = ({ scope, track, base: baseOf, limitOf }: Measured): Drawdown[] =>
  drawdownRules.flatMap((rule) => {
    const from = rule === 'dailyDrawdown' ? track.first : track.peak
    if (from === null) return []
    const base = baseOf(from)
    if (sign(base) <= 0) return []
    const value = divide(larger(subtract(from.value, track.latest.value), '0'), base)
    const limit = decimal(limitOf(rule))
    return [{ rule, scope, from, latest: track.latest, base, value, limit, breached: compare(value, limit) > 0 }]
  })

/** A strategy's capital: net liquidation × overall exposure × its allocation. */
const capitalOf = (configuration: Configuration, strategy: string, netLiquidation: Decimal): Decimal =>
  multiply(
    multiply(netLiquidation, decimal(settingOf(configuration, 'exposure.overall'))),
    decimal(strategySettingOf(configuration, strategy, 'allocation')),
  )

/** As the newest snapshot shows it, against the limits that are in force now; the account's first, then by strategy. */
export const drawdownsOf = ({ performance, configuration }: Readonly<Ledger>): Drawdown[] => {
  if (performance === null) return []
  const { netLiquidation, books } = performance
  const account = measure({
    ...{ scope: 'account', track: netLiquidation, base: ({ value }) => value },
    limitOf: (rule) => settingOf(configuration, `risk.${rule}`),
  })
  const strategies = Object.keys(books)
    .sort()
    .flatMap((strategy) => {
      const capital = capitalOf(configuration, strategy, netLiquidation.latest.value)
      const limitOf = (rule: DrawdownRule) => strategySettingOf(configuration, strategy, `risk.${rule}`)
      return measure({ scope: strategy, track: books[strategy]!, base: () => capital, limitOf })
    })
  return [...account, ...strategies]
}

/** How a breach ends, for whoever has to decide what to do about it: nobody can trade his way back to a peak while nothing may increase. */
export const endOfBreach = (rule: DrawdownRule): string =>
  rule === 'dailyDrawdown'
    ? 'it ends with the first reconcile of the next session'
    : 'it ends when the loss is made good, or when risk-check is asked with resetPeaks: true, which counts from now on'

/** By which a breach is known again. */
export const breachKey = ({ rule, scope }: Pick<Drawdown, 'rule' | 'scope'>): string => `${rule} ${scope}`
