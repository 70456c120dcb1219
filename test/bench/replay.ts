/** Replay: parse, decode and fold a journal, against `JSON.parse` of the same texts alone. */
import { type Commit, canonical, type StoredEvent, sha256 } from '../../domain/commit.ts'
import { type DomainEvent, event, toStored } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Row } from './row.ts'

const day = 24 * 60 * 60 * 1000
const conIds = [756733, 80011, 265598]

/** The events of one order's life as a working account writes them: planned, placed, two fills with their commissions, closed. */
const lifeOf = (number: number): DomainEvent[][] => {
  const orderRef = `abc123-${sha256(String(number)).slice(0, 12)}-1`
  const conId = conIds[number % conIds.length]!
  const symbol = 'SPY'
  const quantity = number % 2 === 0 ? '100' : '-100'
  const half = number % 2 === 0 ? '50' : '-50'
  const shares = [
    { strategy: 'spymacdvixy', quantity: number % 2 === 0 ? '60' : '-60' },
    { strategy: 'testsignalgenerator', quantity: number % 2 === 0 ? '40' : '-40' },
  ]
  const fill = (part: number) =>
    event('FillReceived', {
      orderRef,
      executionId: `0000e0d5.${number}.${part}.01`,
      conId,
      symbol,
      quantity: half,
      price: '287.35',
      shares: shares.map(({ strategy, quantity: whole }) => ({ strategy, quantity: String(Number(whole) / 2) })),
    })
  const commission = (part: number) =>
    event('CommissionReported', { executionId: `0000e0d5.${number}.${part}.01`, commission: '1.02', currency: 'USD' })
  return [
    [
      event('OrderPlanned', {
        orderRef,
        orderId: number,
        account: 'DU1234567',
        conId,
        symbol,
        secType: 'STK',
        exchange: 'SMART',
        currency: 'USD',
        quantity,
        type: 'MKT',
        timeInForce: 'DAY',
        outsideRegularHours: false,
        reduces: number % 2 === 1,
        referencePrice: '287.1',
        sizeStep: '1',
        shares,
        inForceUntil: '2020-03-17T20:00:00.000Z',
        decision: `orchestrator@${number}`,
      }),
    ],
    [event('OrderPlaced', { orderRef, orderId: number, permId: 900000 + number, evidence: 'status PreSubmitted' })],
    [fill(1)],
    [commission(1)],
    [fill(2), event('OrderClosed', { orderRef, how: 'filled', filled: quantity, text: 'the executions reached the whole quantity' })],
    [commission(2)],
  ]
}

/** A busy account of daily and half-hourly strategies. */
const ordersADay = 20

/** A chained journal with so many events, a day after the other. @param firstDay epoch milliseconds */
export const journalOf = (events: number, firstDay = Date.UTC(2015, 0, 1)): { json: string; hash: string }[] => {
  const stored: { json: string; hash: string }[] = []
  let previousHash = '0'.repeat(64)
  let count = 0
  const append = (recordedAt: string, stepEvents: StoredEvent[]) => {
    const commit: Commit = {
      position: stored.length + 1,
      epoch: 1,
      recordedAt,
      cause: { kind: 'broker', report: 'execution' },
      events: stepEvents,
      previousHash,
    }
    const json = canonical(commit)
    previousHash = sha256(json)
    stored.push({ json, hash: previousHash })
    count += stepEvents.length
  }
  for (let number = 1; count < events; number++) {
    const recordedAt = isoTime(firstDay + Math.floor(number / ordersADay) * day)
    for (const step of lifeOf(number)) append(recordedAt, toStored(step, recordedAt))
  }
  return stored
}

const seconds = (run: () => void): number => {
  const start = performance.now()
  run()
  return (performance.now() - start) / 1000
}

export const benchReplay = (events = 1_000_000, rounds = 5): Row => {
  const journal = journalOf(events)
  const replayOnce = () => {
    const ledger = initialLedger()
    for (const stored of journal) fold(ledger, stored)
    if (ledger.position !== journal.length) throw new Error('the replay did not reach the head')
  }
  const parseOnce = () => {
    let positions = 0
    for (const stored of journal) positions += (JSON.parse(stored.json) as Commit).events.length
    if (positions < events) throw new Error('events are missing')
  }
  // The quickest round of each: whatever else the machine does only adds.
  let ours = Number.POSITIVE_INFINITY
  let floor = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    floor = Math.min(floor, seconds(parseOnce))
    ours = Math.min(ours, seconds(replayOnce))
  }
  return {
    name: `replay of ${events.toLocaleString('en')} events (parse, decode, fold)`,
    floorName: 'JSON.parse alone',
    unit: 'events/s',
    ours: events / ours,
    floor: events / floor,
    ratio: floor / ours,
    wanted: 'at least 0.5',
  }
}
