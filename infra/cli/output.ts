/** What a verb found, on standard output: JSON for people and programs. */
import { canonical } from '../../domain/commit.ts'
import { withoutSecrets } from '../../domain/secrets.ts'
import { secretsIn } from '../log.ts'

export const printLine = (text: string): void => {
  process.stdout.write(`${text}\n`)
}

/** One value, over several lines, its keys in alphabetical order. */
export const printJson = (value: unknown): void => printLine(JSON.stringify(JSON.parse(canonical(value)), null, 2))

/** Why a verb could not do what it was asked, on standard error. A variable that is wrong may hold a secret all the same. */
export const printProblem = (text: string): void => {
  process.stderr.write(`ibt: ${withoutSecrets(text, secretsIn(process.env))}\n`)
}
