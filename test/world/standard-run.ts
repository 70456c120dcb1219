/**
 * The histories that every run of the tests lives through, in parts that may run side by side. `WORLD_HISTORIES` asks for more or fewer
 * in each part.
 */
export const parts = 5
const usual = 400

const countFrom = (text: string | undefined): number => {
  const count = Number(text ?? usual)
  if (!Number.isInteger(count) || count < 1) throw new Error(`WORLD_HISTORIES must be a whole number above 0, not "${text}"`)
  return count
}

/** @param part from 1 to `parts` */
export const seedsOfPart = (part: number, environment: Readonly<Record<string, string | undefined>> = process.env): string[] =>
  Array.from({ length: countFrom(environment['WORLD_HISTORIES']) }, (_, index) => String(index * parts + part))

/** All of them, in their order. */
export const seedsOfTheStandardRun = (): string[] => Array.from({ length: usual * parts }, (_, index) => String(index + 1))
