/** Carries out the moves of orders: wakes them, triggers them, trades them as far as the market takes it, and what follows for others. */
import { isWorking, type Order, remaining } from './book.ts'
import { childrenOf, waitsForParent } from './bracket.ts'
import { areMet, type Conditions, nextJudgement, type World } from './conditions.ts'
import { awaitsConditions, end, type Floor, isLive, release, submit } from './floor.ts'
import { depth, slipped } from './frictions.ts'
import { type Move, nextMove } from './next-move.ts'
import { blocks, type OcaEffect, ocaEffects } from './oca.ts'
import { trigger } from './triggers.ts'

/** The next fill of one order (of any, without `orderRef`) that is to be smaller than the order. */
export type PartialFill = { orderRef?: string; quantity: number; price?: number }

export type Filling = {
  /** What each working order does next, undefined for one that does nothing. */
  moveOf: (order: Order) => Move | undefined
  /** Carries out moves that are due now, then all that becomes due by them; what was to trade at once or never then ends. */
  carryOut: (due: readonly { order: Order; move: Move }[]) => void
  /** At once when that order works, else as soon as one fits and would trade. */
  fillPartly: (partial: PartialFill) => void
  forgetPartials: () => void
}

const halfHour = 30 * 60_000
export const nextHalfHour = (at: number): number => (Math.floor(at / halfHour) + 1) * halfHour

export const createFilling = (floor: Floor): Filling => {
  const { book, market, trading, now } = floor
  const partials: PartialFill[] = []
  /** Shares that were traded of a slice, by symbol and its start. */
  const taken = new Map<string, number>()

  const moveOf: Filling['moveOf'] = (order) => {
    if (!isWorking(order) || waitsForParent(book, order)) return undefined
    const judged = order.conditions && !order.conditionsMet ? judgementOf(order, order.conditions) : undefined
    if (awaitsConditions(order)) return judged
    const move = nextMove(order, market, now(), floor.frictions.spread)
    return judged && (!move || judged.at <= move.at) ? judged : move
  }

  const worldOf = (order: Order): World => ({
    market,
    cushion: () => {
      const { excessLiquidity, netLiquidation } = trading.valuation()
      return netLiquidation > 0 ? (excessLiquidity / netLiquidation) * 100 : 0
    },
    executions: book.executions.slice(order.executionsBefore),
  })

  const judgementOf = (order: Order, conditions: Conditions): Move | undefined => {
    const world = worldOf(order)
    const at = areMet(conditions, world, now()) ? now() : nextJudgement(conditions, world, now())
    return at === undefined ? undefined : { kind: 'judge', at }
  }

  /** Its conditions may hold now: then it begins to work, or ends. */
  const judge = (order: Order): void => {
    order.conditionsMet = order.conditions !== undefined && areMet(order.conditions, worldOf(order), now())
    if (!order.conditionsMet) submitIfLive(order)
    else if (order.conditions?.cancel) end(floor, order)
    else release(floor, order)
  }

  const submitIfLive = (order: Order): void => {
    if (isLive(floor, order)) submit(floor, order)
  }

  const carryOut: Filling['carryOut'] = (due) => {
    for (let next = due.length > 0 ? due : dueNow(); next.length > 0; next = dueNow()) {
      const later = next.flatMap(({ order, move }) => (isWorking(order) ? make(order, move) : []))
      for (const effect of later) takeEffect(effect)
    }
    for (const order of book.working()) if (order.life.immediate && isLive(floor, order)) end(floor, order)
  }

  const dueNow = (): { order: Order; move: Move }[] =>
    book.working().flatMap((order) => {
      const move = moveOf(order)
      return move && move.at <= now() ? [{ order, move }] : []
    })

  /** Returns the effects on its group that wait until all orders of this moment have traded. */
  const make = (order: Order, move: Move): OcaEffect[] => {
    if (move.kind === 'trade') return execute(order, move)
    if (move.kind === 'trigger') trigger(order)
    if (move.kind === 'judge') judge(order)
    else if (move.kind === 'wake') release(floor, order)
    else submitIfLive(order)
    return []
  }

  // ── Trades ──

  const execute = (order: Order, move: Extract<Move, { kind: 'trade' }>): OcaEffect[] => {
    const fitting = partials.findIndex((partial) => partial.orderRef === undefined || partial.orderRef === order.orderRef)
    const [partial] = fitting < 0 ? [] : partials.splice(fitting, 1)
    if (partial) return tradePartly(order, partial, move.price)
    const { slippage } = floor.frictions
    const key = `${floor.seed}|${order.permId}|${order.filled}`
    const atMarket = order.limit === undefined && !move.auction
    const price = atMarket ? slipped(order.action, move.price, slippage, order.listing.minTick, key) : move.price
    const size = sizeNow(order)
    if (size > 0) return trade(order, size, price)
    submitIfLive(order)
    return []
  }

  /** What the market takes of it now; the rest waits for the next slice. 0 for an order that wants more than there is. */
  const sizeNow = (order: Order): number => {
    const { series, sizeIncrement } = order.listing
    const { participation } = floor.frictions
    const slice = participation > 0 ? market.slice(series, now()) : undefined
    if (!slice) return remaining(order)
    const key = `${series}|${slice.start}`
    const left = depth(slice, participation, sizeIncrement, `${floor.seed}|${series}`) - (taken.get(key) ?? 0)
    const size = Math.min(remaining(order), Math.max(0, left))
    const all = order.allOrNone || order.life.immediate === 'all'
    const enough = all ? remaining(order) : order.filled === 0 ? Math.min(order.minimum, remaining(order)) : 0
    if (size < remaining(order)) order.restsUntil = Math.max(slice.end, now() + 1)
    if (size < enough) return 0
    taken.set(key, (taken.get(key) ?? 0) + size)
    return size
  }

  const tradePartly = (order: Order, partial: PartialFill, price: number): OcaEffect[] => {
    order.restsUntil = nextHalfHour(now())
    return trade(order, Math.min(partial.quantity, remaining(order)), partial.price ?? price)
  }

  const trade = (order: Order, shares: number, price: number): OcaEffect[] => {
    trading.trade(order, shares, price)
    const effects = ocaEffects(book, order, shares)
    if (blocks(order)) for (const effect of effects) takeEffect(effect)
    if (order.status === 'Filled') for (const child of childrenOf(book, order).filter(isWorking)) release(floor, child)
    return blocks(order) ? [] : effects
  }

  const takeEffect = (effect: OcaEffect): void => {
    const { order } = effect
    if (!isWorking(order)) return
    if ('cancel' in effect || effect.quantity <= order.filled) end(floor, order)
    else {
      order.quantity = effect.quantity
      floor.report({ kind: 'order', order })
    }
  }

  return {
    moveOf,
    carryOut,
    fillPartly: (partial) => {
      const order = book.working().find((working) => working.orderRef === partial.orderRef)
      if (!order) return void partials.push(partial)
      for (const effect of tradePartly(order, partial, order.limit ?? trading.priceOf(order))) takeEffect(effect)
      carryOut([])
    },
    forgetPartials: () => {
      partials.length = 0
    },
  }
}
