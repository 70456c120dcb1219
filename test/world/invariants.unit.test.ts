/** Nights of a few lines, made up, for what luck seldom shows. */
import { expect } from 'chai'
import type { BrokerExecution, BrokerOrder, Receipt } from './broker.ts'
import { lateDoesNothing } from './invariants-of-commands.ts'
import { unexplainedIsReallySo } from './invariants-of-holdings.ts'
import { endsAreTrue, neverWhileHalted } from './invariants-of-orders.ts'
import { holdingsIn, type Told } from './journal-text.ts'
import type { Check } from './witness.ts'
import type { World } from './world.ts'

const day = Date.parse('2026-03-10T15:00:00.000Z')
const ref = 'abcdef-0123456789ab-1'

/** Events in their order, one a commit. */
const journal = (...events: [type: string, data: object][]): Told[] =>
  events.map(([type, data], index) => ({
    ...{ type, data, position: index + 1, recordedAt: '2026-03-10T15:00:00.000Z', cause: { kind: 'broker' } },
  }))
const plan = (data: object = {}): [string, object] => [
  'OrderPlanned',
  { orderRef: ref, conId: 101, quantity: '10', inForceUntil: '2026-03-10T20:00:00.000Z', ...data },
]
const received = (at: number, commits: number): Receipt => ({
  ...{ ticket: { orderRef: ref } as Receipt['ticket'], against: [], journal: commits, mayAct: true, at },
})
const executed = (executionId: string, quantity: string, conId = 101): BrokerExecution => ({
  execution: { executionId, orderRef: ref, quantity, contract: { conId } } as BrokerExecution['execution'],
  ...{ at: day, quantities: [{ quantity, from: day }] },
})
const ended = (status: BrokerOrder['status']) => ({ orderRef: ref, conId: 101, status, endedAt: day }) as BrokerOrder

type Books = { receipts?: Receipt[]; orders?: BrokerOrder[]; executions?: BrokerExecution[] }
const found = async (check: Check, told: Told[], { receipts = [], orders = [], executions = [] }: Books): Promise<string[]> => {
  const broker = { receipts, orders, splits: [], looks: new Map(), everyExecution: () => executions }
  const world = { broker, commands: [], faults: { hit: () => undefined } } as unknown as World
  return check({ world, told, holdings: holdingsIn(told) })
}

describe('an order that is written to the line', () => {
  const switchedOff = (data: object) => journal(['TradingResumed', {}], plan(data), ['TradingHalted', {}])

  it('while trading is halted is a violation, unless it closes', async () => {
    expect(await found(neverWhileHalted, switchedOff({}), { receipts: [received(day, 2)] })).to.deep.equal([])
    expect(await found(neverWhileHalted, switchedOff({}), { receipts: [received(day, 3)] })).to.have.length(1)
    expect(await found(neverWhileHalted, switchedOff({ closing: true }), { receipts: [received(day, 3)] })).to.deep.equal([])
  })

  it('before the first resume is a violation', async () => {
    expect(await found(neverWhileHalted, journal(plan()), { receipts: [received(day, 1)] })).to.have.length(1)
  })

  it('when its day is over is a violation', async () => {
    const close = Date.parse('2026-03-10T20:00:00.000Z')
    expect(await found(lateDoesNothing, journal(plan()), { receipts: [received(close - 1, 1)] })).to.deep.equal([])
    expect(await found(lateDoesNothing, journal(plan()), { receipts: [received(close, 1)] })).to.have.length(1)
  })
})

describe('an order that ends otherwise than filled', () => {
  const fill: [string, object] = ['FillReceived', { executionId: '0000.0001.01', orderRef: ref, conId: 101, quantity: '4', shares: [] }]
  const closed: [string, object] = ['OrderClosed', { orderRef: ref, how: 'lost', filled: '4' }]
  const orders = [ended('Cancelled')]
  const executions = [executed('0000.0001.01', '4'), executed('0000.0002.01', '3')]

  it('with an execution that nobody heard of is a violation', async () => {
    expect(await found(endsAreTrue, journal(plan(), fill, closed), { orders, executions })).to.deep.equal([
      `${ref} is lost in the journal and had 0000.0002.01 at the broker`,
    ])
    expect(await found(endsAreTrue, journal(plan(), fill, closed), { orders, executions: executions.slice(0, 1) })).to.deep.equal([])
  })

  it('is none where a person explained before what was missing', async () => {
    const explained: [string, object] = ['DiscrepancyExplained', { conId: 101, moves: [] }]
    expect(await found(endsAreTrue, journal(plan(), fill, explained, closed), { orders, executions })).to.deep.equal([])
    expect(await found(endsAreTrue, journal(plan(), fill, closed, explained), { orders, executions })).to.have.length(1)
  })

  it('is a violation while the order works at the broker', async () => {
    const working = [{ ...ended('Submitted'), endedAt: undefined }]
    expect(await found(endsAreTrue, journal(plan(), closed), { orders: working })).to.have.length(1)
  })
})

describe('what is called unexplained', () => {
  const seen = (quantity: string, revision = 1): [string, object] => [
    'ForeignExecutionSeen',
    { executionId: `0000.0001.0${revision}`, conId: 101, quantity, holder: 'manual', secType: 'STK' },
  ]
  const difference = (quantity: string): [string, object] => ['DiscrepancyFound', { kind: 'position', conId: 101, quantity }]

  it('is what the broker traded unheard, no more and no less', async () => {
    const executions = [executed('0000.0001.01', '5'), executed('0000.0002.01', '3')]
    expect(await found(unexplainedIsReallySo, journal(seen('5'), difference('3')), { executions })).to.deep.equal([])
    expect(await found(unexplainedIsReallySo, journal(seen('5'), difference('8')), { executions })).to.have.length(1)
  })

  it('is what an execution was corrected by, where only its first word was heard', async () => {
    const executions = [
      { ...executed('0000.0001.02', '4'), quantities: [5, 4].map((quantity) => ({ quantity: `${quantity}`, from: day })) },
    ]
    expect(await found(unexplainedIsReallySo, journal(seen('5'), difference('-1')), { executions })).to.deep.equal([])
    expect(await found(unexplainedIsReallySo, journal(seen('5'), seen('4', 2), difference('-1')), { executions })).to.have.length(1)
  })
})
