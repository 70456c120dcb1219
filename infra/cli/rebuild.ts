import { Command } from 'commander'
import { createProjector } from '../../projections/projector.ts'
import { systemClock } from '../clock.ts'
import { openLog } from '../compose.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

export const rebuild = (): Command =>
  new Command('rebuild')
    .description('Make the documents anew from the journal, writing only what differs. May run beside a running engine.')
    .addHelpText(
      'after',
      `
Prints how many documents were written, deleted and left as they were. A rebuild of sound documents writes nothing.

Example:
  $ npx ibt rebuild`,
    )
    .action(() =>
      withData(async ({ journal, documents }, { mode, logLevel }) => {
        const projector = createProjector({ journal, documents, mode, log: openLog(logLevel), clock: systemClock })
        printJson(await projector.rebuild())
      }),
    )
