/** What is checked before a Google store is used at all. */
import { expect } from 'chai'
import { openData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { appendAll } from '../../contract/commits.ts'
import { usesEmulators } from '../../emulators.ts'

describe('a Google store', function () {
  this.timeout(180_000)
  const emulators = usesEmulators()

  it('is not shared by two trading modes, whose documents would be written over each other', async () => {
    const store = { kind: 'google' as const, ...emulators.store() }
    const open = (mode: 'paper' | 'live') => openData({ dataDirectory: '', mode, store }, readTopics())
    const paper = await open('paper')
    await appendAll(paper.journal, ['c1'])
    const again = await open('paper')
    const problem = await open('live').catch((error: Error) => error.message)
    await Promise.all([paper.close(), again.close()])
    expect(problem).to.match(/^FIRESTORE_DATABASE: \(default\) holds the journal of paper trading/)
  })
})
