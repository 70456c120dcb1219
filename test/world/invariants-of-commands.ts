/** What became of what was asked for, and the end of all waiting. */
import { newYorkDate, nextSession, sessionOn } from '../../domain/calendar.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { type Check, ofType, type Witness } from './witness.ts'

export const oneOutcomeEach: Check = ({ world: { commands, memory }, told }) => {
  const causes = memory.commits.map(({ json }) => JSON.parse(json).cause)
  return commands.flatMap(({ id, type }) => {
    const decided = causes.filter((cause) => cause.kind === 'command' && cause.id === id).length
    if (decided !== 1) return [`${type} ${id} was decided ${decided} times`]
    const started = ofType(told, 'PipelineStarted').filter(({ data }) => data['pipeline'] === id).length
    const ended = ofType(told, 'PipelineEnded').filter(({ data }) => data['pipeline'] === id).length
    return started === ended ? [] : [`${type} ${id} was started ${started} times and ended ${ended} times`]
  })
}

export const allIsQuiet: Check = ({ world, told, holdings: { books } }) => {
  const engine = world.engine()
  const dead = world.postOffice.deadLetters()
  /** Only what is no command: all else is refused, with an outcome. */
  const givenUp = dead.filter(({ attributes }) => attributes['id'] !== undefined)
  const nonsense = world.faults.counts.get('a command is published out of nowhere') ?? 0
  const buried = dead.length - givenUp.length
  const closed = new Set(ofType(told, 'OrderClosed').map(({ data }) => data['orderRef']))
  const last = ofType(told, 'PositionReconciled').at(-1)?.data['differences'] ?? []
  const open = ofType(told, 'OrderPlanned').filter(({ data }) => !closed.has(data['orderRef']))
  return [
    ...(engine?.ready() ? [] : ['the engine is not ready']),
    ...(engine?.idle() ? [] : ['the engine is not idle']),
    ...(world.projector()?.position() === world.memory.commits.length ? [] : ['the projector is behind the journal']),
    ...(world.relay()?.position() === world.memory.commits.length ? [] : ['the relay is behind the journal']),
    ...(world.handEdits()?.idle() ? [] : ['an edit by hand was not looked at']),
    ...[...world.givenUp].map(([role, why]) => `the ${role} does not start any more: ${why}`),
    ...world.postOffice.pending().map(({ attributes }) => `the message ${attributes['type']} ${attributes['id']} is still under way`),
    ...givenUp.map(({ attributes, reason }) => `${attributes['type']} ${attributes['id']} was given up: ${reason}`),
    ...(buried === nonsense ? [] : [`${nonsense} messages were nonsense, ${buried} lie among the dead letters`]),
    ...last.map(
      ({ conId, unexplained }: Record<string, string>) => `${unexplained} of ${conId} is unexplained after a person explained it`,
    ),
    ...open.map(({ data }) => `the order ${data['orderRef']} is still open`),
    ...(books.size === 0 && world.broker.receipts.length > 50 ? ['many orders and no book'] : []),
  ]
}

export const everyFailureIsHeard: Check = ({ world: { unheard } }) => [...unheard].map((reason) => String(reason))

const [minute, hour] = [60_000, 3_600_000]
/** How long after its publication each may still be decided, written down once more. */
const validFor: Readonly<Record<string, number>> = {
  ...{ swinger: 15 * minute, leaner: 15 * minute, reconcile: 15 * minute, summary: 15 * minute, 'risk-check': 15 * minute },
  ...{ resume: 15 * minute, allocation: 30 * minute, 'cash-balancer': 30 * minute, orchestrator: hour, 'eod-check': hour },
  ...{ 'trade-reconciliation': hour, 'close-all': 24 * hour, configure: 24 * hour, explain: 24 * hour },
  ...{ 'collect-market-data': 24 * hour, 'resolve-order': 24 * hour },
}

/** A close-all may have to wait for the exit of another one, and the market is closed until Monday: it has the whole next session. */
const closesUntil = (begun: number): number => {
  const today = sessionOn(newYorkDate(begun))
  return today !== undefined && begun < today.open ? today.close : nextSession(newYorkDate(begun)).close
}

/** An order of a day is not written to the line when that day is over: it would wait for the next one. */
const lateOrders = ({ world: { broker }, told }: Witness): string[] => {
  const until = new Map(ofType(told, 'OrderPlanned').map(({ data }) => [data['orderRef'], data['inForceUntil'] as string]))
  return broker.receipts.flatMap(({ ticket: { orderRef }, at }) =>
    at >= Date.parse(until.get(orderRef) ?? '9999-12-31')
      ? [`${orderRef} was in force until ${until.get(orderRef)} and was sent at ${isoTime(at)}`]
      : [],
  )
}

/** A command is refused then, and a pipeline that began in time plans nothing more. */
export const lateDoesNothing: Check = (witness) => [...lateCommands(witness), ...lateOrders(witness)]

const lateCommands = ({ world: { commands, faults }, told }: Witness): string[] => {
  const known = new Map(commands.map((command) => [command.id, command]))
  const closings = ofType(told, 'PipelineStarted').filter(({ cause }) => cause['type'] === 'close-all')
  const closing = new Map(closings.map(({ data, recordedAt }) => [data['pipeline'], closesUntil(Date.parse(recordedAt))]))
  return told.flatMap(({ type, cause, recordedAt, position }) => {
    if (cause['kind'] !== 'command') return []
    const asked = known.get(cause['pipeline'] ?? cause['id'])
    if (asked === undefined) return []
    const published = asked.again.findLast((time) => time <= recordedAt) ?? asked.publishedAt
    const valid = Date.parse(published) + (validFor[asked.type] ?? Number.POSITIVE_INFINITY)
    const over = Date.parse(recordedAt) > Math.max(valid, closing.get(cause['pipeline']) ?? 0)
    const does = cause['pipeline'] === undefined ? type !== 'CommandRefused' : type === 'OrderPlanned' || type === 'PositionsCrossed'
    if (over) faults.hit('a command arrives when its time is over')
    return over && does ? [`at ${position} ${type} for ${asked.type} ${cause['id']}, published ${published}`] : []
  })
}
