import { Command } from 'commander'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

export const document = (): Command =>
  new Command('document')
    .description('Print one document as JSON.')
    .argument('<path>', 'path of the document, an even number of segments')
    .addHelpText(
      'after',
      `
Documents show what the journal says: accounts, strategies, commands. They can be thrown away and rebuilt.

Examples:
  $ npx ibt document status/paper
  $ npx ibt document positions/paper
  $ npx ibt document positions/paper/holdings/spymacdvixy
  $ npx ibt document strategies/spymacdvixy/intent/latest
  $ npx ibt document checkpoints/views`,
    )
    .action((path: string) =>
      withData(async ({ documents }) => {
        const found = await documents.get(path)
        if (found === undefined) throw new Error(`there is no document ${path}`)
        printJson(found)
      }),
    )
