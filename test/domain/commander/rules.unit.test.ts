/** One rule a file, and each with tests under its own name: whoever adds a rule without a test is told so here. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'

const root = resolve(import.meta.dirname, '../../..')
const rules = readdirSync(join(root, 'domain/commander')).map((file) => file.replace(/\.ts$/, ''))
const tests = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.unit.test.ts') && !file.startsWith('rules.'))

/** What rules are made of, and no rule itself. */
const parts = ['clip', 'drafts', 'hold-back', 'market', 'netted', 'notes', 'positions', 'request', 'stand-aside']

describe('the rules of the commander', () => {
  it('each have tests under their own name', () => {
    const tested = tests.map((file) => file.split('.')[0]!)
    expect(rules.filter((rule) => !parts.includes(rule) && !tested.includes(rule))).to.deep.equal([])
    expect(
      parts.filter((part) => !rules.includes(part)),
      'named as a part, and not there',
    ).to.deep.equal([])
  })

  it('each say in the decision what they did: every word for it is expected by a test', () => {
    const expected = tests.map((file) => readFileSync(join(import.meta.dirname, file), 'utf8')).join()
    const words = [...readFileSync(join(root, 'domain/commander/notes.ts'), 'utf8').matchAll(/^ {2}([A-Z_]+):/gm)].map(([, code]) => code!)
    expect(words).to.include.members(['SIGNAL_MISSING', 'COLLAR_OFF'])
    expect(words.filter((code) => !expected.includes(`'${code}'`))).to.deep.equal([])
  })
})
