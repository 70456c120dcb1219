/** Nights of a few lines, made up: what each promise about decisions calls broken, and what it does not. */
import { expect } from 'chai'
import {
  asksByItself,
  haltsOutlast,
  nothingTwice,
  nothingWhereBlocked,
  onlyWhatWasNamed,
  restsOnWhatCounts,
} from './invariants-of-decisions.ts'
import { holdingsIn, type Told } from './journal-text.ts'
import type { Check } from './witness.ts'
import type { Command, World } from './world.ts'

type Lines = [type: string, data: object, cause?: object][][]

/** Each line a commit, its events in their order; a minute lies between two. */
const journal = (...commits: Lines): Told[] =>
  commits.flatMap((events, index) =>
    events.map(([type, data, cause = { kind: 'command', id: 'c1' }]) => ({
      ...{ type, data, cause, position: index + 1 },
      recordedAt: new Date(Date.parse('2026-03-10T15:00:00.000Z') + index * 60_000).toISOString(),
    })),
  )
const broken = async (check: Check, told: Told[], more: { commands?: Partial<Command>[]; alone?: ReturnType<World['alone']> } = {}) =>
  check({ world: { commands: more.commands ?? [], alone: () => more.alone } as unknown as World, told, holdings: holdingsIn(told) })

const planned = (ref: string, quantity: string, more: object = {}): [string, object] => [
  'OrderPlanned',
  { orderRef: ref, conId: 101, quantity, shares: [{ strategy: 'trend', quantity }], inForceUntil: '2026-03-10T20:00:00.000Z', ...more },
]
const decided = (target: string, book: string, inFlight: string): [string, object] => [
  'AllocationDecided',
  { dryRun: false, strategies: [], signals: {}, targets: [{ strategy: 'trend', conId: 101, target, book, inFlight }] },
]
const filled = (ref: string, quantity: string): [string, object] => [
  'FillReceived',
  { orderRef: ref, executionId: `${ref}.01`, conId: 101, quantity, shares: [{ strategy: 'trend', quantity }] },
]
const ended = (ref: string, how = 'expired'): [string, object] => ['OrderClosed', { orderRef: ref, how }]
const byHand = (quantity: string): [string, object] => [
  'ForeignExecutionSeen',
  { executionId: '9.01', conId: 101, quantity, holder: 'manual', secType: 'STK' },
]
const looked = (differences: object[], unjudged: number[] = []): [string, object] => [
  'PositionReconciled',
  { takenAt: '2026-03-10T15:01:00.000Z', manual: [], differences, unjudged },
]

describe('nothing is ordered twice', () => {
  it('where a decision stays within what is missing', async () => {
    expect(await broken(nothingTwice, journal([decided('10', '0', '0'), planned('a', '10')], [decided('10', '0', '10')]))).to.deep.equal([])
    const filledInPart = journal([planned('a', '10')], [filled('a', '4')], [decided('15', '4', '6'), planned('b', '5')])
    expect(await broken(nothingTwice, filledInPart)).to.deep.equal([])
  })

  it('and is where one goes beyond it, the other way too, or forgets what is on its way', async () => {
    expect(await broken(nothingTwice, journal([decided('10', '0', '0'), planned('a', '11')]))).to.have.length(1)
    expect(await broken(nothingTwice, journal([decided('10', '0', '0'), planned('a', '-1')]))).to.have.length(1)
    expect(await broken(nothingTwice, journal([planned('a', '10')], [decided('10', '0', '0')]))).to.deep.equal([
      'at 2 0 of 101 is said to be on its way to trend, it is 10',
    ])
  })

  it('counts an order again that was called over and is at the broker after all', async () => {
    const revived = [[planned('a', '10')], [ended('a')], [['OrderPlaced', { orderRef: 'a' }]]] as Lines
    expect(await broken(nothingTwice, journal(...revived, [decided('10', '0', '10')]))).to.deep.equal([])
    expect(await broken(nothingTwice, journal(...revived, [decided('10', '0', '0')]))).to.have.length(1)
    const whole = [[planned('a', '10')], [filled('a', '10'), ended('a', 'filled')], [['OrderPlaced', { orderRef: 'a' }]]] as Lines
    const corrected: [string, object] = ['FillReceived', { ...filled('a', '9')[1], executionId: 'a.02', replaces: 'a.01' }]
    expect(await broken(nothingTwice, journal(...whole, [corrected], [decided('10', '9', '0')]))).to.deep.equal([])
  })
})

describe('nothing moves where something is open', () => {
  const differs = looked([{ conId: 101 }])
  const explained = (unexplained: string): [string, object] => ['DiscrepancyExplained', { conId: 101, unexplained, moves: [] }]

  it('neither by an order nor by a cross, until it is explained or gone', async () => {
    const crossed: [string, object] = ['PositionsCrossed', { conId: 101, moves: [{ strategy: 'trend', quantity: '1' }] }]
    expect(await broken(nothingWhereBlocked, journal([differs], [planned('a', '1')]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([differs], [crossed]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([differs], [explained('3')], [crossed]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([differs], [looked([], [101])], [crossed]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([differs], [looked([])], [crossed]))).to.deep.equal([])
    expect(await broken(nothingWhereBlocked, journal([differs], [explained('0')], [crossed]))).to.deep.equal([])
    expect(await broken(nothingWhereBlocked, journal([differs], [planned('a', '1', { conId: 102 })]))).to.deep.equal([])
  })

  it('where an execution is nobody’s, until somebody says that he has looked', async () => {
    const nobodys: [string, object] = ['ForeignExecutionSeen', { executionId: '8.01', conId: 101, quantity: '5', holder: 'nobody' }]
    expect(await broken(nothingWhereBlocked, journal([nobodys], [planned('a', '1')]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([nobodys], [explained('0')], [planned('a', '1')]))).to.deep.equal([])
  })

  it('where a hand trade stands against a book, or an order is in doubt', async () => {
    const long = [[planned('a', '10')], [filled('a', '10')], [ended('a')]] as Lines
    expect(await broken(nothingWhereBlocked, journal(...long, [byHand('-5')], [planned('b', '1')]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal(...long, [byHand('5')], [planned('b', '1')]))).to.deep.equal([])
    expect(await broken(nothingWhereBlocked, journal(...long, [byHand('-5')], [explained('-3')], [planned('b', '1')]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal(...long, [byHand('-5')], [explained('0')], [planned('b', '1')]))).to.deep.equal([])
    const doubted: [string, object] = ['OrderUnresolved', { orderRef: 'a', conId: 101 }]
    expect(await broken(nothingWhereBlocked, journal([planned('a', '10')], [doubted], [planned('b', '1')]))).to.have.length(1)
    expect(await broken(nothingWhereBlocked, journal([planned('a', '10')], [doubted], [ended('a')], [planned('b', '1')]))).to.deep.equal([])
  })
})

describe('only what was named is closed', () => {
  const closing = (strategy: string) => journal([planned('a', '1', { shares: [{ strategy, quantity: '1' }] })])

  it('and `manual` only where that was said', async () => {
    const commands = [{ id: 'c1', type: 'close-all', body: { strategies: ['trend'] } }]
    expect(await broken(onlyWhatWasNamed, closing('trend'), { commands })).to.deep.equal([])
    expect(await broken(onlyWhatWasNamed, closing('hedge'), { commands })).to.have.length(1)
    expect(await broken(onlyWhatWasNamed, closing('manual'), { commands })).to.have.length(1)
    const all = (body: object) => ({ commands: [{ id: 'c1', type: 'close-all', body: body as Command['body'] }] })
    expect(await broken(onlyWhatWasNamed, closing('hedge'), all({}))).to.deep.equal([])
    expect(await broken(onlyWhatWasNamed, closing('manual'), all({}))).to.have.length(1)
    expect(await broken(onlyWhatWasNamed, closing('manual'), all({ includeManual: true }))).to.deep.equal([])
  })
})

describe('a halt outlasts what came before it', () => {
  const [early, middle, late] = ['2026-03-10T14:00:00.000Z', '2026-03-10T14:30:00.000Z', '2026-03-10T15:00:00.000Z']
  const halted = (publishedAt: string): [string, object, object] => ['TradingHalted', { publishedAt }, { id: 'h', publishedAt }]
  const resumed = (publishedAt: string): [string, object, object] => ['TradingResumed', {}, { id: 'r', publishedAt }]
  const asked = (halt: string[], resume: string) => ({
    commands: [
      { id: 'h', type: 'halt', publishedAt: halt[0]!, again: halt.slice(1) },
      { id: 'r', type: 'resume', publishedAt: resume, again: [] },
    ],
  })

  it('by when they were published, whatever the journal says of it', async () => {
    expect(await broken(haltsOutlast, journal([halted(late)], [resumed(early)]), asked([late], early))).to.have.length(1)
    expect(await broken(haltsOutlast, journal([halted(early)], [resumed(late)]), asked([early], late))).to.deep.equal([])
    expect(await broken(haltsOutlast, journal([halted(middle)], [resumed(late)]), asked([middle], early)), 'dated anew').to.have.length(1)
  })

  it('of messages under one id, the one that was decided counts', async () => {
    expect(await broken(haltsOutlast, journal([halted(early)], [resumed(middle)]), asked([early, late], middle))).to.deep.equal([])
    expect(await broken(haltsOutlast, journal([halted(late)], [resumed(middle)]), asked([early, late], middle))).to.have.length(1)
  })

  it('and calls back all that works, where that was asked for', async () => {
    const calling: [string, object] = ['TradingHalted', { cancelWorking: true, publishedAt: late }]
    const called: [string, object] = ['OrderCancelRequested', { orderRef: 'a' }]
    expect(await broken(haltsOutlast, journal([planned('a', '1')], [calling, called]))).to.deep.equal([])
    expect(await broken(haltsOutlast, journal([planned('a', '1')], [calling]))).to.deep.equal(['the halt at 2 leaves a at work'])
    expect(await broken(haltsOutlast, journal([planned('a', '1', { closing: true })], [calling]))).to.deep.equal([])
  })
})

describe('a decision rests on what counts', () => {
  const said = (more: object): [string, object] => [
    'SignalGenerated',
    { strategy: 'trend', freshUntil: '2026-03-10T16:00:00.000Z', ...more },
  ]
  const follows: [string, object] = [
    'AllocationDecided',
    { dryRun: false, strategies: [{ strategy: 'trend', verdict: 'targets' }], signals: { trend: 1 }, targets: [] },
  ]

  it('and neither on a trial nor on what is stale', async () => {
    expect(await broken(restsOnWhatCounts, journal([said({ dryRun: false })], [follows]))).to.deep.equal([])
    expect(await broken(restsOnWhatCounts, journal([said({ dryRun: true })], [follows]))).to.have.length(1)
    expect(await broken(restsOnWhatCounts, journal([said({ freshUntil: '2026-03-10T15:00:30.000Z' })], [follows]))).to.have.length(1)
  })
})

describe('the engine asks by itself', () => {
  const alone = (at: string) => ({ alone: { position: 9, at: Date.parse(at) } })
  const lookedAt = (takenAt: string, more: object = {}): [string, object] => [
    'PositionReconciled',
    { takenAt, manual: [], differences: [], unjudged: [], ...more },
  ]

  it('for an order that is over, and once more after midnight', async () => {
    const order = [planned('a', '1')]
    const evening = '2026-03-10T20:05:00.000Z'
    expect(await broken(asksByItself, journal(order), alone('2026-03-10T20:04:00.000Z'))).to.deep.equal([])
    expect(await broken(asksByItself, journal(order), alone('2026-03-10T20:30:00.000Z'))).to.have.length(1)
    expect(await broken(asksByItself, journal(order, [lookedAt(evening)]), alone('2026-03-10T20:30:00.000Z'))).to.deep.equal([])
    expect(await broken(asksByItself, journal(order, [lookedAt(evening)]), alone('2026-03-11T20:30:00.000Z'))).to.have.length(1)
    expect(await broken(asksByItself, journal(order, [ended('a')]), alone('2026-03-11T20:30:00.000Z'))).to.deep.equal([])
  })

  it('for what differed at first sight, and for what could not be judged', async () => {
    const [seen, later] = ['2026-03-10T15:00:00.000Z', '2026-03-10T20:30:00.000Z']
    expect(await broken(asksByItself, journal([lookedAt(seen, { unjudged: [101] })]), alone(later))).to.have.length(1)
    const differing = lookedAt(seen, { differences: [{ conId: 101 }] })
    expect(await broken(asksByItself, journal([differing]), alone(later))).to.have.length(1)
    expect(await broken(asksByItself, journal([differing, ['DiscrepancyFound', { conId: 101 }]]), alone(later))).to.deep.equal([])
  })
})
