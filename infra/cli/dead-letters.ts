import { Command } from 'commander'
import { printLine } from './output.ts'
import { withData } from './reading.ts'

export const deadLetters = (): Command =>
  new Command('dead-letters')
    .description('Print the messages that were given up, one line of JSON each, with the reason.')
    .addHelpText(
      'after',
      `
Example:
  $ npx ibt dead-letters | jq -r '[.deadAt, .attributes.type, .reason] | @tsv'`,
    )
    .action(() =>
      withData(async ({ bus }) => {
        for (const letter of await bus.deadLetters()) printLine(JSON.stringify(letter))
      }),
    )
