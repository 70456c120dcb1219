/**
 * Random histories of books, told twice: to the ledger by the events that the engine would write, and to a broker and an accountant who know
 * nothing of lots. The accountant adds up what each book paid and got, trade by trade; a correction replaces its entry.
 */
import fc from 'fast-check'
import { ratioOf } from '../../../domain/books/ratio.ts'
import { decideSplit } from '../../../domain/books/split.ts'
import { decideTransfer } from '../../../domain/books/transfer.ts'
import { genesisHash, store } from '../../../domain/commit.ts'
import { add, type Decimal, multiply, negate, subtract, sum } from '../../../domain/decimal.ts'
import { isRefusal } from '../../../domain/errors.ts'
import { type DomainEvent, event, toStored } from '../../../domain/events.ts'
import { fold } from '../../../domain/fold.ts'
import type { Ledger } from '../../../domain/ledger.ts'
import { sharesOfFill } from '../../../domain/order.ts'
import type { BrokerSnapshot } from '../../../domain/ports/broker.ts'
import { reconcile } from '../../../domain/reconcile.ts'
import { closed, configured, ledgerOf, ordered, ready, resolved, SPY, type Traded } from '../../given.ts'

export const SAP: Traded = { ...SPY, conId: 4711, symbol: 'SAP', currency: 'EUR' }
export const instruments = [SPY, SAP] as const
export const strategies = ['trend', 'hedge', 'carry'] as const

export type Action = { hours: number; instrument: number; price: number; rate: number } & (
  | { does: 'fill'; shares: readonly number[]; parts: readonly number[]; commission: number }
  | { does: 'correct'; back: number; keeps: number }
  | { does: 'cross'; from: number; to: number; quantity: number }
  | { does: 'trade by hand'; quantity: number }
  | { does: 'move'; strategy: number; toBook: boolean; percent: number }
  | { does: 'drift'; quantity: number; into: number }
  | { does: 'split'; ratio: string }
  | { does: 'choose'; method: string }
)

const place = {
  hours: fc.constantFrom(1, 1, 5, 24, 24, 200, 700),
  instrument: fc.nat(instruments.length - 1),
  price: fc.integer({ min: 50_00, max: 150_00 }),
  rate: fc.integer({ min: 80, max: 130 }),
}
const few = fc.integer({ min: -60, max: 60 }).filter((quantity) => quantity !== 0)
const does = <D extends string, F extends object>(name: D, fields: { [K in keyof F]: fc.Arbitrary<F[K]> }) =>
  fc.record({ ...place, does: fc.constant(name), ...fields }) as unknown as fc.Arbitrary<Action>

export const anyAction: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.boolean().chain((buys) => {
      const share = fc.integer({ min: 0, max: 60 }).map((quantity) => (buys ? quantity : -quantity))
      const parts = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 3 })
      return does('fill', { shares: fc.tuple(share, share, share), parts, commission: fc.integer({ min: 0, max: 500 }) })
    }),
  },
  { weight: 3, arbitrary: does('correct', { back: fc.nat(4), keeps: fc.integer({ min: 0, max: 120 }) }) },
  { weight: 2, arbitrary: does('cross', { from: fc.nat(2), to: fc.nat(2), quantity: few }) },
  { weight: 2, arbitrary: does('trade by hand', { quantity: few }) },
  { weight: 2, arbitrary: does('move', { strategy: fc.nat(2), toBook: fc.boolean(), percent: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 2, arbitrary: does('drift', { quantity: few, into: fc.nat(3) }) },
  { weight: 1, arbitrary: does('split', { ratio: fc.constantFrom('2:1', '3:1', '3:2') }) },
  { weight: 1, arbitrary: does('choose', { method: fc.constantFrom('fifo', 'lifo', 'highestCost') }) },
)

/** One share of one trade: what the book paid for it, in base currency. */
type Entry = { strategy: string; conId: number; execution: string; quantity: Decimal; price: Decimal; rate: Decimal }
type Execution = { execution: string; revision: number; orderRef: string; conId: number; at: number; quantity: Decimal; split: boolean }

export type World = {
  ledger: Ledger
  now: number
  /** What the broker holds, by contract id. */
  broker: Record<number, Decimal>
  prices: Record<number, Decimal>
  euro: Decimal
  accounts: Entry[]
  /** By execution, in base currency. */
  commissions: Map<string, Decimal>
  executions: Execution[]
  fills: Extract<DomainEvent, { type: 'FillReceived' }>[]
}

const isoTime = (now: number): string => new Date(now).toISOString()
const rateIn = (world: World, conId: number): Decimal => (conId === SAP.conId ? world.euro : '1')
const hold = (world: World, conId: number, change: Decimal): void => {
  world.broker[conId] = add(world.broker[conId] ?? '0', change)
}
/** One commit, folded onto the ledger in place. */
const tell = (world: World, ...events: DomainEvent[]): void => {
  const { ledger } = world
  const recordedAt = isoTime(world.now)
  const previousHash = ledger.position === 0 ? genesisHash : ledger.hash
  const commit = { position: ledger.position + 1, epoch: 1, recordedAt, previousHash, cause: { kind: 'broker', report: 'test' } as const }
  fold(ledger, store({ ...commit, events: toStored(events, recordedAt) }))
}

/** A reconcile by the real decision. */
export const look = (world: World): void => {
  const snapshot: BrokerSnapshot = {
    ...{ account: 'DU1234567', takenAt: isoTime(world.now), executions: [], commissions: [], openOrders: [], completedOrders: [] },
    positions: instruments.flatMap(({ conId, symbol, secType, currency }) => {
      const quantity = world.broker[conId] ?? '0'
      const contract = { conId, symbol, secType, currency }
      const unknown = { marketValue: undefined, unrealizedProfit: undefined, realizedProfit: undefined }
      return [{ contract, quantity, averageCost: '0', marketPrice: world.prices[conId], ...unknown }]
    }),
    values: {
      ...{ baseCurrency: 'USD', netLiquidation: '100000', availableFunds: '90000', grossPositionValue: undefined },
      ...{ cash: { USD: '100000' }, exchangeRates: { USD: '1', EUR: world.euro }, all: [] },
    },
  }
  const facts = { snapshot, asked: world.ledger.position, said: {}, notHandedOver: [] }
  tell(world, ...reconcile(world.ledger, facts, world.now))
}

export const newWorld = (): World => {
  const world: World = {
    ...{ ledger: ledgerOf(...ready, resolved(SAP)), now: Date.parse('2024-01-09T15:00:00.000Z') },
    ...{ broker: {}, prices: { [SPY.conId]: '100', [SAP.conId]: '100' }, euro: '1.1' },
    ...{ accounts: [], commissions: new Map(), executions: [], fills: [] },
  }
  look(world)
  return world
}

const account = (
  world: World,
  execution: string,
  conId: number,
  shares: readonly { strategy: string; quantity: Decimal }[],
  price: Decimal,
) => {
  const before = world.accounts.find((entry) => entry.execution === execution && execution !== '')
  const rate = before?.rate ?? rateIn(world, conId)
  if (before !== undefined) world.accounts = world.accounts.filter((entry) => entry.execution !== execution)
  for (const { strategy, quantity } of shares) world.accounts.push({ strategy, conId, execution, quantity, price, rate })
}

const fill = (world: World, execution: Execution, quantity: Decimal, price: Decimal): void => {
  const order = world.ledger.orders[execution.orderRef]!
  const executionId = `${execution.execution}.0${execution.revision}`
  const shares = sharesOfFill(order, executionId, quantity)
  const { conId, symbol, orderRef } = order
  const replaces = execution.revision > 1 ? { replaces: `${execution.execution}.0${execution.revision - 1}` } : {}
  const received = event('FillReceived', { orderRef, executionId, conId, symbol, quantity, price, shares, ...replaces })
  hold(world, conId, subtract(quantity, execution.revision > 1 ? execution.quantity : '0'))
  execution.quantity = quantity
  world.fills.push(received)
  account(world, execution.execution, conId, shares, price)
  tell(world, received)
}

/** What the executions of an order by parts of its quantity are, in whole shares. */
const partsOf = (quantity: number, weights: readonly number[]): number[] => {
  const all = weights.reduce((total, weight) => total + weight, 0)
  let given = 0
  return weights.map((weight, index) => {
    const part = index === weights.length - 1 ? quantity - given : Math.trunc((quantity * weight) / all)
    given += part
    return part
  })
}

const perform = (world: World, action: Action, number: number): void => {
  const instrument = instruments[action.instrument]!
  const { conId, symbol } = instrument
  const price = String(action.price / 100)
  const { ledger } = world
  switch (action.does) {
    case 'fill': {
      const quantity = action.shares.reduce((total, share) => total + share, 0)
      if (quantity === 0) return
      const orderRef = `r-${number}`
      const shares = Object.fromEntries(strategies.map((strategy, index) => [strategy, String(action.shares[index])]))
      tell(world, ordered(orderRef, instrument, shares, { orderId: number + 1, inForceUntil: isoTime(world.now + 86_400_000) }))
      partsOf(quantity, action.parts).forEach((part, index) => {
        if (part === 0) return
        const execution = {
          ...{ execution: `e${number}-${index}`, revision: 1, orderRef, conId },
          at: world.now,
          quantity: '0',
          split: false,
        }
        world.executions.push(execution)
        fill(world, execution, String(part), price)
        if (action.commission % 7 === 6) return // never reported
        const commission = String(action.commission / 100)
        const { currency } = instrument
        world.commissions.set(execution.execution, multiply(commission, rateIn(world, conId)))
        tell(world, event('CommissionReported', { executionId: `${execution.execution}.01`, commission, currency }))
      })
      tell(world, closed(orderRef, 'filled', String(quantity)))
      return
    }
    case 'correct': {
      const known = world.executions.filter((execution) => !execution.split && world.now - execution.at < 25 * 86_400_000)
      const execution = known.at(-1 - action.back)
      if (execution === undefined) return
      execution.revision++
      const corrected = Math.trunc((Number(execution.quantity) * action.keeps) / 100)
      fill(world, execution, String(corrected === 0 ? Number(execution.quantity) : corrected), price)
      return
    }
    case 'cross': {
      if (action.from === action.to) return
      const [from, to] = [strategies[action.from]!, strategies[action.to]!]
      const moves = [
        { strategy: from, quantity: String(0 - action.quantity) },
        { strategy: to, quantity: String(action.quantity) },
      ]
      account(world, '', conId, moves, price)
      tell(world, event('PositionsCrossed', { conId, symbol, price, priceAt: isoTime(world.now), moves }))
      return
    }
    case 'trade by hand': {
      const quantity = String(action.quantity)
      hold(world, conId, quantity)
      const executionId = `h${number}.01`
      tell(
        world,
        event('ForeignExecutionSeen', { conId, symbol, secType: 'STK', executionId, orderRef: '', quantity, price, holder: 'manual' }),
      )
      return
    }
    case 'move': {
      const strategy = strategies[action.strategy]!
      const held = (action.toBook ? ledger.manual : ledger.books[strategy])?.[conId]
      const quantity = String(Math.trunc((Number(held ?? '0') * action.percent) / 100))
      if (quantity === '0' || quantity === '-0') return
      const [from, to] = action.toBook ? ['manual', strategy] : [strategy, 'manual']
      const decided = decideTransfer(ledger, { conId, symbol, from, to, quantity, price, reason: 'test' }, isoTime(world.now))
      if (isRefusal(decided)) throw new Error(decided.text)
      account(world, '', conId, [{ strategy, quantity: action.toBook ? quantity : negate(quantity) }], price)
      tell(world, ...decided)
      return
    }
    case 'drift': {
      const quantity = String(action.quantity)
      hold(world, conId, quantity)
      look(world)
      const unexplained = world.ledger.unexplained[conId]
      const holder = [...strategies, 'manual'][action.into]!
      if (unexplained === undefined) return // never named by us: manual already
      if (holder !== 'manual') account(world, '', conId, [{ strategy: holder, quantity: unexplained.quantity }], price)
      tell(
        world,
        event('DiscrepancyExplained', {
          ...{ conId, symbol, quantity: unexplained.quantity, unexplained: '0', reason: 'test' },
          as: holder === 'manual' ? 'manual' : 'book',
          moves: [{ holder, quantity: unexplained.quantity }],
          price: { value: price, at: isoTime(world.now), source: 'command' },
        }),
      )
      return
    }
    case 'split': {
      const ratio = ratioOf(action.ratio)!
      const before = Number(world.broker[conId] ?? '0')
      world.broker[conId] = String(Math.trunc((before * Number(ratio.units)) / Number(ratio.for)) + 0)
      for (const execution of world.executions) if (execution.conId === conId) execution.split = true
      look(world)
      const decided = decideSplit(world.ledger, { conId, symbol, text: action.ratio, ratio, reason: 'test' })
      if (!isRefusal(decided)) tell(world, ...decided.events)
      return
    }
    case 'choose':
      tell(world, configured({ 'books.lotMethod': action.method }))
  }
}

/** One action, some time later, at a new price; the broker is asked afterwards. */
export const live = (world: World, action: Action, number: number): void => {
  world.now += action.hours * 3_600_000
  perform(world, action, number)
  world.prices[instruments[action.instrument]!.conId] = String(action.price / 100)
  world.euro = String(action.rate / 100)
  world.now += 1000
  look(world)
}

// ── What the accountant says ──

export const paidFor = (world: World, strategy: string, conId: number): Decimal =>
  sum(
    world.accounts.flatMap((entry) =>
      entry.strategy === strategy && entry.conId === conId ? [multiply(multiply(entry.quantity, entry.price), entry.rate)] : [],
    ),
  )
export const worthNow = (world: World, strategy: string, conId: number): Decimal =>
  multiply(multiply(world.ledger.books[strategy]?.[conId] ?? '0', world.prices[conId]!), rateIn(world, conId))
