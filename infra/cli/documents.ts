import { Command } from 'commander'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

export const documents = (): Command =>
  new Command('documents')
    .description('Print all documents of a collection as a JSON array of { path, data }; an empty one where there are none.')
    .argument('<collection>', 'path of the collection, an odd number of segments')
    .addHelpText(
      'after',
      `
Examples:
  $ npx ibt documents strategies
  $ npx ibt documents commands | jq '.[] | select(.data.status != "completed")'
  $ npx ibt documents positions/paper/openOrders
  $ npx ibt documents activity | jq -r '.[-5:][].data'`,
    )
    .action((collection: string) => withData(async ({ documents }) => printJson(await documents.list(collection))))
