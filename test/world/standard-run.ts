/** The histories that every run of the tests lives through. `WORLD_HISTORIES` asks for more or fewer, `WORLD_SEED` for a single one. */

const usual = 300

const countFrom = (text: string | undefined): number => {
  const count = Number(text ?? usual)
  if (!Number.isInteger(count) || count < 1) throw new Error(`WORLD_HISTORIES must be a whole number above 0, not "${text}"`)
  return count
}

export const seedsOfTheStandardRun = (environment: Readonly<Record<string, string | undefined>> = process.env): string[] => {
  const only = environment['WORLD_SEED']
  if (only !== undefined) return [only]
  return Array.from({ length: countFrom(environment['WORLD_HISTORIES']) }, (_, index) => String(index + 1))
}
