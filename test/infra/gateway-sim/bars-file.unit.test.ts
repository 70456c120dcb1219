import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import fc from 'fast-check'
import { parseBars, readBars, readBarsFile } from '../../../infra/gateway-sim/bars-file.ts'

const header = 'date,open,high,low,close,volume'
const csv = (...rows: string[]): string => [header, ...rows, ''].join('\n')
const parse = (text: string) => parseBars('gold.csv', text)
const good = '2020-01-02,10,12,9,11,1000'
const goodBar = { date: '2020-01-02', open: 10, high: 12, low: 9, close: 11, volume: 1000 }

describe('a file of bars', () => {
  it('gives daily bars in its order', () => {
    expect(parse(csv(good, '2020-01-03,11,11.5,10.25,10.5,0')).daily).to.deep.equal([
      goodBar,
      { date: '2020-01-03', open: 11, high: 11.5, low: 10.25, close: 10.5, volume: 0 },
    ])
  })

  it('may have other columns, another order, capitals, blanks, a byte order mark and Windows lines', () => {
    const text = '\uFEFFClose, Date, Adj Close, Volume, Low, High, Open\r\n11, 2020-01-02, 7, 1000, 9, 12, 10\r\n\r\n'
    expect(parse(text)).to.deep.equal({ daily: [goodBar] })
  })

  it('reads back whatever consistent bars were written', () => {
    const price = fc.double({ min: 0.01, max: 1e6, noNaN: true })
    const bar = fc.tuple(price, price, price, price, fc.nat()).map(([one, two, three, four, volume]) => {
      const [low, open, close, high] = [one, two, three, four].sort((a, b) => a - b) as [number, number, number, number]
      return { open, high, low, close, volume }
    })
    fc.assert(
      fc.property(fc.array(bar, { minLength: 1, maxLength: 30 }), (bars) => {
        const dated = bars.map((each, day) => ({ date: new Date(Date.UTC(2019, 11, 20 + day)).toISOString().slice(0, 10), ...each }))
        const rows = dated.map(({ date, open, high, low, close, volume }) => [date, open, high, low, close, volume].join(','))
        expect(parse(csv(...rows)).daily).to.deep.equal(dated)
      }),
    )
  })

  const wrong: [string, string, string][] = [
    ['an empty file', '', 'line 1: missing column date, open, high, low, close, volume'],
    ['a missing column', 'date,open,high,low,close\n2020-01-02,1,1,1,1', 'line 1: missing column volume'],
    ['a header alone', `${header}\n`, 'line 2: no bars'],
    ['a value too few', csv('2020-01-02,10,12,9,11'), 'line 2: 5 values for 6 columns'],
    ['what is not a number', csv(good, '2020-01-03,10,12,n/a,11,1'), 'line 3: low is not a number: "n/a"'],
    ['an empty value', csv('2020-01-02,10,12,9,,1'), 'line 2: close is not a number: ""'],
    ['a price of zero', csv('2020-01-02,10,12,0,11,1'), 'line 2: low must be above zero: 0'],
    ['a negative volume', csv('2020-01-02,10,12,9,11,-1'), 'line 2: volume must be above zero: -1'],
    ['a high below the low', csv('2020-01-02,10,8,9,9,1'), 'line 2: high 8 is below low 9'],
    ['an open outside the range', csv('2020-01-02,13,12,9,11,1'), 'line 2: open 13 is outside 9 to 12'],
    ['a close outside the range', csv('2020-01-02,10,12,9,8.99,1'), 'line 2: close 8.99 is outside 9 to 12'],
    [
      'a date that does not exist',
      csv('2020-02-30,10,12,9,11,1'),
      'line 2: date is neither YYYY-MM-DD nor an ISO time with its zone: "2020-02-30"',
    ],
    [
      'a date in another form',
      csv('01/02/2020,10,12,9,11,1'),
      'line 2: date is neither YYYY-MM-DD nor an ISO time with its zone: "01/02/2020"',
    ],
    [
      'a time without a zone',
      csv('2020-01-02T09:30:00,10,12,9,11,1'),
      'line 2: date is neither YYYY-MM-DD nor an ISO time with its zone: "2020-01-02T09:30:00"',
    ],
    ['a date that comes twice', csv(good, '', good), 'line 4: date 2020-01-02 comes twice'],
    ['dates that descend', csv('2020-01-03,10,12,9,11,1', good), 'line 3: date 2020-01-02 comes after 2020-01-03: oldest first'],
    ['days and times together', csv(good, '2020-01-03T14:30:00Z,10,12,9,11,1'), 'line 3: daily and shorter bars in one file'],
    [
      'a time on a holiday',
      csv('2019-12-31T15:00:00Z,10,12,9,11,1', '2020-01-01T15:00:00Z,10,12,9,11,1'),
      'line 3: 2020-01-01T15:00:00Z is outside the regular trading hours of New York',
    ],
    [
      'a time before the open',
      csv('2020-01-02T14:00:00Z,10,12,9,11,1', '2020-01-02T14:30:00Z,10,12,9,11,1'),
      'line 2: 2020-01-02T14:00:00Z is outside the regular trading hours of New York',
    ],
    [
      'a time before the calendar',
      csv('1980-01-02T15:00:00Z,10,12,9,11,1', '1980-01-02T15:30:00Z,10,12,9,11,1'),
      'line 2: 1980-01-02T15:00:00Z is outside the regular trading hours of New York',
    ],
    ['a single intraday bar', csv('2020-01-02T15:00:00Z,10,12,9,11,1'), 'line 2: one intraday bar does not tell how long it is'],
  ]
  for (const [name, text, message] of wrong) {
    it(`is refused with its name and line for ${name}`, () => {
      expect(() => parse(text))
        .to.throw(Error)
        .with.property('message', `gold.csv, ${message}`)
    })
  }

  it('may hold shorter bars, which end where the next begins or the session ends, and add up to days', () => {
    const { intraday, daily } = parse(
      csv(
        '2018-11-23T11:30:00-05:00,10,12,9,11,100',
        '2018-11-23T12:00:00-05:00,11,13,11,12,200',
        '2018-11-23T12:45:00-05:00,12,12,8,9,300',
        '2018-11-26T14:30:00Z,9,10,9,10,50',
      ),
    )
    expect(intraday!.map(({ start, end }) => [start, end].map((at) => new Date(at).toISOString().slice(5, 16)))).to.deep.equal([
      ['11-23T16:30', '11-23T17:00'],
      ['11-23T17:00', '11-23T17:30'],
      ['11-23T17:45', '11-23T18:00'],
      ['11-26T14:30', '11-26T15:00'],
    ])
    expect(daily).to.deep.equal([
      { date: '2018-11-23', open: 10, high: 13, low: 8, close: 9, volume: 600 },
      { date: '2018-11-26', open: 9, high: 10, low: 9, close: 10, volume: 50 },
    ])
  })

  describe('on disk', () => {
    let folder: string
    before(() => {
      folder = mkdtempSync(join(tmpdir(), 'bars-'))
    })
    after(() => rmSync(folder, { recursive: true, force: true }))

    it('is read by its path, which errors name', () => {
      const path = join(folder, 'gold.csv')
      writeFileSync(path, csv(good))
      expect(readBarsFile(path)).to.deep.equal([goodBar])
      writeFileSync(path, csv(good, good))
      expect(() => readBars(path)).to.throw(`${path}, line 3: date 2020-01-02 comes twice`)
    })

    it('is named when it is not there', () => {
      const path = join(folder, 'absent.csv')
      expect(() => readBarsFile(path)).to.throw(`${path}: cannot be read (ENOENT)`)
    })
  })
})
