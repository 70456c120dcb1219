/**
 * The file of a universe: YAML (or JSON, which is YAML) with market rules and listings. What a field means stands in README.md.
 * Every refusal is one line that names the file, the listing and what is wrong.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import { parseDocument } from 'yaml'
import { sessionOn } from '../../domain/calendar.ts'
import { decode } from '../../domain/decode.ts'
import { expiries } from './futures.ts'
import type { PriceStep } from './listing.ts'
import { readSeries, type SeriesSource } from './series-source.ts'

/** Of the shares held when `exDate` begins so much a share is paid at the beginning of `payDate`. */
export type DividendEntry = { exDate: string; payDate: string; amount: number }
/** `ratio` new shares for one old from `date` on; below 1 it is a reverse split. `inBars`: the bars fall by it themselves. */
export type SplitEntry = { date: string; ratio: number; inBars: boolean }

export type ListingEntry = {
  secType: 'STK' | 'IND' | 'FUT' | 'CASH'
  symbol: string
  exchange: string
  currency: string
  name: string
  conId?: number
  localSymbol?: string
  tradingClass?: string
  stockType?: string
  minTick?: number
  sizeIncrement?: number
  marketRule?: number
  multiplier?: number
  validExchanges?: readonly string[]
  timeZone?: string
  industry?: string
  category?: string
  subcategory?: string
  months?: readonly number[]
  expiry?: (typeof expiries)[number]
  listed?: number
  underlying?: string
  series: SeriesSource | undefined
  /** Of a future: how much more a year of waiting costs, as a share of the price. */
  carry: number
  dividends: readonly DividendEntry[]
  splits: readonly SplitEntry[]
}

export type UniverseFile = { marketRules: Readonly<Record<number, readonly PriceStep[]>>; listings: readonly ListingEntry[] }

const refined = (name: string, is: (value: number) => boolean): t.Type<number> =>
  new t.Type<number>(
    name,
    t.number.is,
    (value, context) => (typeof value === 'number' && Number.isFinite(value) && is(value) ? t.success(value) : t.failure(value, context)),
    t.identity,
  )
const positive = refined('a number above 0', (value) => value > 0)
const positiveWhole = refined('a whole number above 0', (value) => Number.isInteger(value) && value > 0)
const monthNumber = refined('a month, 1 to 12', (value) => Number.isInteger(value) && value >= 1 && value <= 12)
const text = new t.Type<string>(
  'a text',
  t.string.is,
  (value, context) => (typeof value === 'string' && value.trim() !== '' ? t.success(value) : t.failure(value, context)),
  t.identity,
)
const isDate = (value: string): boolean => /^\d{4}-\d\d-\d\d$/.test(value) && new Date(value).toISOString().startsWith(value)
const date = new t.Type<string>(
  'a date, YYYY-MM-DD',
  t.string.is,
  (value, context) => {
    try {
      return typeof value === 'string' && isDate(value) ? t.success(value) : t.failure(value, context)
    } catch {
      return t.failure(value, context)
    }
  },
  t.identity,
)

const everywhere = {
  ...{ conId: positiveWhole, currency: text, localSymbol: text, tradingClass: text, minTick: positive, sizeIncrement: positive },
  ...{ marketRule: positiveWhole, validExchanges: t.array(text), timeZone: text, industry: t.string, category: t.string },
  ...{ subcategory: t.string, bars: t.UnknownRecord },
}
const Dividend = t.strict({ exDate: date, payDate: date, amount: positive })
const Split = t.intersection([t.strict({ date, ratio: positive }), t.partial({ inBars: t.boolean })])

/** What each kind needs and takes beside `secType` and `symbol`. */
const kinds = {
  STK: { needs: { exchange: text, name: text }, takes: { stockType: text, dividends: t.array(Dividend), splits: t.array(Split) } },
  IND: { needs: { exchange: text, name: text }, takes: {} },
  FUT: {
    needs: { exchange: text, name: text, multiplier: positive, months: t.array(monthNumber) },
    takes: {
      expiry: t.keyof({ 'third friday': null, 'month end': null }, `one of ${expiries.join(', ')}`),
      listed: positiveWhole,
      underlying: text,
    },
  },
  CASH: { needs: { currency: text, name: text }, takes: {} },
} as const

const isZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

const Head = t.type({ secType: t.keyof({ STK: null, IND: null, FUT: null, CASH: null }, 'STK, IND, FUT or CASH'), symbol: text })
const Steps = t.array(t.tuple([t.number, positive]))
const File = t.intersection([t.type({ listings: t.array(t.unknown) }), t.partial({ marketRules: t.record(t.string, Steps) })])

/** Throws an error without the name of the place. */
const listingEntry = (given: unknown, folder: string): ListingEntry => {
  const fail = (problem: string): never => {
    throw new Error(problem)
  }
  const head = decode(Head, given)
  if (!head.ok) return fail(head.problem)
  const { needs, takes } = kinds[head.value.secType]
  const known = { secType: 0, symbol: 0, ...needs, ...takes, ...everywhere }
  const extra = Object.keys(given as object).find((name) => !(name in known))
  if (extra !== undefined)
    return fail(`${extra}: not a field of a listing ${head.value.secType}, which has ${Object.keys(known).join(', ')}`)
  const decoded = decode(t.intersection([t.type(needs as t.Props), t.partial({ ...takes, ...everywhere })]), given)
  if (!decoded.ok) return fail(decoded.problem)
  const value = decoded.value as Partial<Omit<ListingEntry, 'splits'>> & {
    bars?: object
    splits?: (Omit<SplitEntry, 'inBars'> & { inBars?: boolean })[]
  }
  const { bars, ...rest } = value
  if (rest.timeZone !== undefined && !isZone(rest.timeZone)) return fail(`timeZone: there is no zone ${JSON.stringify(rest.timeZone)}`)
  if (rest.months?.length === 0) return fail('months: none are given')
  for (const { exDate, payDate } of rest.dividends ?? []) {
    if (payDate < exDate) return fail(`dividends: payDate ${payDate} is before exDate ${exDate}`)
    if (!sessionOn(exDate)) return fail(`dividends: on ${exDate} there is no session`)
  }
  for (const split of rest.splits ?? []) if (!sessionOn(split.date)) return fail(`splits: on ${split.date} there is no session`)
  const { carry, source } = bars === undefined ? { carry: 0, source: undefined } : readSeries(bars, folder)
  return {
    currency: 'USD',
    dividends: [],
    ...rest,
    ...head.value,
    exchange: rest.exchange ?? 'IDEALPRO',
    name: rest.name!,
    splits: (rest.splits ?? []).map((split) => ({ inBars: false, ...split })),
    series: source,
    carry,
  }
}

/** `folder` is where files of bars are looked for. */
export const parseUniverse = (name: string, content: string, folder: string): UniverseFile => {
  const document = parseDocument(content, { strict: true, uniqueKeys: true, version: '1.2', schema: 'core', merge: false })
  const fault = document.errors[0] ?? document.warnings[0]
  if (fault) throw new Error(`${name}: ${fault.message.split('\n')[0]}`)
  const file = decode(File, document.toJS())
  if (!file.ok) throw new Error(`${name}: ${file.problem}`)
  const rules = Object.entries(file.value.marketRules ?? {}).map(([id, steps]) => {
    const rule = steps.map(([lowEdge, increment]) => ({ lowEdge, increment }))
    if (!/^[1-9]\d*$/.test(id)) throw new Error(`${name}: marketRules: ${id} is not a whole number`)
    if (rule[0]?.lowEdge !== 0) throw new Error(`${name}: marketRules.${id}: the first step begins at 0`)
    if (rule.some(({ lowEdge }, place) => place > 0 && lowEdge <= rule[place - 1]!.lowEdge)) {
      throw new Error(`${name}: marketRules.${id}: the lowest step comes first`)
    }
    return [Number(id), rule] as const
  })
  const listings = file.value.listings.map((given, place) => {
    try {
      return listingEntry(given, folder)
    } catch (error) {
      const symbol = (given as { symbol?: unknown } | null)?.symbol
      throw new Error(`${name}: listings.${place}${typeof symbol === 'string' ? ` (${symbol})` : ''}: ${(error as Error).message}`)
    }
  })
  return { marketRules: Object.fromEntries(rules), listings }
}

const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${path}: cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`)
  }
}

export const readUniverse = (path: string): UniverseFile => parseUniverse(path, read(path), dirname(resolve(path)))

let builtIn: UniverseFile | undefined
/** The contracts that are there without any file. */
export const builtInUniverse = (): UniverseFile => {
  builtIn ??= readUniverse(fileURLToPath(new URL('data/universe.yaml', import.meta.url)))
  return builtIn
}

/** A listing of the second takes the place of one of the first with the same kind, symbol and currency. */
export const together = (one: UniverseFile, other: UniverseFile): UniverseFile => {
  const nameOf = ({ secType, symbol, currency }: ListingEntry): string => `${secType}|${symbol}|${currency}`
  const replaced = new Set(other.listings.map(nameOf))
  return {
    marketRules: { ...one.marketRules, ...other.marketRules },
    listings: [...one.listings.filter((entry) => !replaced.has(nameOf(entry))), ...other.listings],
  }
}
