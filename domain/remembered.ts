/**
 * What has to be recognised for a while and then forgotten: kept by the month in which it was learned, so that forgetting
 * is dropping a month, however much is in it. Plain JSON, as all of the ledger.
 */
export type Remembered<T> = Record<string, Record<string, T>>

const monthOf = (isoTime: string): string => isoTime.slice(0, 7)

/** In place. A later value for the same key is found before an earlier one. */
export const remember = <T>(memory: Remembered<T>, at: string, key: string, value: T): void => {
  const month = monthOf(at)
  const entries = memory[month]
  if (entries === undefined) memory[month] = { [key]: value }
  else entries[key] = value
}

export const recall = <T>(memory: Readonly<Remembered<T>>, key: string): T | undefined => {
  let found: T | undefined
  let month = ''
  for (const candidate in memory) {
    if (candidate < month) continue
    const value = memory[candidate]![key]
    if (value === undefined) continue
    found = value
    month = candidate
  }
  return found
}

/** In place: drops every month that ended before the time. */
export const forgetBefore = <T>(memory: Remembered<T>, time: string): void => {
  const first = monthOf(time)
  for (const month of Object.keys(memory)) if (month < first) delete memory[month]
}
