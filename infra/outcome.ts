/** Whoever asked waits for what became of it: the command's document, once it is no longer under way. */
import type { Clock } from '../domain/ports/clock.ts'
import type { Document, Documents } from '../domain/ports/documents.ts'
import { systemClock } from './clock.ts'
import type { Environment } from './environment.ts'
import { nameOfStore } from './store.ts'

export type Patience = {
  milliseconds: number
  /** Of machine time: people wait, whatever the market's clock says. */
  clock?: Pick<Clock, 'after'>
  /** Ends the waiting before its time, and nothing else: the command goes on. */
  leaving?: AbortSignal
}

export const isUnderWay = (document: Document | undefined): boolean => document === undefined || document['status'] === 'accepted'

/**
 * The document of the command once it has ended, or what there is of it when the time is over.
 * @throws what the store throws when it cannot be read
 */
export const outcome = async (
  documents: Pick<Documents, 'get' | 'watch'>,
  id: string,
  { milliseconds, clock = systemClock, leaving }: Patience,
): Promise<Document | undefined> => {
  const path = `commands/${id}`
  let over = milliseconds <= 0 || leaving?.aborted === true
  let news = false
  let wake = () => {}
  const tell = () => {
    news = true
    wake()
  }
  const end = () => {
    over = true
    tell()
  }
  if (over) return documents.get(path)
  const unwatch = documents.watch(path, tell)
  const callOff = clock.after(milliseconds, end)
  leaving?.addEventListener('abort', end)
  try {
    for (;;) {
      news = false
      const found = await documents.get(path)
      if (over || !isUnderWay(found)) return found
      if (!news)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  } finally {
    leaving?.removeEventListener('abort', end)
    callOff()
    unwatch()
  }
}

/** Why nobody may have answered, with what there is to see. */
export const silence = async (
  documents: Pick<Documents, 'get'>,
  where: Pick<Environment, 'mode' | 'dataDirectory' | 'store'>,
): Promise<string> => {
  const status = await documents.get(`status/${where.mode}`)
  const { connected, reason } = (status?.['gateway'] ?? {}) as { connected?: boolean; reason?: string | null }
  const gateway = connected === false ? `; its gateway is not connected${reason ? ` (${reason})` : ''}` : ''
  return `is an engine running on ${nameOfStore(where)} (ibt start), and are its projections?${gateway}`
}
