import { Command } from 'commander'
import type { StoredCommit } from '../../domain/commit.ts'
import { wholeNumber } from './arguments.ts'
import { printLine } from './output.ts'
import { withData } from './reading.ts'

/** The stored text as it is, with its hash as last field: without that field it is what was hashed. */
const lineOf = ({ json, hash }: StoredCommit): string => `${json.slice(0, -1)},"hash":"${hash}"}`

export const journal = (): Command =>
  new Command('journal')
    .description('Print the commits of the journal, one line of JSON each.')
    .option('--from <position>', 'first position to print', wholeNumber(1), 1)
    .addHelpText(
      'after',
      `
A commit holds all events of one decision with their cause, and the hash of the commit before it.

Examples:
  $ npx ibt journal | tail -1 | jq .
  $ npx ibt journal --from 100 | jq -r '.events[].type'
  $ DATA_DIR=demo-data npx ibt journal | grep OrderPlanned`,
    )
    .action(({ from }: { from: number }) =>
      withData(async ({ journal }) => {
        for await (const stored of journal.read(from)) printLine(lineOf(stored))
      }),
    )
