/** What happens in a world, drawn from its seed before it begins: a list of actions that can be read, and cut shorter. */
import { newYorkTime } from '../../domain/new-york-time.ts'
import type { Chance } from './chance.ts'

const [second, minute, hour] = [1_000, 60_000, 3_600_000]

export type Role = 'engine' | 'second engine' | 'projector' | 'second projector'
export const isEngine = (role: Role): boolean => role.endsWith('engine')

export type Action =
  | { do: 'publish'; type: string; id: string; body: object; publishedAgo: number; times: number }
  | { do: 'publish nonsense'; type: string }
  /** `which`: the so-manieth order planned, counted from the last. */
  | { do: 'cancel an order'; which: number; id: string }
  /** A person looks at what is unexplained and at what is unresolved, and says what it was. */
  | { do: 'explain'; as: 'fill' | 'manual' | 'book'; id: string }
  | { do: 'resolve an order'; as: 'lost' | 'cancelled'; id: string }
  | { do: 'trade by hand'; conId: number; quantity: number }
  | { do: 'move the price'; conId: number; factor: number }
  | { do: 'wait'; milliseconds: number }
  | { do: 'skip'; milliseconds: number }
  | { do: 'cut the line'; milliseconds: number }
  | { do: 'cut the link'; milliseconds: number }
  | { do: 'roll the ids back' }
  /** From then on there are two, and one of them waits. */
  | { do: 'start'; role: Role }
  | { do: 'freeze'; role: Role; milliseconds: number; givenUpAfter: number | undefined }
  | { do: 'the store is away'; milliseconds: number }
  | { do: 'split'; conId: number; ratio: number }
  /** In the console, past every command: `undefined` deletes the document. `setting`: one of `config/common`. */
  | { do: 'edit by hand'; path: string; fields: Readonly<Record<string, unknown>> | undefined }
  | { do: 'edit a setting by hand'; name: string; value: unknown }
  /** It ends at the so-manieth step from now at a point that begins with `at`. `down`: until it is started again, in market time. */
  | { do: 'crash'; role: Role; at: string; steps: number; down: number }
  | { do: 'stop the engine'; down: number }

export type History = { start: number; actions: Action[] }

/** Times of day that differ in what an order does: in the session, shortly before its end, in the night, before a weekend. */
const starts = [
  ['2026-03-10', '10:30'],
  ['2026-03-10', '15:50'],
  ['2026-03-10', '16:05'],
  ['2026-03-11', '23:50'],
  ['2026-03-13', '15:40'],
] as const

export const setUp: Action[] = [
  {
    ...{ do: 'publish', type: 'configure', id: 'set-up', publishedAgo: 0, times: 1 },
    body: {
      changes: {
        'exposure.overall': 1,
        'limits.gross': 4,
        'limits.singleName': 4,
        'strategies.swinger.allocation': 0.6,
        'strategies.leaner.allocation': 0.4,
        'orders.minimumTrade': 0,
        'risk.dailyDrawdown': 1,
        'risk.peakDrawdown': 1,
      },
    },
  },
  { do: 'publish', type: 'resume', id: 'switch-on', body: {}, publishedAgo: 0, times: 1 },
  { do: 'wait', milliseconds: 20 * second },
]

const published = (chance: Chance, id: string, type: string, body: object): Action => ({
  ...{ do: 'publish', type, id, body },
  publishedAgo: chance.happens(0.05) ? chance.whole(0, 2 * hour) : 0,
  times: chance.happens(0.15) ? chance.whole(2, 3) : 1,
})

const drawClosing = (chance: Chance): object => ({
  ...(chance.happens(0.4) ? { strategies: [chance.pick(['swinger', 'leaner'])] } : {}),
  ...(chance.happens(0.3) ? { includeManual: true } : {}),
  ...(chance.happens(0.1) ? { dryRun: true } : {}),
})

/** Values that change what is decided next; some that no table takes. */
const drawChanges = (chance: Chance): object =>
  chance.pick([
    () => ({ 'strategies.leaner.allocation': chance.whole(0, 4) / 10 }),
    () => ({ 'strategies.swinger.mode': chance.pick(['live', 'shadow', 'dry']) }),
    () => ({ 'strategies.leaner.mode': chance.pick(['live', 'live', 'shadow']) }),
    () => ({ 'strategies.leaner.enabled': chance.happens(0.6) }),
    () => ({ 'limits.gross': chance.pick([0.2, 0.5, 1, 4]) }),
    () => ({ 'limits.singleName': chance.pick([0.1, 0.3, 4]) }),
    () => ({ 'limits.positions': chance.whole(0, 2) }),
    () => ({ 'orders.minimumTrade': chance.pick([0, 0, 2_000]) }),
    () => ({ 'orders.maximumNotional': chance.pick([10_000, 1_000_000]) }),
    () => ({ 'orders.whatIf': chance.pick(['always', 'never']) }),
    () => ({ 'risk.peakDrawdown': chance.pick([0.01, 1]) }),
    () => ({ 'eod.enforceFlat': chance.happens(0.5) }),
    () => ({ 'risk.haltOnBreach': chance.happens(0.3) }),
    () => ({ 'exposure.overall': chance.pick([0, 0.5, 1]) }),
    () => ({ 'exposure.overall': 'much' }),
    () => ({ 'no.such.setting': 1 }),
    () => ({ 'strategies.swinger.allocation': 0.9, 'strategies.leaner.allocation': 0.9 }),
  ])()

const drawAllocating = (chance: Chance): object => ({
  ...(chance.happens(0.12) ? { dryRun: true } : {}),
  ...(chance.happens(0.1) ? { strategies: [chance.pick(['swinger', 'leaner', 'nobody'])] } : {}),
  ...(chance.happens(0.15) ? { orderProperties: { type: 'LMT', limitOffset: chance.pick(['-3 ticks', 0.01]) } } : {}),
})

/** What asks, audits and shows, and decides nothing by itself. */
const looking = ['reconcile', 'reconcile', 'summary', 'risk-check', 'trade-reconciliation', 'collect-market-data'] as const

const drawLooking = (chance: Chance, id: string): Action => {
  const type = chance.pick(looking)
  const collected = { instrument: chance.pick(['AAA', 'BBB', 'QQQ']), barSize: '1 day', duration: '3 D', whatToShow: 'TRADES' }
  return published(chance, id, type, type === 'collect-market-data' ? collected : {})
}

const drawCommand = (chance: Chance, id: string): Action => {
  const drawn = chance.whole(1, 100)
  if (drawn <= 46) return published(chance, id, 'orchestrator', drawAllocating(chance))
  if (drawn <= 53) return published(chance, id, 'close-all', drawClosing(chance))
  if (drawn <= 60) return published(chance, id, 'allocation', drawAllocating(chance))
  if (drawn <= 66) return drawLooking(chance, id)
  if (drawn <= 69) return published(chance, id, 'cash-balancer', chance.happens(0.3) ? { dryRun: true } : {})
  if (drawn <= 72) return published(chance, id, 'eod-check', {})
  if (drawn <= 74) return published(chance, id, chance.pick(['swinger', 'leaner']), chance.happens(0.5) ? { dryRun: true } : {})
  if (drawn <= 79) return published(chance, id, 'halt', chance.happens(0.5) ? { cancelWorking: true } : {})
  if (drawn <= 87) return published(chance, id, 'resume', {})
  if (drawn <= 91) return { do: 'explain', as: chance.pick(['fill', 'manual', 'book']), id }
  if (drawn <= 93) return { do: 'resolve an order', as: chance.pick(['lost', 'cancelled']), id }
  if (drawn <= 96) return { do: 'cancel an order', which: chance.whole(1, 3), id }
  if (drawn <= 97) return { do: 'publish nonsense', type: chance.pick(['nonsense', 'reconcile']) }
  return published(chance, id, 'configure', { changes: drawChanges(chance) })
}

/** What a person does in the console instead of asking. */
const drawEdit = (chance: Chance): Action =>
  chance.pick<() => Action>([
    () => ({ do: 'edit a setting by hand', name: 'limits.gross', value: chance.pick([0.5, 4, 99, 'all']) }),
    () => ({ do: 'edit a setting by hand', name: 'strategies.leaner.allocation', value: chance.pick([0, 0.3, -1]) }),
    () => ({ do: 'edit a setting by hand', name: 'made.up', value: 1 }),
    () => ({ do: 'edit by hand', path: 'config/paper', fields: { tradingEnabled: false } }),
    () => ({ do: 'edit by hand', path: 'config/paper', fields: { tradingEnabled: chance.pick([true, 'perhaps']) } }),
    () => ({ do: 'edit by hand', path: chance.pick(['config/paper', 'config/common']), fields: undefined }),
  ])()

/** Steps of an engine at which it matters on which side of them it ends; those that are rarely taken are drawn more often. */
const steps = {
  engine: [
    ...[
      'broker.place',
      'broker.place',
      'broker.place',
      'broker.cancel',
      'broker.cancel',
      'broker.cancel',
      'broker.snapshot',
      'broker.whatIf',
    ],
    ...['broker.contracts', 'broker.bars', 'journal.append', 'journal.append', 'journal.marker', 'journal.read'],
    ...['bus.ack', 'bus.nack', 'bus.nack', 'bus.deadLetter', 'bus.subscribe', 'lease.acquire', 'lease.renew', 'lease.release'],
    ...['snapshots.latest', 'snapshots.save'],
  ],
  projector: ['documents.get', 'documents.checkpoint', 'documents.write', 'journal.read', 'bus.publish'],
} as const
/** An engine takes these once in its life, or never. */
const seldom = /^(lease\.release|snapshots\.|bus\.deadLetter|broker\.whatIf)/
/** Every side of every step at which a process may end. Subscribing is done in one go. */
export const crashPoints: readonly string[] = [...new Set<string>([...steps.engine, ...steps.projector])].flatMap((point) =>
  point === 'bus.subscribe' ? [point] : [`${point}, before`, `${point}, done`],
)
const pointOf = (chance: Chance, of: readonly string[]): string => {
  const point = chance.pick(of)
  return point === 'bus.subscribe' ? point : `${point}, ${chance.pick(['before', 'done'])}`
}

const drawEvent = (chance: Chance): Action => {
  const drawn = chance.whole(1, 100)
  const down = chance.happens(0.15) ? 14 * hour : 3 * second
  const engine = (): Role => (chance.happens(0.7) ? 'engine' : 'second engine')
  if (drawn <= 12) return { do: 'crash', role: engine(), at: '', steps: chance.whole(1, 60), down }
  if (drawn <= 34) {
    const at = pointOf(chance, steps.engine)
    return { do: 'crash', role: engine(), at, steps: seldom.test(at) ? 1 : chance.whole(1, 3), down }
  }
  const projector: Role = chance.happens(0.8) ? 'projector' : 'second projector'
  if (drawn <= 42)
    return { do: 'crash', role: projector, at: pointOf(chance, steps.projector), steps: chance.whole(1, 5), down: 2 * second }
  if (drawn <= 46) return { do: 'stop the engine', down: chance.happens(0.3) ? 12 * hour : 5 * second }
  if (drawn <= 56) return { do: 'cut the line', milliseconds: chance.whole(1, 90) * second }
  if (drawn <= 61) return { do: 'cut the link', milliseconds: chance.whole(1, 90) * second }
  if (drawn <= 64) return { do: 'roll the ids back' }
  if (drawn <= 72) {
    const givenUpAfter = chance.happens(0.5) ? chance.whole(1, 60) * second : undefined
    return { do: 'freeze', role: engine(), milliseconds: chance.whole(1, 180) * second, givenUpAfter }
  }
  if (drawn <= 74) return { do: 'freeze', role: 'projector', milliseconds: chance.whole(1, 60) * second, givenUpAfter: undefined }
  if (drawn <= 77) return { do: 'the store is away', milliseconds: chance.whole(1, 180) * second }
  if (drawn <= 82) return { do: 'start', role: chance.happens(0.8) ? 'second engine' : 'second projector' }
  if (drawn <= 84) return { do: 'split', conId: chance.pick([101, 102, 301]), ratio: chance.whole(2, 3) }
  if (drawn <= 88) return drawEdit(chance)
  if (drawn <= 93) return { do: 'move the price', conId: chance.pick([101, 102]), factor: chance.whole(900, 1_100) }
  return { do: 'trade by hand', conId: chance.pick([101, 102, 301]), quantity: chance.pick([-5, 3, 10]) }
}

const drawPause = (chance: Chance): Action => {
  const drawn = chance.whole(1, 100)
  if (drawn <= 70) return { do: 'wait', milliseconds: chance.whole(10, 5 * second) }
  if (drawn <= 92) return { do: 'wait', milliseconds: chance.whole(5 * second, 2 * minute) }
  return { do: 'skip', milliseconds: chance.pick([hour, 4 * hour, 10 * hour, 24 * hour]) }
}

/** What leads to steps that are seldom taken, right after it was drawn that a process ends there. */
const leadingTo = (chance: Chance, drawn: Action, id: string): Action[] => {
  if (drawn.do !== 'crash') return []
  const asked = (type: string, body: object): Action => ({ do: 'publish', type, id: `${id}-${type}`, body, publishedAgo: 0, times: 1 })
  switch (drawn.at.split(',')[0]) {
    case 'bus.deadLetter':
      return [1, 2, 3].map(() => ({ do: 'publish nonsense', type: chance.pick(['nonsense', 'reconcile']) }))
    case 'lease.release':
      return [{ do: 'stop the engine', down: 5 * second }]
    case 'broker.whatIf':
      return [
        asked('configure', { changes: { 'orders.whatIf': 'always' } }),
        { do: 'wait', milliseconds: second },
        asked('orchestrator', {}),
      ]
    case 'bus.nack':
      return [{ do: 'cut the line', milliseconds: 10 * second }, asked('reconcile', {}), asked('summary', {})]
    default:
      return []
  }
}

export const drawHistory = (chance: Chance): History => {
  const [date, time] = chance.pick(starts)
  const actions = [...(chance.happens(0.25) ? ([{ do: 'start', role: 'second engine' }] satisfies Action[]) : []), ...setUp]
  if (chance.happens(0.3)) actions.push(published(chance, 'previews', 'configure', { changes: { 'orders.whatIf': 'always' } }))
  const length = chance.whole(6, 20)
  for (let turn = 1; turn <= length; turn++) {
    const drawn = chance.happens(0.55) ? drawCommand(chance, `c${turn}`) : drawEvent(chance)
    actions.push(drawn, ...leadingTo(chance, drawn, `c${turn}`), drawPause(chance))
  }
  return { start: newYorkTime(date, time), actions }
}
