/** The decisions of two journals for the same commands, side by side: what a new revision would do otherwise than the old one. Pure. */
import type { Cause, StoredCommit } from '../../domain/commit.ts'
import { toNumber } from '../../domain/decimal.ts'
import { type EventData, fromStored } from '../../domain/events.ts'

/** What one strategy is to have in one instrument, or to order there. */
export type Line = { strategy: string; symbol: string; conId: number; quantity: string; step: number; terms: string }

export type Decision = {
  id: string
  type: string
  publishedAt: string
  /** Of a schedule, and so expected in both journals. */
  job?: string
  /** By strategy: what it said, and what it was computed from. */
  signals: Map<string, { said: string; bars: string }>
  verdicts: Map<string, string>
  targets: Map<string, Line>
  orders: Map<string, Line>
  /** How the command ended. */
  outcome: string
  /** Of the snapshot that was decided on. */
  netLiquidation?: string
}

export type Difference = {
  command: string
  type: string
  published_at: string
  what: 'signal' | 'verdict' | 'target' | 'order' | 'outcome'
  strategy?: string
  symbol?: string
  before: string | null
  after: string | null
  /** Whether both were computed from the same bars; where they were not, the difference may lie there. */
  same_bars?: boolean
}

// ── What a journal says ──

type CommandCause = Extract<Cause, { kind: 'command' }>

const words = (parts: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(parts)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`]))
    .join(', ')

const saidBy = ({ kind, targets }: EventData<'SignalGenerated'>): string =>
  kind === 'neutral'
    ? 'neutral'
    : [...targets]
        .sort((one, other) => one.conId - other.conId)
        .map(({ symbol, weight, quantity }) => `${symbol}: ${words({ weight, quantity })}`)
        .join('; ') || 'no targets'

const place = (strategy: string, conId: number, more = ''): string => `${strategy} ${conId} ${more}`

/** The parts of live and shadow strategies alike, so that a strategy may run in the shadow on one side. A later round replaces an earlier. */
const readAllocation = (decision: Decision, data: EventData<'AllocationDecided'>): void => {
  const { snapshot, strategies, instruments, targets, orders, shadows = [], wouldRefuse } = data
  const steps = new Map(instruments.map(({ conId, sizeStep }) => [conId, toNumber(sizeStep)]))
  const line = (strategy: string, conId: number, symbol: string, quantity: string, terms: string): Line => ({
    ...{ strategy, symbol, conId, quantity, terms },
    step: steps.get(conId) ?? 1,
  })
  if (snapshot.netLiquidation !== undefined) decision.netLiquidation = snapshot.netLiquidation
  if (wouldRefuse !== undefined) decision.outcome = `would refuse: ${wouldRefuse}`
  decision.verdicts = new Map(strategies.map(({ strategy, verdict }) => [strategy, verdict]))
  const shadowed = shadows.flatMap(({ strategy, targets }) => targets.map((target) => ({ strategy, ...target })))
  decision.targets = new Map(
    [...targets, ...shadowed].map(({ strategy, conId, symbol, target }) => [
      place(strategy, conId),
      line(strategy, conId, symbol, target, ''),
    ]),
  )
  const parts = orders.flatMap(({ shares, ...order }) => shares.map((share) => ({ ...order, ...share })))
  const inShadow = shadows.flatMap(({ strategy, orders }) => orders.map((order) => ({ ...order, strategy })))
  decision.orders = new Map(
    [...parts, ...inShadow].map(({ strategy, conId, symbol, quantity, type, reduces, limitPrice }) => [
      place(strategy, conId, reduces ? 'reduces' : 'increases'),
      line(
        strategy,
        conId,
        symbol,
        quantity,
        words({ [type]: '', limit: limitPrice })
          .replace(' ,', ',')
          .trim(),
      ),
    ]),
  )
}

const decisionOf = (id: string, { type, publishedAt, job, pipeline }: CommandCause): Decision => ({
  ...{ id, type, publishedAt },
  ...(job === undefined || pipeline !== undefined ? {} : { job }),
  signals: new Map(),
  verdicts: new Map(),
  targets: new Map(),
  orders: new Map(),
  outcome: 'open',
})

/** Every command of a journal with what was decided for it; the steps of a pipeline belong to its command. */
export const decisionsOf = async (commits: AsyncIterable<StoredCommit>): Promise<Map<string, Decision>> => {
  const decisions = new Map<string, Decision>()
  for await (const { json } of commits) {
    const { cause, events } = JSON.parse(json) as { cause: Cause; events: Parameters<typeof fromStored>[0] }
    if (cause.kind !== 'command') continue
    const id = cause.pipeline ?? cause.id
    const decision = decisions.get(id) ?? decisionOf(id, cause)
    decisions.set(id, decision)
    const ofStep = cause.pipeline !== undefined && cause.id !== cause.pipeline
    for (const { type, data } of fromStored(events)) {
      if (type === 'SignalGenerated')
        decision.signals.set(data.strategy, {
          said: saidBy(data),
          bars: data.bars.map(({ conId, size, hash }) => `${conId} ${size} ${hash}`).join(' '),
        })
      if (type === 'SignalFailed') decision.signals.set(data.strategy, { said: `failed: ${data.code}`, bars: '' })
      if (type === 'AllocationDecided') readAllocation(decision, data)
      if (type === 'PipelineEnded') decision.outcome = data.code === undefined ? data.outcome : `${data.outcome} ${data.code}`
      if (ofStep) continue
      if (type === 'CommandRefused') decision.outcome = `refused ${data.code}`
      if (type === 'CommandFailed') decision.outcome = `failed ${data.code}`
      if (type === 'CommandCompleted') decision.outcome = 'completed'
    }
    if (decision.outcome === 'open' && !ofStep && !events.some(({ type }) => type === 'PipelineStarted')) decision.outcome = 'done'
  }
  return decisions
}

// ── Side by side ──

export type Rules = {
  /** By how much of itself a quantity may differ: 0.01 is a hundredth. */
  tolerance: number
  /** The accounts differ: quantities are compared for the same net liquidation, and a step of size either way is no difference. */
  byCapital: boolean
}

const shown = ({ quantity, terms }: Line): string => (terms === '' ? quantity : `${quantity} ${terms}`)

/** Orders are compared without their prices where the accounts differ: each looked at its own time. */
const alike = (before: Line, after: Line, ratio: number, { tolerance, byCapital }: Rules): boolean => {
  if (!byCapital && before.terms !== after.terms) return false
  if (byCapital && before.terms.split(',')[0] !== after.terms.split(',')[0]) return false
  const [one, other] = [toNumber(before.quantity), toNumber(after.quantity) * ratio]
  const step = byCapital ? before.step * Math.max(1, ratio) : 0
  return Math.abs(one - other) <= Math.max(Math.abs(one) * tolerance, step) + 1e-9
}

const keysOf = (...maps: ReadonlyMap<string, unknown>[]): string[] => [...new Set(maps.flatMap((map) => [...map.keys()]))].sort()

const inLines = (
  what: 'target' | 'order',
  before: ReadonlyMap<string, Line>,
  after: ReadonlyMap<string, Line>,
  ratio: number,
  rules: Rules,
): Pick<Difference, 'what' | 'strategy' | 'symbol' | 'before' | 'after'>[] =>
  keysOf(before, after).flatMap((key) => {
    const [one, other] = [before.get(key), after.get(key)]
    const some = (one ?? other)!
    const nothing: Line = { ...some, quantity: '0' }
    if (one !== undefined && other !== undefined ? alike(one, other, ratio, rules) : alike(one ?? nothing, other ?? nothing, ratio, rules))
      return []
    const { strategy, symbol } = some
    return [{ what, strategy, symbol, before: one === undefined ? null : shown(one), after: other === undefined ? null : shown(other) }]
  })

/** What was decided otherwise for one command. A strategy in the shadow on one side has no verdict to compare. */
export const differencesOf = (before: Decision, after: Decision, rules: Rules): Difference[] => {
  const [then, now] = [before.netLiquidation, after.netLiquidation]
  const ratio = rules.byCapital && then !== undefined && now !== undefined ? toNumber(then) / toNumber(now) : 1
  const signals = keysOf(before.signals, after.signals).flatMap((strategy) => {
    const [one, other] = [before.signals.get(strategy), after.signals.get(strategy)]
    if (one?.said === other?.said) return []
    return [
      {
        what: 'signal' as const,
        ...{ strategy, before: one?.said ?? null, after: other?.said ?? null },
        ...(one === undefined || other === undefined ? {} : { same_bars: one.bars === other.bars }),
      },
    ]
  })
  const verdicts = keysOf(before.verdicts, after.verdicts).flatMap((strategy) => {
    const [one = null, other = null] = [before.verdicts.get(strategy), after.verdicts.get(strategy)]
    return one === other || one === 'shadow' || other === 'shadow'
      ? []
      : [{ what: 'verdict' as const, strategy, before: one, after: other }]
  })
  const outcome = before.outcome === after.outcome ? [] : [{ what: 'outcome' as const, before: before.outcome, after: after.outcome }]
  return [
    ...signals,
    ...verdicts,
    ...inLines('target', before.targets, after.targets, ratio, rules),
    ...inLines('order', before.orders, after.orders, ratio, rules),
    ...outcome,
  ].map((difference) => ({ command: before.id, type: before.type, published_at: before.publishedAt, ...difference }))
}

// ── Pairs ──

const minuteOf = (time: string): string => time.slice(0, 16)

/** By id; a command of a schedule that was given another id, by its job and the minute of its publication. */
const partnerOf = (decision: Decision, others: ReadonlyMap<string, Decision>, byJob: ReadonlyMap<string, Decision>): Decision | undefined =>
  others.get(decision.id) ?? (decision.job === undefined ? undefined : byJob.get(`${decision.job} ${minuteOf(decision.publishedAt)}`))

const jobsOf = (decisions: Iterable<Decision>): Map<string, Decision> =>
  new Map([...decisions].flatMap((each) => (each.job === undefined ? [] : [[`${each.job} ${minuteOf(each.publishedAt)}`, each] as const])))

export type Span = { from: string; to: string }

/** From the later beginning to the earlier end, both minutes included; undefined where the journals do not meet. */
export const commonSpan = (before: Iterable<Decision>, after: Iterable<Decision>): Span | undefined => {
  const times = [[...before], [...after]].map((each) => each.map(({ publishedAt }) => publishedAt).sort())
  const [one, other] = times as [string[], string[]]
  if (one.length === 0 || other.length === 0) return undefined
  const from = one[0]! > other[0]! ? one[0]! : other[0]!
  const to = one.at(-1)! < other.at(-1)! ? one.at(-1)! : other.at(-1)!
  return minuteOf(from) <= minuteOf(to) ? { from, to } : undefined
}

export type Compared = {
  compared: number
  alike: number
  differences: Difference[]
  /** Of a schedule, within the span, and in one journal only. */
  missing: { command: string; type: string; published_at: string; only: 'before' | 'after' }[]
  /** Of people and programs, in one journal only: nothing to compare with. */
  alone: number
}

export const compareDecisions = (
  before: ReadonlyMap<string, Decision>,
  after: ReadonlyMap<string, Decision>,
  { from, to }: Span,
  rules: Rules,
): Compared => {
  const within = ({ publishedAt }: Decision) => minuteOf(publishedAt) >= minuteOf(from) && minuteOf(publishedAt) <= minuteOf(to)
  const [jobsBefore, jobsAfter] = [jobsOf(before.values()), jobsOf(after.values())]
  const sides = { before: [...before.values()].filter(within), after: [...after.values()].filter(within) }
  const pairs = sides.before.flatMap((one) => {
    const other = partnerOf(one, after, jobsAfter)
    return other === undefined ? [] : [[one, other] as const]
  })
  const found = pairs.map(([one, other]) => differencesOf(one, other, rules))
  const lonely = (['before', 'after'] as const).flatMap((only) =>
    sides[only]
      .filter(
        (each) => partnerOf(each, ...(only === 'before' ? ([after, jobsAfter] as const) : ([before, jobsBefore] as const))) === undefined,
      )
      .map((each) => ({ ...each, only })),
  )
  return {
    compared: pairs.length,
    alike: found.filter((each) => each.length === 0).length,
    differences: found.flat(),
    missing: lonely.flatMap(({ id, type, publishedAt, job, only }) =>
      job === undefined ? [] : [{ command: id, type, published_at: publishedAt, only }],
    ),
    alone: lonely.filter(({ job }) => job === undefined).length,
  }
}
