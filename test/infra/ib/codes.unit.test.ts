import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { aboutOrder, done, explain, followsCancel, known, meaningOf, refusesQuestion } from '../../../infra/ib/codes.ts'

describe("IB's codes", () => {
  const expected = {
    rejected: [103, 110, 200, 201, 321, 334, 337, 460, 503, 10006, 10243, 10244],
    cancelled: [202],
    warning: [327, 399, 404, 420, 2109, 10349],
    cancelRefused: [135, 161, 10147, 10148],
  }
  for (const [meaning, codes] of Object.entries(expected))
    it(`takes ${codes.join(', ')} about an order as: ${meaning}`, () => {
      for (const code of codes) {
        expect(known(code), String(code)).to.equal(true)
        expect(aboutOrder(code), String(code)).to.equal(meaning)
      }
    })

  it('never takes an unknown code, or a refused change, for the end of an order', () => {
    expect(known(98765)).to.equal(false)
    for (const code of [98765, 104, 105, 329, 2104, 1100]) expect(aboutOrder(code), String(code)).to.equal('warning')
  })

  it('takes an unknown code about a question as its refusal, and warnings as such', () => {
    for (const code of [98765, 162, 200, 321, 322, 366, 420, 10168, 10197, 10339])
      expect(refusesQuestion(code), String(code)).to.equal(true)
    for (const code of [2104, 2174, 2176, 10167]) expect(refusesQuestion(code), String(code)).to.equal(false)
  })

  it('knows what happens to the connection and to the link behind it', () => {
    expect([1100, 2110].map(meaningOf)).to.deep.equal(['linkDown', 'linkDown'])
    expect([1101, 1102].map(meaningOf)).to.deep.equal(['linkUp', 'linkUp'])
    expect([326, 502, 504, 506].map(meaningOf)).to.deep.equal(['session', 'session', 'session', 'session'])
    expect([2104, 2106, 2158].map(meaningOf)).to.deep.equal(['info', 'info', 'info'])
  })

  it('knows each code that the simulated gateway says', () => {
    const folder = new URL('../../../infra/gateway-sim/', import.meta.url)
    const sources = readdirSync(folder)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(new URL(name, folder), 'utf8'))
    const said = sources.flatMap((text) =>
      [...text.matchAll(/(?:\bcode(?::| =)|error\([^,()]+,|\b(?:up|down|idle):) (\d{3,5})\b/g)].map(([, code]) => Number(code)),
    )
    expect(new Set(said).size).to.be.greaterThan(40)
    expect([...new Set(said)].filter((code) => !known(code))).to.deep.equal([])
  })

  it('says of each code what it is and what is done, in one table', () => {
    expect(explain(326)).to.deep.equal({ meaning: 'session', text: 'client id already in use', done: done.session })
    expect(explain(201)).to.deep.equal({ meaning: 'rejected', text: 'order rejected', done: done.rejected })
    expect(explain(98765)).to.equal(undefined)
    expect(new Set(Object.values(done)).size).to.equal(Object.keys(done).length)
  })

  it('expects after our own cancel only what a cancel brings', () => {
    for (const code of [162, 300, 310, 366]) expect(followsCancel(code), String(code)).to.equal(true)
    for (const code of [200, 201, 321, 354, 98765]) expect(followsCancel(code), String(code)).to.equal(false)
  })
})
