import { expect } from 'chai'
import * as fc from 'fast-check'
import { letterOf, readLetter } from '../../../infra/google/dead-letters.ts'

const burial = {
  ...{ id: '1234567890123456', subscription: `paper-${'s'.repeat(249)}`, attempts: 100, reason: 'not ready' },
  ...{ publishedAt: '2020-03-16T20:05:00.000Z', deadAt: '2020-03-16T21:05:00.000Z' },
}
const text = fc.string({ unit: 'grapheme', maxLength: 60 })
const bytes = (value: string) => Buffer.byteLength(value)
const read = ({ data, attributes }: ReturnType<typeof letterOf>) =>
  readLetter({ id: '99', data: Buffer.from(data).toString(), attributes, publishedAt: '2020-03-16T21:05:01.000Z' })

describe('a dead letter on Pub/Sub', () => {
  it('says all that was put into it', () => {
    const attributes = fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), text, { maxKeys: 99 })
    const told = fc.tuple(fc.string({ unit: 'grapheme', maxLength: 5_000 }), attributes, text)
    fc.assert(
      fc.property(told, ([data, { deadLetter: _, ...attributes }, reason]) => {
        const letter = letterOf({ data: Buffer.from(data), attributes }, { ...burial, reason })
        expect(read(letter)).to.deep.equal({ ...burial, reason, data: Buffer.from(data).toString(), attributes })
      }),
    )
  })

  it('is one that Pub/Sub takes, however long its reason and however many attributes it had', () => {
    const attributes = Object.fromEntries(Array.from({ length: 100 }, (_, number) => [`name${number}`, 'x']))
    const reason = fc.string({ unit: 'grapheme', minLength: 300, maxLength: 20_000 })
    fc.assert(
      fc.property(reason, (reason) => {
        const letter = letterOf({ data: Buffer.from('{}'), attributes }, { ...burial, reason })
        const values = Object.values(letter.attributes)
        expect(values).to.have.length(100)
        expect(Math.max(...values.map(bytes))).to.be.at.most(1_024)
        const kept = read(letter).reason
        expect(kept === reason || (kept.endsWith('…') && reason.startsWith(kept.slice(0, 20)))).to.equal(true)
      }),
      { numRuns: 50 },
    )
  })

  it('of Pub/Sub itself is read as it comes from there', () => {
    const attributes = {
      ...{ type: 'halt', CloudPubSubDeadLetterSourceDeliveryCount: '5' },
      CloudPubSubDeadLetterSourceSubscription: 'paper-urgent-engine',
      CloudPubSubDeadLetterSourceSubscriptionProject: 'my-project',
      CloudPubSubDeadLetterSourceTopicPublishTime: '2020-03-16T20:05:00.123+00:00',
    }
    expect(readLetter({ id: '99', data: '{}', attributes, publishedAt: '2020-03-16T21:05:01.000Z' })).to.deep.equal({
      ...{ id: '99', data: '{}', attributes: { type: 'halt' }, publishedAt: '2020-03-16T20:05:00.123Z' },
      ...{ subscription: 'paper-urgent-engine', attempts: 5, reason: 'was never acknowledged', deadAt: '2020-03-16T21:05:01.000Z' },
    })
  })
})
