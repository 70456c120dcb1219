/** Defects of earlier systems, each with the tests that prove that it is none here: a test that was renamed or taken away is missed. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import * as t from 'io-ts'
import { parse } from 'yaml'
import { decode } from '../domain/decode.ts'

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const Defects = t.array(t.strict({ defect: t.string, tests: t.record(t.string, t.array(t.string)) }))

const defects = (): t.TypeOf<typeof Defects> => {
  const decoded = decode(Defects, parse(readFileSync(at('./earlier-defects.yaml'), 'utf8')))
  if (!decoded.ok) throw new Error(decoded.problem)
  return decoded.value
}

/** The titles of tests as they stand in a file, and run: one that is skipped, has no body, or may stand in a skipped suite proves nothing. */
const titlesIn = (source: string): Set<string> =>
  /\bdescribe\.skip\(/.test(source)
    ? new Set()
    : new Set(
        [...source.matchAll(/\bit\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*,/g)].map(([, a, b, c]) => a ?? b ?? c!),
      )

describe('the defects of earlier systems', () => {
  const files = new Map<string, Set<string> | undefined>()
  const titlesOf = (file: string): Set<string> | undefined => {
    if (!files.has(file)) files.set(file, existsSync(at(file)) ? titlesIn(readFileSync(at(file), 'utf8')) : undefined)
    return files.get(file)
  }

  it('are nineteen and seven, each told apart from the others', () => {
    expect(new Set(defects().map(({ defect }) => defect)).size).to.equal(19 + 7)
  })

  for (const { defect, tests } of defects())
    it(`${defect}: has its tests`, () => {
      expect(Object.values(tests).flat(), 'a defect without a test').not.to.deep.equal([])
      for (const [file, titles] of Object.entries(tests)) {
        const found = titlesOf(file)
        expect(found, `${file} is not there`).not.to.equal(undefined)
        for (const title of titles) expect(found!.has(title), `${file} has no test "${title}"`).to.equal(true)
      }
    })

  it('are not proved by a test that is skipped or empty, nor by a suite', () => {
    expect([...titlesIn("describe.skip('a', () => { it('b', () => {}) })")]).to.deep.equal([])
    const source = "it('f')\nit.skip('a', () => {})\ndescribe('b', () => {})\nit('c, \\'d\\'', () => {})\n  it(\n    'e', () => {})"
    expect([...titlesIn(source)]).to.deep.equal(["c, \\'d\\'", 'e'])
  })
})
