import { expect } from 'chai'
import * as fc from 'fast-check'
import { BrokerUnavailable, type HistoricalBar, type HistoryRequest } from '../../../domain/ports/broker.ts'
import { createHistory } from '../../../infra/ib/history.ts'
import { earliest, keyOf, type Past, pastOf } from '../../../infra/ib/pacing.ts'
import { until } from '../../contract/until.ts'
import { handClock } from './hand-clock.ts'
import { failure, quietLog } from './session-under-test.ts'

const request = (conId: number, changes: Partial<HistoryRequest> = {}): HistoryRequest => ({
  contract: { conId, symbol: `S${conId}`, secType: 'STK', exchange: 'SMART', currency: 'USD' },
  ...{ size: '1 day', duration: '5 D', whatToShow: 'TRADES', regularHoursOnly: true },
  ...changes,
})
const minute = 60_000

describe("IB's pacing of historical data", () => {
  const sentBefore = (requests: readonly [at: number, request: HistoryRequest][]): Past[] => requests.map(([at, one]) => pastOf(one, at))

  it('lets 60 go in ten minutes, and the next when the first is ten minutes old', () => {
    const past = sentBefore(Array.from({ length: 60 }, (_, index) => [index * 1000, request(index)]))
    expect(earliest(past.slice(0, 59), request(99), 59_000)).to.equal(59_000)
    expect(earliest(past, request(99), 60_000)).to.equal(10 * minute)
    expect(earliest(past, request(99), 10 * minute)).to.equal(10 * minute)
  })

  it('takes requests up to another end for others, not for the same again', () => {
    const [first, second] = [request(1, { end: '2020-01-03T05:00:00.000Z' }), request(1, { end: '2019-01-03T05:00:00.000Z' })]
    expect(new Set([first, second, request(1)].map(keyOf)).size).to.equal(3)
    expect(earliest(sentBefore([[0, first]]), second, 100)).to.equal(100)
    expect(earliest(sentBefore([[0, first]]), first, 100)).to.equal(15_000)
  })

  it('keeps room for requests until now, so that a signal never waits for a large collection', () => {
    const back = (conId: number) => request(conId, { end: '2020-01-03T05:00:00.000Z' })
    const past = sentBefore(Array.from({ length: 45 }, (_, index) => [index * 1000, back(index)]))
    expect(earliest(past.slice(1), back(99), 45_000)).to.equal(45_000)
    expect(earliest(past, back(99), 45_000)).to.equal(10 * minute)
    expect(earliest(past, request(99), 45_000)).to.equal(45_000)
  })

  it('counts bid and ask twice', () => {
    const both = (conId: number) => request(conId, { whatToShow: 'BID_ASK' })
    const past = sentBefore(Array.from({ length: 30 }, (_, index) => [index * 1000, both(index)]))
    expect(earliest(past.slice(0, 29), both(99), 30_000)).to.equal(30_000)
    expect(earliest(past, request(99), 30_000)).to.equal(10 * minute)
    expect(earliest(past.slice(1), both(99), 30_000)).to.equal(30_000)
    expect(earliest([...past.slice(1), pastOf(request(98), 29_500)], both(99), 30_000)).to.equal(10 * minute + 1000)
  })

  it('lets five of one contract and kind go in two seconds, and six of several', () => {
    const of = (size: string) => request(1, { size })
    const past = sentBefore(['1 day', '1 hour', '30 mins', '5 mins', '1 min'].map((size, index) => [index * 100, of(size)]))
    expect(earliest(past, of('1 week'), 500)).to.equal(2000)
    expect(earliest(past, request(2), 500)).to.equal(500)
    expect(earliest(past, of('1 week'), 2000)).to.equal(2000)
  })

  it('lets nothing identical go within 15 s', () => {
    const past = sentBefore([[0, request(1)]])
    expect(earliest(past, request(1), 1000)).to.equal(15_000)
    expect(earliest(past, request(1, { duration: '6 D' }), 1000)).to.equal(1000)
    expect(earliest(past, request(1), 15_000)).to.equal(15_000)
  })

  const asked = fc.record({
    conId: fc.integer({ min: 1, max: 4 }),
    size: fc.constantFrom('1 day', '1 hour', '1 min', '5 mins', '30 mins', '1 week'),
    whatToShow: fc.constantFrom('TRADES', 'BID_ASK'),
    wait: fc.integer({ min: 0, max: 2500 }),
  })
  it('keeps every rule in every window, and waits no longer than it must', () => {
    fc.assert(
      fc.property(fc.array(asked, { minLength: 1, maxLength: 120 }), (story) => {
        const past: Past[] = []
        let now = 0
        for (const { conId, size, whatToShow, wait } of story) {
          const one = request(conId, { size, whatToShow })
          const time = earliest(past, one, now)
          expect(time).to.be.at.least(now)
          if (time > now) expect(earliest(past, one, time - 1)).to.equal(time)
          now = time
          past.push(pastOf(one, now))
          now += wait
        }
        const weight = (inside: readonly Past[]) => inside.reduce((sum, each) => sum + each.weight, 0)
        for (const { at, series, key } of past) {
          const within = (length: number) => past.filter((each) => each.at >= at && each.at < at + length)
          expect(weight(within(10 * minute))).to.be.at.most(60)
          expect(weight(within(2000).filter((each) => each.series === series))).to.be.at.most(5)
          expect(within(15_000).filter((each) => each.key === key)).to.have.length(1)
        }
      }),
      { numRuns: 200 },
    )
  })
})

describe('historical data for many tenants', () => {
  type Sent = { request: HistoryRequest; signal: AbortSignal | undefined; answer(bars?: HistoricalBar[]): void; fail(error: Error): void }
  const bar: HistoricalBar = { start: '2026-11-20', open: 1, high: 1, low: 1, close: 1, volume: 1 }
  const start = (paced = true) => {
    const clock = handClock()
    const sent: Sent[] = []
    const said: string[] = []
    const history = createHistory({
      ...{ clock, paced },
      log: { ...quietLog, info: (_fields, text) => void said.push(text) },
      send: (one, { signal }) =>
        new Promise((resolve, reject) => {
          sent.push({ request: one, signal, answer: (bars = [bar]) => resolve(bars), fail: reject })
          signal?.addEventListener('abort', () => reject(new BrokerUnavailable('lost', 'called off')))
        }),
    })
    return { clock, sent, said, history }
  }
  const sentAre = (sent: readonly Sent[], count: number) => until(`${count} were sent`, () => sent.length === count)

  it('asks identical questions once, while the answer is under way and for 15 s after', async () => {
    const { clock, sent, history } = start()
    const asking = ['first', 'second'].map((tenant) => history.bars(request(1), { tenant }))
    await sentAre(sent, 1)
    sent[0]!.answer()
    const answers = await Promise.all(asking)
    expect(answers).to.deep.equal([[bar], [bar]])
    expect(answers[0]).not.to.equal(answers[1])
    clock.pass(14_999)
    expect(await history.bars(request(1), { tenant: 'third' })).to.deep.equal([bar])
    expect(sent).to.have.length(1)
    clock.pass(1)
    void history.bars(request(1), { tenant: 'third' })
    await sentAre(sent, 2)
  })

  it('gives nobody another one’s failure once it has failed', async () => {
    const { clock, sent, history } = start()
    const first = failure(history.bars(request(1), { tenant: 'first' }))
    await sentAre(sent, 1)
    sent[0]!.fail(new BrokerUnavailable('timedOut', 'not answered'))
    expect(await first).to.have.property('why', 'timedOut')
    const second = history.bars(request(1), { tenant: 'second' })
    expect(history.waiting()).to.equal(1) // identical within 15 s
    clock.pass(15_000)
    await sentAre(sent, 2)
    sent[1]!.answer([])
    expect(await second).to.deep.equal([])
  })

  it('lets requests wait for the pacing without an error, counts them and says so once', async () => {
    const { clock, sent, said, history } = start()
    const all = Array.from({ length: 70 }, (_, index) => history.bars(request(index), { tenant: 'greedy' }))
    await sentAre(sent, 50) // so many may be open
    for (const one of sent.slice(0, 50)) one.answer()
    await sentAre(sent, 60)
    expect(history.waiting()).to.equal(10)
    expect(said).to.deep.equal(["requests for historical data wait for IB's pacing"])
    for (const one of sent.slice(50)) one.answer()
    clock.pass(10 * minute - 1)
    expect(sent).to.have.length(60)
    clock.pass(1)
    await sentAre(sent, 70)
    for (const one of sent.slice(60)) one.answer()
    expect((await Promise.all(all)).flat()).to.have.length(70)
    expect([history.waiting(), history.open()]).to.deep.equal([0, 0])
  })

  it('lets each go at its own time, whatever waits longer beside it', async () => {
    const { clock, sent, history } = start()
    const ask = (one: HistoryRequest) => void history.bars(one, { tenant: 'one' }).catch(() => undefined)
    ask(request(2))
    for (let days = 1; days <= 6; days += 1) ask(request(1, { duration: `${days} D` }))
    await sentAre(sent, 6)
    sent[0]!.fail(new Error('refused'))
    await until('it may be asked again', () => history.open() === 5)
    ask(request(2)) // identical: after 15 s
    expect(history.waiting()).to.equal(2)
    clock.pass(2000)
    await sentAre(sent, 7)
    expect(sent.at(-1)!.request.duration).to.equal('6 D')
    clock.pass(13_000)
    await sentAre(sent, 8)
  })

  it('calls a request off when the last who wanted it has gone, and not before', async () => {
    const { sent, history } = start()
    const [one, other] = [new AbortController(), new AbortController()]
    const answers = [one, other].map(({ signal }, index) => failure(history.bars(request(1), { tenant: `tenant ${index}`, signal })))
    await sentAre(sent, 1)
    one.abort()
    expect(await answers[0]!).to.have.property('why', 'lost')
    expect(sent[0]!.signal!.aborted).to.equal(false)
    other.abort()
    await answers[1]
    expect(sent[0]!.signal!.aborted).to.equal(true)
    await until('nothing is open', () => history.open() === 0)
  })

  it('forgets what waits when its tenant goes', async () => {
    const { clock, sent, history } = start()
    const going = new AbortController()
    const all = Array.from({ length: 7 }, (_, index) =>
      history.bars(request(1, { duration: `${index + 1} D` }), { tenant: 'going', signal: going.signal }).catch((error: Error) => error),
    )
    await sentAre(sent, 5)
    expect(history.waiting()).to.equal(2)
    going.abort()
    await Promise.all(all)
    expect(history.waiting()).to.equal(0)
    clock.pass(minute)
    expect(sent).to.have.length(5)
    expect(clock.timers.size).to.equal(0)
  })

  it('keeps no pace at a gateway without limits', async () => {
    const { sent, history } = start(false)
    const all = Array.from({ length: 100 }, () => history.bars(request(1), { tenant: 'demo' }))
    for (const one of sent) one.answer()
    await Promise.all(all)
    expect(sent).to.have.length(100)
  })

  it('tells requests apart by all they ask for', () => {
    const changes = [{}, { size: '1 hour' }, { duration: '1 Y' }, { whatToShow: 'MIDPOINT' }, { regularHoursOnly: false }]
    expect(new Set(changes.map((change) => keyOf(request(1, change)))).size).to.equal(5)
  })
})
