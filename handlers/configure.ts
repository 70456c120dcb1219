/** `configure`: a partial change of the settings, refused whole if anything in it is wrong. */
import { ConfigureBody } from '../domain/commands.ts'
import { parametersOf, problemsOf, settingInForce } from '../domain/configuration.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import { tradedFor } from '../domain/paper-record.ts'
import { parametersWith, type Strategy } from '../domain/strategy.ts'
import { defineHandler, nothingToGather } from './handler.ts'

/** A misspelt strategy would be given money that nobody uses; a wrong parameter would fail its next signal. */
const strategyProblems = (
  ledger: Readonly<Ledger>,
  strategies: Readonly<Record<string, Strategy>>,
  changes: Ledger['configuration'],
): string[] => {
  const after = { ...ledger.configuration, ...changes }
  const named = new Set(Object.keys(changes).flatMap((name) => (name.startsWith('strategies.') ? [name.split('.')[1]!] : [])))
  return [...named].flatMap((id) => {
    const strategy = strategies[id]
    if (strategy === undefined) return ledger.books[id] === undefined ? [`there is no strategy "${id}"`] : []
    const parameters = parametersWith(strategy, parametersOf(after, id))
    return parameters.ok ? [] : [`strategies.${id}.parameters: ${parameters.problem}`]
  })
}

/** While live trading is on, nobody is traded for whose record on paper was not looked at. */
const unprovenAfter = ({ mode, trading, provenOnPaper, configuration }: Readonly<Ledger>, changes: Ledger['configuration']): string[] => {
  if (mode !== 'live' || !trading.on) return []
  const before = tradedFor(configuration)
  return tradedFor({ ...configuration, ...changes }).filter((strategy) => !before.includes(strategy) && !provenOnPaper?.includes(strategy))
}

const mostNamed = 10

/** Undefined: nothing is wrong. */
const inWords = (problems: readonly string[]): string | undefined => {
  if (problems.length === 0) return undefined
  const more = problems.length > mostNamed ? [`and ${problems.length - mostNamed} more`] : []
  return [...problems.slice(0, mostNamed), ...more].join('; ')
}

export const configure = defineHandler({
  body: ConfigureBody,
  faultIn: ({ changes }) => inWords(problemsOf({}, changes)),
  needsBroker: false,
  gather: nothingToGather,
  decide: ({ ledger, command, engine }) => {
    const { changes } = command.body
    const problems = [...problemsOf(ledger.configuration, changes), ...strategyProblems(ledger, engine.strategies, changes)]
    if (problems.length > 0) return refuse('CONFIGURATION_INVALID', inWords(problems), { problems })
    const unproven = unprovenAfter(ledger, changes)
    if (unproven.length > 0)
      return refuse('NOT_PROVEN_ON_PAPER', `halt, configure ${unproven.join(', ')}, and resume: that looks at the paper journal`)
    const changed = Object.entries(changes).flatMap(([name, to]) => {
      const from = settingInForce(ledger.configuration, name)
      return from === to ? [] : [[name, { from: from ?? null, to }] as const]
    })
    if (changed.length === 0)
      return [
        event('CommandCompleted', {
          result: { changed: false, changes: {}, settings: changes, text: 'every setting had that value already' },
        }),
      ]
    return [event('ConfigurationChanged', { changes: Object.fromEntries(changed) })]
  },
})
