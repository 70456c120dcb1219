/** `activity/{position}`: commands, refusals and alerts, a line each that a person can read. What needs nobody's eye leaves no line. */
import type { Cause } from '../domain/commit.ts'
import { absolute } from '../domain/decimal.ts'
import type { DomainEvent, EventData, Note } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Json } from '../domain/ports/documents.ts'
import { unreachable } from '../domain/unreachable.ts'
import { explainedText } from './explanations.ts'
import { collectedText, isPatchy } from './market-data.ts'
import { orderWords } from './order-lines.ts'
import { actionOf, commandOf, type View } from './view.ts'

type Severity = 'info' | 'warning' | 'error'
type Line = { severity: Severity; text: string }

const line = (severity: Severity, text: string): Line => ({ severity, text })
const ranks: readonly Severity[] = ['info', 'warning', 'error']

const endings: Readonly<Record<EventData<'OrderClosed'>['how'], Severity | undefined>> = {
  filled: undefined,
  cancelled: 'info',
  withdrawn: 'info',
  expired: 'warning',
  rejected: 'error',
  lost: 'error',
}
const outcomes: Readonly<Record<EventData<'PipelineEnded'>['outcome'], Severity>> = {
  completed: 'info',
  partial_success: 'warning',
  expired: 'warning',
  refused: 'warning',
  failed: 'error',
}

const decidedLine = (data: EventData<'AllocationDecided'>): Line => {
  const orders = data.orders.map(({ quantity, symbol }) => `${actionOf(quantity)} ${absolute(quantity)} ${symbol}`)
  const what = orders.length === 0 ? 'no order' : orders.join(', ')
  const cancels = data.cancels.length === 0 ? '' : `, and asks to cancel ${data.cancels.length}`
  return line('info', `${data.dryRun ? 'a dry run decides' : 'allocation decides'}: ${what}${cancels}`)
}

const shownNotes = 20

/** What the decision clipped, skipped or held; `executions/{id}` has all of it. */
const noteLines = (notes: readonly Note[]): Line[] => {
  const shown = notes.slice(0, shownNotes).map(({ code, text, strategy }) => {
    const who = strategy === undefined ? '' : ` (${strategy})`
    return line(code === 'BOOK_WITHOUT_STRATEGY' || code === 'BLOCKED' ? 'warning' : 'info', `${code}${who}: ${text}`)
  })
  return notes.length > shownNotes ? [...shown, line('info', `and ${notes.length - shownNotes} more notes`)] : shown
}

const changed = (changes: EventData<'ConfigurationChanged'>['changes']): string =>
  Object.entries(changes)
    .map(([name, { from, to }]) => `${name} from ${JSON.stringify(from) ?? 'nothing'} to ${JSON.stringify(to)}`)
    .join(', ')

const dayLines = ({ session, profit, currency, flat, openOrders, mismatches }: EventData<'DayClosed'>): Line[] => {
  const made = profit === undefined ? 'profit unknown' : `profit ${profit} ${currency}`
  const closed = line('info', `${session} closed: ${made}, ${flat ? 'flat' : 'positions held'}, open orders ${openOrders.length}`)
  return [closed, ...mismatches.map(({ symbol, text }) => line('warning', `${symbol}: ${text}`))]
}

const linesOf = (event: DomainEvent, ledger: Readonly<Ledger>): Line[] => {
  switch (event.type) {
    case 'EngineStarted':
      return [line('info', `engine started, epoch ${event.data.epoch}`)]
    case 'GatewayConnected':
      return [line('info', `gateway connected, account ${event.data.account}`)]
    case 'GatewayLost':
      return [line('warning', `gateway lost: ${event.data.reason}`)]
    case 'CommandCompleted': {
      const { text } = event.data.result
      return typeof text === 'string' ? [line('info', text)] : []
    }
    case 'CommandRefused':
      return [line('warning', `refused, ${event.data.code}: ${event.data.text}`)]
    case 'CommandFailed':
      return [line('error', `failed, ${event.data.code}: ${event.data.text}`)]
    case 'PipelineStarted':
      return [line('info', `started, to end by ${event.data.endsBy}`)]
    case 'PipelineEnded': {
      const { pipeline, outcome, code, text } = event.data
      return [line(outcomes[outcome], `${pipeline} ended ${outcome}${code === undefined ? '' : `, ${code}`}: ${text}`)]
    }
    case 'SignalGenerated': {
      const { strategy, dryRun, kind, targets, reason } = event.data
      const wanted = targets.map(({ symbol, weight, quantity }) => `${symbol} ${weight ?? quantity}`).join(', ')
      return [line('info', `${dryRun ? 'dry signal' : 'signal'} of ${strategy}: ${kind === 'neutral' ? 'neutral' : wanted} (${reason})`)]
    }
    case 'SignalFailed':
      return [line('warning', `no signal of ${event.data.strategy}, ${event.data.code}: ${event.data.text}`)]
    case 'PositionReconciled': {
      const { positions, openOrders, differences, missing } = event.data
      const reconciled = line('info', `reconciled: positions ${positions.length}, open orders ${openOrders.length}`)
      const differing = differences.map(({ symbol, unexplained }) => line('warning', `${unexplained} ${symbol} unexplained`))
      return [reconciled, ...differing, ...missing.map((ref) => line('warning', `the broker does not show ${orderWords(ledger, ref)}`))]
    }
    case 'AccountSummarized': {
      const { positions, openOrders, fills, fillsLeftOut } = event.data
      const counts = `positions ${positions.length}, open orders ${openOrders.length}, fills ${fills.length + fillsLeftOut}`
      return [line('info', `summarized: ${counts}`)]
    }
    case 'TradesReconciled': {
      const { session, executions, orders, differences } = event.data
      const audited = line(
        'info',
        `trades of ${session} reconciled: executions ${executions}, orders ${orders}, differences ${differences.length}`,
      )
      const shown = differences
        .slice(0, shownNotes)
        .map(({ kind, text }) => line(kind === 'commissionMissing' ? 'info' : 'warning', `${kind}: ${text}`))
      return [audited, ...shown]
    }
    case 'CashBalanced': {
      const { dryRun, conversions } = event.data
      const said = conversions.filter(({ verdict }) => verdict !== 'nothing')
      if (said.length === 0) return [line('info', 'no cash to bring back')]
      return said.map(({ currency, verdict, code, text }) =>
        verdict === 'held'
          ? line('warning', `${currency} stays, ${code}: ${text}`)
          : line('info', `${currency}: ${dryRun ? 'dry run, ' : ''}${text}`),
      )
    }
    case 'ForeignExecutionSeen': {
      const { quantity, symbol, price, executionId, holder } = event.data
      const whose = holder === 'manual' ? 'not ours' : 'with our prefix and no plan'
      return [line(holder === 'manual' ? 'info' : 'error', `execution ${executionId} of ${quantity} ${symbol} at ${price}, ${whose}`)]
    }
    case 'DiscrepancyFound':
      return [line('error', `${event.data.symbol} is blocked: ${event.data.text}`)]
    case 'DiscrepancyExplained':
      return [line(event.data.openOrders === undefined ? 'info' : 'warning', explainedText(event.data))]
    case 'AllocationDecided':
      return [decidedLine(event.data), ...noteLines(event.data.notes)]
    case 'PositionsCrossed': {
      const moves = event.data.moves.map(({ strategy, quantity }) => `${strategy} ${quantity}`).join(', ')
      return [line('info', `crossed ${event.data.symbol} inside the house at ${event.data.price}: ${moves}`)]
    }
    case 'OrderCancelRequested':
      return [line('info', `cancel asked for: ${orderWords(ledger, event.data.orderRef)}, ${event.data.reason}`)]
    case 'OrderClosed': {
      const { orderRef, how, filled, text, code } = event.data
      const severity = endings[how]
      if (severity === undefined) return []
      return [line(severity, `${orderWords(ledger, orderRef)} ${how}${code === undefined ? '' : ` (${code})`}, ${filled} filled: ${text}`)]
    }
    case 'OrderUnresolved':
      return [line('error', `${orderWords(ledger, event.data.orderRef)} is unresolved: ${event.data.text}`)]
    case 'RiskBreached':
      return [line('error', event.data.text)]
    case 'RiskRecovered':
      return [line('info', `${event.data.rule} of ${event.data.scope} is over: ${event.data.value}, the limit is ${event.data.limit}`)]
    case 'PeaksReset':
      return [line('info', `peaks are reset, net liquidation from ${event.data.from} to ${event.data.to}: ${event.data.reason}`)]
    case 'DayClosed':
      return dayLines(event.data)
    case 'TradingHalted':
      return [line('warning', `trading halted: ${event.data.reason}`)]
    case 'TradingResumed':
      return [line('info', `trading resumed: ${event.data.reason}`)]
    case 'ConfigurationChanged':
      return [line('info', `configuration: ${changed(event.data.changes)}`)]
    case 'MarketDataCollected':
      return [line(isPatchy(event.data) ? 'warning' : 'info', collectedText(event.data))]
    case 'InstrumentResolved':
    case 'StandingTargetsSet':
    case 'OrderPlanned':
    case 'OrderPlaced':
    case 'FillReceived':
    case 'CommissionReported':
      return []
    default:
      return unreachable(event)
  }
}

const kindOf = (events: readonly DomainEvent[], severity: Severity, isCommand: boolean): string => {
  if (events.some(({ type }) => type === 'CommandRefused')) return 'refusal'
  return isCommand && severity === 'info' ? 'command' : severity === 'info' ? 'notice' : 'alert'
}

/** What a step of a pipeline brought without trouble: documents of their own show it, and the pipeline's decision and end name it. */
const shownElsewhere: ReadonlySet<DomainEvent['type']> = new Set(['SignalGenerated', 'PositionReconciled', 'InstrumentResolved'])

const isQuietStep = (cause: Cause, events: readonly DomainEvent[], severity: Severity): boolean =>
  cause.kind === 'command' && commandOf(cause) !== cause.id && severity === 'info' && events.every(({ type }) => shownElsewhere.has(type))

export const activityPath = (position: number): string => `activity/${String(position).padStart(12, '0')}`

export const activityView: View = ({ commit, events, ledger }) => {
  const { cause } = commit
  const lines = events.flatMap((event) => linesOf(event, ledger))
  const isCommand = cause.kind === 'command'
  if (lines.length === 0 && !isCommand) return []
  const severity = ranks[Math.max(0, ...lines.map((each) => ranks.indexOf(each.severity)))]!
  if (isQuietStep(cause, events, severity)) return []
  const who = isCommand ? `${cause.type} (${[cause.source, cause.actor].filter((name) => name !== undefined).join(', ')})` : undefined
  const said = lines.length === 0 ? 'done' : lines.map(({ text }) => text).join('; ')
  return [
    {
      kind: 'set',
      path: activityPath(commit.position),
      data: {
        at: commit.recordedAt,
        position: commit.position,
        kind: kindOf(events, severity, isCommand),
        severity,
        text: who === undefined ? said : `${who}: ${said}`,
        lines: lines as readonly Json[],
        command: commandOf(cause) ?? null,
        ...(isCommand
          ? { id: cause.id, type: cause.type, source: cause.source, actor: cause.actor ?? null, correlationId: cause.correlationId ?? null }
          : {}),
      },
    },
  ]
}
