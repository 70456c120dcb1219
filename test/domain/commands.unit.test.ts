import { expect } from 'chai'
import { readEnvelope } from '../../domain/commands.ts'

const read = (attributes: Record<string, string>, data = '{}') =>
  readEnvelope({ id: 'm1', data, publishedAt: '2024-01-09T15:00:00.000Z', attributes: { type: 'halt', ...attributes } }, () => undefined)
const problem = (attributes: Record<string, string>, data?: string) => {
  const found = read(attributes, data)
  return found.ok ? undefined : found.problem
}

describe('the envelope of a command', () => {
  it('is read with what it says of itself', () => {
    const found = read({ id: 'halt-1', source: 'cli', actor: 'jane' }, '{"reason":"enough"}')
    expect(found).to.deep.equal({
      ok: true,
      value: {
        ...{ id: 'halt-1', type: 'halt', publishedAt: '2024-01-09T15:00:00.000Z', source: 'cli', actor: 'jane' },
        body: { reason: 'enough' },
      },
    })
  })

  it('says what cannot be read: type, id, body', () => {
    expect(problem({ type: '' })).to.match(/"type" is missing/)
    for (const id of ['', '__proto__', 'a/b', 'a..b', 'x'.repeat(97)]) expect(problem({ id }), id).to.match(/^the id /)
    expect(problem({}, '{"reason":')).to.equal('the body is not JSON')
    for (const body of ['[]', '5', 'null']) expect(problem({}, body), body).to.be.a('string')
  })

  it('takes nothing that a commit could not hold', () => {
    expect(problem({}, JSON.stringify({ reason: 'x'.repeat(64_000) }))).to.match(/^the body has 64013 characters/)
    expect(problem({ actor: 'x'.repeat(257) })).to.match(/^the attribute "actor" has more than 256/)
    expect(problem({ actor: 'x'.repeat(256) }, JSON.stringify({ reason: 'x'.repeat(60_000) }))).to.equal(undefined)
  })

  it('is refused where it holds text that no journal can keep, so that no halt fails on its own reason', () => {
    expect(problem({}, '{"reason":"\\ud800"}')).to.match(/^the body holds text that is not Unicode/)
    expect(problem({}, '{"reason":"\\ud83d\\ude00"}')).to.equal(undefined)
    expect(problem({ actor: '\ud800' })).to.equal('the attribute "actor" is not Unicode text')
  })
})
