/**
 * Every execution that the broker names for the day against orders and books. Pure; a mismatch is a line in the answer, never an exception.
 * Orders are matched by their ref and nothing else: order ids are given again after a restart of the gateway, permanent ids come late.
 */
import { absolute, compare, type Decimal, isZero, sum } from './decimal.ts'
import type { EventData } from './events.ts'
import { type Ledger, openOrders } from './ledger.ts'
import { newYorkDate } from './new-york-time.ts'
import { executionOf, fillOf, type Order, revisionOf } from './order.ts'
import type { BrokerSnapshot, ContractMention, Execution } from './ports/broker.ts'
import { recall } from './remembered.ts'

export type TradeDifference = EventData<'TradesReconciled'>['differences'][number]
export type TradeAudit = { session: string; executions: number; orders: number; notOurs: number; differences: TradeDifference[] }
export type Audited = { snapshot: BrokerSnapshot; asked: number }

/** These put an instrument in doubt; the others inform, or are blocked already by what found them. */
const doubtful: ReadonlySet<string> = new Set(['notRecorded', 'sharesDiffer', 'unknownToBroker', 'filledDiffers', 'overfilled'])
export const isDoubt = ({ kind }: TradeDifference): boolean => doubtful.has(kind)
/** A doubt by which it is recognised in a second answer. */
export const nameOf = ({ kind, executionId, orderRef, conId }: TradeDifference): string => `${kind} ${executionId ?? orderRef ?? conId}`

const latestRevisions = (executions: readonly Execution[]): Execution[] => {
  const latest = new Map<string, Execution>()
  for (const execution of executions) {
    const key = executionOf(execution.executionId)
    const before = latest.get(key)
    if (before === undefined || revisionOf(before.executionId) <= revisionOf(execution.executionId)) latest.set(key, execution)
  }
  return [...latest.values()]
}

/**
 * @param before the ledger as it stands: an instrument with a report after the questions began is not judged
 * @param after the same with all that these answers showed
 */
export const auditTrades = (before: Readonly<Ledger>, after: Ledger, { snapshot, asked }: Audited): TradeAudit => {
  const executions = latestRevisions(snapshot.executions)
  const isJudged = (conId: number): boolean => (before.reportedAt[conId] ?? 0) <= asked
  const ours = ordersNamed(after, snapshot)
  const uncounted = new Set(executions.flatMap(({ executionId, orderRef }) => (isCounted(after, executionId) ? [] : [orderRef])))
  return {
    session: newYorkDate(Date.parse(snapshot.takenAt)),
    executions: executions.length,
    orders: ours.length,
    notOurs: executions.filter(({ executionId }) => recall(after.executions, executionOf(executionId))?.holder === 'manual').length,
    differences: [
      ...executions.flatMap((execution) => auditExecution(after, execution)),
      ...unknownToBroker(after, executions, snapshot.takenAt).filter(({ conId }) => isJudged(conId)),
      ...ours.filter(({ conId, orderRef }) => isJudged(conId) && !uncounted.has(orderRef)).flatMap((order) => auditOrder(order, snapshot)),
      ...orphanOrders(after, snapshot),
      ...positions(after, snapshot),
    ],
  }
}

const isCounted = (ledger: Ledger, executionId: string): boolean => recall(ledger.executions, executionOf(executionId)) !== undefined

const about = ({ conId, symbol }: Pick<ContractMention, 'conId' | 'symbol'>) => ({ conId, symbol })

/** Orders of ours that the answers name, or that have an execution in them. */
const ordersNamed = ({ orders }: Ledger, { executions, openOrders: open, completedOrders }: BrokerSnapshot): Order[] => [
  ...new Set([...executions, ...open, ...completedOrders].flatMap(({ orderRef = '' }) => orders[orderRef] ?? [])),
]

const auditExecution = (ledger: Ledger, execution: Execution): TradeDifference[] => {
  const { executionId, orderRef, contract, quantity } = execution
  const line = { ...about(contract), executionId, ...(orderRef === '' ? {} : { orderRef }) }
  const counted = recall(ledger.executions, executionOf(executionId))
  const { symbol } = contract
  if (counted === undefined)
    return [
      { kind: 'notYetCounted', ...line, reported: quantity, text: `one of more than are counted at once; the next questions count it` },
    ]
  if (counted.executionId !== executionId || compare(counted.quantity, quantity) !== 0) {
    const text = `the broker says ${quantity} ${symbol}, the journal ${counted.quantity} (${counted.executionId})`
    return [{ kind: 'notRecorded', ...line, reported: quantity, expected: counted.quantity, text }]
  }
  const commission = recall(ledger.commissions, executionOf(executionId))
  const unpaid = { kind: 'commissionMissing', ...line, text: `no commission has come for the execution of ${execution.time}` }
  const missing: TradeDifference[] = commission === undefined && !isZero(quantity) ? [unpaid] : []
  if (counted.holder === 'nobody')
    return [
      { kind: 'orphanExecution', ...line, reported: quantity, text: `it carries our order ref ${orderRef}, for which there is no plan` },
      ...missing,
    ]
  if (counted.holder === 'manual') return missing
  const fill = fillOf(ledger.orders[orderRef]!, executionId)
  const shares = sum(fill?.shares.map((share) => share.quantity) ?? [])
  if (contract.secType === 'CASH' || compare(shares, quantity) === 0) return missing
  const text = `its shares sum to ${shares}, it is ${quantity} ${contract.symbol}`
  return [{ kind: 'sharesDiffer', ...line, reported: quantity, expected: shares, text }, ...missing]
}

/**
 * What the journal counts for this day and the answer leaves out, though it goes back further than that. How far an answer goes back is
 * the gateway's own: it forgets at a midnight that need not be New York's. What a person confirmed has no execution there.
 */
const unknownToBroker = (ledger: Ledger, executions: readonly Execution[], takenAt: string) => {
  const named = new Set(executions.map(({ executionId }) => executionOf(executionId)))
  const since = Math.min(...executions.map(({ time }) => Date.parse(time)))
  const today = newYorkDate(Date.parse(takenAt))
  return Object.values(ledger.executions).flatMap((month) =>
    Object.entries(month).flatMap(([key, { executionId, conId, quantity, orderRef, at }]) => {
      const time = Date.parse(at)
      if (named.has(key) || isZero(quantity) || executionId.startsWith('explained:') || time <= since || newYorkDate(time) !== today)
        return []
      const symbol = ledger.orders[orderRef ?? '']?.symbol ?? ledger.instruments[conId]?.symbol ?? String(conId)
      const text = `the journal counts ${quantity} ${symbol} of ${at}, the broker does not name it`
      const line = { kind: 'unknownToBroker', conId, symbol, executionId, reported: '0', expected: quantity, text }
      return [orderRef === null ? line : { ...line, orderRef }]
    }),
  )
}

/** Quantity sums: what its executions make, what the broker says is filled, and what was ordered. */
const auditOrder = (order: Order, { openOrders: open, completedOrders }: BrokerSnapshot): TradeDifference[] => {
  const { orderRef, filled, quantity, symbol } = order
  const line = { ...about(order), orderRef, expected: absolute(filled) }
  const told: Decimal[] = [...open, ...completedOrders].flatMap((one) =>
    one.orderRef === orderRef && one.contract?.conId === order.conId ? (one.filled ?? []) : [],
  )
  // A correction changes an execution, and not what the broker once said of its order.
  const corrected = order.fills.some(({ executionId }) => revisionOf(executionId) > 1)
  const differing = corrected ? [] : told.filter((reported) => compare(absolute(reported), absolute(filled)) !== 0)
  return [
    ...differing.map((reported) => ({
      ...{ kind: 'filledDiffers', ...line, reported },
      text: `the broker says that ${reported} ${symbol} of ${orderRef} are filled, its executions make ${absolute(filled)}`,
    })),
    ...(compare(absolute(filled), absolute(quantity)) > 0
      ? [
          {
            kind: 'overfilled',
            ...line,
            reported: absolute(quantity),
            text: `${filled} ${symbol} are filled of ${quantity} that were ordered`,
          },
        ]
      : []),
  ]
}

const orphanOrders = ({ prefix, orders }: Ledger, { openOrders: open }: BrokerSnapshot): TradeDifference[] =>
  open.flatMap(({ orderRef = '', contract, status }) =>
    prefix === null || !orderRef.startsWith(`${prefix}-`) || orders[orderRef] !== undefined || contract === undefined
      ? []
      : [
          {
            kind: 'orphanOrder',
            ...about(contract),
            orderRef,
            text: `${status} at the broker with our prefix, and there is no plan for it`,
          },
        ],
  )

/** What the account holds less books and `manual`, and orders whose fate nobody knows. */
const positions = (ledger: Ledger, { takenAt }: BrokerSnapshot): TradeDifference[] => [
  ...Object.entries(ledger.unexplained).map(([conId, { symbol, quantity, since }]) => ({
    ...{ kind: 'position', conId: Number(conId), symbol, reported: quantity },
    text: `${quantity} ${symbol} unexplained since ${since}`,
  })),
  ...openOrders(ledger).flatMap((order) =>
    order.missingSince === null
      ? []
      : [
          {
            kind: 'missingOrder',
            ...about(order),
            orderRef: order.orderRef,
            text: `named by no answer since ${order.missingSince}, ${takenAt} included`,
          },
        ],
  ),
]
