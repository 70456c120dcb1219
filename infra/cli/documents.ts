import { Command } from 'commander'
import type { Page } from '../../domain/ports/documents.ts'
import { wholeNumber } from './arguments.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

export const documents = (): Command =>
  new Command('documents')
    .description('Print all documents of a collection as a JSON array of { path, data }; an empty one where there are none.')
    .argument('<collection>', 'path of the collection, an odd number of segments')
    .option('--limit <number>', 'so many at most', wholeNumber(1))
    .option('--after <id>', 'begin behind this id; of activity that is a position in twelve digits')
    .addHelpText(
      'after',
      `
Examples:
  $ npx ibt documents strategies
  $ npx ibt documents commands | jq '.[] | select(.data.status != "completed")'
  $ npx ibt documents positions/paper/openOrders
  $ npx ibt documents activity | jq -r '.[-5:][].data.text'
  $ npx ibt documents activity --after 000000001200 --limit 50`,
    )
    .action((collection: string, page: Page) => withData(async ({ documents }) => printJson(await documents.list(collection, page))))
