import { expect } from 'chai'
import { type Commit, canonical, checkLink, genesisHash, maximumCommitBytes, sha256, store } from '../../domain/commit.ts'
import { event, fromStored, toStored, type Upcaster } from '../../domain/events.ts'

const stored = (type: string, data: unknown, v = 1) => ({ type, v, occurredAt: '2024-01-09T15:00:00.000Z', data })

describe('stored events', () => {
  it('are read back as they were written', () => {
    const [written] = toStored([event('TradingResumed', { reason: 'a good day' })], '2024-01-09T15:00:00.000Z')
    expect(fromStored([written!])).to.deep.equal([written])
  })

  it('keep the time at which they happened apart from the time at which they were recorded', () => {
    const fill = event('GatewayLost', { reason: 'x' }, '2024-01-09T14:00:00.000Z')
    expect(toStored([fill], '2024-01-09T15:00:00.000Z')[0]!.occurredAt).to.equal('2024-01-09T14:00:00.000Z')
  })

  it('of an unknown type, or with a wrong field, are refused by name', () => {
    expect(() => fromStored([stored('OrderShredded', {})])).to.throw('unknown event type "OrderShredded"')
    expect(() => fromStored([stored('TradingResumed', { reason: 5 })])).to.throw(/TradingResumed: reason/)
    expect(() => fromStored([stored('OrderUnresolved', { orderRef: 'a', conId: 1 })])).to.throw(/text/)
  })

  it('may have fields of a later version', () => {
    expect(fromStored([stored('TradingResumed', { reason: 'x', mood: 'good' })])).to.have.length(1)
  })

  it('of old shapes pass through upcasters, which may rename, split and drop, step by step', () => {
    const upcasters: Record<string, Upcaster> = {
      'TradingResumed@0': ({ occurredAt, data }) => [
        { type: 'TradingResumed', v: 1, occurredAt, data: { reason: (data as { why: string }).why } },
      ],
      'SwitchFlipped@1': ({ occurredAt, data }) => [
        { type: 'TradingResumed', v: 0, occurredAt, data },
        stored('GatewayLost', { reason: 'split off' }),
      ],
      'NoiseHeard@1': () => [],
    }
    const read = fromStored([stored('SwitchFlipped', { why: 'morning' }), stored('NoiseHeard', {})], upcasters)
    expect(read.map(({ type, data }) => [type, data])).to.deep.equal([
      ['TradingResumed', { reason: 'morning' }],
      ['GatewayLost', { reason: 'split off' }],
    ])
  })
})

describe('a commit', () => {
  const commit: Commit = {
    position: 1,
    epoch: 1,
    recordedAt: '2024-01-09T15:00:00.000Z',
    cause: { kind: 'engine', reason: 'started' },
    events: [],
    previousHash: genesisHash,
  }

  it('is stored as canonical text and named by its hash', () => {
    const { json, hash } = store(commit)
    expect(json).to.match(/^\{"cause":\{"kind":"engine","reason":"started"\},"epoch":1,/)
    expect(hash).to.equal(sha256(json))
    expect(canonical({ b: 1, a: undefined })).to.equal('{"b":1}')
  })

  it('that is altered, moved, relabelled or out of its place is found', () => {
    const first = store(commit)
    const before = { position: 0, hash: genesisHash }
    expect(checkLink(before, first)).to.equal(undefined)
    expect(checkLink(before, { ...first, json: first.json.replace('started', 'stopped') })).to.deep.equal({ position: 1, what: 'altered' })
    expect(checkLink({ position: 1, hash: first.hash }, first)).to.deep.equal({ position: 2, what: 'missing' })
    expect(checkLink({ position: 0, hash: 'f'.repeat(64) }, first)).to.deep.equal({ position: 1, what: 'unlinked' })
    expect(checkLink(before, { ...first, epoch: 2 })).to.deep.equal({ position: 1, what: 'mislabelled' })
  })

  it('over the limit is refused before anything is sent, counted in bytes', () => {
    const text = 'ü'.repeat(maximumCommitBytes / 2)
    expect(() => store({ ...commit, events: [stored('TradingResumed', { reason: text })] })).to.throw(
      RangeError,
      /bytes, the limit is 900000/,
    )
  })
})
