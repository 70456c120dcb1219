/**
 * Every fact this project remembers.
 * Stored for ever: add optional fields, never rename or retype. Old shapes pass through `upcasters`.
 * Quantities are signed decimal text in units of the instrument: + bought or held long, − sold or short. Times are ISO.
 */
import { isRight } from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { StoredEvent } from './commit.ts'
import { DecimalText } from './decimal.ts'
import { explainDecodeErrors } from './decode.ts'

const text = t.string
const decimals = t.record(t.string, DecimalText)
const Share = t.type({ strategy: text, quantity: DecimalText })
const optional = <P extends t.Props, O extends t.Props>(required: P, others: O) => t.intersection([t.type(required), t.partial(others)])

const Declared = t.type({ symbol: text, secType: text, exchange: text, currency: text })
const Hours = t.type({ open: text, close: text })
const Price = t.type({ value: DecimalText, at: text, source: text })
const Mention = { conId: t.number, symbol: text }
/** At the close: MOC and LOC trade in the closing auction alone. */
const OrderType = t.keyof({ MKT: null, LMT: null, MOC: null, LOC: null })

/** A clip, skip, hold or refusal: its code from the table of notes, and the numbers it was judged by. */
export const Note = optional({ code: text, text }, { strategy: text, conId: t.number, numbers: t.record(t.string, t.string) })
export type Note = t.TypeOf<typeof Note>

/** What was decided for a strategy that only runs in the shadow, as if it alone were live beside the live ones. `orders`: its parts of them. */
const Shadow = t.type({
  strategy: text,
  targets: t.array(
    t.type({ ...Mention, wanted: DecimalText, target: DecimalText, book: DecimalText, inFlight: DecimalText, difference: DecimalText }),
  ),
  orders: t.array(
    optional(
      { ...Mention, quantity: DecimalText, type: OrderType, reduces: t.boolean, referencePrice: DecimalText },
      { limitPrice: DecimalText },
    ),
  ),
  notes: t.array(Note),
})

export const OrderOutcome = t.keyof({ filled: null, cancelled: null, rejected: null, expired: null, withdrawn: null, lost: null })
export type OrderOutcome = t.TypeOf<typeof OrderOutcome>

export const eventData = {
  // ── The engine and its line ──
  EngineStarted: t.type({ epoch: t.number, mode: t.keyof({ paper: null, live: null }) }),
  GatewayConnected: t.type({ account: text, nextValidId: t.number, serverVersion: t.number }),
  /** `phase`: where the session stands instead, unless it is just `down`. */
  GatewayLost: optional({ reason: text }, { phase: text }),

  // ── Commands ──
  CommandCompleted: t.type({ result: t.UnknownRecord }),
  CommandRefused: optional({ code: text, text }, { details: t.UnknownRecord }),
  CommandFailed: t.type({ code: text, text }),
  PipelineStarted: t.type({ pipeline: text, plan: t.UnknownRecord, validUntil: t.union([text, t.null]), endsBy: text }),
  PipelineEnded: optional(
    { pipeline: text, outcome: t.keyof({ completed: null, partial_success: null, failed: null, refused: null, expired: null }), text },
    { code: text },
  ),

  // ── Signals ──
  SignalGenerated: optional(
    {
      strategy: text,
      dryRun: t.boolean,
      kind: t.keyof({ targets: null, neutral: null }),
      targets: t.array(optional(Mention, { weight: DecimalText, quantity: DecimalText })),
      reason: text,
      indicators: t.record(t.string, t.number),
      bars: t.array(t.type({ ...Mention, size: text, from: text, to: text, count: t.number, hash: text })),
      /** `averageVolume`: units of the instrument on an average day of the last twenty whole ones, as far as the bars go back. */
      prices: t.array(optional({ conId: t.number, value: DecimalText, at: text, source: text }, { averageVolume: DecimalText })),
      lastSession: text,
      freshUntil: text,
    },
    { parameters: t.UnknownRecord },
  ),
  SignalFailed: t.type({ strategy: text, dryRun: t.boolean, code: text, text }),
  /**
   * `priceIncrements`: the step of prices from each price upwards, where it is not `minTick` throughout; lowest first. `hours`: when it trades
   * on the days from `from` to `until`, where that is not as the calendar of New York has it; `regular` is when an order for the day works.
   */
  InstrumentResolved: optional(
    {
      declared: Declared,
      conId: t.number,
      symbol: text,
      secType: text,
      exchange: text,
      currency: text,
      multiplier: DecimalText,
      sizeStep: DecimalText,
      minTick: DecimalText,
    },
    {
      priceIncrements: t.array(t.type({ from: DecimalText, increment: DecimalText })),
      hours: t.type({ from: text, until: text, regular: t.array(Hours), extended: t.array(Hours) }),
    },
  ),

  // ── The account ──
  /**
   * The account as the broker showed it. `asked`: the journal's position when the questions began; it judges nothing later.
   * `manual`: the new holdings of instruments that are not ours. `differences`: reported − books − manual, where it is not 0.
   * `missing`: our working orders that no answer named. `unjudged`: instruments with a report after the questions began.
   */
  PositionReconciled: optional(
    {
      account: text,
      takenAt: text,
      asked: t.number,
      exchangeRates: decimals,
      cash: decimals,
      positions: t.array(
        optional(
          { ...Mention, secType: text, currency: text, quantity: DecimalText, averageCost: DecimalText },
          { marketPrice: DecimalText, marketValue: DecimalText, unrealizedProfit: DecimalText, realizedProfit: DecimalText },
        ),
      ),
      openOrders: t.array(
        optional(
          { orderRef: text, orderId: t.number, permId: t.number, status: text },
          { conId: t.number, symbol: text, remaining: DecimalText },
        ),
      ),
      manual: t.array(t.type({ ...Mention, quantity: DecimalText })),
      differences: t.array(t.type({ ...Mention, reported: DecimalText, expected: DecimalText, unexplained: DecimalText })),
      missing: t.array(text),
      unjudged: t.array(t.number),
    },
    { baseCurrency: text, netLiquidation: DecimalText, availableFunds: DecimalText, grossPositionValue: DecimalText },
  ),
  /** `holder` says where the quantity went: `manual`, or `nobody` for one with our prefix and no plan. */
  ForeignExecutionSeen: t.type({
    ...Mention,
    secType: text,
    executionId: text,
    orderRef: text,
    quantity: DecimalText,
    price: DecimalText,
    holder: t.keyof({ manual: null, nobody: null }),
  }),
  /** The instrument is blocked until it is explained. */
  DiscrepancyFound: optional(
    {
      ...Mention,
      kind: t.keyof({ position: null, againstBook: null, orphanExecution: null, orphanOrder: null, instrumentChanged: null, trade: null }),
      quantity: DecimalText,
      text,
    },
    { proposedFill: t.type({ orderRef: text, quantity: DecimalText }), proposedCorporateAction: t.type({ ratio: text }) },
  ),
  /**
   * `moves` is all the fold applies; `holder` is a strategy's id or `manual`. `unexplained`: what is left. `price`: at which books trade what
   * moves, or at which a split's fractions were paid; without it nobody knows. `ratio` of a corporate action, new for old: "3:2". `openOrders`: at work in the instrument at that time.
   */
  DiscrepancyExplained: optional(
    {
      ...Mention,
      quantity: DecimalText,
      as: t.keyof({ manual: null, book: null, fill: null, corporateAction: null }),
      moves: t.array(t.type({ holder: text, quantity: DecimalText })),
      unexplained: DecimalText,
      reason: text,
    },
    { from: text, price: Price, ratio: text, openOrders: t.array(text) },
  ),

  /**
   * The account at a glance, a row for each thing. `holders` says whose it is: strategies, `manual`, `nobody`; none for a currency pair.
   * `fillsLeftOut`: so many older fills of the day did not fit.
   */
  AccountSummarized: optional(
    {
      account: text,
      takenAt: text,
      values: t.array(t.type({ key: text, value: text, currency: text })),
      positions: t.array(
        optional(
          { ...Mention, secType: text, currency: text, quantity: DecimalText, averageCost: DecimalText, holders: decimals },
          {
            unexplained: DecimalText,
            ...{ marketPrice: DecimalText, marketValue: DecimalText, unrealizedProfit: DecimalText, realizedProfit: DecimalText },
          },
        ),
      ),
      openOrders: t.array(
        optional(
          { orderRef: text, orderId: t.number, clientId: t.number, permId: t.number, status: text, holders: decimals },
          {
            ...{ conId: t.number, symbol: text, secType: text, currency: text },
            ...{ quantity: DecimalText, filled: DecimalText, remaining: DecimalText, orderType: text, limitPrice: DecimalText },
          },
        ),
      ),
      fills: t.array(
        optional(
          {
            ...{ executionId: text, orderRef: text, ...Mention, currency: text },
            ...{ quantity: DecimalText, price: DecimalText, at: text, holders: decimals },
          },
          { commission: DecimalText, commissionCurrency: text },
        ),
      ),
      fillsLeftOut: t.number,
    },
    { baseCurrency: text },
  ),

  /** One line a currency that is not the base. `value` in base; a pair's quantity is in its symbol's currency, + bought, − sold. */
  CashBalanced: optional(
    {
      ...{ dryRun: t.boolean, baseCurrency: text, threshold: DecimalText, takenAt: text },
      conversions: t.array(
        optional(
          { currency: text, cash: DecimalText, verdict: t.keyof({ order: null, held: null, nothing: null }), code: text, text },
          { exchangeRate: DecimalText, value: DecimalText, conId: t.number, pair: text, quantity: DecimalText, orderRef: text },
        ),
      ),
    },
    { wouldRefuse: text },
  ),

  /** The executions of one day against orders and books: how many, and what does not agree. `expected` is ours, `reported` the broker's. */
  TradesReconciled: t.type({
    ...{ session: text, takenAt: text, executions: t.number, orders: t.number, notOurs: t.number },
    differences: t.array(
      optional(
        { kind: text, text },
        { conId: t.number, symbol: text, orderRef: text, executionId: text, expected: DecimalText, reported: DecimalText },
      ),
    ),
    differencesLeftOut: t.number,
  }),

  // ── The commander ──
  AllocationDecided: optional(
    {
      dryRun: t.boolean,
      round: t.number,
      /** A close-all needs no net liquidation, so there it may be absent. */
      snapshot: optional({ position: t.number, takenAt: text }, { netLiquidation: DecimalText, currency: text }),
      signals: t.record(t.string, t.number),
      configuration: t.number,
      exposure: DecimalText,
      instruments: t.array(
        optional(
          { ...Mention, currency: text, multiplier: DecimalText, sizeStep: DecimalText, minTick: DecimalText },
          { price: Price, marketPrice: DecimalText, exchangeRate: DecimalText, blocked: text },
        ),
      ),
      strategies: t.array(
        t.type({
          strategy: text,
          verdict: t.keyof({ targets: null, standing: null, held: null, skipped: null, shadow: null, closed: null }),
          allocation: DecimalText,
        }),
      ),
      /** One line a strategy and instrument; `wanted` is the target before limits, `target` after them. */
      targets: t.array(
        optional(
          {
            strategy: text,
            ...Mention,
            wanted: DecimalText,
            target: DecimalText,
            book: DecimalText,
            inFlight: DecimalText,
            difference: DecimalText,
          },
          { weight: DecimalText },
        ),
      ),
      orders: t.array(
        optional(
          {
            orderRef: text,
            ...Mention,
            quantity: DecimalText,
            type: OrderType,
            reduces: t.boolean,
            referencePrice: DecimalText,
            shares: t.array(Share),
          },
          { limitPrice: DecimalText },
        ),
      ),
      cancels: t.array(text),
      notes: t.array(Note),
    },
    { wouldRefuse: text, shadows: t.array(Shadow) },
  ),
  /** The strategy's targets as quantities; instruments that are not named keep theirs. `factor`: exposure × allocation at that time. */
  StandingTargetsSet: t.type({
    strategy: text,
    signal: t.number,
    factor: DecimalText,
    targets: t.array(t.type({ ...Mention, quantity: DecimalText })),
  }),
  /** Opposite wishes settled inside the house; the quantities sum to 0. */
  PositionsCrossed: t.type({ ...Mention, price: DecimalText, priceAt: text, moves: t.array(Share) }),

  // ── Orders ──
  /**
   * `closing`: it ends a position for a close-all, and so goes out though trading is halted. `goodAfter`: the broker keeps it until then;
   * `goodTill`: and gives it up then. `previewId`: the order id under which the broker is asked what it would take, before it goes out.
   */
  OrderPlanned: optional(
    {
      orderRef: text,
      orderId: t.number,
      account: text,
      ...Mention,
      secType: text,
      exchange: text,
      currency: text,
      quantity: DecimalText,
      type: OrderType,
      timeInForce: t.keyof({ DAY: null, GTC: null, GTD: null, OPG: null }),
      outsideRegularHours: t.boolean,
      reduces: t.boolean,
      referencePrice: DecimalText,
      sizeStep: DecimalText,
      shares: t.array(Share),
      inForceUntil: text,
      decision: text,
    },
    {
      limitPrice: DecimalText,
      algo: t.type({ strategy: text, parameters: t.record(t.string, t.string) }),
      closing: t.boolean,
      goodAfter: text,
      goodTill: text,
      previewId: t.number,
    },
  ),
  OrderPlaced: t.type({ orderRef: text, orderId: t.number, permId: t.number, evidence: text }),
  /** `shares` is the part of this execution that each book gets. A correction names the execution id it `replaces`. */
  FillReceived: optional(
    { orderRef: text, executionId: text, ...Mention, quantity: DecimalText, price: DecimalText, shares: t.array(Share) },
    { replaces: text },
  ),
  OrderCancelRequested: t.type({ orderRef: text, reason: text }),
  OrderClosed: optional({ orderRef: text, how: OrderOutcome, filled: DecimalText, text }, { code: t.number }),
  OrderUnresolved: t.type({ orderRef: text, conId: t.number, text }),
  CommissionReported: optional({ executionId: text, commission: DecimalText, currency: text }, { realizedProfit: DecimalText }),

  // ── Market data ──
  /**
   * One series of the catalogue after a collection: closed bars with starts `from` to `to`, their hash as in a signal's bars. `asked`: the
   * first New York date that was asked for. `added` and `changed` count what this command wrote, `revisions` names the first closes that
   * changed. `gaps`: against the sessions of New York; null where they say nothing. `partitions`: the months of the range.
   */
  MarketDataCollected: optional(
    {
      ...Mention,
      size: text,
      whatToShow: text,
      regularHoursOnly: t.boolean,
      asked: text,
      from: text,
      to: text,
      count: t.number,
      hash: text,
      added: t.number,
      changed: t.number,
      revisions: t.array(t.type({ start: text, before: DecimalText, after: DecimalText })),
      gaps: t.union([t.type({ count: t.number, first: t.array(text) }), t.null]),
      partitions: t.array(text),
    },
    { warning: text },
  ),

  // ── Risk and the day ──
  /**
   * More was lost than is allowed. `value` and `limit` are fractions of `base`: what was there, or the strategy's capital. `scope`: `account`
   * or a strategy's id. `session`: whose trading day it is. Net liquidation cannot tell a withdrawal from a loss.
   */
  RiskBreached: t.type({
    rule: t.keyof({ dailyDrawdown: null, peakDrawdown: null }),
    scope: text,
    ...{ value: DecimalText, limit: DecimalText, base: DecimalText, currency: text, session: text },
    ...{ from: DecimalText, fromAt: text, latest: DecimalText, latestAt: text },
    text,
  }),
  /** A breach that was told is over. */
  RiskRecovered: t.type({
    rule: t.keyof({ dailyDrawdown: null, peakDrawdown: null }),
    scope: text,
    value: DecimalText,
    limit: DecimalText,
  }),
  /** A person says that what went away was no loss: drawdowns from the peak are measured from here on. Of net liquidation. */
  PeaksReset: t.type({ from: DecimalText, to: DecimalText, currency: text, reason: text }),
  /**
   * The books of a trading day, closed once a session. `profit` is the change of net liquidation since the day's first reconcile, deposits and
   * withdrawals included; a book's is what it made; absent is unknown. `flat`: no book of ours holds anything.
   */
  DayClosed: optional(
    {
      session: text,
      flat: t.boolean,
      enforcedFlat: t.boolean,
      books: t.array(optional({ strategy: text, holdings: decimals }, { profit: DecimalText })),
      openOrders: t.array(t.type({ orderRef: text, ...Mention, quantity: DecimalText, filled: DecimalText, status: text })),
      mismatches: t.array(t.type({ ...Mention, text })),
    },
    { currency: text, netLiquidation: DecimalText, profit: DecimalText, since: text },
  ),

  // ── The switch and the configuration ──
  /** `publishedAt` of the halting command: a resume published before it does nothing. `standing`: working orders that stay. */
  TradingHalted: t.type({ reason: text, publishedAt: text, cancelWorking: t.boolean }),
  /** `paper`: the record on paper that was looked at before live trading, and for which strategies. */
  TradingResumed: optional({ reason: text }, { paper: t.type({ position: t.number, hash: text, strategies: t.array(text) }) }),
  ConfigurationChanged: t.type({ changes: t.record(t.string, t.type({ from: t.unknown, to: t.unknown })) }),
} as const

export type EventType = keyof typeof eventData
export type EventData<T extends EventType> = t.TypeOf<(typeof eventData)[T]>
/** One decided event: its type and data; version and time are added when it is committed. */
export type DomainEvent = { [T in EventType]: { type: T; data: EventData<T>; occurredAt?: string } }[EventType]

export const event = <T extends EventType>(type: T, data: EventData<T>, occurredAt?: string): Extract<DomainEvent, { type: T }> =>
  ({ type, data, ...(occurredAt === undefined ? {} : { occurredAt }) }) as Extract<DomainEvent, { type: T }>

/** The version that is written today, by type. A type that is not named is at 1. */
const currentVersions: Partial<Record<EventType, number>> = {}

/**
 * From an older version to the newer one, by `type@v`. Pure; may rename, split into several or drop (an empty list).
 * Applied after hashing: the stored text never changes.
 */
export type Upcaster = (event: StoredEvent) => StoredEvent[]
export const upcasters: Readonly<Record<string, Upcaster>> = {}

export const toStored = (events: readonly DomainEvent[], now: string): StoredEvent[] =>
  events.map(({ type, data, occurredAt }) => ({ type, v: currentVersions[type] ?? 1, occurredAt: occurredAt ?? now, data }))

export class UnreadableEvent extends Error {
  override name = 'UnreadableEvent'
}

const upcast = (stored: StoredEvent, known: Readonly<Record<string, Upcaster>>): StoredEvent[] => {
  const step = known[`${stored.type}@${stored.v}`]
  return step === undefined ? [stored] : step(stored).flatMap((next) => upcast(next, known))
}

const current = (stored: StoredEvent): DomainEvent => {
  const codec = eventData[stored.type as EventType] as t.Mixed | undefined
  if (codec === undefined) throw new UnreadableEvent(`unknown event type "${stored.type}"`)
  // `is` allocates nothing: replay runs at the speed of JSON.parse; only a failure pays for its explanation.
  if (!codec.is(stored.data)) {
    const decoded = codec.decode(stored.data)
    throw new UnreadableEvent(`${stored.type}: ${isRight(decoded) ? 'not in its canonical form' : explainDecodeErrors(decoded.left)}`)
  }
  return stored as unknown as DomainEvent
}

const noUpcasters = (known: Readonly<Record<string, Upcaster>>): boolean => {
  for (const _ in known) return false
  return true
}

/** Stored events as today's events. @throws UnreadableEvent naming the type and the field */
export const fromStored = (events: readonly StoredEvent[], known: Readonly<Record<string, Upcaster>> = upcasters): DomainEvent[] =>
  noUpcasters(known) ? events.map(current) : events.flatMap((stored) => upcast(stored, known).map(current))
