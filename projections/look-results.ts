/** What the intents that look at the account answer, as the document of their command shows it. */
import { type Missing, profitOf } from '../domain/books/profit.ts'
import type { EventData } from '../domain/events.ts'
import type { Json } from '../domain/ports/documents.ts'
import { portfolioPath } from './portfolio.ts'
import { booksWithTrades } from './profit.ts'
import { commandOf, numberOr, numbersOf, symbolOf, type ViewInput } from './view.ts'

export type Answer = { text: string; result: Json }

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

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const worth = (amount: string | undefined, currency: string | undefined): string =>
  amount === undefined ? 'net liquidation not known' : `net liquidation ${amount} ${currency ?? ''}`.trimEnd()

export const reconcileAnswer = (data: EventData<'PositionReconciled'>, { mode }: ViewInput): Answer => {
  const { positions, openOrders, differences, missing, takenAt, netLiquidation, baseCurrency } = data
  const doubts = [
    ...differences.map(({ symbol, reported, expected }) => `${symbol}: the broker holds ${reported}, books and manual ${expected}`),
    ...(missing.length === 0 ? [] : [`not named by the broker: ${missing.join(', ')}`]),
  ]
  const found = `${counted(positions.length, 'position')}, ${counted(openOrders.length, 'open order')}, ${worth(netLiquidation, baseCurrency)}`
  return {
    text: `${found}; ${doubts.length === 0 ? 'books, manual and the broker agree' : doubts.join('; ')}`,
    result: {
      document: portfolioPath(mode),
      taken_at: takenAt,
      net_liquidation: numberOr(netLiquidation, null),
      positions: positions.length,
      open_orders: openOrders.length,
      differences: differences.length,
    },
  }
}

/** What nobody knows of a book's figures and why, in words: without them a figure that is missing looks like one that is not there. */
const reasons: Readonly<Record<Missing, string>> = {
  cost: 'what some of it cost, since it came without a price',
  exchangeRate: 'an exchange rate',
  marketPrice: 'its market price',
  multiplier: 'its multiplier, since the contract was never resolved',
  commission: 'a commission that was not reported yet',
  quantity: 'which quantity is right, since something is unexplained',
}

type Gap = { strategy: string; conId: number; symbol: string | null; what: Missing; text: string }

const gapsIn = (ledger: ViewInput['ledger']): Gap[] =>
  booksWithTrades(ledger).flatMap((strategy) =>
    profitOf(ledger, strategy).unknown.map(({ conId, what }) => {
      const symbol = symbolOf(ledger, conId)
      return { strategy, conId, symbol, what, text: `${strategy} in ${symbol ?? conId}: ${reasons[what]}` }
    }),
  )

/** Nobody reads a sentence of a hundred; each has its row. */
const shownGaps = 5

export const summaryAnswer = (data: EventData<'AccountSummarized'>, { ledger }: ViewInput): Answer => {
  const { account, takenAt, baseCurrency, fillsLeftOut, ...rows } = data
  const liquid = rows.values.find(({ key, currency }) => key === 'NetLiquidation' && currency === baseCurrency)
  const parts = [
    worth(liquid?.value, baseCurrency),
    counted(rows.positions.length, 'position'),
    counted(rows.openOrders.length, 'open order'),
    `${counted(rows.fills.length + fillsLeftOut, 'fill')} today`,
  ]
  const gaps = gapsIn(ledger)
  const more = gaps.length > shownGaps ? ` and ${gaps.length - shownGaps} more` : ''
  const unknown = gaps.slice(0, shownGaps).map(({ text }) => text)
  return {
    text: `${parts.join(', ')}${gaps.length === 0 ? '' : `; not known: ${unknown.join('; ')}${more}`}`,
    result: {
      account,
      taken_at: takenAt,
      currency: baseCurrency ?? null,
      values: rows.values.map((value) => ({ ...value })), // texts, as the broker gives them
      positions: rowsOf(rows.positions),
      open_orders: rowsOf(rows.openOrders),
      fills: rowsOf(rows.fills),
      fills_left_out: fillsLeftOut,
      not_known: gaps,
    },
  }
}

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
