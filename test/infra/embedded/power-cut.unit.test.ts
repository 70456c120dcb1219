/**
 * What a power cut can leave of the file: the log up to what was forced to the disk, and any part of what came after. Whatever part that is,
 * the store opens, holds what was done up to some moment and nothing later, and every commit that was acknowledged is among it.
 */
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDocuments } from '../../../infra/embedded/documents.ts'
import { openJournal } from '../../../infra/embedded/journal.ts'
import { openStore } from '../../../infra/embedded/store.ts'
import { beginning, commitAfter } from '../../contract/commits.ts'

const rounds = 8

describe('a power cut', function () {
  this.timeout(180_000)
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ib-trading-power-'))
  })
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  it('takes nothing that was acknowledged, and never what came before something that stays', async () => {
    const path = join(directory, 'paper.sqlite')
    const store = openStore(path)
    const [journal, documents] = [openJournal(store), openDocuments(store)]
    const logged = () => statSync(`${path}-wal`).size
    let head: { position: number; hash: string } = beginning
    let checkpoint: Awaited<ReturnType<typeof documents.checkpoint>>
    /** How long the log was when each commit was acknowledged: so much of it is on the disk. */
    const forced: number[] = []
    for (let round = 1; round <= rounds; round++) {
      const answer = await journal.append(commitAfter(head, { id: `command-${round}` }))
      if (answer.answer !== 'appended') throw new Error(answer.answer)
      head = answer.stored
      forced.push(logged())
      for (const part of ['a', 'b']) {
        const write = { kind: 'set', path: `things/${part}`, data: { round } } as const
        const written = await documents.write('view', [write], head, checkpoint)
        if (written.answer !== 'written') throw new Error(written.answer)
        checkpoint = written.checkpoint
      }
    }
    const length = logged()
    const seen = new Set<string>()
    for (let cut = forced[0]!; cut <= length; cut += 1_024 + (cut % 7)) {
      const copy = join(directory, `cut-${cut}.sqlite`)
      copyFileSync(path, copy)
      copyFileSync(`${path}-wal`, `${copy}-wal`)
      truncateSync(`${copy}-wal`, cut)
      const left = openStore(copy)
      const position = (await openJournal(left).head()).position
      const views = openDocuments(left)
      const shown = await Promise.all(['a', 'b'].map(async (part) => (await views.get(`things/${part}`))?.['round'] ?? 0))
      const projected = (await views.checkpoint('view'))?.position ?? 0
      left.close()
      expect(position, `of ${cut} bytes`).to.be.at.least(forced.filter((size) => size <= cut).length)
      expect(projected, 'what shows is never ahead of what happened').to.be.at.most(position)
      expect(projected, 'nor more than one behind: what was written before a commit stays with it').to.be.at.least(position - 1)
      expect(shown[0], 'a document with its checkpoint').to.equal(projected)
      expect(Number(shown[0]) - Number(shown[1])).to.be.oneOf([0, 1])
      seen.add(`${position} ${shown}`)
    }
    store.close()
    expect(seen.size, 'cuts between all of them').to.be.greaterThan(2 * rounds)
  })
})
