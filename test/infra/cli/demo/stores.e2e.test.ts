/** The promise that a store makes no difference, kept by the whole engine: one demo, two stores, the same commits and documents. */
import { join } from 'node:path'
import { expect } from 'chai'
import { canonical } from '../../../../domain/commit.ts'
import type { Environment } from '../../../../infra/environment.ts'
import { openExistingData } from '../../../../infra/store.ts'
import { readTopics } from '../../../../infra/topics-file.ts'
import { usesEmulators } from '../../../emulators.ts'
import { ibt, temporaryFolder } from '../ibt.ts'

describe('ibt demo on both stores', function () {
  this.timeout(300_000)
  const emulators = usesEmulators()
  const folder = temporaryFolder()
  after(folder.remove)

  const days = ['--days', '20']
  const hosts = () => ({ PUBSUB_EMULATOR_HOST: emulators.hosts().pubsub, FIRESTORE_EMULATOR_HOST: emulators.hosts().firestore })
  const contents = async (dataDirectory: string, store: Environment['store']) => {
    const data = await openExistingData({ dataDirectory, mode: 'paper', store }, readTopics())
    const commits: string[] = []
    for await (const { position, hash, json } of data.journal.read(1)) commits.push(`${position} ${hash} ${json}`)
    const documents: string[] = []
    for await (const { path, data: found } of data.documents.all()) documents.push(`${path} ${canonical(found)}`)
    await data.close()
    return { commits, documents: documents.sort() }
  }

  it('gives the same commits, hash for hash, and the same documents', async () => {
    const kept = join(folder.path, 'kept')
    const embedded = await ibt(['demo', ...days, '--keep', kept], { TMPDIR: folder.path })
    expect([embedded.code, embedded.errors]).to.deep.equal([0, ''])
    const google = await ibt(['demo', ...days, '--store', 'google', '--keep'], { TMPDIR: folder.path, ...hosts() })
    expect([google.code, google.errors]).to.deep.equal([0, ''])
    const [, project] = /GOOGLE_CLOUD_PROJECT=(\S+)/.exec(google.out) ?? []
    const [ours, theirs] = await Promise.all([
      contents(kept, { kind: 'embedded' }),
      contents(kept, { kind: 'google', project: project!, database: '(default)', emulators: emulators.hosts() }),
    ])
    expect(ours.commits.length).to.be.greaterThan(300)
    expect(theirs.commits).to.deep.equal(ours.commits)
    expect(ours.documents.length).to.be.greaterThan(100)
    expect(theirs.documents).to.deep.equal(ours.documents)
  })

  it('keeps nothing that nobody could find again', async () => {
    const { code, errors } = await ibt(['demo', '--store', 'google', '--keep'], { TMPDIR: folder.path })
    expect([code, errors.split('\n').length]).to.deep.equal([1, 2])
    expect(errors).to.match(/^ibt: --keep: .*PUBSUB_EMULATOR_HOST/)
  })

  it('starts the emulators itself and ends them', async () => {
    const { code, out, errors } = await ibt(['demo', '--days', '3', '--store', 'google'], { TMPDIR: folder.path })
    expect([code, errors]).to.deep.equal([0, "ibt: starting Google's emulators of Pub/Sub and Firestore\n"])
    expect(out).to.contain('✓ state: ').and.to.not.contain('✗')
  })

  it('says what is missing where there are no emulators', async () => {
    const { code, errors } = await ibt(['demo', '--days', '3', '--store', 'google'], { TMPDIR: folder.path, PATH: folder.path })
    expect(code).to.equal(1)
    expect(errors).to.match(/\nibt: Google's \S+ emulator does not run here: the gcloud command-line tool is not installed\n$/)
  })
})
