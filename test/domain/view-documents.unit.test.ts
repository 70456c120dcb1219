import { expect } from 'chai'
import fc from 'fast-check'
import { checkViewDocument, viewDocuments } from '../../domain/view-documents.ts'
import { sizeOf } from '../../infra/google/document-values.ts'
import { createReplay } from '../../projections/replay.ts'
import { views } from '../../projections/views.ts'
import { anyHistory } from '../projections/histories.ts'
import { command, commitsOf, decision, started, type Told } from '../projections/story.ts'

const allowed = (path: string): boolean => {
  try {
    return checkViewDocument('paper', path) === path
  } catch {
    return false
  }
}

describe('the documents of views', () => {
  it('are all that views ever write, and in a form that Firestore can hold', () => {
    const seen = new Set<string>()
    const see = (told: readonly Told[]): void => {
      const replay = createReplay(views, 'paper')
      for (const stored of commitsOf(told))
        for (const write of replay.step(stored, false)) {
          checkViewDocument('paper', write.path)
          if (write.kind !== 'delete') sizeOf(write.path, write.data)
          seen.add(viewDocuments('paper').find((pattern) => new RegExp(`^${pattern.replaceAll('*', '[^/]+')}$`).test(write.path))!)
        }
    }
    fc.assert(fc.property(anyHistory(40), see), { numRuns: 100 })
    const notes = Array.from({ length: 6_000 }, (_, conId) => ({
      code: 'LIMIT_GROSS',
      text: 'too long for one document',
      strategy: 'dummy',
      conId,
    }))
    see([started, command('allocation', 'a-1', decision({ notes }))])
    expect([...seen].sort(), 'a pattern that no view writes').to.deep.equal(viewDocuments('paper'))
  })

  it('are those of one trading mode', () => {
    for (const path of ['status/paper', 'config/paper', 'config/common', 'positions/paper/openOrders/r1'])
      expect(allowed(path), path).to.equal(true)
    for (const path of ['status/live', 'config/live', 'positions/live', 'positions/live/openOrders/r1'])
      expect(allowed(path), path).to.equal(false)
  })

  it('are not the journal, the lease, checkpoints, or what somebody else keeps', () => {
    for (const path of [
      'journals/paper/commits/000000000001',
      'journals/paper/commands/c1',
      'journals/paper/lease/current',
      'checkpoints/views',
      'customers/1',
      'executions/x/notes/1',
      'strategies/dummy/intent/older',
      'positions/paper/portfolio/yesterday',
    ])
      expect(allowed(path), path).to.equal(false)
  })

  it('are named in the order of their paths', () => {
    expect(viewDocuments('live')).to.deep.equal([...viewDocuments('live')].sort())
  })
})
