import { expect } from 'chai'
import { addDays, newYorkDate, sessions } from '../../domain/calendar.ts'
import { CollectMarketDataBody } from '../../domain/commands.ts'
import { canonical, sha256 } from '../../domain/commit.ts'
import { decode } from '../../domain/decode.ts'
import { isRefusal, passes } from '../../domain/errors.ts'
import type { Ledger } from '../../domain/ledger.ts'
import { type BarCatalogue, BarsUnavailable } from '../../domain/ports/bar-catalogue.ts'
import { type Broker, BrokerUnavailable, type Contract, type HistoricalBar, type HistoryRequest } from '../../domain/ports/broker.ts'
import { collectMarketData } from '../../handlers/collect-market-data.ts'
import type { EngineFacts } from '../../handlers/handler.ts'
import { createBarCatalogue } from '../../infra/bars/catalogue.ts'
import { barFilesInMemory } from '../bar-files-in-memory.ts'
import { accepted, at, booked, continued, dataOf, given, ready, SPY, tuesday } from '../given.ts'

const bar = (start: string, close = 100): HistoricalBar => ({ start, open: 100, high: 200, low: 50, close, volume: 1000 })
const days = (from: string, to: string, close?: number) => sessions(from, to).map(({ date }) => bar(date, close))
const contract: Contract = {
  ...{ conId: SPY.conId, symbol: 'SPY', secType: 'STK', exchange: 'SMART', primaryExchange: 'ARCA', currency: 'USD', localSymbol: 'SPY' },
  ...{ multiplier: '1', sizeStep: '1', minTick: '0.01' },
}
const declared = { symbol: 'SPY', secType: 'STK', exchange: 'SMART', currency: 'USD' }
const daily = { instrument: 'SPY', barSize: '1 day', duration: '10 D', whatToShow: 'TRADES' }

/** A broker with these bars, which answers as IB does: as many as the duration reaches back from the end. */
const brokerWith = (bars: HistoricalBar[], contracts: Contract[] = [contract]) => {
  const asked: HistoryRequest[] = []
  const broker = {
    contracts: async () => contracts,
    bars: async (request: HistoryRequest) => {
      asked.push(request)
      const end = request.end === undefined ? newYorkDate(Date.parse(tuesday)) : newYorkDate(Date.parse(request.end))
      const reach = { D: 1, W: 7, M: 31, Y: 365 }[request.duration.split(' ')[1] as 'D'] * Number(request.duration.split(' ')[0])
      const from = request.duration.endsWith('D') ? '0000' : addDays(end, -reach)
      const found = bars.filter(({ start }) => start.slice(0, 10) <= end && start.slice(0, 10) > from)
      return request.duration.endsWith('D') ? found.slice(-Number(request.duration.split(' ')[0])) : found
    },
  }
  return { broker: broker as unknown as Broker, asked }
}

type Asked = { body?: object; ledger?: Ledger; broker?: Broker; catalogue?: BarCatalogue; time?: string }

const collectedFrom = async ({
  body = daily,
  ledger = given(ready).ledger,
  broker = brokerWith(days('2023-12-01', '2024-01-08')).broker,
  catalogue = createBarCatalogue(barFilesInMemory()),
  time = tuesday,
}: Asked = {}) => {
  const decoded = decode(CollectMarketDataBody, body)
  if (!decoded.ok) throw new Error(decoded.problem)
  const command = { id: 'c1', type: 'collect-market-data', publishedAt: time, source: 'test', body: decoded.value }
  const facts = await collectMarketData.gather({ broker, catalogue, now: Date.parse(time) }, command, ledger)
  return collectMarketData.decide({ ledger, command, facts, now: Date.parse(time), engine: {} as EngineFacts })
}
const event = async (asked?: Asked) => dataOf(accepted(await collectedFrom(asked)), 'MarketDataCollected')[0]!
const refusal = async (asked: Asked) => {
  const decided = await collectedFrom(asked)
  if (!isRefusal(decided)) throw new Error('it was not refused')
  return decided
}

describe('collect-market-data', () => {
  it('names what the catalogue holds now: range, count, hash, gaps and months', async () => {
    const bars = days('2023-12-22', '2024-01-08').filter(({ start }) => start !== '2024-01-04')
    expect(await event({ broker: brokerWith(bars).broker, body: { ...daily, duration: '3 W' } })).to.deep.equal({
      ...{ conId: SPY.conId, symbol: 'SPY', size: '1 day', whatToShow: 'TRADES', regularHoursOnly: true },
      ...{ asked: '2023-12-20', from: '2023-12-22', to: '2024-01-08', count: 9, added: 9, changed: 0, revisions: [] },
      hash: sha256(canonical(bars)),
      gaps: { count: 1, first: ['2024-01-04'] },
      partitions: ['2023-12', '2024-01'],
    })
  })

  it('leaves the running bar out, and takes it when it has closed', async () => {
    const catalogue = createBarCatalogue(barFilesInMemory())
    const { broker } = brokerWith(days('2023-12-01', '2024-01-09'))
    expect(await event({ broker, catalogue })).to.include({ to: '2024-01-08', count: 9 })
    expect(await event({ broker, catalogue, time: '2024-01-09T21:00:00.000Z' })).to.include({ to: '2024-01-09', count: 10, added: 1 })
  })

  it('adds nothing the second time, and says so with the same hash', async () => {
    const catalogue = createBarCatalogue(barFilesInMemory())
    const first = await event({ catalogue })
    expect(await event({ catalogue })).to.deep.equal({ ...first, added: 0 })
  })

  it('takes over bars that are told differently now, counts them, and warns of older ones that nobody asked for', async () => {
    const catalogue = createBarCatalogue(barFilesInMemory())
    await event({ catalogue, body: { ...daily, duration: '20 D' } })
    const split = await event({
      catalogue,
      broker: brokerWith(days('2023-12-01', '2024-01-08', 50)).broker,
      body: { ...daily, duration: '5 D' },
    })
    expect(split).to.include({ added: 0, changed: 5 })
    expect(split.revisions[0]).to.deep.equal({ start: '2024-01-02', before: '100', after: '50' })
    expect(split.warning).to.match(/^bars before 2024-01-02 were not asked for/)
  })

  it('names the first twenty of many bars that changed, and counts them all', async () => {
    const catalogue = createBarCatalogue(barFilesInMemory())
    const body = { ...daily, duration: '200 D' }
    await event({ catalogue, body, broker: brokerWith(days('2023-03-01', '2024-01-08')).broker })
    const revised = await event({ catalogue, body, broker: brokerWith(days('2023-03-01', '2024-01-08', 99)).broker })
    expect([revised.changed, revised.revisions.length, revised.warning]).to.deep.equal([200, 20, undefined])
  })

  it('cuts a large request into pieces that leave no hole, though the broker answers with less', async () => {
    const bars = days('2019-06-03', '2024-01-08')
    const { broker, asked } = brokerWith(bars)
    const short = { ...broker, bars: async (request: HistoryRequest) => (await broker.bars(request)).slice(2) } as Broker
    const collected = await event({ broker: short, body: { ...daily, duration: '4 Y' } })
    expect(collected.gaps).to.deep.equal({ count: 0, first: [] })
    expect(collected).to.include({ asked: '2020-01-10', from: '2020-01-10' })
    expect(asked.length).to.equal(5)
    expect(asked.map(({ duration }) => duration)).to.deep.equal(Array(5).fill('1 Y'))
    expect(asked[0]!.end, 'the newest ends now').to.equal(undefined)
    expect(asked.slice(1).every(({ end }) => end !== undefined)).to.equal(true)
  })

  it('ends where the history of the instrument begins', async () => {
    const { broker, asked } = brokerWith(days('2022-06-01', '2024-01-08'))
    expect(await event({ broker, body: { ...daily, duration: '10 Y' } })).to.include({ asked: '2014-01-10', from: '2022-06-01' })
    expect(asked.length).to.equal(3)
  })

  it('stops asking a broker that does not go back', async () => {
    const { broker, asked } = brokerWith(days('2020-01-02', '2024-01-08'))
    const stubborn = { ...broker, bars: ({ end: _, ...request }: HistoryRequest) => broker.bars(request) } as Broker
    await event({ broker: stubborn, body: { ...daily, duration: '4 Y' } })
    expect(asked.length).to.equal(2)
  })

  it('asks for adjusted prices in one request, since they are only given until now', async () => {
    const { broker, asked } = brokerWith(days('2020-01-02', '2024-01-08'))
    await event({ broker, body: { ...daily, duration: '4 Y', whatToShow: 'ADJUSTED_LAST' } })
    expect(asked.map(({ duration, end }) => [duration, end])).to.deep.equal([['4 Y', undefined]])
  })

  it('keeps what came before the line went down, and goes on from there', async () => {
    const files = barFilesInMemory()
    const catalogue = createBarCatalogue(files)
    const { broker } = brokerWith(days('2020-01-02', '2024-01-08'))
    let answers = 0
    const cut = {
      ...broker,
      bars: (request: HistoryRequest) =>
        ++answers > 1 ? Promise.reject(new BrokerUnavailable('lost', 'the line is down')) : broker.bars(request),
    } as Broker
    const body = { ...daily, duration: '3 Y' }
    const problem = await collectedFrom({ catalogue, broker: cut, body }).catch((error: Error) => error)
    expect(problem).to.be.instanceOf(BrokerUnavailable)
    const kept = files.contents.size
    expect(kept).to.be.greaterThan(10)
    const rest = await event({ catalogue, broker, body })
    expect(rest.added).to.be.lessThan(rest.count)
    expect(rest.gaps).to.include({ count: 0 })
  })

  it('says that no closed bar came, where that is so', async () => {
    const decided = accepted(await collectedFrom({ broker: brokerWith([bar('2024-01-09')]).broker }))
    expect(decided).to.deep.equal([
      { type: 'CommandCompleted', data: { result: { changed: false, text: 'SPY: the broker sent no closed bar from 2023-12-26 on' } } },
    ])
  })

  it('has no calendar for currencies and foreign exchanges, and reports no gaps of theirs', async () => {
    const euro = { ...contract, conId: 12087792, symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO' }
    const instrument = { symbol: 'EUR', secType: 'CASH', exchange: 'IDEALPRO', currency: 'USD' }
    const { broker } = brokerWith([bar('2023-12-25'), bar('2024-01-07'), bar('2024-01-09')], [euro])
    const collected = await event({ broker, body: { ...daily, instrument, whatToShow: 'MIDPOINT' } })
    expect(collected).to.include({ symbol: 'EUR', from: '2023-12-25', to: '2024-01-07', gaps: null })
  })
})

describe('the instrument of a collection', () => {
  it('may be declared, and is then known from here on', async () => {
    const ledger = given(ready.slice(0, 3)).ledger
    const events = accepted(await collectedFrom({ ledger, body: { ...daily, instrument: declared } }))
    expect(events.map(({ type }) => type)).to.deep.equal(['InstrumentResolved', 'MarketDataCollected'])
    const after = continued(ledger, at(tuesday), ...events)
    expect(accepted(await collectedFrom({ ledger: after })).map(({ type }) => type)).to.deep.equal(['MarketDataCollected'])
  })

  it('is refused when nobody knows it, or several are called that', async () => {
    expect(await refusal({ body: { ...daily, instrument: 'AAPL' } })).to.deep.include({
      refusal: 'INSTRUMENT_UNKNOWN',
      details: { known: ['SPY', 'VIXY'] },
    })
    const none = brokerWith([], []).broker
    expect(await refusal({ broker: none, body: { ...daily, instrument: declared } })).to.include({ refusal: 'INSTRUMENT_UNKNOWN' })
    const two = brokerWith([], [contract, { ...contract, conId: 1 }]).broker
    expect(await refusal({ broker: two, body: { ...daily, instrument: declared } })).to.include({ refusal: 'INSTRUMENT_AMBIGUOUS' })
  })

  it('that is another contract than the one that is held is collected, but does not take its name', async () => {
    const { ledger } = given(ready, booked('trend', SPY, '50'))
    const broker = brokerWith(days('2023-12-01', '2024-01-08'), [{ ...contract, conId: 999 }]).broker
    const events = accepted(await collectedFrom({ ledger, broker, body: { ...daily, instrument: declared } }))
    expect(events.map(({ type }) => type)).to.deep.equal(['MarketDataCollected'])
    expect(dataOf(events, 'MarketDataCollected')[0]).to.include({ conId: 999 })
  })
})

describe('a collection that cannot be', () => {
  it('is refused when it would take the broker hours', async () => {
    const { broker, asked } = brokerWith([])
    expect(await refusal({ broker, body: { ...daily, barSize: '1 min', duration: '5 Y' } })).to.include({ refusal: 'REQUEST_TOO_LARGE' })
    expect(asked).to.deep.equal([])
  })

  it('is refused by the bar that cannot be, and nothing of that answer is stored', async () => {
    const files = barFilesInMemory()
    const broker = brokerWith([bar('2024-01-05'), { ...bar('2024-01-08'), high: 10 }]).broker
    const refused = await refusal({ broker, catalogue: createBarCatalogue(files) })
    expect(refused).to.include({ refusal: 'BARS_INVALID' })
    expect(refused.text).to.include('SPY: the bar of 2024-01-08')
    expect(files.contents.size).to.equal(0)
  })

  it('is refused for good by a damaged file or a place that says no, and for the moment by one that does not answer', async () => {
    for (const [why, code, isPassing] of [
      ['damaged', 'CATALOGUE_DAMAGED', false],
      ['refused', 'CATALOGUE_REFUSED', false],
      ['unreachable', 'CATALOGUE_UNREACHABLE', true],
    ] as const) {
      const catalogue = createBarCatalogue({
        ...barFilesInMemory(),
        read: async () => {
          throw new BarsUnavailable(why, 'bars/2024-01.parquet: so it is')
        },
      })
      const refused = await refusal({ catalogue })
      expect(refused).to.include({ refusal: code })
      expect(refused.text).to.include('bars/2024-01.parquet')
      expect(passes(refused), why).to.equal(isPassing)
    }
  })

  it('is a body that says what is wrong with it', () => {
    const problem = (more: object) => {
      const decoded = decode(CollectMarketDataBody, { ...daily, ...more })
      return decoded.ok ? undefined : decoded.problem
    }
    expect(problem({})).to.equal(undefined)
    expect(problem({ instrument: declared, regularHoursOnly: false })).to.equal(undefined)
    expect(problem({ barSize: '7 mins' })).to.match(/^barSize: /)
    expect(problem({ duration: '2 years' })).to.match(/^duration: .*"5 D"/)
    expect(problem({ whatToShow: 'trades' })).to.match(/^whatToShow: /)
    expect(problem({ instrument: { ...declared, secType: 'SPOON' } })).to.match(/instrument/)
    expect(problem({ instrument: '' })).to.match(/instrument/)
    expect(problem({ barsize: '1 day' })).to.include('"barsize" is not a field of this command')
  })
})
