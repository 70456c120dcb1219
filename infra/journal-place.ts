/** A journal that somebody names: what `ibt journal` printed into a file, the folder of a store, or a project. */
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { type Commit, type StoredCommit, sha256 } from '../domain/commit.ts'
import { openExistingData, type Where } from './store.ts'
import { readTopics } from './topics-file.ts'

/** A line as `ibt journal` prints it. @throws Error naming the file and the line that is none, or that was changed */
const commitIn = (line: string, where: string): StoredCommit => {
  const [, text, hash] = /^(.+),"hash":"([0-9a-f]{64})"\}$/.exec(line) ?? []
  if (text === undefined || hash === undefined) throw new Error(`${where}: is no line of ibt journal`)
  const json = `${text}}`
  if (sha256(json) !== hash) throw new Error(`${where}: was changed, its hash is that of another text`)
  const { position, epoch, recordedAt, previousHash } = JSON.parse(json) as Commit
  return { position, epoch, recordedAt, previousHash, hash, json }
}

async function* commitsOfFile(path: string): AsyncGenerator<StoredCommit> {
  let number = 0
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Number.POSITIVE_INFINITY })) {
    number += 1
    if (line.trim() !== '') yield commitIn(line, `${path}, line ${number}`)
  }
}

const projectName = /^project:([a-z][a-z0-9-]{4,61}[a-z0-9])(?:\/([a-z0-9()-]+))?$/

/**
 * @param place a file, a folder, or `project:ID[/DATABASE]`; the database is called as the mode where it is not named
 * @param where whose mode it is, and the emulators where there are any
 * @throws Error in one line when there is nothing
 */
export async function* commitsAt(place: string, { mode, store: own }: Pick<Where, 'mode' | 'store'>): AsyncGenerator<StoredCommit> {
  const [, project, database = mode] = projectName.exec(place) ?? []
  if (project === undefined && !existsSync(place))
    throw new Error(`there is nothing at ${place}: name an export, the folder of a store, or project:ID`)
  if (project === undefined && statSync(place).isFile()) return yield* commitsOfFile(place)
  const emulators = own.kind === 'google' && own.emulators !== undefined ? { emulators: own.emulators } : {}
  const store = project === undefined ? { kind: 'embedded' as const } : { kind: 'google' as const, project, database, ...emulators }
  const data = await openExistingData({ mode, store, dataDirectory: place }, readTopics())
  try {
    yield* data.journal.read(1)
  } finally {
    await data.close()
  }
}
