/** A strategy cannot tell the catalogue from the broker: the same targets, indicators, prices and hashes of bars. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { CollectMarketDataBody } from '../../../domain/commands.ts'
import type { Commit } from '../../../domain/commit.ts'
import { decode } from '../../../domain/decode.ts'
import type { EventData, EventType } from '../../../domain/events.ts'
import type { Document } from '../../../domain/ports/documents.ts'
import { topicOf } from '../../../domain/topics.ts'
import { createDriver, type Driver } from '../../../infra/cli/demo/driver.ts'
import { type SimulatedClock, simulatedClock } from '../../../infra/clock.ts'
import { compose, type Process } from '../../../infra/compose.ts'
import { type GatewaySimulator, startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { onEachStore } from '../../stores.ts'
import { ibt, temporaryFolder, variablesOf } from '../cli/ibt.ts'

/** 10:00 in New York on a Tuesday. */
const tuesday = '2020-02-04T15:00:00.000Z'
const declared = (symbol: string) => ({ symbol, secType: 'STK', exchange: 'SMART', currency: 'USD' })
const daily = { barSize: '1 day', whatToShow: 'TRADES' }

onEachStore('collected bars, from a gateway over its socket to Parquet', (store, kind) => {
  let folder: ReturnType<typeof temporaryFolder>
  let simulator: GatewaySimulator
  let clock: SimulatedClock
  let composed: Process
  let driver: Driver
  let variables: Record<string, string>

  const control = async (path: string, body: object) => {
    const response = await fetch(`http://127.0.0.1:${simulator.controlPort}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(await response.text())
    return (await response.json()) as Record<string, unknown>
  }
  const moveTo = async (time: number) =>
    Date.parse((await control('/clock', { to: new Date(time).toISOString() }))['nextEventAt'] as string)
  let counter = 0
  const command = async (type: string, body: object = {}): Promise<Document> => {
    const id = `${type}-${++counter}`
    const publishedAt = new Date(clock.now()).toISOString()
    const attributes = { type, id, source: 'cli', publishedAt }
    await composed.bus.publish(topicOf(readTopics(), type, 'paper'), { data: JSON.stringify(body), attributes })
    await driver.settled()
    return (await composed.documents.get(`commands/${id}`))!
  }
  const collect = (body: object) => command('collect-market-data', body)
  const eventsOf = async <T extends EventType>(type: T): Promise<EventData<T>[]> => {
    const found: EventData<T>[] = []
    for await (const { json } of composed.journal.read(1))
      found.push(...(JSON.parse(json) as Commit).events.flatMap((each) => (each.type === type ? [each.data as EventData<T>] : [])))
    return found
  }
  /** What the command line computes in a process of its own, which has no gateway. */
  const fromCatalogue = async (...args: string[]) => {
    const { code, out, errors } = await ibt(['signal', ...args], variables)
    expect(code, errors).to.equal(0)
    const { dryRun, ...data } = JSON.parse(out)
    expect(dryRun).to.equal(true)
    return data
  }

  before(async () => {
    folder = temporaryFolder()
    simulator = await startGatewaySimulator({ start: tuesday, account: 'DU1234567' })
    clock = simulatedClock(Date.parse(tuesday))
    const data = store()
    variables = { DATA_DIR: folder.path, ...variablesOf(data) }
    const environment = { mode: 'paper', dataDirectory: folder.path, store: data, httpPort: 0, logLevel: 'silent' } as const
    const gateway = { host: '127.0.0.1', port: simulator.port, clientId: 17 }
    const topics = { ...readTopics(), schedules: [] }
    composed = await compose({ ...environment, gateway }, { clock, topics, messagesPerSecond: 100_000 })
    await composed.start()
    driver = createDriver({ clock, gateway: { moveTo }, composed })
    await driver.connected()
  })
  after(async () => {
    await composed.stop()
    await simulator.close()
    folder.remove()
  })

  it('are asked for in pieces, stored by month, and named in the event', async () => {
    const document = await collect({ instrument: declared('SPY'), ...daily, duration: '3 Y' })
    expect(document, String(document['text'])).to.include({ status: 'completed' })
    const [collected] = await eventsOf('MarketDataCollected')
    expect(collected).to.include({ symbol: 'SPY', asked: '2017-02-05', from: '2017-02-06', to: '2020-02-03', changed: 0 })
    expect(collected!.count).to.equal(collected!.added)
    expect(collected!.gaps).to.deep.equal({ count: 0, first: [] })
    expect(collected!.partitions).to.have.length(37)
    expect(document['text']).to.match(
      /^\d+ bars of 1 day of SPY \(TRADES\) from 2017-02-06 to 2020-02-03: \d+ new, 0 changed, none missing$/,
    )
    const files = readdirSync(join(folder.path, 'bars', `SPY-${collected!.conId}`, '1-day', 'trades-regular'))
    expect(files.length).to.equal(37)
    expect((await eventsOf('InstrumentResolved')).map(({ symbol }) => symbol)).to.deep.equal(['SPY'])
  })

  it('are not collected twice: a second run by the symbol adds nothing and has the same hash', async () => {
    const document = await collect({ instrument: 'SPY', ...daily, duration: '3 Y' })
    expect(document['result']).to.include({ added: 0, changed: 0 })
    const [first, second] = await eventsOf('MarketDataCollected')
    expect(second).to.deep.equal({ ...first, added: 0 })
  })

  it('give the signal of daily bars that the broker gave', async () => {
    await collect({ instrument: declared('VIXY'), ...daily, duration: '1 M' })
    expect(await command('spymacdvixy')).to.include({ status: 'completed' })
    const [{ dryRun: _, ...recorded }] = (await eventsOf('SignalGenerated')) as [EventData<'SignalGenerated'>]
    expect(recorded.bars.map(({ symbol, count }) => [symbol, count])).to.deep.equal([
      ['SPY', 502],
      ['VIXY', 4],
    ])
    expect(await fromCatalogue('spymacdvixy', '--at', tuesday)).to.deep.equal(recorded)
    expect(await fromCatalogue('spy_macd_vixy', '--at', tuesday), 'by its other name').to.deep.equal(recorded)
  })

  if (kind === 'google') return // what follows asks the gateway and the files, and the store nothing new

  it('of other lengths have no hole either: they begin and end as the gateway’s do, on short days too', async () => {
    for (const [barSize, duration] of [
      ['1 hour', '3 M'],
      ['20 mins', '2 W'],
      ['5 mins', '3 W'],
      ['1 min', '3 D'],
    ]) {
      const { result, text } = await collect({ instrument: 'SPY', whatToShow: 'TRADES', barSize, duration })
      expect(result, String(text)).to.deep.include({ gaps: { count: 0, first: [] } })
    }
  })

  it('of quotes and of prices traded do not mix', async () => {
    const document = await collect({ instrument: 'SPY', ...daily, whatToShow: 'MIDPOINT', duration: '10 D', regularHoursOnly: false })
    expect(document['result'], String(document['text'])).to.include({ whatToShow: 'MIDPOINT', count: 9, added: 9 })
    const again = await collect({ instrument: 'SPY', ...daily, duration: '10 D' })
    expect(again['result']).to.include({ whatToShow: 'TRADES', count: 9, added: 0 })
  })

  it('of an instrument that is nowhere are refused by name', async () => {
    expect(await collect({ instrument: 'NOPE', ...daily, duration: '1 Y' })).to.include({ status: 'refused', code: 'INSTRUMENT_UNKNOWN' })
    expect(await collect({ instrument: declared('NOPE'), ...daily, duration: '1 Y' })).to.include({ status: 'refused' })
  })

  it('give the signal of half hours that the broker gave, from a catalogue that goes back further', async () => {
    const document = await collect({ instrument: 'SPY', barSize: '30 mins', whatToShow: 'TRADES', duration: '2 M' })
    expect((document['result'] as { gaps: unknown }).gaps, String(document['text'])).to.deep.equal({ count: 0, first: [] })
    expect(await command('testsignalgenerator')).to.include({ status: 'completed' })
    const { dryRun: _, ...recorded } = (await eventsOf('SignalGenerated')).at(-1)!
    expect(recorded.bars[0]!.to).to.equal('2020-02-04T14:30:00.000Z')
    expect(await fromCatalogue('testsignalgenerator', '--at', tuesday)).to.deep.equal(recorded)
  })

  it('keep only closed bars, go on where they ended, and then give the next day’s signal by its date', async () => {
    await driver.runTo(Date.parse('2020-02-04T21:05:00.000Z'))
    const grown = await collect({ instrument: 'SPY', ...daily, duration: '5 D' })
    expect(grown['result']).to.include({ added: 1, to: '2020-02-04' })
    await collect({ instrument: 'VIXY', ...daily, duration: '5 D' })
    await command('spymacdvixy')
    const { dryRun: _, ...recorded } = (await eventsOf('SignalGenerated')).at(-1)!
    expect(recorded.lastSession).to.equal('2020-02-04')
    expect(await fromCatalogue('spymacdvixy', '--at', '2020-02-04')).to.deep.equal(recorded)
    expect((await fromCatalogue('spymacdvixy', '--at', '2020-02-03')).lastSession, 'what came later is not known then').to.equal(
      '2020-02-03',
    )
  })

  it('with a hole give no signal, unless that is asked for', async () => {
    const early = await ibt(['signal', 'spymacdvixy', '--at', '2018-01-05'], variables)
    expect([early.code, early.out]).to.deep.equal([1, ''])
    expect(early.errors).to.match(
      /^ibt: the catalogue is not whole: SPY 2 Y of 1 day \(TRADES\): 27\d bars missing, the first 2016-01-06.*VIXY.*--with-gaps:\n/,
    )
    const hints = [...early.errors.matchAll(/^ {2}ibt publish collect-market-data --data '(.+)'$/gm)].map(([, body]) => JSON.parse(body!))
    expect(hints.map(({ instrument }) => instrument.symbol)).to.deep.equal(['SPY', 'VIXY'])
    for (const hint of hints) expect(decode(CollectMarketDataBody, hint)).to.include({ ok: true })
    const unknown = await ibt(['signal', 'nosuch'], variables)
    expect(unknown.errors).to.match(/^ibt: there is no strategy "nosuch"; there are dummy, /)
    const wrong = await ibt(['signal', 'dummy', '--at', '2020-02-30'], variables)
    expect(wrong.errors).to.match(/^ibt: --at: "2020-02-30" is neither/)
  })

  it('go back to where the history of the instrument begins, and are told to begin there', async () => {
    const { result, text } = await collect({ instrument: 'SPY', ...daily, duration: '30 Y' })
    expect(result, String(text)).to.deep.include({ asked: '1990-02-05', from: '2000-01-03', gaps: { count: 0, first: [] } })
  })
})
