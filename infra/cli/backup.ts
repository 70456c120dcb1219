import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { verifyChain } from '../../domain/verify.ts'
import { backUpStore } from '../embedded/backup.ts'
import { openJournal } from '../embedded/journal.ts'
import { openStore } from '../embedded/store.ts'
import { storePath } from '../store.ts'
import { environment } from './arguments.ts'
import { printJson } from './output.ts'

/** A backup that nobody has read is a hope. */
const verified = async (path: string) => {
  const store = openStore(path)
  try {
    return await verifyChain(openJournal(store))
  } finally {
    store.close()
  }
}

const run = async (file: string): Promise<void> => {
  const where = environment()
  if (where.store.kind === 'google')
    throw new Error('STORE is google: Firestore makes its own backups; infra/deploy/README.md shows how to restore them')
  const from = storePath(where)
  if (!existsSync(from)) throw new Error(`there is no store at ${from}: set DATA_DIR (and TRADING_MODE) to one`)
  const to = resolve(file)
  await backUpStore(from, to)
  const chain = await verified(to)
  if (!chain.ok) throw new Error(`${to} is no sound backup: ${chain.problem}`)
  printJson({ file: to, commits: chain.commits, events: chain.events, head: chain.head })
}

export const backup = (): Command =>
  new Command('backup')
    .description('Copy the embedded store into a new file, while an engine may be writing it, and prove that the copy is whole.')
    .argument('<file>', 'the copy; a file that is there already is left alone')
    .addHelpText(
      'after',
      `
Everything is in it: journal, documents, messages that wait. Keep it on another disk. To restore, stop the engine, move the store and what
lies beside it (.sqlite, .sqlite-wal, .sqlite-shm) away, put the copy in its place under the same name, and run ibt verify and ibt rebuild
before the engine. What the engine did after the backup it finds at the broker and blocks until it is explained.

Examples:
  $ npx ibt backup backups/paper-$(date +%F).sqlite
  $ TRADING_MODE=live npx ibt backup /mnt/other-disk/live.sqlite`,
    )
    .action(run)
