import { expect } from 'chai'
import { type Commit, type StoredCommit, sha256, store } from '../../domain/commit.ts'
import { verifyChain } from '../../domain/verify.ts'
import { beginning, commitAfter, forged } from '../contract/commits.ts'

/** A journal in memory: just enough to be read. `markers` is what the store remembers of each command. */
const journalOf = (commits: readonly StoredCommit[], markers: Readonly<Record<string, { position: number; hash: string }>> = {}) => ({
  async *read(from: number) {
    yield* commits.filter(({ position }) => position >= from)
  },
  marker: async (id: string) => markers[id],
})
const chain = (...commits: ((previous: { position: number; hash: string }) => Commit)[]): StoredCommit[] => {
  const stored: StoredCommit[] = []
  for (const commit of commits) stored.push(store(commit(stored.at(-1) ?? beginning)))
  return stored
}
const byBroker = (previous: { position: number; hash: string }) => commitAfter(previous)
const byCommand = (previous: { position: number; hash: string }) => commitAfter(previous, { id: `c${previous.position + 1}` })

describe('the verification of a journal', () => {
  it('counts commits and events', async () => {
    const two = (previous: { position: number; hash: string }) => {
      const commit = commitAfter(previous)
      return { ...commit, events: [...commit.events, ...commit.events] }
    }
    const commits = chain(byBroker, two, byBroker)
    const head = { position: 3, hash: commits[2]!.hash }
    expect(await verifyChain(journalOf(commits))).to.deep.equal({ ok: true, commits: 3, events: 4, head })
  })

  it('names both commits of a broken link when nothing tells which of them was exchanged', async () => {
    const commits = chain(byBroker, byBroker, byBroker)
    commits[1] = forged(commits[1]!)
    const verified = await verifyChain(journalOf(commits))
    expect(verified).to.deep.include({ ok: false, position: 3 })
    expect(verified)
      .to.have.property('problem')
      .that.matches(/commit 3 does not continue the commit before it: one of the two/)
  })

  it('blames the later commit of a broken link when the marker vouches for the earlier one', async () => {
    const commits = chain(byCommand, byCommand)
    const marker = { c1: { position: 1, hash: commits[0]!.hash } }
    commits[1] = forged(commits[1]!, 'f'.repeat(64))
    expect(await verifyChain(journalOf(commits, marker))).to.deep.include({ ok: false, position: 2 })
  })

  it('names a first commit that does not begin the chain', async () => {
    const commits = chain(byCommand)
    commits[0] = forged(commits[0]!, 'f'.repeat(64))
    expect(await verifyChain(journalOf(commits))).to.deep.include({ ok: false, position: 1 })
  })

  it('names a commit that is no JSON though its hash fits', async () => {
    const [commit] = chain(byBroker)
    expect(await verifyChain(journalOf([{ ...commit!, json: 'nonsense', hash: sha256('nonsense') }]))).to.deep.include({
      ok: false,
      position: 1,
    })
  })

  it('names the earliest commit of which somebody remembers another', async () => {
    const commits = chain(byBroker, byBroker, byBroker)
    const remembered = [3, 2].map((position) => ({ name: `at ${position}`, position, hash: 'e'.repeat(64) }))
    expect(await verifyChain(journalOf(commits), remembered)).to.deep.include({ ok: false, position: 2 })
  })

  it('finds a journal cut off to nothing', async () => {
    const verified = await verifyChain(journalOf([]), [{ name: 'orders', position: 5, hash: 'a'.repeat(64) }])
    expect(verified).to.deep.equal({ ok: false, position: 1, problem: 'commit 1 was cut off: orders has seen commit 5' })
  })
})
