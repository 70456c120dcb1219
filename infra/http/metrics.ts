/** `GET /metrics` in Prometheus' text: what journal, documents and this process say at the moment of asking. */
import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Commit } from '../../domain/commit.ts'
import type { EventData } from '../../domain/events.ts'
import type { HttpContext } from './context.ts'
import { describeText } from './descriptions.ts'
import { lagOf } from './health.ts'

/** Of the process, and so once in it however many servers it has. */
let ofProcess: Registry | undefined
const processMetrics = (): Registry => {
  if (ofProcess === undefined) {
    ofProcess = new Registry()
    collectDefaultMetrics({ register: ofProcess })
  }
  return ofProcess
}

/** What one commit says of commands that ended: a step is its pipeline's, a pipeline ends by its own event. */
export const endedCommands = (
  { cause, events }: Pick<Commit, 'cause' | 'events'>,
  typeOf: (pipeline: string) => string,
): { type: string; outcome: string }[] => {
  const types = new Set(events.map(({ type }) => type))
  const pipelines = events.flatMap(({ type, data }) => {
    if (type !== 'PipelineEnded') return []
    const { pipeline, outcome } = data as EventData<'PipelineEnded'>
    return [{ type: typeOf(pipeline), outcome: outcome as string }]
  })
  const isOwn = cause.kind === 'command' && (cause.pipeline === undefined || cause.pipeline === cause.id)
  if (!isOwn || types.has('PipelineStarted') || pipelines.length > 0) return pipelines
  const outcome = types.has('CommandRefused') ? 'refused' : types.has('CommandFailed') || types.has('SignalFailed') ? 'failed' : 'completed'
  return [{ type: cause.type, outcome }]
}

const phases = ['down', 'connecting', 'syncing', 'ready', 'degraded', 'closed']

export const registerMetrics = (app: FastifyInstance, context: HttpContext, readers: () => number): { begin(): Promise<void> } => {
  const { journal, documents, where, session, log } = context
  const register = new Registry()
  const registers = [register]
  const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ name, help, labelNames, registers })
  const commands = new Counter({
    name: 'ibt_commands_total',
    help: 'Commands that ended, since this process began',
    labelNames: ['type', 'outcome'],
    registers,
  })
  const durations = new Histogram({
    name: 'ibt_http_request_duration_seconds',
    help: 'Answers by route and status; a wait for an outcome counts',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 30, 120],
    registers,
  })
  const journalPosition = gauge('ibt_journal_position', 'Position of the last commit')
  const checkpointPosition = gauge('ibt_checkpoint_position', 'What follows the journal has come so far', ['projection'])
  const lagCommits = gauge('ibt_lag_commits', 'Commits that are not shown yet', ['projection'])
  const lagSeconds = gauge('ibt_lag_seconds', 'Age of the oldest commit that is not shown yet', ['projection'])
  const gatewayPhase = gauge('ibt_gateway_state', '1 for the phase in which the session at the gateway is', ['phase'])
  const gatewayConnected = gauge('ibt_gateway_connected', '1 while the gateway is connected, as the documents say')
  const tradingOn = gauge('ibt_trading_on', '1 while trading is on')
  const openOrders = gauge('ibt_orders_open', 'Orders that have not ended')
  const unresolved = gauge('ibt_orders_unresolved', 'Orders of which nobody knows what became of them')
  const blocked = gauge('ibt_instruments_blocked', 'Instruments in which nothing is ordered')
  const eventReaders = gauge('ibt_event_readers', 'Readers of the event stream')

  const pipelines = new Map<string, string>()
  /** Counted up to here: the head at the start, since a counter begins with its process. */
  let counted: number | undefined
  const count = async (): Promise<number> => {
    const { position: head } = await journal.head()
    counted ??= head
    for await (const stored of journal.read(counted + 1)) {
      const commit = JSON.parse(stored.json) as Commit
      for (const { type, data } of commit.events) {
        if (type !== 'PipelineStarted' || commit.cause.kind !== 'command') continue
        pipelines.set((data as EventData<'PipelineStarted'>).pipeline, commit.cause.type)
      }
      for (const ended of endedCommands(commit, (pipeline) => pipelines.get(pipeline) ?? 'unknown')) commands.inc(ended)
      for (const { type, data } of commit.events)
        if (type === 'PipelineEnded') pipelines.delete((data as EventData<'PipelineEnded'>).pipeline)
      counted = stored.position
    }
    return counted
  }

  const look = async (): Promise<void> => {
    const head = await count()
    journalPosition.set(head)
    for (const projection of ['views', ...(context.relayed ? ['relay'] : [])]) {
      const { position, commits, seconds } = await lagOf(context, projection, head)
      checkpointPosition.set({ projection }, position)
      lagCommits.set({ projection }, commits)
      lagSeconds.set({ projection }, seconds)
    }
    const status = await documents.get(`status/${where.mode}`)
    if (status !== undefined) {
      gatewayConnected.set((status['gateway'] as { connected: boolean }).connected ? 1 : 0)
      tradingOn.set((status['trading'] as { on: boolean }).on ? 1 : 0)
      openOrders.set(Number(status['open_orders']))
      unresolved.set((status['unresolved_orders'] as unknown[]).length)
      blocked.set((status['blocked_instruments'] as unknown[]).length)
    }
    if (session !== undefined) for (const phase of phases) gatewayPhase.set({ phase }, session().phase === phase ? 1 : 0)
    eventReaders.set(readers())
  }

  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    durations.observe({ method, route: routeOptions.url ?? 'none', status: reply.statusCode }, reply.elapsedTime / 1_000)
  })

  let looking: Promise<void> = Promise.resolve()
  app.get(
    '/metrics',
    { config: { role: 'viewer' }, schema: describeText('metrics', 'Metrics for Prometheus', 'text/plain') },
    async (_request, reply) => {
      // One after the other: two that count at once would count twice.
      looking = looking.then(look).catch((error: Error) => log.warn({ err: error }, `metrics are incomplete: ${error.message}`))
      await looking
      const merged = Registry.merge([register, processMetrics()])
      return reply.header('content-type', merged.contentType).send(await merged.metrics())
    },
  )
  return {
    begin: async () => {
      looking = looking.then(async () => void (await count())).catch(() => undefined)
      await looking
    },
  }
}
