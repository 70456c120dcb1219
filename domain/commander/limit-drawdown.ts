/**
 * While more was lost than is allowed, nothing increases: of the account nobody's position, of a strategy its own. Exits are never stopped.
 * Judged anew at each decision from the newest snapshot; whether somebody was told of it makes no difference.
 */
import type { Ledger } from '../ledger.ts'
import { type Drawdown, drawdownsOf } from '../risk/drawdown.ts'

/** The breach that stops increases of a strategy, if there is one; the account's counts before its own. */
export const drawdownStops = (ledger: Readonly<Ledger>): ((strategy: string) => Drawdown | undefined) => {
  const breached = drawdownsOf(ledger).filter((drawdown) => drawdown.breached)
  return (strategy) => breached.find(({ scope }) => scope === 'account') ?? breached.find(({ scope }) => scope === strategy)
}

/** The numbers of its note. */
export const drawdownNumbers = ({ rule, scope, value, limit, from, latest }: Drawdown): Record<string, string> => ({
  ...{ level: scope === 'account' ? 'account' : 'strategy', rule, drawdown: value, limit },
  ...{ from: from.value, since: from.at, now: latest.value },
})
