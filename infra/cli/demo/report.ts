/** The demo's words: the line of a day and the closing report. */
import asciichart from 'asciichart'
import { toNumber } from '../../../domain/decimal.ts'
import { type Ledger, openOrders } from '../../../domain/ledger.ts'
import type { Names } from './plan.ts'
import type { Proof } from './proofs.ts'
import type { Day, Story } from './story.ts'

const money = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const percent = new Intl.NumberFormat('en-US', { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`

export const dayLine = ({ date, signals, orders, codes, fills, netLiquidation, trouble }: Day): string =>
  [
    date,
    (netLiquidation === undefined ? '—' : money.format(netLiquidation)).padStart(12),
    `${plural(fills, 'fill').padEnd(8)}`,
    `signals: ${signals.join(' · ') || 'none'}`,
    `orders: ${orders.join(', ') || ['none', ...(codes.length === 0 ? [] : [`(${codes.join(', ')})`])].join(' ')}`,
    ...(trouble === undefined ? [] : [trouble]),
  ].join('  ')

type Equity = Story['equity']

/** The deepest fall from a peak, as a fraction of the peak. */
export const worstDrawdown = (equity: Equity): { fraction: number; from: string; to: string } | undefined => {
  let [peak] = equity
  let worst: ReturnType<typeof worstDrawdown>
  for (const point of equity) {
    if (peak === undefined || point.value > peak.value) peak = point
    const fraction = 1 - point.value / peak.value
    if (worst === undefined || fraction > worst.fraction) worst = { fraction, from: peak.date, to: point.date }
  }
  return worst
}

const widest = 90

/** At most so many points, the last one always among them. */
const thinned = (values: readonly number[]): number[] => {
  const step = Math.ceil(values.length / widest)
  return values.filter((_, place) => (values.length - 1 - place) % step === 0)
}

const equityLines = (equity: Equity): string[] => {
  const [first, last] = [equity[0], equity.at(-1)]
  const drawdown = worstDrawdown(equity)
  if (first === undefined || last === undefined || drawdown === undefined) return ['  no net liquidation was ever reported']
  const lines = [
    `  start  ${money.format(first.value).padStart(12)}  ${first.date}`,
    `  end    ${money.format(last.value).padStart(12)}  ${last.date}  (${percent.format(last.value / first.value - 1)})`,
    `  worst drawdown  ${percent.format(drawdown.fraction)}  ${drawdown.from} to ${drawdown.to}`,
  ]
  if (equity.length < 2) return lines
  const chart = asciichart.plot(thinned(equity.map(({ value }) => value)), {
    height: 10,
    format: (value: number) => value.toFixed(0).padStart(10),
  })
  return [...lines, '', ...chart.split('\n')]
}

const bookLines = (ledger: Readonly<Ledger>, story: Story, nameOf: Names): string[] =>
  [...new Set([...Object.keys(ledger.books), ...Object.keys(story.books)])].sort().map((strategy) => {
    const held = Object.entries(ledger.books[strategy] ?? {}).map(
      ([conId, quantity]) => `${quantity} ${nameOf(ledger.instruments[conId]?.symbol ?? `contract ${conId}`, 'long')}`,
    )
    const { orders, fills } = story.books[strategy] ?? { orders: 0, fills: 0 }
    return `  ${strategy.padEnd(20)}  ${plural(orders, 'order')}, ${plural(fills, 'fill')}; holds ${held.join(', ') || 'nothing'}`
  })

const orderLines = (
  ledger: Readonly<Ledger>,
  { orders: { planned = 0, ...ends }, cancelRequests, commission, crossings }: Story,
): string[] => {
  const ended = Object.entries(ends).map(([how, count]) => `${count} ${how}`)
  const working = openOrders(ledger).length
  return [
    `  ${plural(planned, 'order')}: ${[...ended, ...(working > 0 ? [`${working} waiting for the next open`] : [])].join(', ') || 'none'}`,
    `  ${plural(cancelRequests, 'cancel')} asked for, ${money.format(toNumber(commission))} of commission`,
    `  ${plural(crossings.count, 'crossing')} inside the house, ${crossings.quantity} shares that never went to the market`,
  ]
}

const noteLines = ({ notes }: Story): string[] => {
  const lines = Object.entries(notes)
    .sort(([, left], [, right]) => right.count - left.count)
    .map(([code, { text, count, byStrategy }]) => {
      const who = Object.entries(byStrategy).map(([strategy, times]) => `${strategy} ${times}`)
      return `  ${String(count).padStart(5)} × ${code}: ${text} (${who.join(', ')})`
    })
  return lines.length === 0 ? ['  none'] : lines
}

const proofLine = ({ name, holds, found }: Proof): string => `  ${holds ? '✓' : '✗ FAILED'} ${name}: ${found}`

export const closingReport = (input: { ledger: Readonly<Ledger>; story: Story; proofs: readonly Proof[]; nameOf: Names }): string => {
  const { ledger, story, proofs, nameOf } = input
  const signals = Object.entries(story.signals).map(([kind, count]) => `${count} ${kind}`)
  return [
    '',
    'Equity',
    ...equityLines(story.equity),
    '',
    `Books (signals: ${signals.join(', ') || 'none'})`,
    ...bookLines(ledger, story, nameOf),
    '',
    'Orders',
    ...orderLines(ledger, story),
    '',
    'Clips, holds and skips, with their reasons',
    ...noteLines(story),
    '',
    'Proofs',
    ...proofs.map(proofLine),
    '',
  ].join('\n')
}
