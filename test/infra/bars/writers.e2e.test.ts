/** Real processes at one folder of bars. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { BarSeries } from '../../../domain/bar-series.ts'
import { openBars } from '../../../infra/bars/open.ts'
import { until } from '../../contract/until.ts'
import { temporaryFolder } from '../cli/ibt.ts'

const program = fileURLToPath(new URL('writing-process.ts', import.meta.url))
const series: BarSeries = { conId: 756733, symbol: 'SPY', size: '1 min', whatToShow: 'TRADES', regularHoursOnly: true }
const march = { from: '2020-03-01', to: '2020-04-01' }

describe('processes that write the same month', function () {
  this.timeout(180_000)
  let folder: ReturnType<typeof temporaryFolder>
  beforeEach(() => {
    folder = temporaryFolder()
  })
  afterEach(() => folder.remove())

  const begin = (...args: string[]) => {
    const child = spawn(process.execPath, [program, folder.path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    return { child, out: () => out, ended: once(child, 'close').then(([code]) => code as number | null) }
  }
  const stored = async () => {
    const bars = await openBars({ dataDirectory: folder.path })
    try {
      return await bars.read(series, march)
    } finally {
      await bars.close()
    }
  }

  it('lose nothing of each other: every bar is there, and counted once', async () => {
    const writers = [begin('02', '40', '101'), begin('03', '40', '102'), begin('02', '40', '101')]
    expect(await Promise.all(writers.map(({ ended }) => ended))).to.deep.equal([0, 0, 0])
    const bars = await stored()
    expect(bars).to.have.length(80)
    const added = writers.map(({ out }) => Number(/added (\d+)/.exec(out())![1]))
    expect(added.reduce((total, each) => total + each)).to.equal(80)
  })

  it('may be killed at any moment: what one said that it stored is there, and the others go on', async () => {
    for (const day of ['04', '05', '06']) {
      const doomed = begin(day, '380', '103')
      await until('it has written', () => doomed.out().split('\n').length > 15, 60_000)
      doomed.child.kill('SIGKILL')
      await doomed.ended
      const said = doomed
        .out()
        .split('\n')
        .filter((line) => line.startsWith('2020') && line.endsWith('Z'))
      const starts = new Set((await stored()).map(({ start }) => start))
      expect(said.filter((start) => !starts.has(start))).to.deep.equal([])
    }
    expect(await begin('09', '5', '104').ended).to.equal(0)
    expect((await stored()).at(-1)!.start).to.equal('2020-03-09T14:34:00.000Z')
    expect(readdirSync(join(folder.path, 'bars', 'SPY-756733', '1-min', 'trades-regular'))).to.deep.equal(['2020-03.parquet'])
  })
})
