/** What a verb found, on standard output: JSON for people and programs. */
import { canonical } from '../../domain/commit.ts'

export const printLine = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** One value, over several lines, its keys in alphabetical order. */
export const printJson = (value: unknown): void => printLine(JSON.stringify(JSON.parse(canonical(value)), null, 2))
