import { Command } from 'commander'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import { wholeNumber } from './arguments.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

export const replay = (): Command =>
  new Command('replay')
    .description('Fold the journal from position 1 and print the state that comes of it, as JSON.')
    .option('--to <position>', 'stop there, as if what came later had not happened', wholeNumber(1))
    .addHelpText(
      'after',
      `
Examples:
  $ npx ibt replay | jq .books
  $ npx ibt replay --to 42 | jq .orders`,
    )
    .action(({ to }: { to?: number }) =>
      withData(async ({ journal }) => {
        const ledger = initialLedger()
        for await (const stored of journal.read(1, to)) fold(ledger, stored)
        if (to !== undefined && ledger.position < to) throw new Error(`--to: the journal ends at position ${ledger.position}`)
        printJson(ledger)
      }),
    )
