/** From what a person declared to the one contract that is meant, and what it means for the ledger when that is new or another one. */
import { canonical } from '../domain/commit.ts'
import { larger } from '../domain/decimal.ts'
import { type DomainEvent, event } from '../domain/events.ts'
import { declaredKey, type Instrument, type Ledger, openOrdersIn } from '../domain/ledger.ts'
import type { Contract } from '../domain/ports/broker.ts'
import type { DeclaredInstrument } from '../domain/strategy.ts'
import { asInNewYork } from '../domain/trading-days.ts'

/** What is written down of its hours: nothing where the calendar knows them, so that a new week is no news. */
export const hoursIn = ({ hours }: Contract): Pick<Instrument, 'hours'> =>
  hours === undefined || asInNewYork(hours) ? {} : { hours: { ...hours } }

/** @param matches every contract that the broker knows by that name */
export const instrumentOf = (
  { symbol, secType, exchange, currency }: DeclaredInstrument,
  matches: readonly Contract[],
): Instrument | { code: 'INSTRUMENT_UNKNOWN' | 'INSTRUMENT_AMBIGUOUS'; text: string } => {
  const [contract] = matches
  if (contract === undefined)
    return { code: 'INSTRUMENT_UNKNOWN', text: `the broker knows no ${symbol} ${secType} ${exchange} ${currency}` }
  if (matches.length > 1)
    return {
      code: 'INSTRUMENT_AMBIGUOUS',
      text: `${matches.length} contracts match ${symbol} ${secType} ${exchange} ${currency}; name its primary exchange`,
    }
  const { conId, multiplier, minTick, priceIncrements } = contract
  // IB lists fractions of a share as possible, and refuses them from the API (10243): stocks trade in whole ones.
  const sizeStep = contract.secType === 'STK' ? larger('1', contract.sizeStep) : contract.sizeStep
  const declared = { symbol, secType, exchange, currency }
  return {
    declared,
    conId,
    symbol: contract.symbol,
    secType: contract.secType,
    exchange,
    currency: contract.currency,
    multiplier,
    sizeStep,
    minTick,
    ...(priceIncrements === undefined ? {} : { priceIncrements: priceIncrements.map((band) => ({ ...band })) }),
    ...hoursIn(contract),
  }
}

const isHeld = (ledger: Readonly<Ledger>, conId: number): boolean =>
  Object.values(ledger.books).some((book) => book[conId] !== undefined) || openOrdersIn(ledger, conId).length > 0

type Change = { before: number; conId: number; symbol: string }

/** Another contract under the old name while the old one is held or ordered. */
export const changesIn = (ledger: Readonly<Ledger>, instruments: readonly Instrument[]): Change[] =>
  instruments.flatMap(({ declared, conId, symbol }) => {
    const before = ledger.declared[declaredKey(declared)]
    return before === undefined || before === conId || !isHeld(ledger, before) ? [] : [{ before, conId, symbol }]
  })

/** Both are blocked until a person has looked. */
export const changedInstruments = (ledger: Readonly<Ledger>, changes: readonly Change[]): DomainEvent[] =>
  changes.flatMap(({ before, conId, symbol }) => {
    const text = `${symbol} was contract ${before}, which is held or ordered, and is ${conId} now`
    return [before, conId]
      .filter((blocked) => ledger.discrepancies[blocked] === undefined)
      .map((blocked) => event('DiscrepancyFound', { conId: blocked, symbol, kind: 'instrumentChanged', quantity: '0', text }))
  })

export const newlyResolved = (ledger: Readonly<Ledger>, instruments: readonly Instrument[]): DomainEvent[] =>
  instruments.flatMap((instrument) => {
    const known = ledger.instruments[ledger.declared[declaredKey(instrument.declared)] ?? -1]
    return known !== undefined && canonical(known) === canonical(instrument) ? [] : [event('InstrumentResolved', instrument)]
  })
