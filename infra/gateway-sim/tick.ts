/** Prices in whole ticks. */

/** The nearest price on the grid of a tick. Small ticks are counted per unit, which keeps decimal prices as they are written. */
export const roundToTick = (value: number, tick: number): number => {
  const perUnit = Math.round(1 / tick)
  const isPart = tick < 1 && Math.abs(perUnit * tick - 1) < 1e-9
  return isPart ? Math.round(value * perUnit) / perUnit : Number((Math.round(value / tick) * tick).toFixed(8))
}
