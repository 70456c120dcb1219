import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { builtInBars } from '../../../../infra/gateway-sim/bars.ts'
import { until } from '../../../contract/until.ts'
import { begin, ibt, temporaryFolder } from '../ibt.ts'

/** Processes that were started with this seed: the number is nobody else's. */
const processesWith = (seed: string): string[] =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(`--seed ${seed}`))

const gatewayOf = (seed: string): number => {
  const lines = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n')
  const found = lines.find((line) => line.includes('gateway-sim/main.ts') && line.includes(`--seed ${seed}`))
  if (found === undefined) throw new Error(`no gateway runs with seed ${seed}`)
  return Number.parseInt(found, 10)
}

/** The ports on which a process listens, as Linux shows them. */
const portsOf = (pid: number): number[] => {
  const sockets = readdirSync(`/proc/${pid}/fd`).map((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`))
  const rows = readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1, -1)
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[3] === '0A' && sockets.includes(`socket:[${columns[9]}]`))
    .map((columns) => Number.parseInt(columns[1]!.split(':')[1]!, 16))
}

/** To whichever of the ports understands it. */
const bringAbout = (pid: number, fault: object): Promise<unknown> =>
  Promise.any(
    portsOf(pid).map(async (port) => {
      const request = { method: 'POST', body: JSON.stringify(fault), signal: AbortSignal.timeout(30_000) }
      const response = await fetch(`http://127.0.0.1:${port}/faults`, request)
      if (!response.ok) throw new Error(await response.text())
    }),
  )

describe('ibt demo', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const temporary = join(folder.path, 'temporary')
  const variables = { TMPDIR: temporary }
  let first: Awaited<ReturnType<typeof ibt>>

  before(async () => {
    mkdirSync(temporary)
    first = await ibt(['demo', '--days', '8'], variables)
  })
  after(folder.remove)

  it('lives through the days and proves itself', () => {
    expect([first.code, first.errors]).to.deep.equal([0, ''])
    const days = first.out.split('\n').filter((line) => /^20\d\d-\d\d-\d\d /.test(line))
    expect(days.map((line) => line.slice(0, 10))).to.deep.equal(
      ['04-07', '04-08', '04-09', '04-13', '04-14', '04-15', '04-16', '04-17'].map((day) => `2020-${day}`),
    )
    const proofs = [...first.out.matchAll(/^ {2}✓ (\w+): /gm)].map(([, name]) => name)
    expect(proofs).to.deep.equal(['journal', 'documents', 'positions', 'orders', 'state'])
    expect(first.out).to.not.contain('✗')
    expect(first.out)
      .to.match(/worst drawdown/)
      .and.match(/\d+ filled/)
      .and.match(/dummy .* holds /)
  })

  it('shows a strategy held while it is disabled', () => {
    expect(first.out).to.contain('by hand: dummy is disabled').and.contain('BOOK_WITHOUT_STRATEGY')
  })

  it('says what SPY and VIXY are', () => {
    expect(first.out).to.contain('SPY (S&P 500 ÷ 10) and VIXY (synthetic)')
    expect(first.out.split('VIXY').length).to.equal(first.out.split(/VIXY \(synthetic\)|synthetic VIXY/).length)
  })

  it('takes the same course again, hash for hash; another seed takes another', async () => {
    const [again, other] = await Promise.all([
      ibt(['demo', '--days', '8'], variables),
      ibt(['demo', '--days', '8', '--seed', '2'], variables),
    ])
    expect(again).to.deep.equal(first)
    const headOf = (out: string) => /head ([0-9a-f]{64})/.exec(out)![1]
    expect(headOf(other.out)).to.not.equal(headOf(first.out))
  })

  it('leaves nothing behind', () => {
    expect(readdirSync(temporary)).to.deep.equal([])
  })

  it('keeps its data where it is told to, the very journal it spoke of, and tells how to look into it', async () => {
    const kept = join(folder.path, 'kept')
    const { code, out } = await ibt(['demo', '--days', '8', '--keep', kept], variables)
    expect(code).to.equal(0)
    expect(out).to.contain(`DATA_DIR=${kept} npx ibt journal`)
    const verified = await ibt(['verify'], { DATA_DIR: kept })
    expect(verified.code).to.equal(0)
    expect(first.out).to.contain(`head ${JSON.parse(verified.out).head.hash}`)
    const again = await ibt(['demo', '--days', '8', '--keep', kept], variables)
    expect(again.code).to.equal(1)
    expect(again.errors).to.match(/^ibt: --keep: .*kept\/paper\.sqlite is there already; [^\n]*\n$/)
  })

  it("trades on the user's own bars, and calls them by their plain names", async () => {
    const files = (['SPY', 'VIXY'] as const).map((symbol) => {
      const path = join(folder.path, `${symbol}.csv`)
      const rows = builtInBars(symbol).filter(({ date }) => date < '2019-07-01')
      const lines = rows.map(({ date, open, high, low, close, volume }) => [date, open, high, low, close, volume].join(','))
      writeFileSync(path, ['date,open,high,low,close,volume', ...lines, ''].join('\n'))
      return `${symbol}=${path}`
    })
    const { code, out, errors } = await ibt(['demo', '--days', '3', '--bars', files[0]!, '--bars', files[1]!], variables)
    expect([code, errors]).to.deep.equal([0, ''])
    expect(out).to.contain('3 New York sessions from 2019-06-26 to 2019-06-28, trading SPY and VIXY on a simulated IB Gateway')
    expect(out).to.not.contain('synthetic')
  })

  it('begins where it is told to', async () => {
    const { code, out } = await ibt(['demo', '--start', '2008-10-11', '--days', '2'], variables)
    expect(code).to.equal(0)
    expect(out).to.match(/^2 New York sessions from 2008-10-13 to 2008-10-14/)
  })

  it('names the argument that is wrong, and starts nothing', async () => {
    const header = join(folder.path, 'header.csv')
    writeFileSync(header, readFileSync(join(folder.path, 'SPY.csv'), 'utf8').replace('volume', 'size'))
    const wrong: [string[], RegExp][] = [
      [['--days', '0'], /--days/],
      [
        ['--days', '5000', '--start', '2019-01-02'],
        /^ibt: --days: bars of SPY and VIXY are there from 2000-01-03 to 2020-04-17: 326 sessions/,
      ],
      [['--start', '2021-01-04'], /^ibt: --start: bars of SPY and VIXY are there from 2000-01-03 to 2020-04-17, not on 2021-01-04/],
      [['--start', '1999-01-04'], /^ibt: --start: /],
      [['--start', 'monday'], /^ibt: --start: "monday" is not a date/],
      [['--bars', 'SPY'], /SYMBOL=FILE/],
      [['--bars', `GLD=${header}`], /^ibt: --bars: the demo trades SPY and VIXY, not GLD\n$/],
      [['--keep', header], /^ibt: --keep: [^\n]*header\.csv is not a folder\n$/],
      [['--bars', `SPY=${header}`], /^ibt: [^\n]*header\.csv[^\n]*\n$/],
    ]
    for (const [args, says] of wrong) {
      const { code, out, errors } = await ibt(['demo', ...args], variables)
      expect([code, out], args.join(' ')).to.deep.equal([1, ''])
      expect(errors).to.match(says)
    }
    expect(readdirSync(temporary)).to.deep.equal([])
  })

  it('ends its gateway and removes its data when it is interrupted', async () => {
    const seed = '87654321'
    const demo = begin(['demo', '--days', '100', '--seed', seed], variables)
    await until('the days go by', () => demo.out().split('\n').length > 3, 60_000)
    expect(processesWith(seed).some((line) => line.includes('gateway-sim'))).to.equal(true)
    const { code, errors } = await demo.stop('SIGINT')
    expect([code, errors]).to.deep.equal([130, 'ibt: interrupted\n'])
    expect(processesWith(seed)).to.deep.equal([])
    expect(readdirSync(temporary)).to.deep.equal([])
  })

  it('is interrupted by Ctrl-C in a terminal, which reaches every process of its group', async () => {
    const seed = '87654324'
    const kept = join(folder.path, 'interrupted')
    const demo = begin(['demo', '--days', '100', '--seed', seed, '--keep', kept], variables, { detached: true })
    await until('the days go by', () => demo.out().split('\n').length > 3, 60_000)
    process.kill(-demo.child.pid!, 'SIGINT')
    const { code, errors } = await demo.ended
    expect([code, errors]).to.deep.equal([130, 'ibt: interrupted\n'])
    expect(processesWith(seed)).to.deep.equal([])
  })

  it('leaves nothing behind when its reader has seen enough', async () => {
    const seed = '87654325'
    const demo = begin(['demo', '--days', '100', '--seed', seed], variables)
    await until('the days go by', () => demo.out().split('\n').length > 3, 60_000)
    demo.child.stdout!.destroy()
    await demo.ended
    await until('the gateway ends', () => processesWith(seed).length === 0)
    expect(readdirSync(temporary)).to.deep.equal([])
  })

  it('fails in one line, and leaves nothing behind, when its gateway dies', async () => {
    const seed = '87654322'
    const demo = begin(['demo', '--days', '100', '--seed', seed], variables)
    await until('the days go by', () => demo.out().split('\n').length > 3, 60_000)
    process.kill(gatewayOf(seed), 'SIGKILL')
    const { code, errors } = await demo.ended
    expect(code).to.equal(1)
    expect(errors)
      .to.match(/ibt: [^\n]+\n$/)
      .and.not.match(/\n +at /)
    expect(readdirSync(temporary)).to.deep.equal([])
  })

  it('exits with an error and the name of the proof when the broker holds what nobody can explain', async function () {
    if (process.platform !== 'linux') return this.skip()
    const seed = '87654323'
    const demo = begin(['demo', '--days', '40', '--seed', seed], variables)
    await until('the days go by', () => demo.out().split('\n').length > 3, 60_000)
    await bringAbout(gatewayOf(seed), { fault: 'position', symbol: 'SPY', quantity: 7 })
    const { code, out, errors } = await demo.ended
    expect(code).to.equal(1)
    expect(out).to.contain('✗ FAILED positions: unexplained: 7 SPY').and.contain('✓ journal').and.contain('✓ state')
    expect(errors).to.contain('ibt: proof failed: positions (unexplained: 7 SPY)')
  })
})
