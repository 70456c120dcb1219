/** What must hold after any history, whatever happened in it. Read from the journal's text and the broker's own books alone. */
import { allIsQuiet, everyFailureIsHeard, lateDoesNothing, oneOutcomeEach } from './invariants-of-commands.ts'
import {
  asksByItself,
  haltsOutlast,
  nothingTwice,
  nothingWhereBlocked,
  onlyWhatWasNamed,
  restsOnWhatCounts,
} from './invariants-of-decisions.ts'
import { everyExecutionOnce, nothingLeftOver, unexplainedIsReallySo } from './invariants-of-holdings.ts'
import {
  alwaysPlanned,
  endsAreTrue,
  exitsAreFree,
  neverAgainstWorking,
  neverTwice,
  neverWhileHalted,
  onlyByTheHolder,
  onlyClosing,
  trialsMoveNothing,
} from './invariants-of-orders.ts'
import { chainHolds, documentsAreTheJournal, eventsAreTold, stateIsTheJournal } from './invariants-of-records.ts'
import { holdingsIn, parseJournal } from './journal-text.ts'
import type { Check } from './witness.ts'
import type { World } from './world.ts'

const checks = {
  'no order twice at the broker': neverTwice,
  'no order without a durable plan': alwaysPlanned,
  'no order by an engine without the lease': onlyByTheHolder,
  'no order while trading is halted': neverWhileHalted,
  'what goes out while trading is halted only closes': onlyClosing,
  'no order against a working one': neverAgainstWorking,
  'a dry run moves nothing': trialsMoveNothing,
  'no limit stops an exit': exitsAreFree,
  'nothing is ordered twice': nothingTwice,
  'nothing moves where something is open': nothingWhereBlocked,
  'only what was named is closed': onlyWhatWasNamed,
  'a halt outlasts what came before it': haltsOutlast,
  'a decision rests on what counts': restsOnWhatCounts,
  'the engine asks by itself': asksByItself,
  'every execution is in the books once': everyExecutionOnce,
  'books, manual and unexplained are what the broker holds': nothingLeftOver,
  'what is unexplained was never heard of': unexplainedIsReallySo,
  'an end in the journal is true at the broker': endsAreTrue,
  'the chain is intact': chainHolds,
  'the state is what the journal says': stateIsTheJournal,
  'documents equal a rebuild': documentsAreTheJournal,
  'every event is told in its order': eventsAreTold,
  'every command has one outcome': oneOutcomeEach,
  'what comes too late does nothing': lateDoesNothing,
  'nothing waits for ever': allIsQuiet,
  'no failure goes unheard': everyFailureIsHeard,
} satisfies Readonly<Record<string, Check>>

export type Invariant = keyof typeof checks
export type Violation = { invariant: Invariant; text: string }
export const invariants = Object.keys(checks) as Invariant[]

export const violationsOf = async (world: World): Promise<Violation[]> => {
  const told = parseJournal(world.memory.commits)
  const witness = { world, told, holdings: holdingsIn(told) }
  const found: Violation[] = []
  for (const invariant of invariants) for (const text of await checks[invariant](witness)) found.push({ invariant, text })
  return found
}
