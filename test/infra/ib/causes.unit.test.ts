import { expect } from 'chai'
import { type Cause, causeOf, causes, explained } from '../../../infra/ib/causes.ts'
import type { Ending } from '../../../infra/ib/line.ts'

const wednesday = Date.parse('2026-11-18T17:00:00Z')
const sunday = Date.parse('2026-11-22T17:00:00Z')
const ending = (changes: Partial<Ending>): Ending => ({
  ...{ reason: 'it ended', code: undefined, reached: 'nothing', wasReady: false, socketError: undefined },
  ...changes,
})

describe('why a session is not ready', () => {
  const cases: [Cause, Partial<Ending>, Partial<Parameters<typeof causeOf>[1]>][] = [
    ['refused', { socketError: 'ECONNREFUSED', code: 502 }, {}],
    ['outOfReach', { socketError: 'ETIMEDOUT', code: 502 }, {}],
    ['outOfReach', { socketError: 'EHOSTUNREACH', code: 502 }, {}],
    ['outOfReach', { socketError: 'ENOTFOUND', code: 502 }, {}],
    ['outOfReach', {}, {}],
    ['silent', { reached: 'socket' }, {}],
    ['silent', { reached: 'socket', socketError: 'ECONNRESET' }, {}],
    ['login', { reached: 'version' }, { notLoggedInFor: 119_999 }],
    ['secondFactor', { reached: 'version' }, { notLoggedInFor: 120_000 }],
    ['secondFactor', { reached: 'version' }, { now: sunday }],
    ['lost', { reached: 'version', wasReady: true }, { now: sunday }],
    ['restart', { reached: 'version', wasReady: true }, { restarting: true }],
    ['restart', { socketError: 'ECONNREFUSED' }, { restarting: true }],
    ['clientIdInUse', { reached: 'version', code: 326 }, { restarting: true }],
    ['version', { reached: 'version', code: 506 }, {}],
  ]
  for (const [cause, end, facts] of cases)
    it(`is ${cause} after ${JSON.stringify(end)} with ${JSON.stringify(facts)}`, () => {
      expect(causeOf(ending(end), { now: wednesday, restarting: false, notLoggedInFor: 0, ...facts })).to.equal(cause)
    })

  it('has a text of its own for each', () => {
    const texts = Object.values(causes).map(({ text }) => text)
    expect(new Set(texts).size).to.equal(texts.length)
    expect(explained('lost', 'the line is closed')).to.equal('the connection to the gateway was lost (the line is closed)')
    expect(explained('refused', 'connect ECONNREFUSED'), 'what to look at').to.match(
      /^nobody listens.*started.*API.*IB_HOST.*IB_PORT.* \(connect ECONNREFUSED\)$/,
    )
    expect(explained('linkDown', causes.linkDown.text)).to.equal(causes.linkDown.text)
  })
})
