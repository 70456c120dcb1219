/** What may go out, and what the journal may say of it. */
import { exact, holdingsIn, inUnits, type Told, withoutRevision } from './journal-text.ts'
import { isPair } from './market.ts'
import { type Check, ofType } from './witness.ts'
import type { World } from './world.ts'

export const neverTwice: Check = ({ world: { broker } }) => {
  const times = new Map<string, number>()
  for (const { ticket } of broker.receipts) times.set(ticket.orderRef, (times.get(ticket.orderRef) ?? 0) + 1)
  return [...times].flatMap(([orderRef, count]) => (count > 1 ? [`${orderRef} reached the broker ${count} times`] : []))
}

export const alwaysPlanned: Check = ({ world: { broker }, told }) =>
  broker.receipts.flatMap(({ ticket, journal }) => {
    const plan = told.find(({ type, data }) => type === 'OrderPlanned' && data['orderRef'] === ticket.orderRef)
    if (plan === undefined) return [`${ticket.orderRef} was sent without any plan`]
    if (plan.position > journal) return [`${ticket.orderRef} was sent when position ${journal} was durable; its plan is ${plan.position}`]
    const signed = ticket.action === 'BUY' ? exact(ticket.quantity) : -exact(ticket.quantity)
    const { conId, quantity, orderId, account } = plan.data
    const same = exact(quantity) === signed && conId === ticket.contract.conId && orderId === ticket.orderId && account === ticket.account
    return same ? [] : [`${ticket.orderRef} was sent otherwise than it was planned`]
  })

/** By the switch as it stood in the journal when the order was written to the line. Only what closes may pass. */
export const neverWhileHalted: Check = ({ world: { broker }, told }) => {
  const closing = new Set(ofType(told, 'OrderPlanned').flatMap(({ data }) => (data['closing'] === true ? [data['orderRef']] : [])))
  const switched = told.filter(({ type }) => type === 'TradingHalted' || type === 'TradingResumed')
  return broker.receipts.flatMap(({ ticket, journal }) => {
    const last = switched.findLast(({ position }) => position <= journal)
    const may = last?.type === 'TradingResumed' || closing.has(ticket.orderRef)
    return may ? [] : [`${ticket.orderRef} was sent while trading was halted`]
  })
}

/**
 * The one exception from the switch: orders of a close-all that is open, or of a day's end that is to leave nothing over night, each share
 * towards zero and never beyond.
 */
export const onlyClosing: Check = ({ told }) => {
  const wrong: string[] = []
  const open = new Set<string>()
  let flatOverNight = false
  holdingsIn(told, ({ type, data, cause }, heldBy) => {
    if (type === 'ConfigurationChanged') flatOverNight = data['changes']['eod.enforceFlat']?.to ?? flatOverNight
    const mayClose = cause['type'] === 'close-all' || (cause['type'] === 'eod-check' && flatOverNight)
    if (type === 'PipelineStarted' && mayClose) open.add(data['pipeline'])
    if (type === 'PipelineEnded') open.delete(data['pipeline'])
    if (type !== 'OrderPlanned' || data['closing'] !== true) return
    if (!open.has(data['decision'])) wrong.push(`${data['orderRef']} closes for nobody who asked for it`)
    for (const { strategy, quantity } of data['shares']) {
      const held = heldBy(strategy, data['conId'])
      const left = held + exact(quantity)
      const closes = held > 0n ? left >= 0n && left < held : left <= 0n && left > held
      if (!closes) wrong.push(`${data['orderRef']} moves ${strategy} from ${inUnits(held)} to ${inUnits(left)}`)
    }
  })
  return wrong
}

export const endsAreTrue: Check = ({ world: { broker }, told }) => {
  const ends = new Map(ofType(told, 'OrderClosed').map((closed) => [closed.data['orderRef'] as string, closed]))
  return [...ends].flatMap(([orderRef, end]) => {
    const { how, filled } = end.data
    const received = broker.receipts.some(({ ticket }) => ticket.orderRef === orderRef)
    const order = broker.orders.find((candidate) => candidate.orderRef === orderRef)
    if (order !== undefined && order.endedAt === undefined) return [`${orderRef} is ${how} in the journal and works at the broker`]
    if (how === 'withdrawn' && received) return [`${orderRef} is withdrawn in the journal and reached the broker`]
    if (how === 'rejected' && order?.status !== 'Rejected' && order?.status !== 'Inactive')
      return [`${orderRef} is rejected in the journal and ${order?.status ?? 'unknown'} at the broker`]
    if (how === 'filled' && order?.status !== 'Filled') return [`${orderRef} is filled in the journal and not at the broker`]
    // As far as it was told then: an execution may be corrected when its order is long over.
    const before = told.slice(0, told.indexOf(end))
    const { fills } = holdingsIn(before)
    const counted = [...fills.values()].filter((fill) => fill.orderRef === orderRef).reduce((sum, fill) => sum + fill.quantity, 0n)
    if (how === 'filled')
      return exact(filled) === counted ? [] : [`${orderRef} ended filled ${filled}, its fills sum to ${inUnits(counted)}`]
    return order === undefined ? [] : unheardAtTheEnd({ broker }, before, end, order.conId)
  })
}

/** An order that did not end filled has no execution that nobody heard of, unless a person explained what was missing. */
const unheardAtTheEnd = (
  { broker }: Pick<World, 'broker'>,
  before: readonly Told[],
  { data: { orderRef, how } }: Told,
  conId: number,
): string[] => {
  if (ofType(before, 'DiscrepancyExplained').some((each) => each.data['conId'] === conId)) return []
  if (broker.splits.some((split) => split.conId === conId)) return []
  const heard = new Set(
    [...ofType(before, 'FillReceived'), ...ofType(before, 'ForeignExecutionSeen')].map(({ data }) => withoutRevision(data['executionId'])),
  )
  const unheard = broker
    .everyExecution()
    .filter(({ execution }) => execution.contract.conId === conId && !heard.has(withoutRevision(execution.executionId)))
  // What adds up to nothing leaves no trace among the positions, nor does a currency pair.
  if (isPair(conId) || unheard.reduce((sum, { execution }) => sum + exact(execution.quantity), 0n) === 0n) return []
  return unheard.flatMap(({ execution }) =>
    execution.orderRef === orderRef ? [`${orderRef} is ${how} in the journal and had ${execution.executionId} at the broker`] : [],
  )
}

export const onlyByTheHolder: Check = ({ world: { broker } }) =>
  broker.receipts.flatMap(({ ticket, mayAct }) =>
    mayAct ? [] : [`${ticket.orderRef} was handed over when the lease of its engine was over`],
  )

/** In the journal, and once more at the broker. */
export const neverAgainstWorking: Check = ({ world: { broker }, told }) => {
  const open = new Map<string, { conId: number; buys: boolean }>()
  const wrong = broker.receipts.flatMap(({ ticket, against }) =>
    against.length === 0 ? [] : [`${ticket.orderRef} came to the broker while ${against.join(', ')} worked the other way`],
  )
  for (const { type, data } of told) {
    if (type === 'OrderClosed') open.delete(data['orderRef'])
    if (type !== 'OrderPlanned') continue
    const [conId, buys] = [data['conId'] as number, exact(data['quantity']) > 0n]
    const opposite = [...open].find(([, other]) => other.conId === conId && other.buys !== buys)
    if (opposite !== undefined) wrong.push(`${data['orderRef']} was planned while ${opposite[0]} was open the other way`)
    open.set(data['orderRef'], { conId, buys })
  }
  return wrong
}

const moving: ReadonlySet<string> = new Set(['OrderPlanned', 'PositionsCrossed', 'StandingTargetsSet', 'OrderCancelRequested'])

/** Neither a command that was asked for as a trial, nor a strategy that only tries. */
export const trialsMoveNothing: Check = ({ world: { commands }, told }) => {
  const trials = commands.filter(({ body }) => body['dryRun'] === true).map(({ id }) => id)
  const isTrial = ({ cause }: Told): boolean => trials.some((id) => cause['id'] === id || cause['pipeline'] === id)
  const modes = new Map<string, unknown>()
  const wrong: string[] = []
  for (const event of told) {
    const { type, data } = event
    if (moving.has(type) && isTrial(event)) wrong.push(`${type} by the dry run ${event.cause['id']}`)
    if (type === 'ConfigurationChanged')
      for (const [name, change] of Object.entries<{ to: unknown }>(data['changes']))
        if (name.endsWith('.mode')) modes.set(name.split('.')[1]!, change.to)
    if (type !== 'OrderPlanned' || data['closing'] === true) continue
    for (const { strategy } of data['shares'])
      if ((modes.get(strategy) ?? 'live') !== 'live') wrong.push(`${data['orderRef']} is for ${strategy}, which is ${modes.get(strategy)}`)
  }
  return wrong
}

type Line = { strategy: string; conId: number; wanted: string; target: string; book: string }

/** Towards zero as far as was wanted: whatever a limit says, it says it of what leads away from zero. Of what the book really held then. */
export const exitsAreFree: Check = ({ told }) => {
  const wrong: string[] = []
  holdingsIn(told, ({ type, data, position }, heldBy) => {
    if (type !== 'AllocationDecided') return
    for (const { strategy, conId, ...line } of data['targets'] as Line[]) {
      const [wanted, target, book] = [exact(line.wanted), exact(line.target), heldBy(strategy, conId)]
      if (exact(line.book) !== book)
        wrong.push(`at ${position} ${strategy} is said to hold ${line.book} of ${conId}, it holds ${inUnits(book)}`)
      const towardsZero = book > 0n ? (wanted > 0n ? wanted : 0n) : wanted < 0n ? wanted : 0n
      const kept = book > 0n ? wanted < book && target > towardsZero : wanted > book && target < towardsZero
      if (kept) wrong.push(`at ${position} ${strategy} wants ${line.wanted} of ${conId}, has ${line.book}, and is kept at ${line.target}`)
    }
  })
  return wrong
}
