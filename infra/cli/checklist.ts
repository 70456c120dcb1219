import { Command } from 'commander'
import { settings } from '../../domain/configuration.ts'
import { paperChecklist } from '../../domain/paper-record.ts'
import { systemClock } from '../clock.ts'
import { paperJournalOf, readPaperRecord } from '../paper-journal.ts'
import { environment, wholeNumber } from './arguments.ts'
import { printJson } from './output.ts'

const { minimum, maximum, fallback } = settings['live.paperSessions']

const run = async (named: readonly string[], { sessions }: { sessions: number }): Promise<void> => {
  const where = environment()
  const record = await readPaperRecord(where)
  const strategies = named.length > 0 ? named : Object.keys(record.strategies).sort()
  const configuration = { 'live.paperSessions': sessions }
  const checklist = paperChecklist(record, { configuration, strategies, now: systemClock.now() })
  const { position, hash, account } = record
  printJson({ journal: paperJournalOf(where), position, hash, account, checklist })
  const unmet = checklist.filter(({ met }) => !met)
  if (unmet.length > 0) throw new Error(`live trading would not be switched on: ${unmet.map(({ text }) => text).join('; ')}`)
}

export const checklist = (): Command =>
  new Command('checklist')
    .description('Print what must have been true on paper before live trading is switched on; exit 1 when something is not.')
    .argument('[strategies...]', 'who is to be traded for; by default all that were traded for on paper')
    .option('--sessions <number>', 'live.paperSessions of the live journal', wholeNumber(minimum, maximum), fallback)
    .addHelpText(
      'after',
      `
Reads the paper journal (PAPER_JOURNAL, or the paper store beside this one) from its beginning and walks its chain. The engine in live mode
asks the same at its first resume, and again for each strategy that comes later; without it the resume is refused (NOT_PROVEN_ON_PAPER).

Examples:
  $ npx ibt checklist
  $ npx ibt checklist spymacdvixy
  $ PAPER_JOURNAL=project:my-project/paper npx ibt checklist | jq '.checklist[] | select(.met | not)'`,
    )
    .action(run)
