/**
 * The commander: all signals and the reconciled account become one decision. The only source of orders.
 * Read `allocate` from top to bottom: each line is one rule, in a file of its name. Pure; the same state gives the same decision.
 */
import { settingOf } from '../configuration.ts'
import { decimal } from '../decimal.ts'
import { isRefusal, type Refusal } from '../errors.ts'
import { type DomainEvent, type EventData, event } from '../events.ts'
import type { Ledger } from '../ledger.ts'
import { cross, net } from './cross-and-net.ts'
import { differenceOf, differences } from './difference.ts'
import { limit } from './limits.ts'
import { freshSpeakers, type Market, marketOf } from './market.ts'
import { type Grounds, mayWe } from './may-we.ts'
import { aboveMinimum } from './minimum-trade.ts'
import { withinNotional } from './order-notional.ts'
import { type ResolvedProperties, resolveProperties } from './order-properties.ts'
import { withinRate } from './order-rate.ts'
import { termsOf } from './order-terms.ts'
import { plan } from './plan.ts'
import type { AllocationFacts, AllocationRequest } from './request.ts'
import { isShadow, judgeSignals, type Verdict } from './signals.ts'
import { type Line, size } from './size.ts'
import { standAside } from './stand-aside.ts'
import { keptByBroker } from './trading-hours.ts'
import { withinVolume } from './volume-share.ts'

export type { AllocationFacts, AllocationRequest } from './request.ts'

type Shadow = NonNullable<EventData<'AllocationDecided'>['shadows']>[number]
type StandingTargets = EventData<'StandingTargetsSet'>

/** What a decision stands on before it looks at anybody's signal. */
type Standing = {
  ledger: Readonly<Ledger>
  grounds: Grounds
  properties: ResolvedProperties
  now: number
}

/** The rules from size to rate, each a line and a file of its name. */
const applyRules = ({ ledger, grounds, properties, now }: Standing, verdicts: readonly Verdict[], market: Market) => {
  const { configuration } = ledger
  const sized = size(ledger, verdicts, grounds, market)
  const limited = limit(ledger, sized.lines, verdicts, grounds, market, now)
  const differing = differences(limited.lines, market)
  const worthwhile = aboveMinimum(differing.wishes, configuration, market)
  const free = standAside(ledger, worthwhile.wishes, market)
  const { crossed, rest } = cross(free.wishes, market)
  const remaining = aboveMinimum(rest, configuration, market)
  const termed = net(remaining.wishes).map((order) => ({ net: order, ...termsOf(order, configuration, properties, market) }))
  const kept = keptByBroker(termed, market, now)
  const affordable = withinNotional(kept.orders, ledger, market)
  const unnoticed = withinVolume(affordable.orders, ledger, market)
  const paced = withinRate(unnoticed.orders, ledger, market, now)
  const rules = [sized, limited, differing, worthwhile, free, remaining, ...termed, kept, affordable, unnoticed, paced]
  return {
    ...{ standing: sized.standing, lines: limited.lines, crossed, cancels: free.cancels, orders: paced.orders },
    notes: rules.flatMap(({ notes }) => notes),
  }
}

/** A strategy in the shadow, decided about as if it alone were live beside the live ones; they never see it. */
const castShadow = (standing: Standing, live: readonly Verdict[], verdict: Verdict): { shadow: Shadow; standing: StandingTargets[] } => {
  const { ledger, grounds, now } = standing
  const { strategy } = verdict
  const market = marketOf(ledger, grounds, now, (speaker) => speaker === strategy || !isShadow(ledger, speaker))
  const decided = applyRules(standing, [...live, verdict], market)
  return {
    standing: decided.standing.filter((targets) => targets.strategy === strategy),
    shadow: {
      strategy,
      targets: decided.lines
        .filter((line) => line.strategy === strategy)
        .map(({ conId, symbol, wanted, target, book, inFlight, ...line }) => {
          const difference = differenceOf({ ...line, conId, symbol, wanted, target, book, inFlight })
          return { conId, symbol, wanted, target, book, inFlight, difference }
        }),
      orders: decided.orders.flatMap(({ net: { conId, reduces, shares }, terms: { type, referencePrice, limitPrice } }) =>
        shares
          .filter((share) => share.strategy === strategy)
          .map(({ quantity }) => ({
            ...{ conId, symbol: market(conId).symbol, quantity, type, reduces, referencePrice },
            ...(limitPrice === undefined ? {} : { limitPrice }),
          })),
      ),
      notes: decided.notes.filter((note) => note.strategy === strategy),
    },
  }
}

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
  const grounds = mayWe(ledger, request, facts, now)
  if (isRefusal(grounds)) return grounds
  const properties = resolveProperties(request.orderProperties ?? {}, facts.askedAt ?? now)
  if (isRefusal(properties)) return properties
  const standing = { ledger, grounds, properties, now }
  const exposure = decimal(settingOf(ledger.configuration, 'exposure.overall'))
  const counts = (speaker: string): boolean => !isShadow(ledger, speaker)

  const judged = judgeSignals(ledger, request, facts, exposure, now)
  const live = judged.verdicts.filter(({ mode }) => mode === 'live')
  const inShadow = judged.verdicts.filter(({ mode }) => mode === 'shadow')
  const market = marketOf(ledger, grounds, now, counts)
  const decision = applyRules(standing, live, market)
  const shadows = inShadow.map((verdict) => castShadow(standing, live, verdict))
  const planned = plan(ledger, decision.orders, market, facts, now)

  const decided: EventData<'AllocationDecided'> = {
    dryRun: request.dryRun,
    round: facts.round,
    ...(grounds.wouldRefuse === undefined ? {} : { wouldRefuse: grounds.wouldRefuse }),
    ...usedFrom(ledger, grounds, judged.verdicts, freshSpeakers(ledger, now, counts)),
    exposure,
    instruments: instrumentsOf(decision.lines, market),
    strategies: judged.verdicts.map(({ strategy, verdict, allocation, mode }) => ({
      ...{ strategy, allocation },
      verdict: mode === 'shadow' && (verdict === 'targets' || verdict === 'standing') ? 'shadow' : verdict,
    })),
    targets: decision.lines.map((line) => ({ ...withoutHeld(line), difference: differenceOf(line) })),
    orders: planned.map(summaryOf),
    cancels: decision.cancels,
    notes: [...judged.notes, ...decision.notes],
    ...(shadows.length === 0 ? {} : { shadows: shadows.map(({ shadow }) => shadow) }),
  }
  if (request.dryRun) return [event('AllocationDecided', decided)]
  // An order that was asked to end is not asked again; the decision still waits for it.
  const cancels = decision.cancels.filter((orderRef) => !ledger.orders[orderRef]!.cancelRequested)
  return [
    event('AllocationDecided', decided),
    ...[decision, ...shadows].flatMap((each) => each.standing).map((targets) => event('StandingTargetsSet', targets)),
    ...decision.crossed.map((moves) => event('PositionsCrossed', moves)),
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
const usedFrom = (
  ledger: Readonly<Ledger>,
  { snapshot, netLiquidation, currency }: Grounds,
  verdicts: readonly Verdict[],
  speakers: readonly string[],
) => {
  const prices = speakers.map((strategy) => [strategy, ledger.signals[strategy]!.position] as const)
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
