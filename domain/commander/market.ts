/** What is known of an instrument at the time of the decision: prices with their times, rates, steps, and what stands in the way. */
import { type Decimal, multiply, sign } from '../decimal.ts'
import { blockedBecause, type Instrument, isBeforeCorporateAction, type Ledger, openOrdersIn } from '../ledger.ts'
import type { Grounds } from './may-we.ts'
import type { NoteCode } from './notes.ts'
import { oldestUsablePrice } from './price-age.ts'
import { isFreshSignal } from './signal-age.ts'

export type Quote = { value: Decimal; at: string; source: string }
type Known = Quote & { averageVolume?: Decimal }

export type InstrumentView = {
  conId: number
  symbol: string
  /** Absent when the contract was never resolved. */
  instrument: Instrument | undefined
  /** The newest price of all fresh signals, when it is young enough to size and to limit an increase by. */
  reference: Quote | undefined
  /** Why nothing may increase here. */
  problem: NoteCode | undefined
  /** By what a reduction is valued: the reference, else the snapshot's market price. An exit waits for no strategy's bars. */
  exit: Quote | undefined
  marketPrice: Decimal | undefined
  /** Units on an average day, as the newest signal that knows it says. */
  averageVolume: Decimal | undefined
  exchangeRate: Decimal | undefined
  /** Base currency for one unit that a target adds; at the reference. */
  unitValue: Decimal | undefined
  /** Base currency for one unit, by whatever price there is: for the minimum trade. */
  exitValue: Decimal | undefined
  /**
   * Base currency for one unit that is held: at the snapshot's market price. Where the snapshot has no such position (bought since,
   * or crossed inside the house so that the broker holds none) at the reference, else at that of the working order.
   */
  heldValue: Decimal | undefined
  blocked: string | undefined
}

export type Market = (conId: number) => InstrumentView

const untradable: Readonly<Record<string, true>> = { IND: true, CASH: true }

/** Strategies whose signals are fresh, of all that ever spoke and count: a price is a fact, whoever asked for it. */
export const freshSpeakers = (ledger: Readonly<Ledger>, now: number, counts = (_strategy: string) => true): string[] =>
  Object.keys(ledger.signals)
    .filter((strategy) => counts(strategy) && isFreshSignal(ledger.signals[strategy]!, now))
    .sort()

const newestPrices = (ledger: Readonly<Ledger>, speakers: readonly string[]): Map<number, Known> => {
  const newest = new Map<number, Known>()
  for (const strategy of speakers)
    for (const { conId, value, at, source, averageVolume } of ledger.signals[strategy]!.prices) {
      if (isBeforeCorporateAction(ledger, ledger.signals[strategy]!, conId)) continue
      const known = newest.get(conId)
      const volume = averageVolume ?? known?.averageVolume
      const withVolume = volume === undefined ? {} : { averageVolume: volume }
      if (sign(value) > 0 && (known === undefined || Date.parse(at) > Date.parse(known.at)))
        newest.set(conId, { value, at, source, ...withVolume })
      else if (known !== undefined && known.averageVolume === undefined) newest.set(conId, { ...known, ...withVolume })
    }
  return newest
}

const quoteOf = ({ value, at, source }: Known): Quote => ({ value, at, source })

const isUsable = (instrument: Instrument): boolean =>
  sign(instrument.multiplier) > 0 && sign(instrument.sizeStep) > 0 && sign(instrument.minTick) > 0

const positive = (value: Decimal | undefined): Decimal | undefined => (value !== undefined && sign(value) > 0 ? value : undefined)

/** All instruments as this decision sees them. `counts`: the strategies whose signals may say a price. */
export const marketOf = (
  ledger: Readonly<Ledger>,
  { snapshot, currency }: Grounds,
  now: number,
  counts?: (strategy: string) => boolean,
): Market => {
  const speakers = freshSpeakers(ledger, now, counts)
  const prices = newestPrices(ledger, speakers)
  const isOutdated = (conId: number): boolean =>
    speakers.some((speaker) => isBeforeCorporateAction(ledger, ledger.signals[speaker]!, conId))
  const oldest = oldestUsablePrice(now)
  const seen = new Map<number, InstrumentView>()

  const look = (conId: number): InstrumentView => {
    const recorded = ledger.instruments[conId]
    const instrument = recorded !== undefined && isUsable(recorded) ? recorded : undefined
    const line = snapshot.positions.find((position) => position.conId === conId)
    const working = openOrdersIn(ledger, conId)
    const newest = prices.get(conId)
    const reference = newest !== undefined && Date.parse(newest.at) >= oldest ? quoteOf(newest) : undefined
    const marketPrice = positive(line?.marketPrice)
    const exit = reference ?? (marketPrice === undefined ? undefined : { value: marketPrice, at: snapshot.takenAt, source: 'snapshot' })
    const ofCurrency = instrument?.currency ?? line?.currency
    const exchangeRate = ofCurrency === undefined ? undefined : ofCurrency === currency ? '1' : positive(snapshot.exchangeRates[ofCurrency])
    const valueAt = (price: Decimal | undefined): Decimal | undefined =>
      price === undefined || instrument === undefined || exchangeRate === undefined
        ? undefined
        : positive(multiply(multiply(price, instrument.multiplier), exchangeRate))
    const unitValue = valueAt(reference?.value)
    const heldPrice = line === undefined ? (reference?.value ?? working.at(-1)?.referencePrice) : marketPrice
    const problem = (): NoteCode | undefined => {
      if (instrument === undefined) return 'INSTRUMENT_UNKNOWN'
      if (untradable[instrument.secType]) return 'NOT_TRADABLE'
      if (newest === undefined) return isOutdated(conId) ? 'CORPORATE_ACTION_SINCE' : 'PRICE_MISSING'
      if (reference === undefined) return 'PRICE_STALE'
      if (exchangeRate === undefined) return 'FX_MISSING'
      // So small that it rounds to nothing: no quantity can be told by it.
      return unitValue === undefined ? 'PRICE_MISSING' : undefined
    }
    return {
      conId,
      symbol: instrument?.symbol ?? line?.symbol ?? working.at(-1)?.symbol ?? String(conId),
      instrument,
      reference,
      problem: problem(),
      exit,
      marketPrice,
      averageVolume: newest?.averageVolume,
      exchangeRate,
      unitValue,
      exitValue: valueAt(exit?.value),
      heldValue: valueAt(heldPrice),
      blocked: blockedBecause(ledger, conId),
    }
  }

  return (conId) => {
    const known = seen.get(conId)
    if (known !== undefined) return known
    const view = look(conId)
    seen.set(conId, view)
    return view
  }
}
