/** What Pub/Sub answers when it does not do as asked, in one line. */
import { StoreUnavailable } from '../../domain/ports/journal.ts'

/** Codes of gRPC. */
const [deadlineExceeded, notFound, unavailable] = [4, 5, 14]

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

/** Messages of the client may run over several lines and repeat every attempt. */
export const firstWords = (error: unknown): string => {
  const words = (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim()
  return words.length > 300 ? `${words.slice(0, 299)}…` : words
}

/**
 * @param what such as `the topic "paper-commands"` @param project where it was looked for
 * @returns StoreUnavailable where asking again later may help; otherwise an Error that says what to do
 */
export const pubsubError = (what: string, project: string, error: unknown): Error => {
  const code = codeOf(error)
  if (code === notFound) return new Error(`the project ${project} has not ${what}: create it with ibt topics apply`, { cause: error })
  const text = `Pub/Sub cannot be reached for ${what}: ${firstWords(error)}`
  if (code === unavailable || code === deadlineExceeded || error instanceof StoreUnavailable)
    return new StoreUnavailable(text, { cause: error })
  return new Error(`Pub/Sub refuses ${what}: ${firstWords(error)}`, { cause: error })
}
