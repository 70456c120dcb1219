/** What must hold after any night: read from the journal's text and from the gateway's own books, and from nothing of the engine but its rest. */
import { until } from '../../contract/until.ts'
import { exact, holdingsIn, inUnits, type Told, withoutRevision } from '../../world/journal-text.ts'
import type { Night, State } from './night.ts'

const of = (told: readonly Told[], type: string): Told[] => told.filter((one) => one.type === type)

const ordersOnce = (told: readonly Told[], { received }: State): string[] => {
  const planned = new Map(of(told, 'OrderPlanned').map(({ data }) => [data['orderRef'] as string, data]))
  const ends = new Map(of(told, 'OrderClosed').map(({ data }) => [data['orderRef'] as string, data]))
  return Object.values(received)
    .flat()
    .flatMap(({ orderRef, count }) => [
      ...(count === 1 ? [] : [`${orderRef} reached the gateway ${count} times`]),
      ...(planned.has(orderRef) ? [] : [`${orderRef} reached the gateway without a plan`]),
      ...(ends.get(orderRef)?.['how'] === 'withdrawn' ? [`${orderRef} is withdrawn and reached the gateway`] : []),
    ])
}

const nothingWhileHalted = (told: readonly Told[]): string[] => {
  let on = false
  return told.flatMap(({ type, data, position }) => {
    if (type === 'TradingHalted') on = false
    if (type === 'TradingResumed') on = true
    return type === 'OrderPlanned' && !on ? [`${data['orderRef']} was planned at ${position}, while trading was halted`] : []
  })
}

/** @param forgotten executions that no answer could have named before midnight: they are unexplained, never guessed */
const executionsOnce = (told: readonly Told[], { executions }: State, forgotten: boolean): string[] => {
  const { fills } = holdingsIn(told)
  const planned = new Map(of(told, 'OrderPlanned').map(({ data }) => [data['orderRef'] as string, data['secType'] as string]))
  const latest = new Map(executions.map((execution) => [withoutRevision(execution.execId), execution])) // revisions come later
  const wrong = [...latest].flatMap(([key, { orderRef, shares, side }]) => {
    if (!planned.has(orderRef)) return []
    const fill = fills.get(key)
    if (fill === undefined) return forgotten ? [] : [`the execution ${key} of ${orderRef} is in no book`]
    const signed = exact(String(shares)) * (side === 'BUY' ? 1n : -1n)
    if (fill.counted !== 1) return [`${key} was counted ${fill.counted} times`]
    const ofBooks = planned.get(orderRef) === 'CASH' ? 0n : signed
    return fill.quantity === signed && fill.shares === ofBooks ? [] : [`${key} is ${inUnits(signed)}, in the books ${inUnits(fill.shares)}`]
  })
  const invented = [...fills.keys()].filter((key) => !latest.has(key) && !key.startsWith('explained:'))
  return [...wrong, ...invented.map((key) => `the fill ${key} never happened`)]
}

/** The login manages more than our account: what happens there is nothing of ours. */
const othersStayOut = (told: readonly Told[], { otherAccounts }: State): string[] => {
  const theirs = new Set(Object.values(otherAccounts).flatMap(({ executions }) => executions.map(({ execId }) => execId)))
  return told.flatMap(({ type, data, position }) =>
    theirs.has(data['executionId']) ? [`${type} at ${position} is of another account: ${data['executionId']}`] : [],
  )
}

const holdingsAgree = (told: readonly Told[], { positions }: State): string[] => {
  const { books, manual } = holdingsIn(told)
  const last = of(told, 'PositionReconciled').at(-1)
  if (last === undefined) return ['the account was never reconciled']
  const unexplained = new Map<number, bigint>(
    last.data['differences'].map((line: { conId: number; unexplained: string }) => [line.conId, exact(line.unexplained)]),
  )
  const held = new Map(positions.filter(({ secType }) => secType !== 'CASH').map(({ conId, quantity }) => [conId, exact(String(quantity))]))
  const named = new Set(of(told, 'DiscrepancyFound').map(({ data }) => data['conId'] as number))
  return [...new Set([...held.keys(), ...books.keys(), ...manual.keys(), ...unexplained.keys()])].flatMap((conId) => {
    const parts = [books, manual, unexplained].map((holdings) => holdings.get(conId) ?? 0n)
    const sum = parts.reduce((total, part) => total + part, 0n)
    const truth = held.get(conId) ?? 0n
    if (sum !== truth)
      return [`${conId}: books + manual + unexplained = ${parts.map(inUnits).join(' + ')}, the account holds ${inUnits(truth)}`]
    return (unexplained.get(conId) ?? 0n) !== 0n && !named.has(conId) ? [`${conId} is unexplained, and nobody was told`] : []
  })
}

const endsAreTrue = (told: readonly Told[], { orders }: State): string[] => {
  const state = new Map<string, string>()
  for (const { type, data } of told) {
    if (type === 'OrderClosed') state.set(data['orderRef'], data['how'])
    if (type === 'OrderPlanned' || type === 'OrderPlaced') state.set(data['orderRef'], 'open')
  }
  return [...state].flatMap(([orderRef, how]) => {
    const status = orders.find((order) => order.orderRef === orderRef)?.status
    const over = status === undefined || ['Filled', 'Cancelled', 'Inactive'].includes(status)
    if (how === 'open' && over) return [`${orderRef} is open in the journal and ${status ?? 'unknown'} at the gateway`]
    if (how !== 'open' && !over) return [`${orderRef} is ${how} in the journal and ${status} at the gateway`]
    return how === 'filled' && status !== 'Filled' ? [`${orderRef} is filled in the journal and ${status} at the gateway`] : []
  })
}

/** Every run began once, ended once, and ended with words. */
const runsEnd = (told: readonly Told[]): string[] =>
  of(told, 'PipelineStarted').flatMap(({ data: { pipeline } }) => {
    const ends = of(told, 'PipelineEnded').filter(({ data }) => data['pipeline'] === pipeline)
    if (ends.length !== 1) return [`the run ${pipeline} ended ${ends.length} times`]
    const { text, outcome } = ends[0]!.data
    return typeof text === 'string' && text.length > 5 ? [] : [`the run ${pipeline} ended as ${outcome} without a word`]
  })

const nothingWaits = async (night: Night): Promise<string[]> => {
  const { engine, broker, data } = night.life()
  const answered = () => broker.state().open.questions === 0 // the heartbeat asks now and then
  const questions = await until('every question answered', answered).catch((error: Error) => error)
  return [
    ...(engine.ready() ? [] : [`the engine is not ready: ${broker.state().text}`]),
    ...(engine.idle() && (await data.bus.idle()) ? [] : ['something is still under way']),
    ...(questions === undefined ? [] : [questions.message]),
    ...((await data.bus.nextDueAt()) === undefined ? [] : ['a message waits to be tried again']),
    ...(await data.bus.deadLetters()).map(({ reason }) => `given up: ${reason}`),
    ...Object.keys(engine.ledger.pipelines).map((id) => `the run ${id} is still open`),
  ]
}

/** What holds of any journal and gateway that have come to rest. */
export const disagreements = (told: readonly Told[], state: State, { forgotten = false } = {}): string[] => [
  ...ordersOnce(told, state),
  ...nothingWhileHalted(told),
  ...executionsOnce(told, state, forgotten),
  ...othersStayOut(told, state),
  ...holdingsAgree(told, state),
  ...endsAreTrue(told, state),
  ...runsEnd(told),
]

export const violations = async (night: Night, options: { forgotten?: boolean } = {}): Promise<string[]> => [
  ...disagreements(await night.told(), await night.state(), options),
  ...(await nothingWaits(night)),
]
