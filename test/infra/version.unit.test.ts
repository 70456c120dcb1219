import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { foldVersion } from '../../infra/version.ts'

describe('the version of the code that folds', () => {
  let folder: string
  const write = (name: string, text: string) => {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ib-trading-'))
    write('fold.ts', 'fold')
    write('ports/journal.ts', 'journal')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is the same for the same sources', () => {
    expect(foldVersion(folder)).to.match(/^[0-9a-f]{64}$/)
    expect(foldVersion(folder)).to.equal(foldVersion(folder))
    expect(foldVersion()).to.equal(foldVersion())
    expect(foldVersion()).to.not.equal(foldVersion(folder))
  })

  it('changes with every text, name and file, in subfolders too', () => {
    const seen = new Set([foldVersion(folder)])
    const changes: (() => void)[] = [
      () => write('fold.ts', 'fold!'),
      () => write('ports/journal.ts', 'diary'),
      () => renameSync(join(folder, 'fold.ts'), join(folder, 'unfold.ts')),
      () => write('order.ts', ''),
      () => rmSync(join(folder, 'order.ts')),
    ]
    for (const change of changes.slice(0, 4)) {
      change()
      seen.add(foldVersion(folder))
    }
    expect(seen.size).to.equal(5)
    const before = foldVersion(folder)
    changes[4]!()
    expect(foldVersion(folder)).to.not.equal(before)
  })

  it('does not take a text that moved from one file to the next for the same', () => {
    write('a.ts', 'one')
    write('b.ts', 'two')
    const before = foldVersion(folder)
    write('a.ts', 'onetwo')
    write('b.ts', '')
    expect(foldVersion(folder)).to.not.equal(before)
  })
})
