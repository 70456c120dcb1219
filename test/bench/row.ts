/** One line of the table: what we reach, what the floor reaches in the same run, and their ratio. */
export type Row = { name: string; floorName: string; unit: string; ours: number; floor: number; ratio: number; wanted: string }

const figure = (value: number): string => (value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2))

export const tableOf = (rows: readonly Row[]): string =>
  [
    '| what | ours | floor | ratio | wanted |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(
      ({ name, floorName, unit, ours, floor, ratio, wanted }) =>
        `| ${name} | ${figure(ours)} ${unit} | ${floorName}: ${figure(floor)} ${unit} | ${ratio.toFixed(2)} | ${wanted} |`,
    ),
  ].join('\n')

/** The value below which this part of the samples lies: 0.5 is the median. */
export const at = (samples: readonly number[], part: number): number =>
  samples.toSorted((left, right) => left - right)[Math.min(samples.length - 1, Math.floor(samples.length * part))]!
