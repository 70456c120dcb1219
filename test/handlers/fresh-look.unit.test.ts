import { expect } from 'chai'
import fc from 'fast-check'
import { canonical } from '../../domain/commit.ts'
import { stateAfter } from '../../handlers/fresh-look.ts'
import { continued, frozen, ledgerOf, together } from '../given.ts'
import { anyHistory } from '../projections/histories.ts'

const command = { id: 'c1', type: 'summary', publishedAt: '2024-01-09T15:00:00.000Z', source: 'test', body: {} }

describe('the state after a look', () => {
  it('is what the fold would make of it, and leaves the state itself alone', () => {
    fc.assert(
      fc.property(anyHistory(20), anyHistory(6), (before, later) => {
        const ledger = ledgerOf(...before.map(({ events }) => together(...events)))
        const events = later.flatMap((told) => told.events)
        const text = canonical(ledger)
        const after = stateAfter(frozen(structuredClone(ledger)), events, command, Date.parse(ledger.recordedAt))
        const { body: _, ...cause } = command
        const folded = continued(ledger, { events, cause: { kind: 'command', ...cause } })
        // A commit has a place in the journal, which a look into the future has not.
        const place = { position: 0, hash: '', recordedAt: '', prefix: null, epoch: 0 }
        expect(canonical({ ...after, ...place })).to.equal(canonical({ ...folded, ...place }))
        expect(canonical(ledger)).to.equal(text)
      }),
      { numRuns: 60 },
    )
  })
})
