/** `status/{mode}`: one look at the whole: line, switch, account, what is under way, what is in doubt. */
import type { EventType } from '../domain/events.ts'
import { blockedBecause, type Ledger } from '../domain/ledger.ts'
import type { Document, Json } from '../domain/ports/documents.ts'
import type { OrderIndex } from './order-index.ts'
import { hasAny, numberOr, symbolOf, type View } from './view.ts'

/** Beside commands: what the broker or the engine brings that shows here. */
const showing: ReadonlySet<EventType> = new Set([
  'EngineStarted',
  'GatewayConnected',
  'GatewayLost',
  'PositionReconciled',
  'ForeignExecutionSeen',
  'DiscrepancyFound',
  'OrderPlaced',
  'OrderClosed',
  'OrderUnresolved',
  'PipelineEnded',
  'TradingHalted',
])

const pipelineLines = ({ pipelines }: Readonly<Ledger>): Json =>
  Object.values(pipelines)
    .map(({ id, type, startedAt, validUntil, endsBy, rounds }) => ({
      id,
      type,
      started_at: startedAt,
      valid_until: validUntil,
      ends_by: endsBy,
      rounds,
    }))
    .sort((left, right) => (left.started_at < right.started_at || (left.started_at === right.started_at && left.id < right.id) ? -1 : 1))

const doubtful = (ledger: Readonly<Ledger>, orders: OrderIndex): Document => {
  const open = orders.open()
  const unresolved = open.filter(({ status }) => status === 'unresolved')
  const instruments = new Set([
    ...Object.keys(ledger.unexplained),
    ...Object.keys(ledger.discrepancies),
    ...unresolved.map(({ conId }) => String(conId)),
  ])
  return {
    open_orders: open.length,
    unresolved_orders: unresolved.map(({ orderRef, orderId, symbol, missingSince }) => ({
      orderRef,
      orderId,
      symbol,
      missing_since: missingSince,
    })),
    blocked_instruments: [...instruments]
      .map(Number)
      .sort((left, right) => left - right)
      .map((conId) => ({ conId, symbol: symbolOf(ledger, conId), reason: blockedBecause(ledger, conId) ?? null })),
  }
}

const reconciled = ({ snapshot }: Readonly<Ledger>): Json =>
  snapshot === null ? null : { position: snapshot.position, at: snapshot.takenAt, net_liquidation: numberOr(snapshot.netLiquidation, null) }

export const statusView: View = ({ commit, events, ledger, orders, mode }) => {
  const { cause } = commit
  if (cause.kind !== 'command' && !hasAny(events, showing)) return []
  const last_command =
    cause.kind === 'command' ? { id: cause.id, type: cause.type, position: commit.position, at: commit.recordedAt } : undefined
  return [
    {
      kind: 'merge',
      path: `status/${mode}`,
      data: {
        updated_at: commit.recordedAt,
        mode,
        epoch: ledger.epoch,
        account: ledger.account,
        gateway: { ...ledger.gateway },
        trading: { on: ledger.trading.on, reason: ledger.trading.reason },
        last_reconcile: reconciled(ledger),
        pipelines: pipelineLines(ledger),
        ...doubtful(ledger, orders),
        breaches: Object.values(ledger.breaches).map(({ rule, scope, text, since }) => ({ rule, scope, text, since })),
        day_closed: ledger.dayClosed,
        ...(last_command === undefined ? {} : { last_command }),
      },
    },
  ]
}
