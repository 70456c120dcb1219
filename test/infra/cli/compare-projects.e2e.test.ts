import { expect } from 'chai'
import type { Commit } from '../../../domain/commit.ts'
import { openData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { usesEmulators } from '../../emulators.ts'
import { ibt, temporaryFolder } from './ibt.ts'

describe('ibt compare: production beside staging, each in its project', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()
  const folder = temporaryFolder()
  let commits: Commit[]
  const variables = () => ({ PUBSUB_EMULATOR_HOST: emulators.hosts().pubsub, FIRESTORE_EMULATOR_HOST: emulators.hosts().firestore })

  before(async () => {
    const made = await ibt(['demo', '--days', '3', '--keep', folder.path])
    expect(made.code, made.errors).to.equal(0)
    const { out } = await ibt(['journal'], { DATA_DIR: folder.path })
    commits = out
      .trimEnd()
      .split('\n')
      .map((line) => {
        const { hash: _, ...commit } = JSON.parse(line) as Commit & { hash: string }
        return commit
      })
  })
  after(folder.remove)

  /** A project whose database is called as its mode, with that journal. */
  const projectOf = async (mode: 'paper' | 'live'): Promise<string> => {
    const { project, ...store } = emulators.store()
    const where = { mode, store: { kind: 'google' as const, ...store, project, database: mode }, dataDirectory: folder.path }
    const data = await openData(where, readTopics())
    for (const commit of commits) expect((await data.journal.append(commit)).answer).to.equal('appended')
    await data.close()
    return project
  }

  it('reads the journal of the mode by which the database is called, on either side', async () => {
    const [production, staging] = [await projectOf('live'), await projectOf('paper')]
    const { code, out, errors } = await ibt(['compare', `project:${production}/live`, `project:${staging}/paper`], variables())
    expect(code, errors).to.equal(0)
    const { compared, alike } = JSON.parse(out) as { compared: number; alike: number }
    expect(compared).to.be.greaterThan(5).and.to.equal(alike)
    const empty = await ibt(['compare', `project:${production}/paper`, `project:${staging}/paper`], variables())
    expect([empty.code, empty.out, empty.errors.includes('nothing can be compared')]).to.deep.equal([1, '', true])
  })
})
