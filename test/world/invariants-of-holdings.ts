/** Where every share is, and why. */
import { newYorkDate } from '../../domain/new-york-time.ts'
import { exact, inUnits, type Told, withoutRevision } from './journal-text.ts'
import { type Check, ofType } from './witness.ts'

/**
 * An execution that no answer could have named before the midnight after its trade may be missing; it is unexplained then, never forgotten.
 * @param from when it was first said so: later than the trade where it was corrected
 */
const couldBeAsked = (told: readonly Told[], looks: ReadonlyMap<string, number>, at: number, from = at): boolean =>
  ofType(told, 'PositionReconciled').some(({ data }) => {
    // Time may leap while an answer is under way: what counts is when its executions were read.
    const taken = looks.get(data['takenAt']) ?? Date.parse(data['takenAt'])
    return taken > from + 120_000 && newYorkDate(taken) === newYorkDate(at)
  })

export const everyExecutionOnce: Check = ({ world: { broker }, told, holdings: { fills } }) => {
  const planned = new Set(ofType(told, 'OrderPlanned').map(({ data }) => data['orderRef'] as string))
  const known = new Set<string>()
  const wrong = broker.everyExecution().flatMap(({ execution, at, quantities }) => {
    const key = withoutRevision(execution.executionId)
    known.add(key)
    if (!planned.has(execution.orderRef)) return []
    const fill = fills.get(key)
    if (fill === undefined)
      return couldBeAsked(told, broker.looks, at) ? [`${execution.executionId} of ${execution.orderRef} is in no book`] : []
    if (fill.counted > 1) return [`${key} was counted ${fill.counted} times`]
    // A currency pair is in nobody's book.
    const expected = execution.contract.secType === 'CASH' ? 0n : fill.quantity
    if (!couldBeAsked(told, broker.looks, at, quantities.at(-1)!.from) && fill.executionId !== execution.executionId) return []
    if (fill.quantity !== exact(execution.quantity) || fill.shares !== expected)
      return [
        `${key} is ${execution.quantity} at the broker, ${inUnits(fill.quantity)} in the journal, ${inUnits(fill.shares)} in the books`,
      ]
    return []
  })
  const invented = [...fills.keys()].filter((key) => !known.has(key) && !key.startsWith('explained:'))
  return [...wrong, ...invented.map((key) => `${key} is in the books and never happened`)]
}

export const nothingLeftOver: Check = ({ world: { broker }, told, holdings: { books, manual } }) => {
  const last = ofType(told, 'PositionReconciled').at(-1)
  if (last === undefined) return ['the account was never reconciled']
  const unexplained = new Map<number, bigint>(
    last.data['differences'].map((line: { conId: number; unexplained: string }) => [line.conId, exact(line.unexplained)]),
  )
  const everywhere = new Set([...broker.positions.keys(), ...books.keys(), ...manual.keys(), ...unexplained.keys()])
  return [...everywhere].flatMap((conId) => {
    const parts = [books, manual, unexplained].map((holdings) => holdings.get(conId) ?? 0n)
    const sum = parts.reduce((total, part) => total + part, 0n)
    const held = BigInt(broker.positions.get(conId) ?? 0) * 100_000_000n
    return sum === held ? [] : [`${conId}: books, manual, unexplained ${parts.map(inUnits).join(' + ')}, the broker holds ${inUnits(held)}`]
  })
}

/**
 * What the engine calls unexplained is what the broker did and the journal had not been told of, no more and no less. Of what was explained
 * or split before, a person has the last word. Where a hand's trade is heard of only after its position was taken over as `manual`, it is
 * counted once too often: nobody can tell it from another trade, and a person has to.
 */
export const unexplainedIsReallySo: Check = ({ world: { broker }, told }) => {
  /** What the journal counts of an execution, in the revision that it heard last, and of an instrument. */
  const heard = new Map<string, bigint>()
  const counted = new Map<number, bigint>()
  const settled = new Set<number>(broker.splits.map(({ conId }) => conId))
  const looks = new Map(ofType(told, 'PositionReconciled').map(({ position, data }) => [position, data['takenAt'] as string]))
  const tradedUntil = (conId: number, time: number): bigint =>
    broker.everyExecution().reduce((total, { execution, quantities }) => {
      const then = execution.contract.conId === conId ? quantities.findLast(({ from }) => from <= time) : undefined
      return total + exact(then?.quantity ?? '0')
    }, 0n)
  return told.flatMap(({ type, data, position }) => {
    const conId = data['conId'] as number
    if (type === 'FillReceived' || type === 'ForeignExecutionSeen') {
      const [key, quantity] = [withoutRevision(data['executionId']), exact(data['quantity'])]
      counted.set(conId, (counted.get(conId) ?? 0n) + quantity - (heard.get(key) ?? 0n))
      heard.set(key, quantity)
    }
    // Instruments that are none of ours are taken as they stand.
    if (type === 'PositionReconciled') for (const line of data['manual']) counted.set(line.conId, exact(line.quantity))
    if (type === 'DiscrepancyExplained') settled.add(conId)
    if (type !== 'DiscrepancyFound' || data['kind'] !== 'position' || settled.has(conId)) return []
    const sum = tradedUntil(conId, Date.parse(looks.get(position) ?? '9999-12-31')) - (counted.get(conId) ?? 0n)
    return sum === exact(data['quantity'])
      ? []
      : [`at ${position} ${data['quantity']} of ${conId} is unexplained, but the broker traded ${inUnits(sum)} unheard`]
  })
}
