import { expect } from 'chai'
import { isCommandId } from '../../../domain/commands.ts'
import { commandIdOf, digestOf, requestIdOf, statusOf, waitSecondsOf } from '../../../infra/http/answers.ts'

describe('what an HTTP answer says of a command', () => {
  it('waits 30 seconds unless the caller prefers otherwise, and never longer than five minutes', () => {
    expect(waitSecondsOf(undefined)).to.equal(30)
    expect(waitSecondsOf('wait=2')).to.equal(2)
    expect(waitSecondsOf('respond-async, wait=10')).to.equal(10)
    expect(waitSecondsOf(['handling=lenient', 'Wait = 7'])).to.equal(7)
    expect(waitSecondsOf('respond-async')).to.equal(0)
    expect(waitSecondsOf('wait=99999')).to.equal(300)
    for (const odd of ['wait=', 'wait=-1', 'wait=soon', 'return=minimal', '']) expect(waitSecondsOf(odd), odd).to.equal(30)
    expect(waitSecondsOf(undefined, 0)).to.equal(0)
  })

  it('makes a key the id of one command of one caller', () => {
    expect(commandIdOf('local', 'order-7')).to.equal('http-order-7')
    const awkward = ['with space', 'ü', 'x'.repeat(200), 'a..b', '"quoted"', 'a/b']
    const ids = ['local', 'anna@example.org', 'bert@example.org'].flatMap((actor) =>
      ['order-7', 'order-8', ...awkward].map((key) => commandIdOf(actor, key)!),
    )
    expect(new Set(ids).size).to.equal(ids.length)
    for (const id of ids) expect(isCommandId(id), id).to.equal(true)
    expect(commandIdOf('anna@example.org', 'order-7')).to.equal(commandIdOf('anna@example.org', 'order-7'))
    for (const none of ['', '  ', 'x'.repeat(256)]) expect(commandIdOf('local', none)).to.equal(undefined)
  })

  it('tells another request from the same one by what was asked, not by how it was written', () => {
    expect(digestOf('halt', { reason: 'a', cancelWorking: true })).to.equal(digestOf('halt', { cancelWorking: true, reason: 'a' }))
    expect(digestOf('halt', { reason: 'a' })).not.to.equal(digestOf('halt', { reason: 'b' }))
    expect(digestOf('halt', {})).not.to.equal(digestOf('resume', {}))
  })

  it('takes the id of a request from X-Request-Id, else from the trace, and from nothing that is neither', () => {
    const trace = '0af7651916cd43dd8448eb211c80319c'
    expect(requestIdOf({ 'x-request-id': 'r-1', traceparent: `00-${trace}-b7ad6b7169203331-01` })).to.equal('r-1')
    expect(requestIdOf({ traceparent: `00-${trace}-b7ad6b7169203331-01` })).to.equal(trace)
    expect(requestIdOf({ 'x-request-id': 'a b', traceparent: `00-${trace}-b7ad6b7169203331-01` })).to.equal(trace)
    for (const traceparent of [`00-${'0'.repeat(32)}-b7ad6b7169203331-01`, 'trace', ''])
      expect(requestIdOf({ traceparent })).to.equal(undefined)
    expect(requestIdOf({ 'x-request-id': 'x'.repeat(129) })).to.equal(undefined)
  })

  it('gives each end its status: a failure with its reason is an outcome, and 500 is a mistake of ours alone', () => {
    const status = (document: Parameters<typeof statusOf>[0]) => statusOf(document)
    expect(status({ status: 'completed' })).to.equal(200)
    expect(status({ status: 'partial_success', code: 'ORDERS_REFUSED' })).to.equal(200)
    expect(status({ status: 'accepted' })).to.equal(202)
    expect(status({ status: 'refused', code: 'HALTED' })).to.equal(409)
    expect(status({ status: 'refused', code: 'ORDER_UNKNOWN' })).to.equal(404)
    expect(status({ status: 'refused', code: 'CONFIGURATION_INVALID' })).to.equal(409)
    expect(status({ status: 'refused', code: 'toString' })).to.equal(409)
    expect(status({ status: 'expired', code: null })).to.equal(409)
    for (const code of ['BARS_STALE', 'STRATEGY_THREW', 'NOT_FLAT', null])
      expect(status({ status: 'failed', code }), String(code)).to.equal(200)
    for (const code of ['UNEXPECTED', 'UNKNOWN_PIPELINE']) expect(status({ status: 'failed', code }), code).to.equal(500)
    expect(status({ status: 'something new' })).to.equal(409)
  })
})
