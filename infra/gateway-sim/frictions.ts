/** What stands between the price of the path and the price of a fill: spread, slippage, and how much the market takes at once. */
import { randomFrom } from '../../domain/random.ts'
import { type Schedule, scheduleNames } from './commission.ts'
import { roundTo, type Side, type Slice } from './path.ts'

export type Frictions = {
  /** Ticks between bid and ask; the path runs in the middle. Auctions have one price. */
  spread: number
  /** The most that an order at market pays above (or gets below) the quote, in basis points. */
  slippage: number
  /** The share of a five-minute bar's volume that all orders together trade of it on average; 0 for no limit. */
  participation: number
  commission: Schedule
}

export const noFrictions: Frictions = { spread: 0, slippage: 0, participation: 0, commission: 'fixed' }

const isShare = (value: number): boolean => value >= 0 && value <= 1

/** Those of `base` with the changes, or one line that names what is wrong. */
export const readFrictions = (base: Frictions, changes: Readonly<Record<string, unknown>>): Frictions | { problem: string } => {
  const changed = { ...base, ...changes }
  const { spread, slippage, participation, commission } = changed
  const extra = Object.keys(changes).find((name) => !(name in base))
  if (extra !== undefined) return { problem: `${extra}: there are ${Object.keys(base).join(', ')}` }
  if (!(typeof spread === 'number' && spread >= 0 && spread < 1e6)) return { problem: `spread: expected ticks from 0, got ${spread}` }
  if (!(typeof slippage === 'number' && slippage >= 0 && slippage < 10_000)) {
    return { problem: `slippage: expected basis points from 0, got ${slippage}` }
  }
  if (!(typeof participation === 'number' && isShare(participation))) {
    return { problem: `participation: expected a share from 0 to 1, got ${participation}` }
  }
  if (!scheduleNames.includes(commission)) return { problem: `commission: expected ${scheduleNames.join(', ')}, got ${commission}` }
  return { spread, slippage, participation, commission }
}

const worse = (side: Side, price: number, by: number): number => (side === 'BUY' ? price + by : price - by)

/** The limit by which the middle of the spread must be judged, for an order that trades at the far side of it. */
export const limitInTheMiddle = (side: Side, limit: number | undefined, halfSpread: number): number | undefined =>
  limit === undefined ? undefined : worse(side, limit, -halfSpread)

/** What is paid when the middle of the spread is there. A limit holds. */
export const quoted = (side: Side, middle: number, halfSpread: number, tick: number, limit: number | undefined): number => {
  if (halfSpread === 0) return middle
  const steps = Number((worse(side, middle, halfSpread) / tick).toFixed(6))
  const price = Number(((side === 'BUY' ? Math.ceil(steps) : Math.floor(steps)) * tick).toFixed(8))
  if (limit === undefined) return price
  return side === 'BUY' ? Math.min(price, limit) : Math.max(price, limit)
}

/** An order at market, slipped by chance, the same for the same key. Never to nothing. */
export const slipped = (side: Side, price: number, basisPoints: number, tick: number, key: string): number =>
  basisPoints === 0 ? price : Math.max(tick, roundTo(worse(side, price, (price * basisPoints * randomFrom(key)()) / 10_000), tick))

/** How many shares trade in that slice: between half and one and a half of the share on average, in whole steps. */
export const depth = (slice: Slice, participation: number, sizeIncrement: number, key: string): number =>
  Math.floor((slice.volume * participation * (0.5 + randomFrom(`${key}|${slice.start}`)())) / sizeIncrement + 1e-9) * sizeIncrement
