/** What happened, told from the commits alone: a line a day, and the sums for the closing report. */
import type { Commit } from '../../../domain/commit.ts'
import { absolute, add, type Decimal, sign, toNumber } from '../../../domain/decimal.ts'
import { type DomainEvent, fromStored, type Note } from '../../../domain/events.ts'
import type { Names } from './plan.ts'

export type Day = {
  date: string
  /** `dummy long`, `spymacdvixy neutral`, `testsignalgenerator failed (BARS_INCOMPLETE)`. */
  signals: string[]
  /** `BUY 12 SPY`. */
  orders: string[]
  /** Codes of what the last decision clipped, held or skipped. */
  codes: string[]
  fills: number
  netLiquidation: number | undefined
  /** How the day's orchestrator ended, where it was not simply completed. */
  trouble: string | undefined
}

export type NoteCount = { text: string; count: number; byStrategy: Record<string, number> }

export type Story = {
  commits: number
  events: number
  equity: { date: string; value: number }[]
  signals: Record<string, number>
  /** Per strategy: orders it had a share in, and fills that came to its book. */
  books: Record<string, { orders: number; fills: number }>
  /** Orders by how they ended; `planned` counts all of them. */
  orders: Record<string, number>
  cancelRequests: number
  crossings: { count: number; quantity: Decimal }
  commission: Decimal
  notes: Record<string, NoteCount>
}

export const emptyStory = (): Story => ({
  commits: 0,
  events: 0,
  equity: [],
  signals: {},
  books: {},
  orders: {},
  cancelRequests: 0,
  crossings: { count: 0, quantity: '0' },
  commission: '0',
  notes: {},
})

const count = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}

const emptyDay = (date: string): Day => ({
  date,
  signals: [],
  orders: [],
  codes: [],
  fills: 0,
  netLiquidation: undefined,
  trouble: undefined,
})

type Targets = Extract<DomainEvent, { type: 'SignalGenerated' }>['data']['targets']

const directionOf = ({ weight, quantity = weight ?? '0', symbol }: Targets[number], nameOf: Names): string =>
  `${['short', 'out of', 'long'][sign(quantity) + 1]} ${nameOf(symbol)}`

const bookLine = (story: Story, strategy: string): { orders: number; fills: number } => {
  story.books[strategy] ??= { orders: 0, fills: 0 }
  return story.books[strategy]
}

/** The code of a note; with what to do, where nothing goes on before somebody does it. */
const wordOf = ({ code, numbers }: Note): string =>
  code === 'LIMIT_DRAWDOWN' && numbers?.['rule'] === 'peakDrawdown' ? `${code}: risk-check with resetPeaks lifts it` : code

const tellEvent = (story: Story, day: Day, commit: Commit, { type, data }: DomainEvent, nameOf: Names): void => {
  switch (type) {
    case 'SignalGenerated':
      count(story.signals, data.kind)
      day.signals.push(
        `${data.strategy} ${data.kind === 'neutral' ? 'neutral' : data.targets.map((target) => directionOf(target, nameOf)).join(', ')}`,
      )
      return
    case 'SignalFailed':
      count(story.signals, 'failed')
      day.signals.push(`${data.strategy} failed (${data.code})`)
      return
    case 'PositionReconciled':
      if (commit.cause.kind === 'command' && data.netLiquidation !== undefined) day.netLiquidation = toNumber(data.netLiquidation)
      return
    case 'AllocationDecided':
      day.codes = [...new Set(data.notes.map(wordOf))]
      for (const { code, text, strategy = 'all' } of data.notes) {
        story.notes[code] ??= { text: text.replace(/ \([^()]*\)$/, ''), count: 0, byStrategy: {} }
        story.notes[code].count += 1
        count(story.notes[code].byStrategy, strategy)
      }
      return
    case 'PositionsCrossed':
      story.crossings.count += 1
      for (const { quantity } of data.moves) if (sign(quantity) > 0) story.crossings.quantity = add(story.crossings.quantity, quantity)
      return
    case 'OrderPlanned':
      count(story.orders, 'planned')
      day.orders.push(`${sign(data.quantity) > 0 ? 'BUY' : 'SELL'} ${absolute(data.quantity)} ${nameOf(data.symbol)}`)
      for (const { strategy } of data.shares) bookLine(story, strategy).orders += 1
      return
    case 'FillReceived':
      day.fills += 1
      for (const { strategy, quantity } of data.shares) if (sign(quantity) !== 0) bookLine(story, strategy).fills += 1
      return
    case 'OrderClosed':
      count(story.orders, data.how)
      return
    case 'OrderCancelRequested':
      story.cancelRequests += 1
      return
    case 'CommissionReported':
      story.commission = add(story.commission, data.commission)
      return
    case 'PipelineEnded':
      if (data.outcome !== 'completed') day.trouble = `${data.outcome}: ${data.text}`
      return
  }
}

/** Adds commits to the story, in place. @returns the day they make: what was traded since the day before, and what was decided */
export const tell = (story: Story, date: string, commits: readonly Commit[], nameOf: Names): Day => {
  const day = emptyDay(date)
  for (const commit of commits) {
    story.commits += 1
    for (const event of fromStored(commit.events)) {
      story.events += 1
      tellEvent(story, day, commit, event, nameOf)
    }
  }
  if (day.netLiquidation !== undefined) story.equity.push({ date, value: day.netLiquidation })
  return day
}
