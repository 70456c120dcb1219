/** Whose positions a close-all ends, and what stands in the way: books by the strategy's id, and `manual` where it was asked for. */
import { add, type Decimal, isZero, sign, sum, towardsZero } from '../decimal.ts'
import { blockedBecause, type Ledger, openOrders, openOrdersIn, type Pipeline, type Signal } from '../ledger.ts'
import { inFlightOf, type Order, remainingOf } from '../order.ts'

/** `strategies` undefined: all of ours. */
export type Closing = { strategies: readonly string[] | undefined; includeManual: boolean }

/** What an open pipeline closes: a close-all its books, an eod-check that enforces flatness all of them. */
export const closingOf = ({ type, plan }: Pick<Pipeline, 'type' | 'plan'>): Closing | undefined => {
  if (type === 'eod-check') return plan['enforceFlat'] === true ? { strategies: undefined, includeManual: false } : undefined
  if (type !== 'close-all' || plan['dryRun'] === true) return undefined
  const named = plan['strategies']
  return { strategies: Array.isArray(named) ? named : undefined, includeManual: plan['includeManual'] === true }
}

export const closesHolder = ({ strategies, includeManual }: Closing, holder: string): boolean =>
  holder === 'manual' ? includeManual : strategies === undefined || strategies.includes(holder)

// ── What is held, on its way or wanted ──

export const heldBy = (ledger: Readonly<Ledger>, holder: string): Readonly<Record<string, Decimal>> =>
  holder === 'manual' ? ledger.manual : (ledger.books[holder] ?? {})

const hasShare = (order: Order, holder: string): boolean => order.shares.some(({ strategy }) => strategy === holder)

/** The latest real signal, while it could still be sized. */
const freshSignal = (ledger: Readonly<Ledger>, strategy: string, now: number): Signal | undefined => {
  const signal = ledger.signals[strategy]
  return signal !== undefined && now < Date.parse(signal.freshUntil) ? signal : undefined
}

/**
 * Instruments in which the strategy holds, waits or wants something, and whose standing target does not say 0 yet.
 * What its latest signal names counts too: sized after the close-all, it would open what was just closed.
 */
export const unsettledTargets = (ledger: Readonly<Ledger>, strategy: string, now: number): number[] => {
  const standing = ledger.standing[strategy] ?? {}
  const signal = freshSignal(ledger, strategy, now)
  const wanted = signal?.targets.filter(({ weight, quantity }) => !isZero(weight ?? quantity ?? '0')).map(({ conId }) => conId) ?? []
  const waiting = openOrders(ledger).flatMap((order) => (hasShare(order, strategy) ? [order.conId] : []))
  const all = new Set([...Object.keys(heldBy(ledger, strategy)).map(Number), ...waiting, ...Object.keys(standing).map(Number), ...wanted])
  const saysZero = (conId: number): boolean => {
    const target = standing[conId]
    return target !== undefined && isZero(target.quantity) && (!wanted.includes(conId) || target.signal === signal?.position)
  }
  return [...all].filter((conId) => !saysZero(conId)).sort((left, right) => left - right)
}

/** Everybody it concerns of whom there is anything to close, `manual` last. */
export const holdersOf = (ledger: Readonly<Ledger>, closing: Closing, now: number): string[] => {
  const known = closing.strategies ?? [
    ...Object.keys(ledger.books),
    ...openOrders(ledger).flatMap(({ shares }) => shares.map(({ strategy }) => strategy)),
    ...Object.keys(ledger.standing),
    ...Object.keys(ledger.signals),
  ]
  const strategies = [...new Set(known)].filter((holder) => holder !== 'manual').sort()
  return [...strategies, ...(closing.includeManual ? ['manual'] : [])].filter((holder) => hasAnything(ledger, holder, now))
}

const hasAnything = (ledger: Readonly<Ledger>, holder: string, now: number): boolean =>
  Object.keys(heldBy(ledger, holder)).length > 0 ||
  openOrders(ledger).some((order) => hasShare(order, holder)) ||
  (holder !== 'manual' && unsettledTargets(ledger, holder, now).length > 0)

// ── What has to end, and what has to be traded ──

/** Open orders in which they have a share. */
export const ordersOf = (ledger: Readonly<Ledger>, closing: Closing): Order[] =>
  openOrders(ledger).filter(({ shares }) => shares.some(({ strategy }) => closesHolder(closing, strategy)))

/** Those that have to end first. What closes already goes on; one that nobody finds cannot be cancelled. */
export const ordersToEnd = (ledger: Readonly<Ledger>, closing: Closing): Order[] =>
  ordersOf(ledger, closing).filter(({ closing: exits, status }) => !exits && status !== 'unresolved')

/** Whether it ends a position for somebody who is still at it. What he left behind is an order like any other. */
export const isExit = ({ pipelines }: Readonly<Ledger>, { closing, decision }: Order): boolean =>
  closing && Object.hasOwn(pipelines, decision)

export type Exposed = { holder: string; conId: number; held: Decimal; inFlight: Decimal }

/** What they hold or wait for, by holder and instrument, in a fixed order. */
export const exposedOf = (ledger: Readonly<Ledger>, closing: Closing): Exposed[] => {
  const open = openOrders(ledger)
  const holders = new Set([
    ...Object.keys(ledger.books),
    ...open.flatMap(({ shares }) => shares.map(({ strategy }) => strategy)),
    ...(closing.includeManual ? ['manual'] : []),
  ])
  return [...holders]
    .filter((holder) => closesHolder(closing, holder))
    .sort()
    .flatMap((holder) => {
      const waiting = open.flatMap((order) => (isZero(inFlightOf(order, holder)) ? [] : [order.conId]))
      const instruments = new Set([...Object.keys(heldBy(ledger, holder)).map(Number), ...waiting])
      return [...instruments]
        .sort((left, right) => left - right)
        .map((conId) => ({
          holder,
          conId,
          held: heldBy(ledger, holder)[conId] ?? '0',
          inFlight: sum(openOrdersIn(ledger, conId).map((order) => inFlightOf(order, holder))),
        }))
    })
}

/** Less than a size step cannot be traded; it stays, and is said. */
const isTradable = (ledger: Readonly<Ledger>, { conId, held, inFlight }: Exposed): boolean => {
  const open = add(held, inFlight)
  const step = ledger.instruments[conId]?.sizeStep
  return !isZero(step === undefined ? open : towardsZero(open, step))
}

/** Whether a round of orders has anything to do: something that is not on its way out, in an instrument that is free. */
export const hasMoreToClose = (ledger: Readonly<Ledger>, closing: Closing): boolean =>
  exposedOf(ledger, closing).some((exposed) => isTradable(ledger, exposed) && blockedBecause(ledger, exposed.conId) === undefined)

/** Whether another's exit is at work against what they would have to order: a short book's next to a long one's. */
export const isOpposedByExit = (ledger: Readonly<Ledger>, closing: Closing): boolean => {
  const open = new Map<number, Decimal>()
  for (const { conId, held, inFlight } of exposedOf(ledger, closing)) open.set(conId, sum([open.get(conId) ?? '0', held, inFlight]))
  return openOrders(ledger)
    .filter((order) => order.status !== 'unresolved' && isExit(ledger, order))
    .some((order) => {
      const remaining = remainingOf(order)
      return !isZero(remaining) && sign(remaining) === sign(open.get(order.conId) ?? '0')
    })
}

/** Instruments of theirs in which the last snapshot was no answer yet: the engine asks again by itself, and knows more after a minute. */
export const isInDoubt = (ledger: Readonly<Ledger>, closing: Closing, touched: readonly number[]): boolean => {
  const concerned = [...touched, ...exposedOf(ledger, closing).map(({ conId }) => conId)]
  return concerned.some((conId) => ledger.unexplained[conId]?.found === false || ledger.snapshot?.unjudged.includes(conId) === true)
}

/** What is left of it, in words; undefined when all of it is closed. `touched`: instruments in which it traded. */
export const leftOpen = (ledger: Readonly<Ledger>, closing: Closing, touched: readonly number[]): string | undefined => {
  const symbolOf = (conId: number): string =>
    ledger.instruments[conId]?.symbol ?? ledger.snapshot?.positions.find((line) => line.conId === conId)?.symbol ?? String(conId)
  const why = (conId: number): string => {
    const blocked = blockedBecause(ledger, conId)
    return blocked === undefined ? '' : ` (blocked: ${blocked})`
  }
  const held = exposedOf(ledger, closing).flatMap(({ holder, conId, held: quantity }) =>
    isZero(quantity) ? [] : [`${holder} holds ${quantity} ${symbolOf(conId)}${why(conId)}`],
  )
  const orders = ordersOf(ledger, closing).map(({ orderRef, symbol, status }) => `order ${orderRef} in ${symbol} is ${status}`)
  const named = new Set(exposedOf(ledger, closing).map(({ conId }) => conId))
  const doubtful = [...new Set(touched)]
    .filter((conId) => !named.has(conId) && blockedBecause(ledger, conId) !== undefined)
    .map((conId) => `${symbolOf(conId)} is in doubt${why(conId)}`)
  const all = [...held, ...orders, ...doubtful]
  return all.length === 0 ? undefined : all.join('; ')
}
