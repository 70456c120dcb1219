/**
 * `commands/{id}`: what became of a command. `accepted` while its pipeline runs; any other status is final.
 * A step of a pipeline shows in its pipeline's document and has none of its own.
 */
import type { DomainEvent, EventData } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Document, DocumentWrite, Json } from '../domain/ports/documents.ts'
import { storedBeside } from './details.ts'
import { explainedResult, explainedText } from './explanations.ts'
import { type Answer, cashAnswer, reconcileAnswer, summaryAnswer, tradesAnswer } from './look-results.ts'
import { collectedResult, collectedText } from './market-data.ts'
import { intentPath } from './strategies.ts'
import { switchAnswer } from './switch-results.ts'
import { underWayText } from './under-way.ts'
import { numberOr, type View, type ViewInput } from './view.ts'

type Outcome = { status: string; code: string | null; text: string | null; result: Json }

const said = (status: string, { code, text }: { code?: string | undefined; text: string }): Outcome => ({
  status,
  code: code ?? null,
  text,
  result: null,
})

const signalResult = ({ strategy, dryRun, kind, targets, reason, indicators }: EventData<'SignalGenerated'>): Json => ({
  document: intentPath(strategy, dryRun),
  dryRun,
  kind,
  reason,
  indicators: { ...indicators },
  targets: targets.map(({ conId, symbol, weight, quantity }) => ({
    conId,
    symbol,
    weight: numberOr(weight, null),
    quantity: numberOr(quantity, null),
  })),
})

const completed = ({ text, result }: Answer): Outcome => ({ status: 'completed', code: null, text, result })

/** What an event says of its command's end; undefined where it says nothing of its own. */
const outcomeOf = (event: DomainEvent, input: ViewInput): Outcome | undefined => {
  switch (event.type) {
    case 'CommandRefused':
      return { ...said('refused', event.data), result: (event.data.details ?? null) as Json }
    case 'CommandFailed':
    case 'SignalFailed':
      return said('failed', event.data)
    case 'CommandCompleted': {
      const { result } = event.data
      const text = typeof result['text'] === 'string' ? result['text'] : result['changed'] === false ? 'nothing had to change' : 'done'
      return { status: 'completed', code: null, text, result: result as Json }
    }
    case 'SignalGenerated':
      return { status: 'completed', code: null, text: event.data.reason, result: signalResult(event.data) }
    case 'PositionReconciled':
      return completed(reconcileAnswer(event.data, input))
    case 'TradesReconciled':
      return completed(tradesAnswer(event.data))
    case 'CashBalanced':
      return completed(cashAnswer(event.data, input))
    case 'DiscrepancyExplained':
      return { status: 'completed', code: null, text: explainedText(event.data), result: explainedResult(event.data) }
    case 'MarketDataCollected':
      return { status: 'completed', code: null, text: collectedText(event.data), result: collectedResult(event.data) }
    case 'AccountSummarized':
      return completed(summaryAnswer(event.data, input))
    default:
      return undefined
  }
}

/** The first event that says no decides; else the last that has something to say, since what a command looked at comes before its own word. */
const outcomeOfAll = (input: ViewInput): Outcome => {
  const outcomes = input.events.flatMap((event) => outcomeOf(event, input) ?? [])
  const ownWord = outcomes.find(({ status }) => status !== 'completed') ?? outcomes.at(-1)
  if (ownWord !== undefined) return ownWord
  const answer = switchAnswer(input)
  if (answer !== undefined) return completed(answer)
  return { status: 'completed', code: null, text: 'done', result: { events: input.events.map(({ type }) => type) } }
}

const stepsOf = (ledger: Readonly<Ledger>, pipeline: string): Json | undefined => {
  const steps = ledger.pipelines[pipeline]?.steps
  return steps === undefined
    ? undefined
    : Object.entries(steps)
        .map(([id, { position, outcome, code }]) => ({ id, position, outcome, code: code ?? null }))
        .sort((left, right) => left.position - right.position)
}

/** In bytes; all else of a command is short. */
const largestResult = 600_000

const own = (input: ViewInput): DocumentWrite[] => {
  const { commit, events, ledger } = input
  const { cause } = commit
  if (cause.kind !== 'command') return []
  if (cause.pipeline !== undefined && cause.pipeline !== cause.id) {
    const steps = stepsOf(ledger, cause.pipeline)
    if (steps === undefined) return []
    return [{ kind: 'merge', path: `commands/${cause.pipeline}`, data: { steps, updated_at: commit.recordedAt } }]
  }
  const begins = events.some((event) => event.type === 'PipelineStarted' && event.data.pipeline === cause.id)
  const begun = begins ? ledger.pipelines[cause.id] : undefined
  const outcome = begun ? said('accepted', { text: underWayText(ledger, begun, commit.recordedAt) }) : outcomeOfAll(input)
  const data: Document = {
    type: cause.type,
    source: cause.source,
    actor: cause.actor ?? null,
    correlationId: cause.correlationId ?? null,
    job: cause.job ?? null,
    ...(cause.digest === undefined ? {} : { digest: cause.digest }),
    publishedAt: cause.publishedAt,
    position: commit.position,
    decided_at: commit.recordedAt,
    updated_at: commit.recordedAt,
    ended_at: begins ? null : commit.recordedAt,
    ...outcome,
    steps: [],
  }
  // A result of many rows keeps its head; the rows stand beside.
  const path = `commands/${cause.id}`
  const result = storedBeside(outcome.result, { of: path, field: 'result', most: largestResult })
  return [{ kind: 'set', path, data: { ...data, result: result.value } }, ...result.writes]
}

const pipelineEnd = ({ commit }: ViewInput, { pipeline, outcome, code, text }: EventData<'PipelineEnded'>): DocumentWrite => ({
  kind: 'merge',
  path: `commands/${pipeline}`,
  data: {
    status: outcome,
    code: code ?? null,
    text,
    result: { document: `executions/${pipeline}`, outcome },
    ended_position: commit.position,
    ended_at: commit.recordedAt,
    updated_at: commit.recordedAt,
  },
})

/** Whether this write is the last word on a command: what people and programs wait for. */
export const endsCommand = (write: DocumentWrite): boolean =>
  write.kind !== 'delete' && write.path.startsWith('commands/') && (write.data['status'] ?? 'accepted') !== 'accepted'

export const commandsView: View = (input) => [
  ...own(input),
  ...input.events.flatMap((event) => (event.type === 'PipelineEnded' ? [pipelineEnd(input, event.data)] : [])),
]
