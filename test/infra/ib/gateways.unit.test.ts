import { expect } from 'chai'
import * as fc from 'fast-check'
import { atStart, connectedTo, type Fate, lostOne, mayReturn, type Whereabouts, wentTo, whereNext } from '../../../infra/ib/gateways.ts'

const fate = (changes: Partial<Fate>): Fate => ({
  ...{ stood: false, opened: false, closedByPeer: false, refused: false, taken: false },
  ...changes,
})
const patience = 20_000
const next = (where: Whereabouts, now: number, backup = true) => whereNext(where, { backup, patience, now })
/** A session that stood at the primary from 0 to 1000. */
const afterEnd = (changes: Partial<Fate>) => lostOne(connectedTo(atStart(0)), fate({ stood: true, opened: true, ...changes }), 1000)

describe('which gateway', () => {
  it('waits out its patience, then goes where it may', () => {
    const where = afterEnd({ closedByPeer: true })
    expect(next(where, 1000 + patience - 1)).to.deep.equal({ stay: undefined })
    expect(next(where, 1000 + patience)).to.deep.equal({ go: 'backup' })
    expect(next(where, 1000 + patience, false)).to.deep.equal({ stay: undefined })
  })

  it('stays with a session that was lost in silence, and says why, until its machine says that it is gone', () => {
    let where = afterEnd({ closedByPeer: false })
    const stay = next(where, 99_000)
    expect('stay' in stay && stay.stay)
      .to.contain('primary')
      .and.contain('may live on')
    where = lostOne(where, fate({}), 100_000) // out of reach
    where = lostOne(where, fate({ opened: true, closedByPeer: true }), 110_000) // a proxy that takes calls for nobody
    expect(next(where, 120_000)).to.have.property('stay').that.contains('may live on')
    where = lostOne(where, fate({ refused: true }), 130_000)
    expect(next(where, 130_000)).to.deep.equal({ go: 'backup' })
  })

  it('takes a client id in use for a session that lives, whoever closed the attempt', () => {
    const where = lostOne(afterEnd({ closedByPeer: true }), fate({ opened: true, closedByPeer: true, taken: true }), 2000)
    expect(next(where, 99_000)).to.have.property('stay').that.contains('may live on')
  })

  it('knows at the start of no session that it is closed', () => {
    expect(next(atStart(0), 99_000))
      .to.have.property('stay')
      .that.contains('may live on')
    expect(next(lostOne(atStart(0), fate({ refused: true }), 10), 99_000)).to.deep.equal({ go: 'backup' })
  })

  it('counts the patience at each gateway anew', () => {
    const where = wentTo(afterEnd({ closedByPeer: true }), 'backup', 50_000)
    const refused = lostOne(where, fate({ refused: true }), 50_010)
    expect(next(refused, 50_000 + patience - 1)).to.deep.equal({ stay: undefined })
    expect(next(refused, 50_000 + patience)).to.deep.equal({ go: 'primary' })
  })

  it('goes back only when the end at the backup was confirmed', () => {
    const atBackup = connectedTo(wentTo(afterEnd({ closedByPeer: true }), 'backup', 50_000))
    expect(mayReturn(lostOne(atBackup, fate({ stood: true, opened: true, closedByPeer: true }), 60_000))).to.equal(true)
    expect(mayReturn(lostOne(atBackup, fate({ stood: true, opened: true }), 60_000))).to.equal(false)
  })

  it('never leaves a session that may live, whatever happens', () => {
    const fates = fc.record({ opened: fc.boolean(), closedByPeer: fc.boolean(), refused: fc.boolean(), taken: fc.boolean() })
    const events = fc.oneof(
      fc.constant('stood' as const),
      fates.map((ended) => ({ ended })),
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(events, fc.integer({ min: 0, max: 30_000 })), { maxLength: 40 }), (story) => {
        let where = atStart(0)
        let now = 0
        /** Our own knowledge, kept the plain way: a session lives from its handshake until its machine has said that it is gone. */
        const mayLive = { primary: true, backup: true }
        let stood = false
        for (const [what, wait] of story) {
          now += wait
          if (what === 'stood') {
            where = connectedTo(where)
            mayLive[where.at] = true
            stood = true
            continue
          }
          const ended = fate({ ...what.ended, refused: what.ended.refused && !stood, taken: what.ended.taken && !stood, stood })
          if (ended.taken) mayLive[where.at] = true
          else if (ended.refused || (stood && ended.closedByPeer)) mayLive[where.at] = false
          stood = false
          where = lostOne(where, ended, now)
          const to = next(where, now)
          if (!('go' in to)) continue
          expect(mayLive[where.at]).to.equal(false)
          where = wentTo(where, to.go, now)
        }
      }),
      { numRuns: 500 },
    )
  })
})
