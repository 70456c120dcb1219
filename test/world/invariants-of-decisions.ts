/** What a decision may rest on, and what it may move: what a halt, a difference or a person keeps back stays where it is. */
import { newYorkDate, newYorkTime } from '../../domain/new-york-time.ts'
import { exact, holdingsIn, inUnits, type Told, withoutRevision } from './journal-text.ts'
import { type Check, ofType } from './witness.ts'

type Share = { strategy: string; quantity: string }
type Line = { strategy: string; conId: number; target: string; book: string; inFlight: string }

const keyOf = (strategy: string, conId: number): string => `${strategy} ${conId}`

/** Of orders and crosses: whose holdings they move, and by how much. */
const movedBy = ({ type, data }: Told): Share[] => {
  if (type === 'OrderPlanned') return data['secType'] === 'CASH' ? [] : data['shares']
  return type === 'PositionsCrossed' ? data['moves'] : []
}

/** What each book is still owed by open orders, summed up from plans and fills. */
const createFlight = () => {
  const orders = new Map<string, { conId: number; shares: Share[]; fills: Map<string, Share[]>; open: boolean; how?: string }>()
  return {
    take: ({ type, data }: Told): void => {
      if (type === 'OrderPlanned')
        orders.set(data['orderRef'], { conId: data['conId'], shares: data['shares'], fills: new Map(), open: true })
      const order = orders.get(data['orderRef'])
      if (order === undefined) return
      if (type === 'FillReceived') order.fills.set(withoutRevision(data['executionId']), data['shares'])
      if (type === 'OrderClosed') Object.assign(order, { open: false, how: data['how'] })
      // It had been called lost or over, and the broker has it after all.
      if (type === 'OrderPlaced') order.open = order.how !== 'filled'
    },
    owed: (strategy: string, conId: number): bigint => {
      const of = (shares: Share[]): bigint =>
        shares.reduce((sum, share) => (share.strategy === strategy ? sum + exact(share.quantity) : sum), 0n)
      return [...orders.values()]
        .filter((order) => order.open && order.conId === conId)
        .reduce((sum, { shares, fills }) => sum + of(shares) - of([...fills.values()].flat()), 0n)
    },
  }
}

/** Book, what is on its way to it, and what is ordered and crossed now never lead beyond the target. */
export const nothingTwice: Check = ({ told }) => {
  const wrong: string[] = []
  const flight = createFlight()
  const decided = new Map<number, Map<string, bigint>>()
  const moved = new Map<number, Map<string, bigint>>()
  for (const event of told) {
    const { type, data, position } = event
    if (type === 'AllocationDecided' && data['dryRun'] !== true) {
      const missing = new Map<string, bigint>()
      for (const { strategy, conId, target, book, inFlight } of data['targets'] as Line[]) {
        missing.set(keyOf(strategy, conId), exact(target) - exact(book) - exact(inFlight))
        const owed = flight.owed(strategy, conId)
        if (owed !== exact(inFlight))
          wrong.push(`at ${position} ${inFlight} of ${conId} is said to be on its way to ${strategy}, it is ${inUnits(owed)}`)
      }
      decided.set(position, missing)
    }
    for (const { strategy, quantity } of movedBy(event)) {
      const sums = moved.get(position) ?? new Map<string, bigint>()
      const key = keyOf(strategy, data['conId'])
      moved.set(position, sums.set(key, (sums.get(key) ?? 0n) + exact(quantity)))
    }
    flight.take(event)
  }
  for (const [position, missing] of decided)
    for (const [key, sum] of moved.get(position) ?? []) {
      const most = missing.get(key) ?? 0n
      const beyond = most >= 0n ? sum < 0n || sum > most : sum > 0n || sum < most
      if (beyond) wrong.push(`at ${position} ${inUnits(sum)} is moved for ${key}, of which ${inUnits(most)} is missing`)
    }
  return wrong
}

/** Neither ordered nor crossed where something is unexplained or in doubt, or where a hand trade stands against a book. */
export const nothingWhereBlocked: Check = ({ told }) => {
  const wrong: string[] = []
  const differing = new Set<number>()
  const against = new Set<number>()
  const nobodys = new Set<number>()
  const doubted = new Map<string, number>()
  const byHand = new Map<string, bigint>()
  const holders = new Map<number, Set<string>>()
  holdingsIn(told, (event, heldBy) => {
    const { type, data, position } = event
    const conId = data['conId'] as number
    const reasons = [
      ...(differing.has(conId) ? ['something is unexplained'] : []),
      ...(against.has(conId) ? ['a hand trade stands against a book'] : []),
      ...(nobodys.has(conId) ? ['an execution is nobody’s'] : []),
      ...([...doubted.values()].includes(conId) ? ['an order is in doubt'] : []),
    ]
    const moves = movedBy(event)
    if (moves.length > 0 && reasons.length > 0) wrong.push(`at ${position} ${type} of ${conId}, where ${reasons.join(' and ')}`)
    const known = holders.get(conId) ?? new Set()
    for (const { strategy } of moves) if (strategy !== 'manual') holders.set(conId, known.add(strategy))
    for (const { holder } of type === 'DiscrepancyExplained' ? data['moves'] : [])
      if (holder !== 'manual') holders.set(conId, known.add(holder))
    if (type === 'PositionReconciled') {
      for (const each of [...differing]) if (!data['unjudged'].includes(each)) differing.delete(each)
      for (const each of data['differences']) differing.add(each.conId)
    }
    if (type === 'ForeignExecutionSeen' && data['holder'] === 'manual' && data['secType'] !== 'CASH') {
      const key = withoutRevision(data['executionId'])
      const quantity = exact(data['quantity'])
      const manual = heldBy('manual', conId) + quantity - (byHand.get(key) ?? 0n)
      byHand.set(key, quantity)
      const opposed = [...known].some((strategy) => heldBy(strategy, conId) * quantity < 0n)
      if (opposed && manual * quantity > 0n) against.add(conId)
    }
    if (type === 'ForeignExecutionSeen' && data['holder'] === 'nobody') nobodys.add(conId)
    if (type === 'DiscrepancyExplained' && exact(data['unexplained']) === 0n) {
      // What is unexplained is explained first, a hand trade by itself.
      if (!differing.delete(conId)) against.delete(conId)
      nobodys.delete(conId)
    }
    if (type === 'OrderUnresolved') doubted.set(data['orderRef'], conId)
    if (type === 'OrderClosed' || type === 'OrderPlaced') doubted.delete(data['orderRef'])
  })
  return wrong
}

/** A close-all moves the books that were named, or all of them, and `manual` only where that was said. */
export const onlyWhatWasNamed: Check = ({ world: { commands }, told }) => {
  const asked = new Map(commands.flatMap(({ id, type, body }) => (type === 'close-all' ? [[id, body] as const] : [])))
  return told.flatMap((event) => {
    const { type, cause, position } = event
    const body = asked.get(cause['pipeline'] ?? cause['id'])
    if (body === undefined) return []
    const named = body['strategies'] as string[] | undefined
    return movedBy(event).flatMap(({ strategy }) => {
      const may = strategy === 'manual' ? body['includeManual'] === true : named === undefined || named.includes(strategy)
      return may ? [] : [`at ${position} ${type} moves ${strategy}, which nobody named`]
    })
  })
}

/** A resume that was published before a halt does nothing after it, and a halt that calls back what works calls back all of it. */
export const haltsOutlast: Check = ({ world: { commands }, told }) => {
  const wrong: string[] = []
  const open = new Set<string>()
  const closing = new Set<string>()
  const calledBack = new Set<string>()
  const left = new Map<number, Set<string>>()
  let halted = ''
  /** Of the messages that were published under one id, the one that was decided. */
  const publishedAt = (id: string, said: string): string => {
    const asked = commands.find((command) => command.id === id)
    return asked === undefined || asked.again.includes(said) ? said : asked.publishedAt
  }
  for (const { type, data, cause, position } of told) {
    const { orderRef } = data
    const published = publishedAt(cause['id'], type === 'TradingHalted' ? data['publishedAt'] : cause['publishedAt'])
    if (type === 'TradingResumed' && published < halted)
      wrong.push(`at ${position} trading goes on by a resume of ${published}, halted at ${halted}`)
    if (type === 'TradingHalted') {
      halted = published > halted ? published : halted
      if (data['cancelWorking'] === true) left.set(position, new Set([...open].filter((each) => !calledBack.has(each))))
    }
    if (type === 'OrderPlanned' && data['closing'] === true) closing.add(orderRef)
    if ((type === 'OrderPlanned' || type === 'OrderPlaced') && !closing.has(orderRef)) open.add(orderRef)
    if (type === 'OrderCancelRequested') calledBack.add(orderRef)
    if (type === 'OrderClosed') open.delete(orderRef)
    if (type === 'OrderCancelRequested' || type === 'OrderClosed') left.get(position)?.delete(orderRef)
  }
  return [...wrong, ...[...left].flatMap(([position, refs]) => [...refs].map((ref) => `the halt at ${position} leaves ${ref} at work`))]
}

/** Neither what a strategy said as a trial, nor what has become stale, is followed. */
export const restsOnWhatCounts: Check = ({ told }) => {
  const signals = new Map(ofType(told, 'SignalGenerated').map(({ position, data }) => [keyOf(data['strategy'], position), data]))
  return ofType(told, 'AllocationDecided').flatMap(({ data, position, recordedAt }) => {
    const followed = (data['strategies'] as { strategy: string; verdict: string }[]).filter(({ verdict }) => verdict === 'targets')
    return followed.flatMap(({ strategy }) => {
      const signal = signals.get(keyOf(strategy, data['signals'][strategy]))
      if (data['dryRun'] === true) return []
      if (signal === undefined) return [`at ${position} ${strategy} is followed in a signal that is not in the journal`]
      return [
        ...(signal['dryRun'] === true ? [`at ${position} ${strategy} is followed in what it said as a trial`] : []),
        ...(signal['freshUntil'] <= recordedAt
          ? [`at ${position} ${strategy} is followed in what was fresh until ${signal['freshUntil']}`]
          : []),
      ]
    })
  })
}

const tenMinutes = 600_000

/**
 * When everything is back and before a person asks for anything: what is overdue was asked for by the engine itself. An order that is over
 * and open in the journal is asked for once it is over, and after each midnight, when the broker forgets what it completed.
 */
export const asksByItself: Check = ({ world, told }) => {
  const alone = world.alone()
  if (alone === undefined) return []
  const before = told.filter(({ position }) => position <= alone.position)
  const look = ofType(before, 'PositionReconciled').at(-1)
  const looked = look === undefined ? 0 : Date.parse(look.data['takenAt'])
  const settled = new Set<string>()
  for (const { type, data } of before) {
    if (type === 'OrderClosed' || type === 'OrderUnresolved') settled.add(data['orderRef'])
    if (type === 'OrderPlaced') settled.delete(data['orderRef'])
  }
  const midnight = newYorkTime(newYorkDate(alone.at), '00:00')
  const forgotten = ofType(before, 'OrderPlanned').flatMap(({ data: { orderRef, inForceUntil } }) => {
    const over = Date.parse(inForceUntil)
    const due = over < midnight ? midnight : over
    return settled.has(orderRef) || looked > due || due + tenMinutes >= alone.at ? [] : [`${orderRef} is over and was not asked for`]
  })
  if (look === undefined || looked + tenMinutes >= alone.at) return forgotten
  const found = new Set(ofType(before, 'DiscrepancyFound').map(({ data }) => data['conId']))
  const { unjudged, differences } = look.data as { unjudged: number[]; differences: { conId: number }[] }
  return [
    ...forgotten,
    ...unjudged.map((conId) => `${conId} could not be judged at ${look.position}, and was not asked for again`),
    ...differences.flatMap(({ conId }) => (found.has(conId) ? [] : [`${conId} differs at ${look.position}, and was not asked for again`])),
  ]
}
