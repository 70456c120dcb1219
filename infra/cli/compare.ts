import { Command, InvalidArgumentError } from 'commander'
import { commitsAt } from '../journal-place.ts'
import { environment } from './arguments.ts'
import { commonSpan, compareDecisions, decisionsOf, type Rules, type Span } from './comparison.ts'
import { printJson } from './output.ts'

/** A database that is called as a trading mode says of which one its journal is, so that paper may be set against live. */
const modeAt = (place: string): 'paper' | 'live' | undefined =>
  /^project:[^/]+\/(paper|live)(?![a-z0-9])/.exec(place)?.[1] as 'paper' | 'live' | undefined

const decisionsAt = (place: string) => {
  const own = environment()
  return decisionsOf(commitsAt(place, { ...own, mode: modeAt(place) ?? own.mode }))
}

const fraction = (given: string): number => {
  const value = Number(given)
  if (given.trim() === '' || !(value >= 0 && value <= 1)) throw new InvalidArgumentError('It must be a number from 0 to 1.')
  return value
}
const day = (given: string): string => {
  if (!/^\d{4}-\d\d-\d\d$/.test(given) || Number.isNaN(Date.parse(given)))
    throw new InvalidArgumentError('It must be a date such as 2026-11-20.')
  return given
}

type Options = Rules & { from?: string; to?: string }

const spanOf = (common: Span | undefined, { from, to }: Options): Span => {
  if (common === undefined) throw new Error('the journals have no time in common: nothing can be compared')
  const first = from === undefined || common.from > from ? common.from : `${from}T00:00`
  const last = to === undefined || common.to < to ? common.to : `${to}T23:59`
  if (first.slice(0, 16) > last.slice(0, 16))
    throw new Error(`the journals have nothing in common from ${from ?? common.from} to ${to ?? common.to}`)
  return { from: first, to: last }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`

const run = async (before: string, after: string, options: Options): Promise<void> => {
  const [then, now] = [await decisionsAt(before), await decisionsAt(after)]
  const span = spanOf(commonSpan(then.values(), now.values()), options)
  const found = compareDecisions(then, now, span, options)
  printJson({ before, after, ...span, ...found })
  if (found.compared === 0) throw new Error('no command is in both journals: nothing was compared')
  const { differences, missing } = found
  const problems = [
    ...(differences.length > 0 ? [counted(differences.length, 'decision differs', 'decisions differ')] : []),
    ...(missing.length > 0 ? [`${counted(missing.length, 'slot of a schedule is', 'slots of schedules are')} in one journal only`] : []),
  ]
  if (problems.length > 0) throw new Error(`of ${counted(found.compared, 'command', 'commands')}: ${problems.join('; ')}`)
}

export const compare = (): Command =>
  new Command('compare')
    .description('Print what one journal decided otherwise than another for the same commands; exit 1 when there is such a thing.')
    .argument('<before>', 'what ibt journal printed into a file, the folder of a store, or project:ID[/DATABASE]')
    .argument('<after>', 'the same, of the new revision')
    .option('--from <date>', 'commands published on that day (UTC) or later', day)
    .option('--to <date>', 'or earlier, that day included', day)
    .option('--tolerance <fraction>', 'by how much of itself a quantity may differ', fraction, 0)
    .option('--by-capital', 'for accounts of different size: as if both had the same net liquidation, give or take a step', false)
    .addHelpText(
      'after',
      `
Commands are paired by their id, which for those of a schedule is its job and slot. Compared are the signals, the verdict on each strategy,
its targets and its part of the orders, and how the command ended; a strategy that runs in the shadow on one side is compared with what it
was decided to have there. Only the time that both journals cover is looked at. A slot that only one of them has counts as a difference;
a command of a person does not. Nothing compared is a failure too. Of a folder it is the journal of TRADING_MODE, of a project that of the
mode by which the database is called.

Examples:
  $ npx ibt compare old.jsonl new.jsonl
  $ npx ibt compare project:my-project/live project:my-staging/paper --from 2026-11-16 --by-capital
  $ npx ibt compare old.jsonl ./data | jq -r '.differences[] | [.published_at, .what, .strategy, .before, .after] | @tsv'`,
    )
    .action(run)
