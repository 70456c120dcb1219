import { expect } from 'chai'
import { createStreams, type Topic } from '../../../infra/ib/streams.ts'
import { handClock } from './hand-clock.ts'
import { quietLog } from './session-under-test.ts'

const second = 1000

describe('subscriptions', () => {
  const start = ({ dataLines = 2, attached = true } = {}) => {
    const clock = handClock()
    const sent: string[] = []
    const said: string[] = []
    const streams = createStreams({ clock, log: quietLog, dataLines, say: (text) => said.push(text) })
    let id = 100
    const ids = () => id++
    const topic = (key: string, dataLine = true): Topic<string> => ({
      ...{ key, name: `quotes of ${key}`, silence: 60 * second, dataLine },
      subscribe: (given) => sent.push(`+${key} ${given}`),
      unsubscribe: (given) => sent.push(`-${key} ${given}`),
    })
    if (attached) streams.attach(ids)
    return { clock, sent, said, streams, ids, topic }
  }
  const nothing = () => undefined

  it('are one for all who listen, and end with the last of them', () => {
    const { sent, streams, topic } = start()
    const heard: string[] = []
    const [leave, other] = ['a', 'b'].map((name) => streams.join(topic('SPY'), (value) => heard.push(`${name} ${value}`)))
    streams.byNumber(100, 'one')
    leave!()
    leave!()
    streams.byNumber(100, 'two')
    other!()
    streams.byNumber(100, 'three')
    expect(heard).to.deep.equal(['a one', 'b one', 'b two'])
    expect(sent).to.deep.equal(['+SPY 100', '-SPY 100'])
    expect(streams.counts()).to.deep.equal({ open: 0, lines: 0, waiting: 0, listeners: 0 })
  })

  it('wait for a free data line, and are counted', () => {
    const { sent, streams, topic } = start()
    const [first] = ['A', 'B', 'C', 'D'].map((key) => streams.join(topic(key), nothing))
    streams.join(topic('positions', false), nothing)
    expect(sent).to.deep.equal(['+A 100', '+B 101', '+positions 102'])
    expect(streams.counts()).to.deep.equal({ open: 3, lines: 2, waiting: 2, listeners: 5 })
    first!()
    expect(sent.slice(3)).to.deep.equal(['-A 100', '+C 103'])
    expect(streams.counts().waiting).to.equal(1)
  })

  it('are subscribed anew when they are silent beyond their time, and that is said', () => {
    const { clock, sent, said, streams, topic } = start()
    const heard: string[] = []
    streams.join(topic('SPY'), (value) => heard.push(value))
    clock.pass(59 * second)
    streams.byNumber(100, 'one')
    clock.pass(59 * second)
    expect(said).to.deep.equal([])
    clock.pass(second)
    expect(said).to.deep.equal(['quotes of SPY were silent for 60 s: subscribed anew'])
    expect(sent).to.deep.equal(['+SPY 100', '-SPY 100', '+SPY 101'])
    streams.byNumber(100, 'late') // a stale row of the old subscription
    streams.byNumber(101, 'two')
    expect(heard).to.deep.equal(['one', 'two'])
  })

  it('are doubted less and less often while a closed market is silent, and at once again when it speaks', () => {
    const { clock, said, streams, topic } = start()
    streams.join(topic('SPY'), nothing)
    clock.pass(24 * 3600 * second)
    expect(said.length).to.be.within(80, 100) // 60, 120, 240, 480, then every 960 s
    streams.byNumber(100 + said.length, 'open')
    const before = said.length
    clock.pass(60 * second)
    expect(said.length).to.equal(before + 1)
  })

  it('wait for a line, and come again on a fresh one', () => {
    const { clock, sent, streams, ids, topic } = start({ attached: false })
    const leave = streams.join(topic('A'), nothing)
    streams.join(topic('B'), nothing)
    expect(sent).to.deep.equal([])
    streams.attach(ids)
    streams.detach()
    leave()
    clock.pass(600 * second)
    streams.attach(ids)
    expect(sent).to.deep.equal(['+A 100', '+B 101', '+B 102'])
    expect(clock.timers.size).to.equal(1)
  })

  it('send nothing while the line is in doubt, and make up for it after', () => {
    const { clock, sent, said, streams, ids, topic } = start()
    const leave = streams.join(topic('A'), nothing)
    streams.join(topic('B'), nothing)
    sent.length = 0
    streams.suspend()
    leave()
    streams.join(topic('C'), nothing)
    clock.pass(600 * second)
    expect([sent, said]).to.deep.equal([[], []])
    streams.attach(ids)
    expect(sent).to.deep.equal(['-A 100', '+C 102'])
    streams.renewAll('IB lost the subscription')
    expect(sent.slice(2)).to.deep.equal(['-B 101', '+B 103', '-C 102', '+C 104'])
  })

  it('say that they were refused, and are asked for again later', () => {
    const { clock, sent, said, streams, topic } = start()
    streams.join(topic('SPY'), nothing)
    expect(streams.subscriptions.has(100)).to.equal(true)
    streams.subscriptions.refused(100, 354, 'not subscribed')
    expect(said).to.deep.equal(['quotes of SPY were refused: not subscribed (354)'])
    clock.pass(60 * second)
    expect(sent.at(-1)).to.equal('+SPY 101')
  })

  it('go on for the others when one listener throws', () => {
    const { streams, topic } = start()
    const heard: string[] = []
    streams.join(topic('SPY'), () => {
      throw new Error('the listener is broken')
    })
    streams.join(topic('SPY'), (value) => heard.push(value))
    streams.byNumber(100, 'one')
    expect(heard).to.deep.equal(['one'])
  })
})
