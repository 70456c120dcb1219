import { expect } from 'chai'
import { snapshotTooOld } from '../../../domain/commander/snapshot-age.ts'
import { configured, given, ready, tuesday } from '../../given.ts'

const taken = Date.parse(tuesday)
const minutes = (count: number) => taken + count * 60_000
const code = (now: number, freshMinutes?: number, takenAt = tuesday, ...settings: Parameters<typeof given>) =>
  snapshotTooOld({ takenAt }, given(...ready, ...settings).ledger, freshMinutes === undefined ? {} : { freshMinutes }, now)?.refusal

describe('commander: the age of the snapshot', () => {
  it('is what the configuration allows, and not a millisecond more', () => {
    expect([code(minutes(180)), code(minutes(180) + 1)]).to.deep.equal([undefined, 'SNAPSHOT_STALE'])
    const ten = configured({ freshMinutes: 10 })
    expect([code(minutes(10), undefined, tuesday, ten), code(minutes(11), undefined, tuesday, ten)]).to.deep.equal([
      undefined,
      'SNAPSHOT_STALE',
    ])
  })

  it('is what the request allows, where it says so', () => {
    expect([code(minutes(5), 5), code(minutes(6), 5)]).to.deep.equal([undefined, 'SNAPSHOT_STALE'])
    expect(code(minutes(300), 400)).to.equal(undefined)
  })

  it('is never young where its time cannot be read', () => {
    expect(code(taken, undefined, 'yesterday')).to.equal('SNAPSHOT_STALE')
  })

  it('names the time and what is allowed', () => {
    const refusal = snapshotTooOld({ takenAt: tuesday }, given(...ready).ledger, {}, minutes(181))
    expect(refusal).to.deep.include({ details: { takenAt: tuesday, freshMinutes: 180 } })
    expect(refusal!.text).to.include(`taken at ${tuesday}, 180 minutes are allowed`)
  })
})
