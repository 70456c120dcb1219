import { expect } from 'chai'
import fc from 'fast-check'
import type { DocumentWrite } from '../../domain/ports/documents.ts'
import { coalesce, createMeasure, inBatches, largestBatch } from '../../projections/batch.ts'

const set = (path: string, bytes: number): DocumentWrite => ({ kind: 'set', path, data: { text: 'x'.repeat(bytes) } })
const merge = (path: string, data: Record<string, string>): DocumentWrite => ({ kind: 'merge', path, data })
const third = Math.floor(largestBatch.bytes / 3)

describe('a batch', () => {
  it('takes as many documents as its count allows, each counted once', () => {
    const measure = createMeasure()
    const writes = Array.from({ length: largestBatch.documents }, (_, number) => set(`activity/${number}`, 1))
    measure.add(writes)
    expect(measure.takes([set('activity/0', 1)])).to.equal(true)
    expect(measure.takes([set('activity/one-more', 1)])).to.equal(false)
  })

  it('takes as many bytes as its size allows, counted in UTF-8', () => {
    const measure = createMeasure()
    measure.add([set('activity/1', third), set('activity/2', third)])
    expect(measure.takes([set('activity/3', third - 200)])).to.equal(true)
    expect(measure.takes([set('activity/3', third + 200)])).to.equal(false)
    expect(measure.takes([{ kind: 'set', path: 'activity/3', data: { text: 'é'.repeat(third / 2 + 200) } }])).to.equal(false)
  })

  it('counts what a document is in the end, not what was laid over it', () => {
    const measure = createMeasure()
    for (let round = 0; round < 20; round++) measure.add([set('status/paper', third), merge('status/paper', { more: `${round}` })])
    expect(measure.takes([set('activity/1', third)])).to.equal(true)
    measure.add([{ kind: 'delete', path: 'status/paper' }])
    expect(measure.takes([set('activity/1', third), set('activity/2', third)])).to.equal(true)
  })

  it('always takes what comes first, so that a commit is not split', () => {
    expect(createMeasure().takes([set('activity/1', largestBatch.bytes + 1), set('activity/2', 1)])).to.equal(true)
  })

  it('is one of few: all writes, in their order, none too large unless it is one write alone', () => {
    const write = fc
      .tuple(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: third }))
      .map(([id, bytes]) => set(`activity/${id}`, bytes))
    fc.assert(
      fc.property(fc.array(write, { maxLength: 40 }), (writes) => {
        const batches = inBatches(writes)
        expect(batches.flat()).to.deep.equal(writes)
        for (const batch of batches.slice(0, batches.length > 1 ? undefined : 0)) expect(batch).not.to.deep.equal([])
        for (const batch of batches) {
          const bytes = Buffer.byteLength(JSON.stringify(coalesce(batch).map((each) => (each.kind === 'delete' ? {} : each.data))))
          if (batch.length > 1) expect(bytes).to.be.at.most(largestBatch.bytes + 2 * batch.length)
        }
      }),
      { numRuns: 30 },
    )
  })

  it('is there even if there is nothing to write, for the checkpoint alone', () => {
    expect(inBatches([])).to.deep.equal([[]])
  })
})
