/**
 * Calls to Firestore that end. The client repeats what it thinks harmless for up to ten minutes, so every deadline here is a race of
 * our own; a call that lost it runs out in the background, and whoever asks again must not mind that it may still take effect.
 */
import type { Clock } from '../../domain/ports/clock.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'

export type Patience = {
  /** What is being done, for the message: `reading the head of the journal`. */
  what: string
  /** Of one try, in milliseconds. */
  deadlineMs: number
  clock: Pick<Clock, 'after'>
  /** Ends the waiting, not the call. */
  abandoned?: AbortSignal | undefined
}

const firstWaitMs = 100
const longestWaitMs = 5_000

/** How long to wait after so many tries that failed. */
export const backOffMs = (failures: number): number => Math.min(firstWaitMs * 2 ** (failures - 1), longestWaitMs)

/** Of gRPC's status codes, those that mean something to us. */
export const status = {
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  unauthenticated: 16,
} as const

export const codeOf = (error: unknown): number | undefined => {
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'number' ? code : undefined
}

const advice: Readonly<Record<number, string>> = {
  [status.invalidArgument]: 'the request itself is wrong, repeating it will not help',
  [status.notFound]: 'create the Firestore database, or let GOOGLE_CLOUD_PROJECT and FIRESTORE_DATABASE name the one that exists',
  [status.permissionDenied]: 'give the account of this process the role roles/datastore.user',
  [status.failedPrecondition]: 'create the indexes of firestore.indexes.json; the database must be in native mode',
  [status.unimplemented]: 'this server does not know the request',
  [status.unauthenticated]: 'give this process valid credentials (GOOGLE_APPLICATION_CREDENTIALS, or the service account of the machine)',
}
/** Missing credentials reach us as an unknown error with this in its text. */
const withoutCredentials = /default credentials|invalid_grant/i

/**
 * What will never pass by itself, as one line that says what to do; undefined for what may pass. A caller for whom NOT_FOUND or
 * FAILED_PRECONDITION is an ordinary answer looks at the code first.
 */
export const refusalOf = (error: unknown, what: string): Error | undefined => {
  const message = messageOf(error)
  const code = withoutCredentials.test(message) ? status.unauthenticated : codeOf(error)
  const toDo = code === undefined ? undefined : advice[code]
  return toDo === undefined ? undefined : new Error(`${what}: Firestore refuses (${message}); ${toDo}`, { cause: error })
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const givenUp = (what: string): StoreUnavailable => new StoreUnavailable(`${what}: given up before Firestore answered`)

/** One try. @throws StoreUnavailable after the deadline or when abandoned; otherwise what the call throws */
export const inTime = <T>(call: () => Promise<T>, { what, deadlineMs, clock, abandoned }: Patience): Promise<T> =>
  new Promise((resolve, reject) => {
    if (abandoned?.aborted) return reject(givenUp(what))
    const giveUp = () => end(() => reject(givenUp(what)))
    const callOff = clock.after(deadlineMs, () =>
      end(() => reject(new StoreUnavailable(`${what}: Firestore did not answer within ${deadlineMs / 1_000} s`))),
    )
    const end = (settle: () => void): void => {
      callOff()
      abandoned?.removeEventListener('abort', giveUp)
      settle() // a second time it does nothing: the answer of a call that lost the race is heard, and dropped
    }
    abandoned?.addEventListener('abort', giveUp)
    call().then(
      (answer) => end(() => resolve(answer)),
      (error: unknown) => end(() => reject(error)),
    )
  })

/** Returns early when abandoned. */
export const pause = (milliseconds: number, { clock, abandoned }: Pick<Patience, 'clock' | 'abandoned'>): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      callOff()
      abandoned?.removeEventListener('abort', end)
      resolve()
    }
    const callOff = clock.after(abandoned?.aborted ? 0 : milliseconds, end)
    abandoned?.addEventListener('abort', end)
  })

/**
 * Asks again until there is an answer; only for what may be asked twice. `call` is told how many tries have failed.
 * @throws StoreUnavailable after so many tries, or when abandoned; Error at once for what will never pass
 */
export const insist = async <T>(call: (failures: number) => Promise<T>, patience: Patience, tries = 3): Promise<T> => {
  const { what, abandoned } = patience
  for (let failures = 0; ; ) {
    try {
      return await inTime(() => call(failures), patience)
    } catch (error) {
      const refusal = refusalOf(error, what)
      if (refusal) throw refusal
      failures += 1
      if (abandoned?.aborted) throw givenUp(what)
      if (failures >= tries)
        throw error instanceof StoreUnavailable ? error : new StoreUnavailable(`${what}: ${messageOf(error)}`, { cause: error })
    }
    await pause(backOffMs(failures), patience)
  }
}
