/** The layout of the project is a rule, and this is where it is enforced. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { expect } from 'chai'
import { eventData } from '../domain/events.ts'
import { decodeTopics } from '../domain/topics.ts'
import { intents } from '../handlers/handlers.ts'
import { readTopics } from '../infra/topics-file.ts'

const root = resolve(import.meta.dirname, '..')
const folders = ['domain', 'handlers', 'projections', 'infra', 'test']

const files = folders.flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js)$/.test(name))
    .map((name) => join(folder, name)),
)
const textOf = new Map(files.map((file) => [file, readFileSync(join(root, file), 'utf8')]))

/** What a file imports, exports from, or loads: paths from the root for our own, names for packages. */
const importsOf = (file: string): string[] =>
  [
    ...textOf
      .get(file)!
      .matchAll(/(?:^|\n)\s*(?:import|export)\b[^'"`\n]*?(?:\n[^'"`]*?)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g),
  ]
    .map((match) => match[1] ?? match[2]!)
    .map((target) => (target.startsWith('.') ? relative(root, resolve(root, dirname(file), target)) : target))

const folderOf = (path: string): string => path.split('/')[0]!
const ours = (path: string): boolean => folders.includes(folderOf(path)) && /\.(ts|js)$/.test(path)

describe('architecture', () => {
  it('finds the imports of a file', () => {
    expect(importsOf('handlers/reconcile.ts')).to.include.members(['domain/reconcile.ts', 'handlers/handler.ts'])
  })

  const allowed: Record<string, string[]> = {
    domain: ['domain'],
    handlers: ['domain', 'handlers'],
    projections: ['domain', 'projections'],
    infra: ['domain', 'handlers', 'projections', 'infra'],
  }
  for (const [folder, targets] of Object.entries(allowed))
    it(`${folder}/ imports of ours only ${targets.join(', ')}`, () => {
      const wrong = files
        .filter((file) => folderOf(file) === folder)
        .flatMap((file) =>
          importsOf(file)
            .filter((target) => ours(target) && !targets.includes(folderOf(target)))
            .map((target) => `${file} → ${target}`),
        )
      expect(wrong).to.deep.equal([])
    })

  it('has no import cycle', () => {
    const graph = new Map(files.map((file) => [file, importsOf(file).filter(ours)]))
    const done = new Set<string>()
    const cycleFrom = (file: string, path: readonly string[]): string[] | undefined => {
      if (path.includes(file)) return [...path.slice(path.indexOf(file)), file]
      if (done.has(file)) return undefined
      for (const next of graph.get(file) ?? []) {
        const cycle = cycleFrom(next, [...path, file])
        if (cycle !== undefined) return cycle
      }
      done.add(file)
      return undefined
    }
    for (const file of files) expect(cycleFrom(file, [])?.join(' → ') ?? 'none').to.equal('none')
  })

  it('keeps domain/ free of the world: no I/O, no clock, no randomness', () => {
    const impure = /Date\.now\(|new Date\(\)|Math\.random\(|randomUUID|setTimeout|setInterval|process\.|from 'node:(?!crypto')/
    const pure = files.filter((file) => folderOf(file) === 'domain' || folderOf(file) === 'projections' || folderOf(file) === 'handlers')
    expect(pure.filter((file) => impure.test(textOf.get(file)!))).to.deep.equal([])
  })

  it('names the tier of every test file', () => {
    const tests = files.filter((file) => file.endsWith('.test.ts'))
    expect(tests.filter((file) => !/\.(unit|contract|e2e)\.test\.ts$/.test(file))).to.deep.equal([])
  })
})

describe('topics.yaml', () => {
  const topics = readTopics()
  const typesOf = (kind: 'command' | 'event') =>
    Object.values(topics.topics).flatMap((topic) =>
      topic.kind !== kind ? [] : topic.kind === 'command' ? Object.keys(topic.messages) : topic.kind === 'event' ? [...topic.messages] : [],
    )

  it('gives every event its topic, and names no event that does not exist', () => {
    expect(typesOf('event').sort()).to.deep.equal(Object.keys(eventData).sort())
  })

  it('gives every command its topic, and names no command that does not exist', () => {
    expect(typesOf('command').sort()).to.deep.equal([...Object.keys(intents), 'strategy'].sort())
  })

  it('gives every pipeline its end', () => {
    for (const [type, { next }] of Object.entries(intents)) {
      const rules = Object.values(topics.topics).flatMap((topic) => (topic.kind === 'command' ? (topic.messages[type] ?? []) : []))[0]!
      expect(rules.endsWithin !== undefined, type).to.equal(next !== undefined)
    }
  })

  it('is decoded strictly', () => {
    expect(decodeTopics({ topics: {}, subscriptions: {}, schedules: {}, extra: 1 }))
      .to.be.a('string')
      .that.includes('extra')
  })
})
