/**
 * What the simulator says, read by a client of other authors in another language: ib_async, at its highest version, 178. It is no dependency
 * of ours: `pip install ib-async`, and `IB_ASYNC_PYTHON=path/to/python` runs this.
 */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { closeAll, monday, simulate } from './client.ts'

const { IB_ASYNC_PYTHON: python } = process.env
const script = fileURLToPath(new URL('./second-client.py', import.meta.url))

describe('gateway simulator, a client of other authors', function () {
  this.timeout(180_000)
  afterEach(closeAll)

  it('reads contracts, bars, orders, executions, positions and prices as they were meant', async function () {
    if (python === undefined) return this.skip()
    const simulator = await simulate({ start: monday('10:00') })
    const { stdout } = await promisify(execFile)(python, [script, String(simulator.port)], { timeout: 50_000 })
    const { executions, positions, orders } = await simulator.state()
    const [{ price, conId }] = executions
    expect(JSON.parse(stdout)).to.deep.equal({
      version: 178,
      accounts: ['DU1234567'],
      contract: [conId, 0.01],
      bars: [
        ['2019-05-31', 100],
        ['2019-06-03', price],
      ],
      fills: [['BOT', 10, price, 1]],
      open: [['waits', 999, 'GTC']],
      executions: [['first', 10]],
      completed: orders.map(({ orderRef, status }: { orderRef: string; status: string }) => [orderRef, status]),
      positions: positions.map(({ symbol, quantity }: { symbol: string; quantity: number }) => [symbol, quantity]),
      ticker: [price - 0.01, price, price + 0.01].map((each) => Number(each.toFixed(2))),
      whatIf: 1,
      problems: [],
    })
  })
})
