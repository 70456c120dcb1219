/** One contract for every place where bars may lie. */
import { readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect } from 'chai'
import type { BarSeries } from '../../../domain/bar-series.ts'
import { BarsUnavailable } from '../../../domain/ports/bar-catalogue.ts'
import type { Bar } from '../../../domain/strategy.ts'
import { openBucket } from '../../../infra/bars/bucket.ts'
import { createBarCatalogue, folderOf } from '../../../infra/bars/catalogue.ts'
import type { BarFiles } from '../../../infra/bars/files.ts'
import { openFolder } from '../../../infra/bars/folder.ts'
import { barFilesInMemory } from '../../bar-files-in-memory.ts'
import { temporaryFolder } from '../cli/ibt.ts'
import { startStorageServer } from './storage-server.ts'

const series: BarSeries = { conId: 756733, symbol: 'SPY', size: '1 day', whatToShow: 'TRADES', regularHoursOnly: true }
const intraday: BarSeries = { ...series, size: '30 mins' }
const bar = (start: string, close = 100.1): Bar => ({ start, open: 100, high: 102.25, low: 99.9, close, volume: 12_345 })
const february = ['2020-02-27', '2020-02-28'].map((start) => bar(start))
const march = ['2020-03-02', '2020-03-03', '2020-03-04'].map((start) => bar(start))
const all = { from: '2020-01-01', to: '2020-12-31' }

/** Counts what is read of the files below. */
const counted = (files: BarFiles) => {
  const reads: string[] = []
  const read: BarFiles['read'] = async (name) => {
    reads.push(name)
    return files.read(name)
  }
  return { ...files, read, reads }
}

type Place = { files: BarFiles; end: () => unknown }
const places: Record<string, () => Promise<Place>> = {
  memory: async () => ({ files: barFilesInMemory(), end: () => {} }),
  'a folder': async () => {
    const folder = temporaryFolder()
    return { files: openFolder(`${folder.path}/bars`), end: folder.remove }
  },
  'a bucket (its API on loopback; no real bucket was seen)': async () => {
    const server = await startStorageServer()
    return { files: openBucket({ bucket: 'bars', root: 'kept/here', endpoint: server.endpoint }), end: server.close }
  },
}

for (const [name, open] of Object.entries(places))
  describe(`bars in ${name}`, function () {
    this.timeout(180_000)
    let place: Place
    let files: ReturnType<typeof counted>
    let catalogue: ReturnType<typeof createBarCatalogue>
    beforeEach(async () => {
      place = await open()
      files = counted(place.files)
      catalogue = createBarCatalogue(files)
    })
    afterEach(async () => {
      await place.files.close()
      await place.end()
    })

    it('come back exactly as they were stored, oldest first', async () => {
      const odd = [bar('2020-03-05', 0.1 + 0.2), { ...bar('2020-03-04'), volume: 0 }, bar('2020-03-06', 1e-8)]
      expect(await catalogue.merge(series, odd)).to.deep.equal({ added: 3, changed: [], partitions: ['2020-03'] })
      expect(await catalogue.read(series, all)).to.deep.equal([odd[1], odd[0], odd[2]])
      const halves = [bar('2020-03-04T14:30:00.000Z'), bar('2020-03-04T15:00:00.000Z')]
      await catalogue.merge(intraday, halves)
      expect(await catalogue.read(intraday, { from: '2020-03-04T15:00:00.000Z', to: '2020-03-05' })).to.deep.equal([halves[1]])
    })

    it('are stored once: a second run adds nothing and writes nothing', async () => {
      const bars = [...february, ...march]
      expect(await catalogue.merge(series, bars)).to.deep.equal({ added: 5, changed: [], partitions: ['2020-02', '2020-03'] })
      const before = await files.read(`${folderOf(series)}/2020-03.parquet`)
      expect(await catalogue.merge(series, bars)).to.deep.equal({ added: 0, changed: [], partitions: [] })
      expect(await files.read(`${folderOf(series)}/2020-03.parquet`)).to.deep.equal(before)
    })

    it('that are told differently now are taken over and reported with what they were', async () => {
      await catalogue.merge(series, [...february, ...march])
      const revised = { ...march[1]!, close: 101, volume: 99 }
      expect(await catalogue.merge(series, [march[0]!, revised])).to.deep.equal({
        added: 0,
        changed: [{ start: '2020-03-03', before: march[1], after: revised }],
        partitions: ['2020-03'],
      })
      expect(await catalogue.read(series, all)).to.deep.equal([...february, march[0], revised, march[2]])
    })

    it('of other prices, hours, sizes and contracts never mix', async () => {
      const others: BarSeries[] = [
        ...(['MIDPOINT', 'BID_ASK', 'ADJUSTED_LAST'] as const).map((whatToShow) => ({ ...series, whatToShow })),
        { ...series, regularHoursOnly: false },
        { ...series, conId: 1 },
      ]
      await catalogue.merge(series, march)
      for (const [place, other] of others.entries()) {
        expect(await catalogue.read(other, all), JSON.stringify(other)).to.deep.equal([])
        await catalogue.merge(other, [bar('2020-03-02', 200 + place)])
      }
      expect(await catalogue.read(series, all)).to.deep.equal(march)
    })

    it('of a range are read from its own months alone', async () => {
      const starts = ['2019-12-31', '2020-01-02', '2020-02-03', '2020-03-02', '2020-04-01']
      await catalogue.merge(
        series,
        starts.map((start) => bar(start)),
      )
      files.reads.length = 0
      const found = await catalogue.read(series, { from: '2020-01-15', to: '2020-03-02' })
      expect(found.map(({ start }) => start)).to.deep.equal(['2020-02-03', '2020-03-02'])
      expect(files.reads).to.deep.equal(
        ['2020-01', '2020-02', '2020-03'].map((month) => `SPY-756733/1-day/trades-regular/${month}.parquet`),
      )
    })

    it('are merged by reading the months that came, and no other', async () => {
      await catalogue.merge(series, [...february, ...march])
      files.reads.length = 0
      await catalogue.merge(series, [bar('2020-03-05')])
      expect(files.reads).to.deep.equal(['SPY-756733/1-day/trades-regular/2020-03.parquet'])
    })

    it('that were never stored are none, and no error', async () => {
      expect(await catalogue.read(series, all)).to.deep.equal([])
      expect(await catalogue.months(series)).to.deep.equal([])
    })

    it('say which months there are', async () => {
      await catalogue.merge(series, [...march, ...february])
      await catalogue.merge(intraday, [bar('2019-03-04T14:30:00.000Z')])
      expect(await catalogue.months(series)).to.deep.equal(['2020-02', '2020-03'])
    })

    it('of one month that many write at once are all there, each counted once', async () => {
      const starts = Array.from({ length: 20 }, (_, day) => `2020-05-${String(day + 1).padStart(2, '0')}`)
      const merged = await Promise.all(starts.map((start) => catalogue.merge(series, [bar('2020-05-31'), bar(start)])))
      expect(merged.reduce((total, { added }) => total + added, 0)).to.equal(21)
      expect((await catalogue.read(series, all)).map(({ start }) => start)).to.deep.equal([...starts, '2020-05-31'])
    })

    it('of a foreign, moved, cut or damaged file are one error that names it, and the file stays', async () => {
      const name = `${folderOf(series)}/2020-03.parquet`
      await catalogue.merge(series, march)
      await catalogue.merge({ ...series, conId: 1 }, march)
      const own = (await place.files.read(name))!
      const moved = (await place.files.read(`${folderOf({ ...series, conId: 1 })}/2020-03.parquet`))!.bytes
      const flipped = own.bytes.slice()
      flipped[60] = flipped[60]! ^ 1
      const wrongs: [Uint8Array, RegExp][] = [
        [new TextEncoder().encode('date,close\n2020-03-02,100\n'), /cannot be read as Parquet/],
        [own.bytes.slice(0, own.bytes.length - 20), /cannot be read as Parquet/],
        [moved, /it holds conId 1, not 756733/],
        [flipped, /not those that were written|cannot be read as Parquet/],
        [new Uint8Array(), /cannot be read as Parquet/],
      ]
      let version: string = own.version
      for (const [bytes, wrong] of wrongs) {
        expect(await place.files.write(name, bytes, version)).to.equal(true)
        version = (await place.files.read(name))!.version
        for (const use of [() => catalogue.read(series, all), () => catalogue.merge(series, [bar('2020-03-05')])]) {
          const problem = await (use() as Promise<unknown>).then(
            () => undefined,
            (error: BarsUnavailable) => error,
          )
          expect(problem).to.be.instanceOf(BarsUnavailable)
          expect(problem!.why).to.equal('damaged')
          expect(problem!.message).to.include(place.files.place(name)).and.to.match(wrong)
        }
        expect((await place.files.read(name))!.version, 'not overwritten').to.equal(version)
      }
    })
  })

describe('bars in a bucket', function () {
  this.timeout(180_000)
  let server: Awaited<ReturnType<typeof startStorageServer>>
  beforeEach(async () => {
    server = await startStorageServer()
  })
  afterEach(() => server.close())
  const opened = (bucket = 'bars') => createBarCatalogue(openBucket({ bucket, root: '', endpoint: server.endpoint }))

  it('whose answer to a write was lost are counted as written, once', async () => {
    server.troubles.push({ method: 'POST', path: /upload/, status: 503, when: 'after' })
    expect(await opened().merge(series, march)).to.deep.equal({ added: 3, changed: [], partitions: ['2020-03'] })
    expect(server.asked.filter((each) => each.startsWith('POST'))).to.have.length(2)
    expect(await opened().read(series, all)).to.deep.equal(march)
  })

  it('are asked for again when the server is busy, and a server that says no is an error that names the file', async () => {
    await opened().merge(series, march)
    server.troubles.push({ method: 'GET', path: /2020-03/, status: 503, when: 'before' })
    expect(await opened().read(series, all)).to.deep.equal(march)
    server.troubles.push({ method: 'GET', path: /2020-03/, status: 403, when: 'before' })
    const denied = await opened()
      .read(series, all)
      .catch((error: BarsUnavailable) => error)
    expect(denied).to.include({ why: 'refused' })
    expect((denied as Error).message).to.match(/^gs:\/\/bars\/SPY-756733\/1-day\/trades-regular\/2020-03\.parquet: /)
  })

  it('of a bucket that is not there cannot be stored, and it is said which', async () => {
    const problem = await opened('other')
      .merge(series, march)
      .catch((error: BarsUnavailable) => error)
    expect(problem).to.include({ why: 'refused' })
    expect((problem as Error).message).to.include('gs://other/')
  })
})

describe('bars in a folder', () => {
  const folder = temporaryFolder()
  after(folder.remove)

  it('leave nothing half written: a crash leaves the old file, and the next write goes on', async () => {
    const files = openFolder(folder.path)
    const catalogue = createBarCatalogue(files)
    await catalogue.merge(series, march)
    const { writeFileSync } = await import('node:fs')
    const beside = files.place(`${folderOf(series)}/2020-03.parquet.new`)
    writeFileSync(beside, 'PAR1 and then the power went')
    expect(await catalogue.read(series, all)).to.deep.equal(march)
    await catalogue.merge(series, [bar('2020-03-05')])
    expect((await catalogue.read(series, all)).length).to.equal(4)
    expect(readdirSync(files.place(folderOf(series)))).to.deep.equal(['2020-03.parquet'])
    await files.close()
  })

  it('may be named from where the process stands', async () => {
    const files = openFolder(relative(process.cwd(), join(folder.path, 'near')))
    const catalogue = createBarCatalogue(files)
    await catalogue.merge(series, march)
    expect(await catalogue.read(series, all)).to.deep.equal(march)
    expect(readdirSync(join(folder.path, 'near', folderOf(series)))).to.deep.equal(['2020-03.parquet'])
    await files.close()
  })

  it('say by name why they cannot be stored', async () => {
    const { writeFileSync } = await import('node:fs')
    const file = `${folder.path}/file`
    writeFileSync(file, '')
    const problem = await createBarCatalogue(openFolder(file))
      .merge(series, march)
      .catch((error: BarsUnavailable) => error)
    expect(problem).to.include({ why: 'refused' })
    expect((problem as Error).message).to.include(file)
  })
})
