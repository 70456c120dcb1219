/** Arguments and environment as the verbs take them; what is wrong is named in one line. */
import { InvalidArgumentError } from 'commander'
import { type Environment, readEnvironment } from '../environment.ts'

/** @throws Error naming the variable that is wrong */
export const environment = (): Environment => {
  const read = readEnvironment(process.env)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}

export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (given: string): number => {
    const value = /^\d+$/.test(given) ? Number(given) : Number.NaN
    if (!(value >= least && value <= most))
      throw new InvalidArgumentError(
        `It must be a whole number ${most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`}.`,
      )
    return value
  }

/** `SYMBOL=file.csv`, as often as wished. */
export const barsFile = (given: string, before: Readonly<Record<string, string>> = {}): Record<string, string> => {
  const [, symbol, path] = /^([A-Z][A-Z0-9.]{0,11})=(.+)$/.exec(given) ?? []
  if (symbol === undefined || path === undefined) throw new InvalidArgumentError('It must be SYMBOL=FILE, such as SPY=bars/spy.csv.')
  if (before[symbol] !== undefined) throw new InvalidArgumentError(`${symbol} is given twice.`)
  return { ...before, [symbol]: path }
}
