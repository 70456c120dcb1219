/** Another process at the same store: `node child.ts append|hold|publish PATH`. Each line it prints has happened. */

import { systemClock } from '../../../infra/clock.ts'
import { openBus } from '../../../infra/embedded/bus.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { contractTopics } from '../../contract/bus.contract.ts'
import { commitAfter } from '../../contract/commits.ts'

const [task = '', path = '', argument = ''] = process.argv.slice(2)
const say = (line: string) => process.stdout.write(`${line}\n`)
const openOwnBus = () => openBus({ store: openStore(path), topics: contractTopics(500), mode: 'paper', clock: systemClock })

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  /** Appends without end. */
  append: async () => {
    const journal = openJournal(openStore(path))
    for (;;) {
      const answer = await journal.append(commitAfter(await journal.head(), { id: `c${(await journal.head()).position + 1}` }))
      if (answer.answer !== 'appended') throw new Error(JSON.stringify(answer))
      say(String(answer.stored.position))
    }
  },
  /** Takes messages and never ends them. */
  hold: async () => {
    openOwnBus().subscribe('paper-commands-engine', ({ id }) => say(id))
  },
  publish: async () => {
    say(await openOwnBus().publish('paper-commands', { data: argument, attributes: { type: 'reconcile' } }))
    await new Promise((resolve) => setTimeout(resolve, 60_000)) // stays until it is killed
  },
  open: async () => {
    openStore(path).close()
    say('opened')
  },
}
await tasks[task]!()
