/** Contracts from the journal and bars from the catalogue, answered as the broker would answer at a moment: a signal cannot tell them apart. */
import { type BarSeries, calendarOf, type Gaps, gapsIn, onlyClosed } from '../../domain/bar-series.ts'
import { durationStart, readDuration, startOn, withinDuration } from '../../domain/durations.ts'
import { declaredKey, type Instrument, type Ledger } from '../../domain/ledger.ts'
import type { BarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import type { Bar, BarsRequest, DeclaredInstrument, Strategy } from '../../domain/strategy.ts'
import type { BarSource } from '../../handlers/signal.ts'

/** Undefined until a decision has named the contract. */
const instrumentIn = (
  ledger: Readonly<Ledger>,
  declared: Omit<DeclaredInstrument, 'secType'> & { secType: string },
): Instrument | undefined => ledger.instruments[ledger.declared[declaredKey(declared)] ?? -1]

type Asked = Pick<BarsRequest, 'size' | 'duration' | 'whatToShow' | 'regularHoursOnly'>

const stored = async (
  catalogue: BarCatalogue,
  instrument: Instrument,
  asked: Asked,
  now: number,
): Promise<{ bars: Bar[]; from: string }> => {
  const { size, duration, whatToShow, regularHoursOnly } = asked
  const series: BarSeries = { conId: instrument.conId, symbol: instrument.symbol, size, whatToShow, regularHoursOnly }
  const reach = readDuration(duration)
  if (reach === undefined) throw new Error(`${instrument.symbol}: "${duration}" is not a duration that the catalogue can count`)
  const from = startOn(durationStart(reach, now), size)
  const bars = onlyClosed(await catalogue.read(series, { from, to: isoTime(now) }), series, calendarOf(instrument), now)
  return { bars: withinDuration(bars, reach, size, now), from }
}

/** @param now market time at which it is asked: what closed later is not known yet */
export const catalogueSource = (catalogue: BarCatalogue, ledger: Readonly<Ledger>, now: number): BarSource => ({
  contracts: async (query) => {
    const instrument = instrumentIn(ledger, query)
    if (instrument === undefined) return []
    const { conId, symbol, secType, exchange, currency, multiplier, sizeStep, minTick } = instrument
    return [{ conId, symbol, secType, exchange, currency, multiplier, sizeStep, minTick, primaryExchange: '', localSymbol: symbol }]
  },
  bars: async ({ contract, ...asked }) => {
    const instrument = ledger.instruments[contract.conId ?? -1]
    return instrument === undefined ? [] : (await stored(catalogue, instrument, asked as Asked, now)).bars
  },
})

/** What a strategy asks for and the catalogue has only in part. `gaps` is undefined where the contract itself is not known. */
export type Lacking = { symbol: string; declared: DeclaredInstrument; request: BarsRequest; gaps: Gaps | undefined }

/** A bar that is missing would change a signal without a word. */
export const lackingFor = async (
  catalogue: BarCatalogue,
  ledger: Readonly<Ledger>,
  strategy: Strategy,
  now: number,
): Promise<Lacking[]> => {
  const lacking: Lacking[] = []
  for (const request of strategy.bars) {
    const declared = strategy.instruments[request.instrument]!
    const instrument = instrumentIn(ledger, declared)
    if (instrument === undefined) {
      lacking.push({ symbol: declared.symbol, declared, request, gaps: undefined })
      continue
    }
    const { bars, from } = await stored(catalogue, instrument, request, now)
    const counted = request.count === undefined ? undefined : bars.at(-request.count)
    const begin = counted?.start ?? (request.duration.endsWith('S') ? (bars[0]?.start ?? from) : from)
    const gaps = gapsIn(bars, begin, request, calendarOf(instrument), now)
    if (gaps !== undefined && gaps.count > 0) lacking.push({ symbol: instrument.symbol, declared, request, gaps })
  }
  return lacking
}
