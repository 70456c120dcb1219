/** What every journal must do, whichever store keeps it. */
import { expect } from 'chai'
import { genesisHash, maximumCommitBytes, type StoredCommit, store } from '../../domain/commit.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { verifyChain } from '../../domain/verify.ts'
import { all, appendAll, beginning, commitAfter, forged } from './commits.ts'
import { until } from './until.ts'

export type JournalWorld = {
  journal: Journal
  /** The same journal through a connection of its own. */
  another(): Promise<Journal>
  /** Puts a row over the one at its position, past the journal. */
  tamper(stored: StoredCommit): Promise<void>
  /** Removes the row at a position, past the journal; its marker stays. */
  remove(position: number): Promise<void>
  close(): Promise<void>
}

export const journalContract = (name: string, open: () => Promise<JournalWorld>): void => {
  describe(`the journal on ${name}`, () => {
    let world: JournalWorld
    let journal: Journal
    beforeEach(async () => {
      world = await open()
      journal = world.journal
    })
    afterEach(() => world.close())
    const problemOf = async (...remembered: Parameters<typeof verifyChain>[1] & object[]) => {
      const verified = await verifyChain(journal, remembered)
      return verified.ok ? 'sound' : `${verified.position}: ${verified.problem}`
    }

    it('begins empty', async () => {
      expect(await journal.head()).to.deep.equal({ position: 0, hash: genesisHash })
      expect(await all(journal.read(1))).to.deep.equal([])
      expect(await journal.marker('c1')).to.equal(undefined)
      expect(await verifyChain(journal)).to.deep.equal({ ok: true, commits: 0, events: 0, head: beginning })
    })

    it('keeps a commit as it is hashed, with the marker of its command', async () => {
      const commit = commitAfter(beginning, { id: 'c1', note: 'Zürich “7” 🙂 \u2028' })
      const stored = store(commit)
      expect(await journal.append(commit)).to.deep.equal({ answer: 'appended', stored })
      expect(await journal.head()).to.deep.equal({ position: 1, hash: stored.hash })
      expect(await all(journal.read(1))).to.deep.equal([stored])
      expect(await journal.marker('c1')).to.deep.equal({ position: 1, hash: stored.hash })
    })

    it('keeps commits of the broker without a marker', async () => {
      await journal.append(commitAfter(beginning))
      const second = await journal.append(commitAfter(await journal.head(), { note: 'y' }))
      expect(second.answer).to.equal('appended')
    })

    it('gives a position to one of two writers', async () => {
      const rival = await world.another()
      const answers = await Promise.all([
        journal.append(commitAfter(beginning, { id: 'c1', epoch: 1 })),
        rival.append(commitAfter(beginning, { id: 'c2', epoch: 2 })),
      ])
      const winner = answers.findIndex(({ answer }) => answer === 'appended')
      expect(answers[1 - winner]).to.deep.equal({ answer: 'conflict', position: 1, epoch: winner + 1 })
      expect((await all(journal.read(1))).map(({ epoch }) => epoch)).to.deep.equal([winner + 1])
      expect(await journal.marker(winner === 0 ? 'c2' : 'c1')).to.equal(undefined)
    })

    it('gives two hundred positions to two writers without a gap', async () => {
      const rival = await world.another()
      let taken = 0
      const write = async (own: Journal, epoch: number): Promise<void> => {
        for (let head = await own.head(); head.position < 200; head = await own.head()) {
          const answer = await own.append(commitAfter(head, { id: `e${epoch}-${head.position}`, epoch }))
          if (answer.answer === 'appended') taken += 1
          else expect(answer.answer).to.equal('conflict')
        }
      }
      await Promise.all([write(journal, 1), write(rival, 2)])
      expect(taken).to.equal((await journal.head()).position)
      expect(await problemOf()).to.equal('sound')
    })

    it('recognises a command that was decided before, and writes nothing', async () => {
      const [first, second] = await appendAll(journal, ['c1', 'c2'])
      const again = await journal.append(commitAfter(second!, { id: 'c1', note: 'again' }))
      expect(again).to.deep.equal({ answer: 'already', position: 1, hash: first!.hash })
      expect(await journal.head()).to.deep.equal({ position: 2, hash: second!.hash })
    })

    it('recognises it also where the position is taken', async () => {
      const [first] = await appendAll(journal, ['c1', 'c2'])
      const answer = await journal.append(commitAfter(first!, { id: 'c1', note: 'again' }))
      expect(answer).to.deep.equal({ answer: 'already', position: 1, hash: first!.hash })
    })

    it('calls it a conflict when another engine decided the same command at the same position', async () => {
      const rival = await world.another()
      await rival.append(commitAfter(beginning, { id: 'c1', epoch: 2 }))
      expect(await journal.append(commitAfter(beginning, { id: 'c1', epoch: 1 }))).to.deep.equal({
        answer: 'conflict',
        position: 1,
        epoch: 2,
      })
    })

    it('takes the very same commit again for its own', async () => {
      const commit = commitAfter(beginning, { id: 'c1' })
      const first = await journal.append(commit)
      expect(await journal.append(commit)).to.deep.equal(first)
      const second = await journal.append(commitAfter(await journal.head(), { id: 'c2' }))
      expect(await journal.append(commit)).to.deep.equal(first)
      expect(second).to.have.nested.property('stored.position', 2)
      expect(await journal.head()).to.deep.include({ position: 2 })
    })

    it('calls a gap and a wrong link what they are: bugs', async () => {
      const [first] = await appendAll(journal, ['c1'])
      const fresh = await world.another() // has read nothing yet
      for (const own of [journal, fresh]) {
        const failure = (previous: { position: number; hash: string }, id: string): Promise<unknown> =>
          own.append(commitAfter(previous, { id })).then(
            ({ answer }) => answer,
            (error: unknown) => (error as Error).message,
          )
        expect(await failure({ position: 2, hash: first!.hash }, 'c3')).to.match(/commit 3 leaves a gap/)
        expect(await failure({ position: 1, hash: beginning.hash }, 'c2')).to.match(/commit 2 does not continue/)
        expect(await failure({ position: -1, hash: beginning.hash }, 'c0')).to.match(/commit 0 leaves a gap/)
      }
      expect(await journal.head()).to.deep.equal({ position: 1, hash: first!.hash })
      expect((await fresh.append(commitAfter(first!, { id: 'c2' }))).answer).to.equal('appended')
    })

    it('knows the marker of every id that a command or a step can have', async () => {
      const ids = ['a', '0', 'A.b_c@d:e-f', 'Z__', 'x.', 'orchestrator@2026-11-20T16:05', 'n'.repeat(96), `${'n'.repeat(96)}:allocation3`]
      const stored = await appendAll(journal, ids)
      for (const [place, id] of ids.entries())
        expect(await journal.marker(id), id).to.deep.equal({ position: place + 1, hash: stored[place]!.hash })
      expect(await journal.marker('A')).to.equal(undefined)
    })

    it('lets a reader go who has seen enough', async () => {
      await appendAll(journal, ['c1', 'c2', 'c3'])
      for await (const { position } of journal.read(2)) {
        expect(position).to.equal(2)
        break
      }
      expect((await all(journal.read(1))).length).to.equal(3)
    })

    it('shows a thousand commits in order to a reader who follows', async () => {
      const reader = await world.another()
      const seen: number[] = []
      let reading = Promise.resolve()
      const follow = () => {
        reading = reading.then(async () => {
          for await (const { position } of reader.read((seen.at(-1) ?? 0) + 1)) seen.push(position)
        })
      }
      const stop = reader.onAppended(follow)
      await appendAll(
        journal,
        Array.from({ length: 1_000 }, (_, number) => `c${number}`),
      )
      await until('the reader has seen all', () => seen.length >= 1_000)
      stop()
      await reading
      expect(seen).to.deep.equal(Array.from({ length: 1_000 }, (_, number) => number + 1))
      expect(await verifyChain(journal)).to.deep.include({ ok: true, commits: 1_000, events: 1_000 })
    })

    it('tells a reader in the same place, and no more once he left', async () => {
      let told = 0
      const stop = journal.onAppended(() => {
        told += 1
      })
      await appendAll(journal, ['c1'])
      await until('the reader was told', () => told > 0)
      stop()
      const before = told
      await appendAll(journal, ['c2'])
      const rival = await world.another()
      expect(await rival.head()).to.deep.include({ position: 2 })
      expect(told).to.equal(before)
    })

    it('reads a part', async () => {
      await appendAll(journal, ['c1', 'c2', 'c3', 'c4'])
      const positions = async (...range: [number, number?]) => (await all(journal.read(...range))).map(({ position }) => position)
      expect(await positions(2, 3)).to.deep.equal([2, 3])
      expect(await positions(3)).to.deep.equal([3, 4])
      expect(await positions(5)).to.deep.equal([])
      expect(await positions(3, 2)).to.deep.equal([])
    })

    it('takes the largest commit and refuses a larger one before it is sent', async () => {
      const room = maximumCommitBytes - Buffer.byteLength(store(commitAfter(beginning, { id: 'c1', note: '' })).json)
      const tooLarge = await journal
        .append(commitAfter(beginning, { id: 'c1', note: 'x'.repeat(room + 1) }))
        .catch((error: unknown) => error)
      expect(tooLarge).to.be.instanceOf(RangeError)
      expect(await journal.head()).to.deep.equal(beginning)
      expect(await journal.marker('c1')).to.equal(undefined)
      expect((await journal.append(commitAfter(beginning, { id: 'c1', note: 'x'.repeat(room) }))).answer).to.equal('appended')
    })

    describe('under verification', () => {
      let stored: StoredCommit[]
      beforeEach(async () => {
        stored = await appendAll(journal, ['c1', 'c2', 'c3', 'c4'])
      })

      it('is sound, and agrees with what others remember', async () => {
        const remembered = [
          { name: 'orders', ...beginning },
          { name: 'orders', position: 2, hash: stored[1]!.hash },
          { name: 'positions', position: 4, hash: stored[3]!.hash },
          { name: 'status', position: 4, hash: stored[3]!.hash },
        ]
        const head = { position: 4, hash: stored[3]!.hash }
        expect(await verifyChain(journal, remembered)).to.deep.equal({ ok: true, commits: 4, events: 4, head })
      })

      it('names a commit whose text was altered', async () => {
        await world.tamper({ ...stored[1]!, json: stored[1]!.json.replace('"x"', '"y"') })
        expect(await problemOf()).to.match(/^2: commit 2 was altered/)
      })

      it('names a commit whose columns were altered', async () => {
        await world.tamper({ ...stored[2]!, epoch: 7 })
        expect(await problemOf()).to.match(/^3: commit 3 was altered: its columns/)
      })

      it('names a commit that was altered together with its hash', async () => {
        await world.tamper(forged(stored[1]!))
        expect(await problemOf()).to.match(/^2: commit 2 was altered together with its hash/)
      })

      it('names a commit that is missing', async () => {
        await world.remove(2)
        expect(await problemOf()).to.match(/^2: commit 2 is missing/)
      })

      it('names the first commit that was cut off, when somebody remembers it', async () => {
        await world.remove(4)
        await world.remove(3)
        expect(await problemOf()).to.equal('sound')
        expect(await problemOf({ name: 'orders', position: 4, hash: stored[3]!.hash })).to.match(
          /^3: commit 3 was cut off: orders has seen commit 4/,
        )
      })

      it('names the commit that somebody remembers otherwise, where the whole rest was forged', async () => {
        const third = forged(stored[2]!)
        await world.tamper(third)
        await world.tamper(forged(stored[3]!, third.hash))
        expect(await problemOf()).to.equal('sound')
        expect(await problemOf({ name: 'orders', position: 3, hash: stored[2]!.hash })).to.match(
          /^3: commit 3 is another one than orders has seen/,
        )
      })
    })
  })
}
