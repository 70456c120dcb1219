/** Every intent from the command line, as a user gives it: what he reads, and the exit code that his script goes by. One engine for all. */
import { expect } from 'chai'
import { newYorkTime, nextSession } from '../../../domain/calendar.ts'
import { intents } from '../../../handlers/handlers.ts'
import { type Rig, startRig } from '../../rig.ts'
import type { Suite } from '../../stores.ts'
import { ibt, type Run, variablesOf } from './ibt.ts'

/** `$ORDER_REF` is the order of ours that is open. `says`: its text on standard output, or the one line on standard error. */
type Line = { type: string; body?: object; id?: string; wait?: number; code: 0 | 1; says: RegExp }

/** What is asked at the same time asks nothing of each other. */
type Scene = { it: string; meanwhile?: (rig: Rig) => Promise<unknown>; asked: Line[] }

const minutes = 60_000

/** They build on one another, from the first `resume` on. */
const scenes: readonly Scene[] = [
  {
    it: 'trading is off until the first resume, and says so; what nobody has heard of is to be declared',
    asked: [
      {
        type: 'orchestrator',
        code: 1,
        says: /^ibt: \S+ ended refused: HALTED: trading is halted: trading is off until the first resume\n$/,
      },
      {
        type: 'collect_market_data',
        body: { instrument: 'SPY', barSize: '1 day', duration: '1 M', whatToShow: 'TRADES' },
        code: 1,
        says: /^ibt: \S+ ended refused: INSTRUMENT_UNKNOWN: no such instrument is known here: SPY; declare it: .*\n$/,
      },
    ],
  },
  { it: 'resume', asked: [{ type: 'resume', body: { reason: 'checked by hand' }, code: 0, says: /^trading is on: checked by hand$/ }] },
  {
    it: 'configure',
    asked: [
      {
        type: 'configure',
        body: { changes: { 'strategies.dummy.allocation': 0.5, 'strategies.dummy.parameters.wants': '60' } },
        code: 0,
        says: /^strategies\.dummy\.allocation: 0 → 0\.5; strategies\.dummy\.parameters\.wants: not set → "60"$/,
      },
    ],
  },
  {
    it: 'a signal, reconcile and summary',
    asked: [
      { type: 'dummy', body: { dryRun: true }, code: 0, says: /^as told$/ },
      { type: 'reconcile', code: 0, says: /^0 positions, 0 open orders, net liquidation 72631 USD; books, manual and the broker agree$/ },
      { type: 'summary', code: 0, says: /^net liquidation 72631\.00 USD, 0 positions, 0 open orders, 0 fills today$/ },
    ],
  },
  {
    it: 'orchestrator, at a limit that waits',
    asked: [
      { type: 'orchestrator', body: { orderProperties: { type: 'LMT', limitOffset: -0.04 } }, code: 0, says: /^1 order at the broker$/ },
    ],
  },
  {
    it: 'cancel-order',
    asked: [
      {
        type: 'cancel-order',
        body: { orderRef: '$ORDER_REF' },
        code: 0,
        says: /^the broker is asked to cancel order \S+ \(BUY 60 SPY\), 0 filled so far$/,
      },
    ],
  },
  { it: 'allocation', asked: [{ type: 'allocation', code: 0, says: /^1 order at the broker$/ }] },
  {
    it: 'trade-reconciliation, risk-check and collect-market-data',
    asked: [
      { type: 'trade-reconciliation', code: 0, says: /^executions of 2020-02-04: 1, orders and books agree$/ },
      { type: 'risk-check', code: 0, says: /^within all limits$/ },
      {
        type: 'collect-market-data',
        body: { instrument: 'SPY', barSize: '1 day', duration: '1 M', whatToShow: 'TRADES' },
        code: 0,
        says: /^20 bars of 1 day of SPY \(TRADES\) from 2020-01-06 to 2020-02-03: 20 new, 0 changed, none missing$/,
      },
    ],
  },
  {
    it: 'cash-balancer, whose order gets lost',
    meanwhile: (rig) => rig.fault({ fault: 'swallowOrder' }),
    asked: [{ type: 'cash_balancer', code: 0, says: /^sells 20000 EUR\.USD$/ }],
  },
  {
    it: 'resolve-order, once nobody can find it',
    meanwhile: (rig) => rig.driver.runTo(rig.clock.now() + 3 * minutes),
    asked: [
      {
        type: 'resolve-order',
        body: { orderRef: '$ORDER_REF', as: 'lost', reason: 'the broker was asked by telephone' },
        code: 0,
        says: /^order \S+ \(SELL 20000 EUR\) is lost, resolved by cli: the broker was asked by telephone$/,
      },
    ],
  },
  {
    it: 'explain, of five shares that came from nowhere; and a signal that fails',
    meanwhile: async (rig) => {
      await rig.fault({ fault: 'position', symbol: 'SPY', quantity: 5 })
      await rig.command('reconcile')
      await rig.want({ dummy: 'throw' })
    },
    asked: [
      {
        type: 'explain',
        body: { instrument: 'SPY', quantity: '5', as: 'manual' },
        code: 0,
        says: /^5 SPY explained as manual \(explained by command\), 0 left unexplained$/,
      },
      { type: 'dummy', code: 1, says: /^ibt: \S+ ended failed: STRATEGY_THREW: division by zero in the third line\n$/ },
    ],
  },
  { it: 'eod-check', asked: [{ type: 'eod-check', code: 0, says: /^2020-02-04 closed: profit -?[\d.]+ USD since \S+, positions held$/ }] },
  { it: 'halt', asked: [{ type: 'halt', body: { reason: 'the news' }, code: 0, says: /^trading is halted: the news$/ }] },
  {
    it: 'close-all after the close, halted as it is, is under way; and what else trades is refused',
    meanwhile: (rig) => rig.driver.runTo(newYorkTime('2020-02-04', '17:00')),
    asked: [
      {
        ...{ type: 'close_all', id: 'flat', wait: 10, code: 1 },
        says: /^ibt: flat is still under way after 10 s; look again with ibt document commands\/flat\n$/,
      },
      { type: 'allocation', code: 1, says: /^ibt: \S+ ended refused: HALTED: trading is halted: the news\n$/ },
      { type: 'cash-balancer', code: 1, says: /^ibt: \S+ ended refused: HALTED: trading is halted: the news\n$/ },
    ],
  },
  {
    it: 'close-all, asked again under its id after the open, is the same one, and done',
    meanwhile: (rig) => rig.driver.runTo(nextSession('2020-02-04').open + 5 * minutes),
    asked: [{ type: 'close-all', id: 'flat', code: 0, says: /^flat, by 1 order, as the reconcile of 2020-02-05T\S+ shows$/ }],
  },
]

export const everyIntent: Suite = (store, kind) => {
  let rig: Rig
  let variables: Record<string, string>
  before(async () => {
    const data = store()
    rig = await startRig({ store: data, names: ['Dummy'], cash: { USD: 50_000, EUR: 20_000 } })
    await rig.driver.connected()
    variables = { DATA_DIR: rig.dataDirectory, ...variablesOf(data) }
  })
  after(() => rig?.stop())

  const openOrder = (): string => Object.values(rig.composed.engine.ledger.orders).find(({ status }) => status !== 'closed')?.orderRef ?? ''
  const run = ({ type, body = {}, id, wait }: Line): Promise<Run> => {
    const options = [...(id === undefined ? [] : ['--id', id]), ...(wait === undefined ? [] : ['--wait', String(wait)])]
    return ibt(['publish', type, '--data', JSON.stringify(body).replace('$ORDER_REF', openOrder), ...options], variables)
  }
  const check = ({ type, code, says }: Line, { code: ended, out, errors }: Run): void => {
    expect(ended, `${type}: ${errors}${out}`).to.equal(code)
    const { status, source, text } = JSON.parse(out) as { status: string; source: string; text: string }
    expect([status === 'completed', source], type).to.deep.equal([code === 0, 'cli'])
    if (code === 0) expect(errors, type).to.equal('')
    expect(code === 0 ? text : errors, type).to.match(says)
  }

  for (const { it: sentence, meanwhile, asked } of scenes) {
    // A process that only says no is the same on each store, and each costs its seconds.
    const lines = asked.filter(({ code, id }) => kind === 'embedded' || code === 0 || id !== undefined)
    if (lines.length > 0)
      it(sentence, async () => {
        await meanwhile?.(rig)
        const runs = await Promise.all(lines.map(run))
        for (const [place, line] of lines.entries()) check(line, runs[place]!)
      })
  }

  it('leaves the account flat but for what is not ours, every order known, and nothing in doubt', async () => {
    const { books, manual, unexplained, orders } = rig.composed.engine.ledger
    expect(
      Object.values(books)
        .flatMap((book) => Object.values(book))
        .filter((held) => held !== '0'),
    ).to.deep.equal([])
    expect([Object.values(manual), { ...unexplained }]).to.deep.equal([['5'], {}])
    expect(
      Object.values(orders).map((order) => `${order.symbol} ${order.quantity} ${order.status === 'closed' && order.how}`),
    ).to.deep.equal(['SPY 60 cancelled', 'SPY 60 filled', 'EUR -20000 lost', 'SPY -60 filled'])
  })

  it('knows every intent, each carried out at least once', () => {
    const done = new Set(scenes.flatMap(({ asked }) => asked.flatMap(({ type, code }) => (code === 0 ? [type.replaceAll('_', '-')] : []))))
    expect(Object.keys(intents).filter((type) => !done.has(type))).to.deep.equal([])
  })
}
