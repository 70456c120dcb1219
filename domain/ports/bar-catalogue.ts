/**
 * Bars that were collected once and are kept: a month of a series is one partition, written whole or not at all, merged and never
 * cut. Safe for several processes at once.
 */
import type { BarSeries, Revision } from '../bar-series.ts'
import type { Bar } from '../strategy.ts'

/** `partitions`: the months that had to be written; none when everything was there already. */
export type Merged = { added: number; changed: Revision[]; partitions: string[] }

/**
 * `damaged`: a partition is not what this catalogue wrote, and is named; it is never overwritten. `refused`: the place itself says no (no
 * right, no room, no such bucket). `unreachable`: no answer, or others were always first; that may pass.
 */
export class BarsUnavailable extends Error {
  override name = 'BarsUnavailable'
  readonly why: 'damaged' | 'refused' | 'unreachable'
  constructor(why: BarsUnavailable['why'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.why = why
  }
}

export interface BarCatalogue {
  /** Adds what is new and takes over what the broker tells differently now. @throws BarsUnavailable; months written before stay */
  merge(series: BarSeries, bars: readonly Bar[]): Promise<Merged>
  /** Bars with a start from `from` to `to`, both included, oldest first; reads the months between them and nothing else. @throws BarsUnavailable */
  read(series: BarSeries, range: { from: string; to: string }): Promise<Bar[]>
  /** The months that are kept of a series, oldest first. @throws BarsUnavailable */
  months(series: BarSeries): Promise<string[]>
}

/** For an engine that keeps no bars. */
export const noBarCatalogue: BarCatalogue = {
  merge: async () => nowhere(),
  read: async () => nowhere(),
  months: async () => nowhere(),
}

const nowhere = (): never => {
  throw new BarsUnavailable('refused', 'this engine was started without a place for bars')
}
