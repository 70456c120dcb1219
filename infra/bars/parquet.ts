/**
 * One month of a series as a Parquet file: start (DATE of daily bars, else TIMESTAMP in UTC), open, high, low, close, volume, none of
 * them null. Its metadata names the series and carries the hash of the bars, so that a file that was moved, cut or changed is noticed.
 * The same bars always give the same bytes.
 */
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import { parquetWriteBuffer } from 'hyparquet-writer'
import * as t from 'io-ts'
import type { BarSeries } from '../../domain/bar-series.ts'
import { monthOf } from '../../domain/bar-series.ts'
import { canonical, sha256 } from '../../domain/commit.ts'
import { decode } from '../../domain/decode.ts'
import type { Bar } from '../../domain/strategy.ts'

type SchemaElement = NonNullable<Parameters<typeof parquetWriteBuffer>[0]['schema']>[number]

const label = 'ib-trading.bars'
const Label = t.type({
  format: t.literal(1),
  conId: t.number,
  symbol: t.string,
  size: t.string,
  whatToShow: t.string,
  regularHoursOnly: t.boolean,
  month: t.string,
  hash: t.string,
})

const numbers = ['open', 'high', 'low', 'close', 'volume'] as const

const schemaOf = ({ size }: BarSeries): SchemaElement[] => [
  { name: 'bars', num_children: 1 + numbers.length },
  size === '1 day'
    ? { name: 'start', type: 'INT32', converted_type: 'DATE', repetition_type: 'REQUIRED' }
    : { name: 'start', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
  ...numbers.map((name): SchemaElement => ({ name, type: 'DOUBLE', repetition_type: 'REQUIRED' })),
]

const labelOf = ({ conId, symbol, size, whatToShow, regularHoursOnly }: BarSeries, month: string, bars: readonly Bar[]) => ({
  ...{ format: 1, conId, symbol, size, whatToShow, regularHoursOnly, month },
  hash: sha256(canonical(bars)),
})

/** @param bars of that month, oldest first */
export const encodeMonth = (series: BarSeries, month: string, bars: readonly Bar[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'start', data: bars.map(({ start }) => new Date(start)) },
        ...numbers.map((name) => ({ name, data: Float64Array.from(bars, (bar) => bar[name]) })),
      ],
      schema: schemaOf(series),
      kvMetadata: [{ key: label, value: canonical(labelOf(series, month, bars)) }],
      createdBy: 'ib-trading',
    }),
  )

const isSame = (element: SchemaElement | undefined, wanted: SchemaElement): boolean =>
  element !== undefined &&
  (['name', 'type', 'converted_type', 'repetition_type', 'num_children'] as const).every((part) => element[part] === wanted[part])

const json = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns the bars, or what is wrong with the file in words */
export const decodeMonth = async (
  series: BarSeries,
  month: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<{ bars: Bar[] } | { wrong: string }> => {
  try {
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
    const metadata = await parquetMetadataAsync(file)
    const wanted = schemaOf(series)
    const differs = wanted.find((element, place) => !isSame(metadata.schema[place], element))
    if (differs !== undefined || metadata.schema.length !== wanted.length)
      return {
        wrong: `its columns are ${metadata.schema
          .slice(1)
          .map(({ name }) => name)
          .join(', ')}; ${differs?.name ?? 'another one'} is not as it must be`,
      }
    const value = metadata.key_value_metadata?.find(({ key }) => key === label)?.value
    if (value === undefined) return { wrong: 'it was not written by this catalogue' }
    const labelled = decode(Label, json(value))
    if (!labelled.ok) return { wrong: `its label cannot be read: ${labelled.problem}` }
    const rows = await parquetReadObjects({ file, metadata })
    const bars = rows.map(({ start, open, high, low, close, volume }): Bar => {
      const text = (start as Date).toISOString()
      return { start: series.size === '1 day' ? text.slice(0, 10) : text, open, high, low, close, volume }
    })
    const expected = labelOf(series, month, bars)
    for (const [part, found] of Object.entries(labelled.value))
      if (expected[part as keyof typeof expected] !== found)
        return part === 'hash'
          ? { wrong: 'its bars are not those that were written' }
          : { wrong: `it holds ${part} ${found}, not ${expected[part as keyof typeof expected]}` }
    const stray = bars.find(({ start }, place) => monthOf(start) !== month || (place > 0 && bars[place - 1]!.start >= start))
    return stray === undefined ? { bars } : { wrong: `the bar of ${stray.start} is out of place` }
  } catch (error) {
    return { wrong: `it cannot be read as Parquet: ${(error as Error).message}` }
  }
}
