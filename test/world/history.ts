/** What happens in a world, drawn from its seed before it begins: a list of actions that can be read, and cut shorter. */
import { newYorkTime } from '../../domain/new-york-time.ts'
import type { Chance } from './chance.ts'

const [second, minute, hour] = [1_000, 60_000, 3_600_000]

export type Role = 'engine' | 'projector'
export type Action =
  | { do: 'publish'; type: string; id: string; body: object; publishedAgo: number; times: number }
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

const drawCommand = (chance: Chance, id: string): Action => {
  const drawn = chance.whole(1, 100)
  if (drawn <= 54) return published(chance, id, 'orchestrator', chance.happens(0.1) ? { dryRun: true } : {})
  if (drawn <= 60) return published(chance, id, 'close-all', drawClosing(chance))
  if (drawn <= 68) return published(chance, id, 'allocation', {})
  if (drawn <= 74) return published(chance, id, 'reconcile', {})
  if (drawn <= 79) return published(chance, id, 'halt', chance.happens(0.5) ? { cancelWorking: true } : {})
  if (drawn <= 88) return published(chance, id, 'resume', {})
  if (drawn <= 92) return { do: 'explain', as: chance.pick(['fill', 'manual', 'book']), id }
  if (drawn <= 94) return { do: 'resolve an order', as: chance.pick(['lost', 'cancelled']), id }
  if (drawn <= 97) return { do: 'cancel an order', which: chance.whole(1, 3), id }
  return published(chance, id, 'configure', { changes: { 'strategies.leaner.allocation': chance.whole(0, 4) / 10 } })
}

/** Steps at which it matters most on which side of them a process ends. */
const telling = ['broker.place', 'broker.cancel', 'broker.snapshot', 'journal.append', 'bus.ack']

const drawEvent = (chance: Chance): Action => {
  const drawn = chance.whole(1, 100)
  const down = chance.happens(0.15) ? 14 * hour : 3 * second
  if (drawn <= 25) return { do: 'crash', role: 'engine', at: '', steps: chance.whole(1, 60), down }
  if (drawn <= 45) return { do: 'crash', role: 'engine', at: chance.pick(telling), steps: chance.whole(1, 4), down }
  if (drawn <= 55) return { do: 'crash', role: 'projector', at: '', steps: chance.whole(1, 20), down: 2 * second }
  if (drawn <= 60) return { do: 'stop the engine', down: chance.happens(0.3) ? 12 * hour : 5 * second }
  if (drawn <= 72) return { do: 'cut the line', milliseconds: chance.whole(1, 90) * second }
  if (drawn <= 78) return { do: 'cut the link', milliseconds: chance.whole(1, 90) * second }
  if (drawn <= 82) return { do: 'roll the ids back' }
  if (drawn <= 90) return { do: 'move the price', conId: chance.pick([101, 102]), factor: chance.whole(900, 1_100) }
  return { do: 'trade by hand', conId: chance.pick([101, 102, 301]), quantity: chance.pick([-5, 3, 10]) }
}

const drawPause = (chance: Chance): Action => {
  const drawn = chance.whole(1, 100)
  if (drawn <= 70) return { do: 'wait', milliseconds: chance.whole(10, 5 * second) }
  if (drawn <= 92) return { do: 'wait', milliseconds: chance.whole(5 * second, 2 * minute) }
  return { do: 'skip', milliseconds: chance.pick([hour, 4 * hour, 10 * hour, 24 * hour]) }
}

export const drawHistory = (chance: Chance): History => {
  const [date, time] = chance.pick(starts)
  const actions = [...setUp]
  const length = chance.whole(6, 20)
  for (let turn = 1; turn <= length; turn++) {
    actions.push(chance.happens(0.55) ? drawCommand(chance, `c${turn}`) : drawEvent(chance))
    actions.push(drawPause(chance))
  }
  return { start: newYorkTime(date, time), actions }
}
