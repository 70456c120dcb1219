/**
 * The trades of all books in one instrument, in the order of the journal, and the lots that follow from them. The fold only writes trades
 * down; lots are counted when somebody asks, from what was settled before on. So a correction is simply the right trade in the wrong one's
 * place: everything after it is what it would be had it been there from the start.
 */
import { absolute, add, type Decimal, isZero, proportion, subtract, sum } from '../decimal.ts'
import type { Share } from '../order.ts'
import { applyCorporateAction, applyDeal, emptyInventory, type Inventory, inBase, type LotMethod, quantityOf, type Ratio } from './lots.ts'

/** `rate`: base units for one of the currency when it was reported; null while that is not known. */
export type Charge = { amount: Decimal; currency: string; rate: Decimal | null }

/**
 * Whatever moved books: a fill, a cross, a quantity that a person moved or explained, a corporate action. `at`: when it was recorded,
 * `time`: when it happened, where that is another time. `execution`: the id without revision; absent where there was none.
 * `price` in the instrument's currency and `rate`, base units for one of it, are null while they are not known.
 */
export type Trade = {
  readonly at: string
  readonly time?: string
  readonly execution?: string
  shares: readonly Share[]
  price: Decimal | null
  rate: Decimal | null
  charge?: Charge
  /** Absent: fifo. */
  readonly method?: LotMethod
  /** Its shares are what it adds to each holding; with the ratio where somebody named one. */
  readonly corporateAction?: { ratio: Ratio | null }
}

/**
 * One book in one instrument. `commissions` in base currency, as far as reported and convertible; `uncharged`: so many executions have no
 * commission yet; `chargesUnknown`: so many commissions have no rate.
 */
export type Holding = Inventory & { commissions: Decimal; uncharged: number; chargesUnknown: number }
/** By strategy. */
export type Holdings = Record<string, Holding>

/** `settled`: what all trades came to that nothing can correct any more. `revision` counts changes to trades that were
 * there already. `ratedAt`: position of the commit that told rates which had not been known. */
export type TradeLog = { currency: string | null; settled: Holdings; trades: Trade[]; revision: number; ratedAt: number }

export const newTradeLog = (currency: string | null): TradeLog => ({ currency, settled: {}, trades: [], revision: 0, ratedAt: 0 })

// ── From trades to holdings ──

/** Parts of an amount in proportion to the shares of a fill, exact to 1e-8; the last one with a part takes what does not divide. */
export const splitAmount = (amount: Decimal, shares: readonly Share[]): Decimal[] => {
  if (shares.length === 1) return [amount]
  const weights = shares.map(({ quantity }) => absolute(quantity))
  const whole = sum(weights)
  if (isZero(whole) || isZero(amount)) return shares.map((_, index) => (index === 0 ? amount : '0'))
  const last = weights.findLastIndex((weight) => !isZero(weight))
  let left = amount
  return weights.map((weight, index) => {
    if (isZero(weight)) return '0'
    const part = index === last ? left : proportion(amount, weight, whole, '0.00000001')
    left = subtract(left, part)
    return part
  })
}

const holdingIn = (holdings: Holdings, strategy: string): Holding => {
  let holding = holdings[strategy]
  if (holding === undefined) {
    holding = { ...emptyInventory(), commissions: '0', uncharged: 0, chargesUnknown: 0 }
    holdings[strategy] = holding
  }
  return holding
}

/** Of a charge that has come; in place. */
const applyCharge = (holdings: Holdings, { shares, charge }: Trade): void => {
  if (charge === undefined) return
  const converted = inBase(charge.amount, charge.rate)
  if (converted === null) for (const { strategy } of shares) holdingIn(holdings, strategy).chargesUnknown++
  else
    splitAmount(converted, shares).forEach((part, index) => {
      const holding = holdingIn(holdings, shares[index]!.strategy)
      holding.commissions = add(holding.commissions, part)
    })
}

const applyTrade = (holdings: Holdings, trade: Trade): void => {
  const { shares, price, rate, corporateAction, method = 'fifo' } = trade
  const time = trade.time ?? trade.at
  const awaitsCharge = trade.execution !== undefined && trade.charge === undefined
  for (const { strategy, quantity } of shares) {
    const holding = holdingIn(holdings, strategy)
    if (corporateAction !== undefined)
      applyCorporateAction(holding, add(quantityOf(holding), quantity), time, corporateAction.ratio, { price, rate })
    else if (quantity !== '0') applyDeal(holding, { quantity, price, rate, time }, method)
    if (awaitsCharge) holding.uncharged++
  }
  applyCharge(holdings, trade)
}

const copyOf = (holdings: Readonly<Holdings>): Holdings =>
  Object.fromEntries(
    Object.entries(holdings).map(([strategy, holding]) => [strategy, { ...holding, lots: holding.lots.map((lot) => ({ ...lot })) }]),
  )

/** What was counted for a log when it was asked last; `waiting`: trades in it that had no commission then. */
type Counted = { revision: number; trades: number; holdings: Holdings; waiting: Trade[] }

/** A function of the log alone, so what was counted before need not be counted again. */
const counted = new WeakMap<Readonly<TradeLog>, Counted>()

/** What each book holds of the instrument and has made of it, by strategy. Not to be changed by whoever asks. */
export const holdingsOf = (log: Readonly<TradeLog>): Readonly<Holdings> => {
  let state = counted.get(log)
  if (state === undefined || state.revision !== log.revision) {
    state = { revision: log.revision, trades: 0, holdings: copyOf(log.settled), waiting: [] }
    counted.set(log, state)
  }
  const { holdings } = state
  state.waiting = state.waiting.filter((trade) => {
    if (trade.charge === undefined) return true
    for (const { strategy } of trade.shares) holdings[strategy]!.uncharged--
    applyCharge(holdings, trade)
    return false
  })
  for (; state.trades < log.trades.length; state.trades++) {
    const trade = log.trades[state.trades]!
    applyTrade(holdings, trade)
    if (trade.execution !== undefined && trade.charge === undefined) state.waiting.push(trade)
  }
  return holdings
}

// ── Writing down ──

/** The newest first: it is nearly always the last. */
export const tradeOf = ({ trades }: Readonly<TradeLog>, execution: string): Trade | undefined => {
  for (let index = trades.length - 1; index >= 0; index--) if (trades[index]!.execution === execution) return trades[index]
  return undefined
}

/** Puts the right shares and price in the place of the wrong ones; the rate stays that of the day. In place. */
export const correctTrade = (log: TradeLog, trade: Trade, shares: readonly Share[], price: Decimal): void => {
  trade.shares = shares
  trade.price = price
  log.revision++
}

export const chargeTrade = (log: TradeLog, trade: Trade, charge: Charge): void => {
  if (trade.charge !== undefined) log.revision++
  trade.charge = charge
}

/**
 * Takes up rates that were not known at the time of a trade, once and for ever. In place.
 * @returns whether all are known now, as far as they still can be
 */
export const takeUpRates = (log: TradeLog, rateOf: (currency: string | null) => Decimal | null, position: number): boolean => {
  const rate = rateOf(log.currency)
  let complete = true
  const told = <T extends { rate: Decimal | null }>(what: T, now: Decimal | null): void => {
    if (what.rate !== null) return
    what.rate = now
    if (now === null) complete = false
    else log.ratedAt = position
  }
  for (const trade of log.trades) {
    if (trade.price !== null) told(trade, rate)
    if (trade.charge !== undefined) told(trade.charge, rateOf(trade.charge.currency))
  }
  for (const strategy in log.settled)
    for (const lot of log.settled[strategy]!.lots) {
      if (lot.cost === null) continue
      told(lot, rate)
      lot.costInBase ??= inBase(lot.cost, lot.rate)
    }
  if (log.ratedAt === position) log.revision++
  return complete
}

/** Settles trades that were recorded before `until` (ISO): no correction of them will be known for one. In place. */
export const settleTrades = (log: TradeLog, until: string): void => {
  const kept = log.trades.findIndex((trade) => trade.at >= until)
  const old = log.trades.splice(0, kept < 0 ? log.trades.length : kept)
  if (old.length === 0) return
  for (const trade of old) applyTrade(log.settled, trade)
  log.revision++
}
