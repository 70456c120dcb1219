/**
 * A close-all's decisions: standing targets to 0, orders that have to end, and the orders that make flat what is held. Pure.
 * What is traded goes the commander's way: against what works in the same instrument first a cancel, opposite books crossed, the rest netted.
 */
import { instrumentsOf, summaryOf, withoutHeld } from '../commander/commander.ts'
import { cross, net } from '../commander/cross-and-net.ts'
import { differenceOf, differences } from '../commander/difference.ts'
import { marketOf } from '../commander/market.ts'
import { withinNotional } from '../commander/order-notional.ts'
import { termsOf } from '../commander/order-terms.ts'
import { plan } from '../commander/plan.ts'
import type { Line } from '../commander/size.ts'
import { standAside } from '../commander/stand-aside.ts'
import { settingOf, strategySettingOf } from '../configuration.ts'
import { add, type Decimal, decimal, isZero, multiply } from '../decimal.ts'
import { type Refusal, refuse } from '../errors.ts'
import { type DomainEvent, type EventData, event } from '../events.ts'
import type { Ledger, Snapshot } from '../ledger.ts'
import { type Closing, exposedOf, holdersOf, unsettledTargets } from './holders.ts'

const allocationOf = (ledger: Readonly<Ledger>, strategy: string): Decimal =>
  strategy === 'manual' ? '0' : decimal(strategySettingOf(ledger.configuration, strategy, 'allocation'))

/**
 * 0 is the standing target from now on, until the strategy's next signal: the one that it gave last counts as carried out, so that no
 * later decision opens again what was closed.
 */
export const standingTargetsToZero = (ledger: Readonly<Ledger>, closing: Closing, now: number): DomainEvent[] => {
  const exposure = decimal(settingOf(ledger.configuration, 'exposure.overall'))
  const symbolOf = (conId: number): string => ledger.instruments[conId]?.symbol ?? String(conId)
  return holdersOf(ledger, closing, now)
    .filter((holder) => holder !== 'manual')
    .flatMap((strategy) => {
      const instruments = unsettledTargets(ledger, strategy, now)
      if (instruments.length === 0) return []
      return [
        event('StandingTargetsSet', {
          strategy,
          signal: ledger.signals[strategy]?.position ?? 0,
          factor: multiply(exposure, allocationOf(ledger, strategy)),
          targets: instruments.map((conId) => ({ conId, symbol: symbolOf(conId), quantity: '0' })),
        }),
      ]
    })
}

const linesOf = (ledger: Readonly<Ledger>, closing: Closing, symbolOf: (conId: number) => string): Line[] =>
  exposedOf(ledger, closing).map(({ holder, conId, held, inFlight }) => ({
    ...{ strategy: holder, conId, symbol: symbolOf(conId), book: held, inFlight },
    ...{ wanted: '0', target: '0', held: false },
  }))

type Round = { decision: string; step: string; round: number; dryRun: boolean }

const usedFrom = (ledger: Readonly<Ledger>, { position, takenAt, netLiquidation, baseCurrency }: Snapshot) => ({
  snapshot: {
    ...{ position, takenAt },
    ...(netLiquidation === undefined ? {} : { netLiquidation }),
    ...(baseCurrency === undefined ? {} : { currency: baseCurrency }),
  },
  signals: {},
  configuration: ledger.configuredAt,
  exposure: decimal(settingOf(ledger.configuration, 'exposure.overall')),
})

/**
 * One round: what is held by those books, less what is on its way out, goes at market. It needs no signal, no fresh snapshot and no net
 * liquidation, and the switch does not stop it: it can only lower the risk. Blocked instruments are left alone, with a note.
 */
export const closePositions = (ledger: Readonly<Ledger>, closing: Closing, round: Round, now: number): DomainEvent[] | Refusal => {
  const { snapshot, configuration } = ledger
  if (snapshot === null) return refuse('SNAPSHOT_MISSING')
  const currency = snapshot.baseCurrency ?? ''
  const market = marketOf(ledger, { snapshot, netLiquidation: snapshot.netLiquidation ?? '0', currency }, now)
  const lines = linesOf(ledger, closing, (conId) => market(conId).symbol)
  const differing = differences(lines, market)
  const free = standAside(ledger, differing.wishes, market)
  const { crossed, rest } = cross(free.wishes, market)
  const termed = net(rest).map((order) => ({ net: order, ...termsOf(order, configuration, {}, market) }))
  const facts = { gatewayReady: true, knownStrategies: [], decision: round.decision, step: round.step, round: round.round }
  const split = withinNotional(termed, ledger, market)
  const planned = plan(ledger, split.orders, market, facts, now)
  const holders = [...new Set(lines.map(({ strategy }) => strategy))]
  const decided: EventData<'AllocationDecided'> = {
    ...{ dryRun: round.dryRun, round: round.round, ...usedFrom(ledger, snapshot) },
    instruments: instrumentsOf(lines, market),
    strategies: holders.map((strategy) => ({ strategy, verdict: 'closed', allocation: allocationOf(ledger, strategy) })),
    targets: lines.map((line) => ({ ...withoutHeld(line), difference: differenceOf(line) })),
    orders: planned.map(summaryOf),
    cancels: free.cancels,
    notes: [differing, free, ...termed, split].flatMap(({ notes }) => notes),
  }
  if (round.dryRun) return [event('AllocationDecided', decided), ...crossed.map((moves) => event('PositionsCrossed', moves))]
  const cancels = free.cancels.filter((orderRef) => !ledger.orders[orderRef]!.cancelRequested)
  return [
    event('AllocationDecided', decided),
    ...crossed.map((moves) => event('PositionsCrossed', moves)),
    ...cancels.map((orderRef) => event('OrderCancelRequested', { orderRef, reason: 'it opposes what is being closed' })),
    ...planned.map((order) => event('OrderPlanned', { ...order, closing: true })),
  ]
}

/** As if these orders had ended as they stand: what a dry run decides from. */
export const withoutOrders = (ledger: Readonly<Ledger>, refs: readonly string[]): Readonly<Ledger> => {
  const gone = new Set(refs)
  return { ...ledger, orders: Object.fromEntries(Object.entries(ledger.orders).filter(([orderRef]) => !gone.has(orderRef))) }
}

/** Instruments that it has to order in and that no decision ever resolved, as the account names them. */
export const unresolvedInstruments = (
  ledger: Readonly<Ledger>,
  closing: Closing,
): { conId: number; symbol: string; secType: string; currency: string }[] => {
  const wanted = new Set(exposedOf(ledger, closing).flatMap(({ conId, held, inFlight }) => (isZero(add(held, inFlight)) ? [] : [conId])))
  return (ledger.snapshot?.positions ?? [])
    .filter(({ conId }) => wanted.has(conId) && ledger.instruments[conId] === undefined)
    .map(({ conId, symbol, secType, currency }) => ({ conId, symbol, secType, currency }))
}
