/** What a kill run is judged by sees each thing that must not be: a sound run of one order, spoiled in one place at a time. */
import { expect } from 'chai'
import type { State } from '../handlers/nights/night.ts'
import { sha256 } from '../world/journal-text.ts'
import { earlyOrders, faultsIn, type Line } from './outside.ts'

type Commit = { epoch: number; cause: object; events: { type: string; data: object }[] }

const engine = { kind: 'engine', reason: 'started' }
const broker = { kind: 'broker', report: 'execution' }
const by = (id: string) => ({ kind: 'command', id, type: id })
const started = (epoch: number): Commit => ({ epoch, cause: engine, events: [{ type: 'EngineStarted', data: { epoch, mode: 'paper' } }] })
const shares = [{ strategy: 'trend', quantity: '10' }]
const fill = { orderRef: 'abc-1', executionId: 'e1.01', conId: 1, quantity: '10', shares }
const ended = { pipeline: 'run', outcome: 'completed', text: 'one order was filled' }

const sound: readonly Commit[] = [
  started(1),
  { epoch: 1, cause: by('resume'), events: [{ type: 'TradingResumed', data: {} }] },
  { epoch: 1, cause: by('run'), events: [{ type: 'PipelineStarted', data: { pipeline: 'run' } }] },
  { epoch: 1, cause: engine, events: [{ type: 'OrderPlanned', data: { orderRef: 'abc-1', conId: 1, quantity: '10', secType: 'STK' } }] },
  started(2),
  { epoch: 2, cause: broker, events: [{ type: 'FillReceived', data: fill }] },
  { epoch: 2, cause: broker, events: [{ type: 'OrderClosed', data: { orderRef: 'abc-1', how: 'filled' } }] },
  { epoch: 2, cause: engine, events: [{ type: 'PipelineEnded', data: ended }] },
  { epoch: 2, cause: by('reconcile'), events: [{ type: 'PositionReconciled', data: { manual: [], differences: [] } }] },
]
const state: State = {
  orders: [{ clientId: 1, orderId: 1, orderRef: 'abc-1', status: 'Filled', filled: 10, totalQuantity: 10, symbol: 'SPY' }],
  executions: [{ execId: 'e1.01', orderRef: 'abc-1', shares: 10, side: 'BUY', symbol: 'SPY', conId: 1 }],
  positions: [{ symbol: 'SPY', conId: 1, secType: 'STK', quantity: 10 }],
  received: { 1: [{ orderRef: 'abc-1', count: 1 }] },
  connections: [],
  otherAccounts: {},
}
const accepted = ['resume', 'run', 'reconcile']

const chained = (commits: readonly Commit[]): Line[] => {
  let previousHash = '0'.repeat(64)
  return commits.map((commit, index) => {
    const json = JSON.stringify({ position: index + 1, previousHash, recordedAt: '2020-02-04T15:00:00.000Z', ...commit })
    previousHash = sha256(json)
    return { json, hash: previousHash }
  })
}
const without = (type: string): Commit[] => sound.filter(({ events }) => events.every((event) => event.type !== type))
const twice = (type: string): Commit[] =>
  sound.flatMap((commit) => (commit.events.some((event) => event.type === type) ? [commit, commit] : [commit]))
const of = (commits: readonly Commit[], at: Partial<State> = {}) => faultsIn(chained(commits), { ...state, ...at }, accepted)

describe('what a kill run is judged by', () => {
  it('finds nothing in a sound run', () => {
    expect(of(sound)).to.deep.equal([])
  })

  const spoiled: [string, string[], string][] = [
    [
      'an order that the gateway received twice',
      of(sound, { received: { 1: [{ orderRef: 'abc-1', count: 2 }] } }),
      'reached the gateway 2 times',
    ],
    ['an order without a plan', of(without('OrderPlanned')), 'without a plan'],
    ['an order that was planned while trading was halted', of(without('TradingResumed')), 'while trading was halted'],
    ['an execution in no book', of(without('FillReceived')), 'is in no book'],
    ['an execution counted twice', of(twice('FillReceived')), 'counted 2 times'],
    ['a fill that never happened', of(sound, { executions: [], positions: [] }), 'never happened'],
    ['positions that do not sum up', of(sound, { positions: [] }), 'the account holds 0'],
    ['an order left open', of(without('OrderClosed')), 'open in the journal'],
    ['a command without an outcome', of(without('TradingResumed')), 'resume was decided 0 times'],
    ['a command decided twice', of(twice('PositionReconciled')), 'reconcile was decided 2 times'],
    ['a run that did not end', of(without('PipelineEnded')), 'run has begun and not ended'],
    ['an epoch that began twice', of([...sound, started(2)]), 'epoch 2 began twice'],
    ['an engine that went on after another had begun', of([...sound, { ...started(1), events: [] }]), 'after epoch 2'],
    ['a commit that is missing', faultsIn(chained(sound).toSpliced(1, 1), state, accepted), 'line 2 of the journal is commit 3'],
    [
      'a commit that was altered',
      faultsIn(
        chained(sound).with(5, { ...chained(sound)[5]!, json: chained(sound)[5]!.json.replace('"e1.01"', '"e1.02"') }),
        state,
        accepted,
      ),
      'commit 6 is not what its hash says',
    ],
  ]
  for (const [what, found, named] of spoiled)
    it(`sees ${what}`, () => {
      expect(found.join('\n')).to.contain(named)
    })

  it('sees an order at the gateway before its plan is in the journal, and one that came twice', () => {
    expect(earlyOrders(state, new Set(['abc-1']))).to.deep.equal([])
    expect(earlyOrders(state, new Set()).join()).to.contain('before its plan')
    expect(earlyOrders({ ...state, received: { 1: [{ orderRef: 'abc-1', count: 2 }] } }, new Set(['abc-1'])).join()).to.contain('2 times')
  })
})
