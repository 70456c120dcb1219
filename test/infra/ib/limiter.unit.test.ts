import { expect } from 'chai'
import * as fc from 'fast-check'
import { createLimiter, type Use } from '../../../infra/ib/limiter.ts'
import { handClock } from './hand-clock.ts'

describe('message limit', () => {
  it('lets questions wait their turn and leaves a reserve', () => {
    const clock = handClock()
    const limiter = createLimiter({ clock, perSecond: 5, reserve: 2 })
    const sent: number[] = []
    for (let question = 0; question < 8; question += 1) limiter.queued(() => sent.push(question))
    expect(sent).to.deep.equal([0, 1, 2])
    clock.pass(999)
    expect(sent).to.have.length(3)
    clock.pass(1)
    expect(sent).to.deep.equal([0, 1, 2, 3, 4, 5])
    clock.pass(1000)
    expect(sent).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('never holds back an order; the questions wait the longer', () => {
    const clock = handClock()
    const limiter = createLimiter({ clock, perSecond: 5, reserve: 2 })
    let orders = 0
    let asked = false
    for (let order = 0; order < 9; order += 1) {
      limiter.urgent(() => {
        orders += 1
      })
      clock.pass(100)
    }
    expect(orders).to.equal(9)
    limiter.queued(() => {
      asked = true
    })
    clock.pass(600) // 1.5 s: of the nine, those from 0.6 s on still count: three
    expect(asked).to.equal(false)
    clock.pass(100)
    expect(asked).to.equal(true)
  })

  it('lets the order flow’s questions go first, then market data, then history', () => {
    const clock = handClock()
    const limiter = createLimiter({ clock, perSecond: 3, reserve: 2 })
    const sent: string[] = []
    const ask = (use: Use, tenant: string) => limiter.queued(() => sent.push(`${use} of ${tenant}`), { use, tenant })
    ask('history', 'first')
    for (const use of ['history', 'marketData', 'orders'] as const) ask(use, 'later')
    expect(limiter.waiting()).to.equal(3)
    clock.pass(3000)
    expect(sent).to.deep.equal(['history of first', 'orders of later', 'marketData of later', 'history of later'])
    expect(limiter.waiting()).to.equal(0)
  })

  it('serves tenants in turn, however much one of them asks', () => {
    const clock = handClock()
    const limiter = createLimiter({ clock, perSecond: 3, reserve: 2 })
    const sent: string[] = []
    const ask = (tenant: string, name: string) => limiter.queued(() => sent.push(name), { use: 'history', tenant })
    for (let question = 0; question < 100; question += 1) ask('greedy', `greedy ${question}`)
    ask('modest', 'modest 0')
    ask('modest', 'modest 1')
    clock.pass(4000)
    expect(sent).to.deep.equal(['greedy 0', 'modest 0', 'greedy 1', 'modest 1', 'greedy 2'])
  })

  it('says that something waits', () => {
    const clock = handClock()
    const said: number[] = []
    const limiter = createLimiter({ clock, perSecond: 3, reserve: 2, onWait: (waiting) => said.push(waiting) })
    for (let question = 0; question < 3; question += 1) limiter.queued(() => undefined)
    expect(said).to.deep.equal([1]) // the second one begins to wait; the third joins it
    expect(limiter.waiting()).to.equal(2)
  })

  it('forgets what was called off, and everything when it is closed', () => {
    const clock = handClock()
    const limiter = createLimiter({ clock, perSecond: 2, reserve: 1 })
    const sent: string[] = []
    limiter.queued(() => sent.push('first'))
    const callOff = limiter.queued(() => sent.push('called off'))
    limiter.queued(() => sent.push('second'))
    callOff()
    clock.pass(1000)
    expect(sent).to.deep.equal(['first', 'second'])
    limiter.queued(() => sent.push('too late'))
    limiter.close()
    limiter.queued(() => sent.push('closed'))
    limiter.urgent(() => sent.push('closed'))
    clock.pass(10_000)
    expect(sent).to.deep.equal(['first', 'second'])
    expect(clock.timers.size).to.equal(0)
  })

  it('sends every question in order, and never more than the limit in any second', () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 60 })
    fc.assert(
      fc.property(pauses, (steps) => {
        const clock = handClock()
        const limiter = createLimiter({ clock, perSecond: 7, reserve: 3 })
        const sent: { question: number; at: number }[] = []
        for (const [question, pause] of steps.entries()) {
          limiter.queued(() => sent.push({ question, at: clock.monotonic() }))
          clock.pass(pause)
        }
        clock.pass(60_000)
        expect(sent.map(({ question }) => question)).to.deep.equal(steps.map((_, question) => question))
        for (const { at } of sent) expect(sent.filter((one) => one.at >= at && one.at < at + 1000).length).to.be.at.most(4)
      }),
      { numRuns: 100 },
    )
  })
})
