/** What the intents that look at the account answer, as the document of their command shows it. */
import type { EventData } from '../domain/events.ts'
import type { Json } from '../domain/ports/documents.ts'
import { commandOf, numbersOf, type ViewInput } from './view.ts'

export type Answer = { text: string | null; result: Json }

const figures: ReadonlySet<string> = new Set([
  ...['quantity', 'averageCost', 'unexplained', 'marketPrice', 'marketValue', 'unrealizedProfit', 'realizedProfit'],
  ...['filled', 'remaining', 'limitPrice', 'price', 'commission', 'cash', 'exchangeRate', 'value', 'expected', 'reported'],
])

/** Rows as they are, with numbers for decimals; what is not known is left out, as in the event. */
const rowsOf = (rows: readonly object[]): Json =>
  rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, name === 'holders' ? numbersOf(value) : figures.has(name) ? Number(value) : value]),
    ),
  )

export const summaryAnswer = ({ account, takenAt, baseCurrency, fillsLeftOut, ...rows }: EventData<'AccountSummarized'>): Answer => ({
  text: null,
  result: {
    account,
    taken_at: takenAt,
    currency: baseCurrency ?? null,
    values: rows.values.map((value) => ({ ...value })), // texts, as the broker gives them
    positions: rowsOf(rows.positions),
    open_orders: rowsOf(rows.openOrders),
    fills: rowsOf(rows.fills),
    fills_left_out: fillsLeftOut,
  },
})

const cashText = ({ dryRun, conversions, wouldRefuse }: EventData<'CashBalanced'>): string => {
  const orders = conversions.filter(({ verdict }) => verdict === 'order')
  const held = conversions.filter(({ verdict }) => verdict === 'held')
  const done =
    orders.length === 0 ? 'no cash to bring back' : `${dryRun ? 'dry run: would be ' : ''}${orders.map(({ text }) => text).join(', ')}`
  const left = held.length === 0 ? '' : `; held: ${held.map(({ currency, text }) => `${currency} (${text})`).join(', ')}`
  return `${done}${left}${wouldRefuse === undefined ? '' : `; a real one would be refused: ${wouldRefuse}`}`
}

/** What became of its orders shows in its execution, as that of any order. */
export const cashAnswer = (data: EventData<'CashBalanced'>, { commit }: ViewInput): Answer => {
  const { conversions, dryRun, baseCurrency, threshold, takenAt } = data
  const ordered = !dryRun && conversions.some(({ verdict }) => verdict === 'order')
  const document = ordered ? `executions/${commandOf(commit.cause)}` : null
  const rows = rowsOf(conversions)
  return {
    text: cashText(data),
    result: { dryRun, currency: baseCurrency, threshold: Number(threshold), taken_at: takenAt, conversions: rows, document },
  }
}

export const tradesAnswer = ({ differences, differencesLeftOut, takenAt, notOurs, ...counts }: EventData<'TradesReconciled'>): Answer => {
  const found = differences.length + differencesLeftOut
  return {
    text: `executions of ${counts.session}: ${counts.executions}, ${found === 0 ? 'orders and books agree' : `differences: ${found}`}`,
    result: {
      ...counts,
      not_ours: notOurs,
      taken_at: takenAt,
      differences: rowsOf(differences),
      differences_left_out: differencesLeftOut,
    },
  }
}
