/**
 * `risk-check`: a fresh look at the account, the drawdowns of account and strategies against their limits, and orders that are stuck.
 * A breach is told once, and again after it was over; told or not, the commander lets nothing increase while it stands.
 */
import { RiskCheckBody } from '../domain/commands.ts'
import { settingOf } from '../domain/configuration.ts'
import { refuse } from '../domain/errors.ts'
import { type DomainEvent, type EventData, event } from '../domain/events.ts'
import type { Breach, Ledger } from '../domain/ledger.ts'
import { breachKey, type Drawdown, drawdownsOf, endOfBreach } from '../domain/risk/drawdown.ts'
import { withPeaksReset } from '../domain/risk/performance.ts'
import { stuckOrders } from '../domain/risk/stuck-orders.ts'
import { lookAtAccount, recordLook } from './fresh-look.ts'
import { defineHandler } from './handler.ts'
import { haltEvents } from './switch.ts'

/** What every answer says, since nothing in the numbers shows it. */
const caveat = 'net liquidation cannot tell deposits from gains nor withdrawals from losses; after a withdrawal: risk-check with resetPeaks'

const percent = (fraction: string): string => `${(Number(fraction) * 100).toFixed(2)} %`

const breachOf = (
  { rule, scope, value, limit, base, from, latest }: Drawdown,
  session: string,
  currency: string,
): EventData<'RiskBreached'> => ({
  ...{ rule, scope, value, limit, base, currency, session },
  ...{ from: from.value, fromAt: from.at, latest: latest.value, latestAt: latest.at },
  text: `${rule} of ${scope}: ${percent(value)} lost since ${from.at}, ${percent(limit)} is allowed (${from.value} to ${latest.value} ${currency}); nothing increases: ${endOfBreach(rule)}`,
})

/** Yesterday's loss is not today's. */
const isTheSame = (known: Breach, { rule }: Drawdown, session: string): boolean => rule === 'peakDrawdown' || known.session === session

const changesOf = (ledger: Readonly<Ledger>, drawdowns: readonly Drawdown[], session: string, currency: string): DomainEvent[] =>
  drawdowns.flatMap((drawdown): DomainEvent[] => {
    const known = ledger.breaches[breachKey(drawdown)]
    const { rule, scope, value, limit } = drawdown
    if (!drawdown.breached) return known === undefined ? [] : [event('RiskRecovered', { rule, scope, value, limit })]
    return known !== undefined && isTheSame(known, drawdown, session) ? [] : [event('RiskBreached', breachOf(drawdown, session, currency))]
  })

/** What was told of a strategy that nobody measures any more, as when its allocation was taken away. */
const forgotten = (ledger: Readonly<Ledger>, drawdowns: readonly Drawdown[]): DomainEvent[] => {
  const measured = new Set(drawdowns.map(breachKey))
  return Object.values(ledger.breaches).flatMap(({ rule, scope, limit }) =>
    measured.has(breachKey({ rule, scope })) ? [] : [event('RiskRecovered', { rule, scope, value: '0', limit })],
  )
}

const lineOf = ({ rule, scope, value, limit, from, latest, breached }: Drawdown) => ({
  ...{ rule, scope, drawdown: Number(value), limit: Number(limit), breached },
  ...{ from: Number(from.value), since: from.at, now: Number(latest.value) },
})

type Found = { drawdowns: readonly Drawdown[]; changes: readonly DomainEvent[]; stuck: number; halted: boolean; reset: boolean }

const textOf = ({ drawdowns, changes, stuck, halted, reset }: Found): string => {
  const breached = drawdowns.filter((drawdown) => drawdown.breached)
  const fresh = changes.filter(({ type }) => type === 'RiskBreached').length
  const found =
    breached.length === 0 ? 'within all limits' : `${breached.length} of ${drawdowns.length} limits breached, ${fresh} of them new`
  return [
    found,
    ...(reset ? ['peaks count from now on'] : []),
    ...(stuck === 0 ? [] : [`stuck orders: ${stuck}`]),
    ...(halted ? ['trading is halted'] : []),
  ].join('; ')
}

export const riskCheck = defineHandler({
  body: RiskCheckBody,
  needsBroker: true,
  gather: (ports, _command, ledger) => lookAtAccount(ports, ledger),
  decide: (decision) => {
    const { command, facts, now } = decision
    if (facts === undefined) return refuse('GATEWAY_NOT_READY')
    const look = recordLook(decision, facts)
    const { performance } = look.after
    const { resetPeaks = false, reason = 'reset by command' } = command.body
    const reset =
      resetPeaks && performance !== null ? [event('PeaksReset', { ...peaksOf(performance), currency: performance.currency, reason })] : []
    const after: Ledger = resetPeaks && performance !== null ? { ...look.after, performance: withPeaksReset(performance) } : look.after
    const drawdowns = drawdownsOf(after)
    const { session } = performance?.day ?? { session: '' }
    const changes = [...changesOf(after, drawdowns, session, performance?.currency ?? ''), ...forgotten(after, drawdowns)]
    const breaches = changes.flatMap((change) => (change.type === 'RiskBreached' ? [change.data] : []))
    const halts = breaches.length > 0 && settingOf(after.configuration, 'risk.haltOnBreach')
    const stuck = stuckOrders(after, now)
    const result = {
      text: textOf({ drawdowns, changes, stuck: stuck.length, halted: halts, reset: reset.length > 0 }),
      session: performance === null ? null : session,
      currency: performance?.currency ?? null,
      net_liquidation: performance === null ? null : Number(performance.netLiquidation.latest.value),
      drawdowns: drawdowns.map(lineOf),
      breached: breaches.map(({ text }) => text),
      recovered: changes.flatMap((change) => (change.type === 'RiskRecovered' ? [breachKey(change.data)] : [])),
      halted: halts,
      stuck,
      caveat,
    }
    return [
      ...look.events,
      ...reset,
      ...changes,
      ...(halts ? haltEvents({ ...decision, ledger: after }, { reason: breaches.map(({ text }) => text).join('; ') }) : []),
      event('CommandCompleted', { result }),
    ]
  },
})

const peaksOf = ({ netLiquidation: { peak, latest } }: NonNullable<Ledger['performance']>) => ({ from: peak.value, to: latest.value })
