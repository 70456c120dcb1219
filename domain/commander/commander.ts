/**
 * The commander: all signals and the reconciled account become one decision. The only source of orders.
 * Read `allocate` from top to bottom: each line is one rule, in a file of its name. Pure; the same state gives the same decision.
 */
import { settingOf } from '../configuration.ts'
import { decimal } from '../decimal.ts'
import { isRefusal, type Refusal } from '../errors.ts'
import { type DomainEvent, type EventData, event } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import { blockedInstruments } from './blocked-instrument.ts'
import { cross, net } from './cross-and-net.ts'
import { differenceOf, differences } from './difference.ts'
import { without } from './hold-back.ts'
import { limit } from './limits.ts'
import { freshSpeakers, type Market, marketOf } from './market.ts'
import { type Grounds, mayWe } from './may-we.ts'
import { aboveMinimum } from './minimum-trade.ts'
import { termsOf } from './order-terms.ts'
import { plan } from './plan.ts'
import type { AllocationFacts, AllocationRequest } from './request.ts'
import { judgeSignals, type Verdict } from './signals.ts'
import { type Line, size } from './size.ts'
import { untradableInstruments } from './tradable.ts'
import { opposedByWorkingOrders } from './working-order.ts'

export type { AllocationFacts, AllocationRequest } from './request.ts'

/**
 * The events of one decision: what was decided and from what, then the standing targets that were sized now, what was crossed inside the
 * house, the cancels it asks for and the orders it plans. A dry run gives only the first, with all that a real one would do.
 */
export const allocate = (
  ledger: Readonly<Ledger>,
  request: AllocationRequest,
  facts: AllocationFacts,
  now: number,
): DomainEvent[] | Refusal => {
  const { configuration } = ledger
  const grounds = mayWe(ledger, request, facts, now)
  if (isRefusal(grounds)) return grounds
  const market = marketOf(ledger, grounds, now)
  const exposure = decimal(settingOf(configuration, 'exposure.overall'))

  const judged = judgeSignals(ledger, request, facts, exposure, now)
  const sized = size(ledger, judged.verdicts, grounds, market)
  const limited = limit(ledger, sized.lines, judged.verdicts, grounds, market)
  const differing = differences(limited.lines, market)
  const worthwhile = aboveMinimum(differing.wishes, configuration, market)
  const blocked = blockedInstruments(worthwhile.wishes, market)
  const opposed = opposedByWorkingOrders(ledger, worthwhile.wishes)
  const moving = without(worthwhile.wishes, blocked, opposed)
  const untradable = untradableInstruments(moving, market)
  const { crossed, rest } = cross(without(moving, untradable), market)
  const remaining = aboveMinimum(rest, configuration, market)
  const termed = net(remaining.wishes).map((order) => ({
    net: order,
    ...termsOf(order, configuration, request.orderProperties ?? {}, market),
  }))
  const planned = plan(ledger, termed, market, facts, now)

  const notes = [judged, sized, limited, differing, worthwhile, blocked, opposed, untradable, remaining, ...termed].flatMap(
    (rule) => rule.notes,
  )
  const decided: EventData<'AllocationDecided'> = {
    dryRun: request.dryRun,
    round: facts.round,
    ...(grounds.wouldRefuse === undefined ? {} : { wouldRefuse: grounds.wouldRefuse }),
    ...usedFrom(ledger, grounds, judged.verdicts, now),
    exposure,
    instruments: instrumentsOf(limited.lines, market),
    strategies: judged.verdicts.map(({ strategy, verdict, allocation }) => ({ strategy, verdict, allocation })),
    targets: limited.lines.map((line) => ({ ...withoutHeld(line), difference: differenceOf(line) })),
    orders: planned.map(summaryOf),
    cancels: opposed.cancels,
    notes,
  }
  if (request.dryRun) return [event('AllocationDecided', decided)]
  // An order that was asked to end is not asked again; the decision still waits for it.
  const cancels = opposed.cancels.filter((orderRef) => !ledger.orders[orderRef]!.cancelRequested)
  return [
    event('AllocationDecided', decided),
    ...sized.standing.map((targets) => event('StandingTargetsSet', targets)),
    ...crossed.map((moves) => event('PositionsCrossed', moves)),
    ...cancels.map((orderRef) => event('OrderCancelRequested', { orderRef, reason: 'it opposes what is wanted now' })),
    ...planned.map((order) => event('OrderPlanned', order)),
  ]
}

export const withoutHeld = ({ held: _, ...line }: Line): Omit<Line, 'held'> => line

export const summaryOf = (order: EventData<'OrderPlanned'>): EventData<'AllocationDecided'>['orders'][number] => {
  const { orderRef, conId, symbol, quantity, type, reduces, referencePrice, shares, limitPrice } = order
  return { orderRef, conId, symbol, quantity, type, reduces, referencePrice, shares, ...(limitPrice === undefined ? {} : { limitPrice }) }
}

/** Positions of everything the decision rests on, so that it can be made again. */
const usedFrom = (ledger: Readonly<Ledger>, { snapshot, netLiquidation, currency }: Grounds, verdicts: readonly Verdict[], now: number) => {
  const prices = freshSpeakers(ledger, now).map((strategy) => [strategy, ledger.signals[strategy]!.position] as const)
  const words = verdicts.flatMap(({ strategy, position }) => (position === undefined ? [] : [[strategy, position] as const]))
  return {
    snapshot: { position: snapshot.position, takenAt: snapshot.takenAt, netLiquidation, currency },
    signals: Object.fromEntries([...prices, ...words]),
    configuration: ledger.configuredAt,
  }
}

export const instrumentsOf = (lines: readonly Line[], market: Market): EventData<'AllocationDecided'>['instruments'] =>
  [...new Set(lines.map(({ conId }) => conId))]
    .sort((left, right) => left - right)
    .flatMap((conId) => {
      const { instrument, exit, marketPrice, exchangeRate, blocked } = market(conId)
      if (instrument === undefined) return []
      const { symbol, currency, multiplier, sizeStep, minTick } = instrument
      return [
        {
          ...{ conId, symbol, currency, multiplier, sizeStep, minTick },
          ...(exit === undefined ? {} : { price: exit }),
          ...(marketPrice === undefined ? {} : { marketPrice }),
          ...(exchangeRate === undefined ? {} : { exchangeRate }),
          ...(blocked === undefined ? {} : { blocked }),
        },
      ]
    })
