import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { newYorkDate, sessionOn } from '../../../domain/calendar.ts'
import { builtInBars, indexBars } from '../../../infra/gateway-sim/bars.ts'
import type { ContractQuery } from '../../../infra/gateway-sim/listing.ts'
import { gatewaySimulatorOptions } from '../../../infra/gateway-sim/main.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { createUniverse, type Universe } from '../../../infra/gateway-sim/universe.ts'
import { builtInUniverse, parseUniverse, together } from '../../../infra/gateway-sim/universe-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'universe-'))
after(() => rmSync(folder, { recursive: true }))

const query = (more: Partial<ContractQuery>): ContractQuery => ({
  ...{ conId: '', symbol: '', secType: '', exchange: '', primaryExchange: '', currency: '', localSymbol: '', tradingClass: '' },
  ...more,
})
const own = (text: string, now?: string): Universe =>
  createUniverse(
    [],
    together(builtInUniverse(), parseUniverse('my.yaml', text, folder)),
    now === undefined ? undefined : () => Date.parse(now),
  )
const wrong = (listing: string): string => {
  try {
    own(`listings:\n  - ${listing}\n`)
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

describe('a universe of one’s own', () => {
  it('adds contracts, with bars from a file, by chance, or from another series', () => {
    writeFileSync(join(folder, 'gold.csv'), 'date,open,high,low,close,volume\n2019-06-03,120,122,119,121,1000\n')
    const universe = own(`
marketRules: { 5: [[0, 0.05]] }
listings:
  - { secType: STK, symbol: GLD, exchange: ARCA, name: GOLD TRUST, bars: { file: gold.csv } }
  - { secType: STK, symbol: HALF, exchange: NYSE, name: HALF OF THE INDEX, marketRule: 5, bars: { from: SPX, times: 0.05, volumeTimes: 0.001 } }
  - { secType: FUT, symbol: FGOLD, exchange: COMEX, name: GOLD, multiplier: 10, marketRule: 5, months: [6], listed: 2, expiry: month end, bars: { from: GLD, carry: 0.1 } }
`)
    const [gold] = universe.find(query({ symbol: 'GLD', secType: 'STK' }))
    expect(gold).to.include({ primaryExchange: 'ARCA', currency: 'USD', minTick: 0.01, multiplier: 1, series: 'GLD' })
    expect(universe.bars('GLD')!.daily.map(({ close }) => close)).to.deep.equal([121])
    const [spx, half] = [indexBars()[100]!, universe.bars('HALF')!.daily[100]!]
    expect(half.close).to.be.closeTo(spx.close * 0.05, 0.026)
    expect(half.volume).to.equal(Math.round(spx.volume * 0.001))
    expect(
      universe.find(query({ symbol: 'FGOLD', secType: 'FUT' })).map(({ localSymbol, lastTradeDate }) => [localSymbol, lastTradeDate]),
    ).to.deep.equal([
      ['FGOLDM9', '2019-06-28'],
      ['FGOLDM0', '2020-06-30'],
    ])
    expect(universe.bars('FGOLD201906')!.daily[0]!.close).to.be.closeTo(121 * (1 + (0.1 * 25) / 365), 0.026)
    expect(universe.traded('SPY')?.conId).to.equal(756733)
    expect(own('listings: []').listings.map(({ conId }) => conId)).to.deep.equal(createUniverse([]).listings.map(({ conId }) => conId))
  })

  it('takes the place of what it names again, in JSON too', () => {
    const universe = own(
      JSON.stringify({ listings: [{ secType: 'STK', symbol: 'SPY', exchange: 'NYSE', name: 'MINE', bars: { builtIn: 'VIXY' } }] }),
    )
    expect(universe.find(query({ symbol: 'SPY', secType: 'STK', currency: 'USD' })).map(({ longName }) => longName)).to.deep.equal(['MINE'])
    expect(universe.bars('SPY')!.daily).to.equal(builtInBars('VIXY'))
    expect(universe.find(query({ symbol: 'SPY', secType: 'STK', currency: 'MXN' }))).to.have.length(1)
  })

  it('refuses what is wrong in one line that names the file, the listing and the field', () => {
    const stock = (more: string): string => wrong(`{ secType: STK, symbol: X, exchange: NYSE, name: X, ${more} }`)
    const at = 'my.yaml: listings.0 (X): '
    expect(wrong('{ symbol: X }')).to.equal(`${at}secType: expected STK, IND, FUT or CASH, got nothing`)
    expect(wrong('{ secType: OPT, symbol: X }')).to.equal(`${at}secType: expected STK, IND, FUT or CASH, got "OPT"`)
    expect(wrong('{ secType: STK, symbol: X, name: X }')).to.equal(`${at}exchange: expected a text, got nothing`)
    expect(wrong('7')).to.contain('my.yaml: listings.0: ')
    expect(stock('colour: red')).to.contain(`${at}colour: not a field of a listing STK, which has secType, symbol, exchange`)
    expect(stock('conId: -1')).to.equal(`${at}conId: expected a whole number above 0, got -1`)
    expect(stock('timeZone: Mars')).to.equal(`${at}timeZone: there is no zone "Mars"`)
    expect(stock('marketRule: 9')).to.equal('X: marketRule: there is no rule 9')
    expect(stock('minTick: 0.5')).to.equal('X: minTick: 0.5 is not the smallest step of market rule 26, 0.01')
    expect(stock('conId: 756733')).to.equal('SPY (STK) and X (STK) have the same conId 756733')
    expect(stock('bars: { builtIn: QQQ }')).to.equal(`${at}bars.builtIn: expected SPY, VIXY or SPX, got "QQQ"`)
    expect(stock('bars: { builtIn: SPY, from: SPX }')).to.equal(`${at}bars: exactly one of builtIn, file, synthetic, from is needed`)
    expect(stock('bars: { synthetic: { price: 0, volatility: 1 } }')).to.equal(
      `${at}bars.synthetic.price: expected a number above 0, got 0`,
    )
    expect(stock('bars: { colour: red }')).to.contain(`${at}bars.colour: there are`)
    expect(stock('bars: { file: none.csv }')).to.contain('none.csv: cannot be read (ENOENT)')
    expect(stock('bars: { from: NONE }')).to.equal('X: bars.from: there is no series NONE with bars in the file')
    expect(stock('bars: { from: X }')).to.equal('X: bars.from: X is made from itself')
    expect(stock('splits: [{ date: 2019-06-08, ratio: 2 }]')).to.equal(`${at}splits: on 2019-06-08 there is no session`)
    expect(stock('dividends: [{ exDate: soon, payDate: 2019-06-08, amount: 2 }]')).to.contain(
      `${at}dividends.0.exDate: expected a date, YYYY-MM-DD`,
    )
    expect(stock('dividends: [{ exDate: 2019-06-07, payDate: 2019-06-06, amount: 2 }]')).to.contain(
      'payDate 2019-06-06 is before exDate 2019-06-07',
    )
    expect(wrong('{ secType: FUT, symbol: X, exchange: CME, name: X, multiplier: 1, months: [13] }')).to.equal(
      `${at}months.0: expected a month, 1 to 12, got 13`,
    )
    expect(wrong('{ secType: FUT, symbol: X, exchange: CME, name: X, multiplier: 1, months: [] }')).to.equal(`${at}months: none are given`)
    expect(() => own('marketRules: { 7: [[1, 0.1]] }\nlistings: []')).to.throw('my.yaml: marketRules.7: the first step begins at 0')
    expect(() => own('marketRules: { 7: [[0, 0.1], [0, 0.2]] }\nlistings: []')).to.throw(
      'my.yaml: marketRules.7: the lowest step comes first',
    )
    expect(() => own('listings: [')).to.throw(/^my.yaml: [^\n]+$/)
    expect(() => own('{}')).to.throw('my.yaml: listings: ')
  })

  it('stops the start of a gateway that could not count in one of its currencies, and names wrong options', async () => {
    const path = join(folder, 'sek.yaml')
    writeFileSync(path, 'listings: [{ secType: STK, symbol: X, exchange: SFB, currency: SEK, name: X }]')
    const start = (options: object): Promise<string> =>
      startGatewaySimulator(options).then(
        async ({ close }) => {
          await close()
          return 'nothing'
        },
        (error: Error) => error.message,
      )
    expect(await start({ universe: path })).to.equal('SEK: no currency pair with bars turns it into US dollars')
    expect(await start({ cash: { CHF: 1 } })).to.equal('CHF: no currency pair with bars turns it into US dollars')
    expect(await start({ universe: join(folder, 'none.yaml') })).to.contain('none.yaml: cannot be read (ENOENT)')
    expect(gatewaySimulatorOptions(['--universe', 'my.yaml', '--cash', 'USD=5,EUR=-2'])).to.deep.include({
      universe: 'my.yaml',
      cash: { USD: 5, EUR: -2 },
    })
    expect(gatewaySimulatorOptions(['--cash', '7'])).to.deep.include({ cash: 7 })
    expect(Date.parse(gatewaySimulatorOptions(['--start', 'now']).start!)).to.be.closeTo(Date.now(), 10_000)
    for (const cash of ['x', 'USD=', 'dollars=5', 'USD=1,5'])
      expect(() => gatewaySimulatorOptions(['--cash', cash])).to.throw(`--cash: expected a number or USD=N,EUR=N, got "${cash}"`)
  })
})

describe('the built-in universe', () => {
  const universe = createUniverse([])

  it('has bars for every session of every series, on its ticks, made the same each time', () => {
    const another = createUniverse([])
    for (const { series, secType, minTick } of universe.listings) {
      const bars = universe.bars(series)?.daily
      if (!bars) continue
      expect(another.bars(series)!.daily, series).to.deep.equal(bars)
      for (const { date, open, high, low, close } of bars.slice(-200)) {
        expect(sessionOn(date), `${series} ${date}`).to.not.equal(undefined)
        expect(low <= Math.min(open, close) && high >= Math.max(open, close) && low > 0, `${series} ${date}`).to.equal(true)
        if (secType !== 'IND') expect(Math.abs(close / minTick - Math.round(close / minTick)), `${series} ${date}`).to.be.lessThan(1e-4)
      }
    }
    expect(universe.bars('AAPL')).to.equal(undefined)
  })

  it('lets a future end at the price of what it stands for', () => {
    const last = (bars: readonly { date: string; close: number }[]) => bars.find(({ date }) => date === '2019-09-20')!.close
    expect(last(universe.bars('ES201909')!.daily)).to.be.closeTo(last(indexBars()), 0.126)
    expect(universe.bars('ES201909')!.daily.at(-1)!.date).to.equal('2019-09-20')
  })

  it('knows months that end on a holiday, and the next one from the close of the last day on', () => {
    const at = (now: string) => createUniverse([], undefined, () => Date.parse(now)).find(query({ symbol: 'ES', secType: 'FUT' }))[0]!
    expect(at('2019-06-21T15:59:59-04:00').lastTradeDate).to.equal('2019-06-21')
    expect(at('2019-06-21T16:00:00-04:00').lastTradeDate).to.equal('2019-09-20')
    const goldIn2008 = createUniverse(
      ['X'],
      parseUniverse(
        'x',
        'marketRules: { 26: [[0, 0.01]] }\nlistings: [{ secType: FUT, symbol: G, exchange: E, name: G, multiplier: 1, months: [3] }]',
        folder,
      ),
      () => Date.parse('2008-01-02T12:00:00Z'),
    )
    expect(goldIn2008.find(query({ symbol: 'G', secType: 'FUT' }))[0]!.lastTradeDate).to.equal('2008-03-20') // Good Friday was the third one
    expect(newYorkDate(Date.parse('2008-03-21T12:00:00Z'))).to.equal('2008-03-21')
  })
})
