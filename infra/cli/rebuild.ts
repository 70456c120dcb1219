import { Command } from 'commander'
import { createHandEdits } from '../../projections/hand-edits.ts'
import { createProjector } from '../../projections/projector.ts'
import { systemClock } from '../clock.ts'
import { openLog } from '../log.ts'
import { readTopics } from '../topics-file.ts'
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
      withData(async ({ journal, documents, bus }, { mode, logLevel }) => {
        const shared = { journal, documents, mode, log: openLog(logLevel), clock: systemClock }
        // Somebody may have switched trading off by hand while nobody watched: that is asked for before it is written over.
        const handEdits = createHandEdits({ ...shared, bus, topics: readTopics() })
        await handEdits.start()
        await handEdits.stop()
        const projector = createProjector(shared)
        printJson(await projector.rebuild())
      }),
    )
