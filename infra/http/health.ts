/**
 * How each part is, with its reason and its sign of life. The same questions for the process of the engine and for one that only serves:
 * what cannot be asked directly is read where it leaves its mark (lease, checkpoints, documents).
 */

import type { Commit } from '../../domain/commit.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import type { Document } from '../../domain/ports/documents.ts'
import type { HttpContext } from './context.ts'

/** `heartbeat`: when the part last gave a sign of life, where it leaves one. */
export type Part = { ok: boolean; reason: string; heartbeat?: string; [detail: string]: unknown }
export type Health = { ready: boolean; parts: Record<'store' | 'bus' | 'engine' | 'gateway' | 'projections' | 'relay', Part> }

const answersWithinMs = 2_000
/** Anybody may ask, and a store is not to be worn out by that. */
const keptForMs = 1_000
/** Documents may be this much older than the journal before somebody should look. */
const mayLagSeconds = 30

/** How far behind something is that follows the journal. */
export type Lag = { position: number; commits: number; seconds: number }

export const lagOf = async (
  { journal, documents, clock }: Pick<HttpContext, 'journal' | 'documents' | 'clock'>,
  checkpoint: string,
  head: number,
): Promise<Lag> => {
  const position = (await documents.checkpoint(checkpoint))?.position ?? 0
  if (position >= head) return { position, commits: 0, seconds: 0 }
  for await (const { json } of journal.read(position + 1, position + 1)) {
    const { recordedAt } = JSON.parse(json) as Commit
    return { position, commits: head - position, seconds: Math.max(0, (clock.now() - Date.parse(recordedAt)) / 1_000) }
  }
  return { position, commits: head - position, seconds: 0 }
}

const failed = (error: unknown): Part => ({ ok: false, reason: error instanceof Error ? error.message : String(error) })

/** An answer that does not come is one too. */
const within = async (clock: Pick<Clock, 'after'>, ask: () => Promise<Part>): Promise<Part> => {
  let callOff = () => {}
  const tooLong = new Promise<Part>((resolve) => {
    callOff = clock.after(answersWithinMs, () => resolve({ ok: false, reason: `no answer within ${answersWithinMs / 1_000} s` }))
  })
  return Promise.race([ask().catch(failed), tooLong]).finally(callOff)
}

export const createHealth = (context: HttpContext): (() => Promise<Health>) => {
  const { journal, documents, bus, lease, clock, where, session, relayed } = context

  const store = async (): Promise<Part> => {
    const { position } = await journal.head()
    return { ok: true, reason: `the journal ends at ${position}`, position, heartbeat: isoTime(clock.now()) }
  }
  const busPart = async (): Promise<Part> => {
    const idle = await bus.idle()
    return { ok: true, reason: idle ? 'nothing waits' : 'messages are on their way' }
  }
  const engine = async (): Promise<Part> => {
    const held = await lease.current()
    if (held === undefined) return { ok: false, reason: 'no engine holds the lease' }
    const { epoch, heldFor } = held
    return { ok: true, reason: `an engine holds the lease for another ${Math.ceil(heldFor / 1_000)} s`, epoch }
  }
  const ownGateway = (view: NonNullable<HttpContext['session']>): Part => {
    const { phase, text, lasting, gateway, ordersHeld } = view()
    const heartbeat = isoTime(clock.now())
    return { ok: phase === 'ready', reason: ordersHeld ?? text, phase, since: isoTime(clock.now() - lasting), gateway, heartbeat }
  }
  const shownGateway = (status: Document | undefined): Part => {
    if (status === undefined) return { ok: false, reason: `there is no document status/${where.mode} yet: no engine has run` }
    const { connected, reason, since, phase } = status['gateway'] as {
      connected: boolean
      reason: string | null
      since: string
      phase?: string
    }
    const said = connected ? `connected since ${since}` : (reason ?? 'not connected')
    return { ok: connected, reason: said, ...(phase === undefined ? {} : { phase }), since, heartbeat: String(status['updated_at']) }
  }
  const gateway = async (): Promise<Part> =>
    session === undefined ? shownGateway(await documents.get(`status/${where.mode}`)) : ownGateway(session)
  const following = (what: string, checkpoint: string) => async (): Promise<Part> => {
    const { position: head } = await journal.head()
    const { position, commits, seconds } = await lagOf(context, checkpoint, head)
    const lag = { position, lag_commits: commits, lag_seconds: seconds }
    if (commits === 0) return { ok: true, reason: `${what} are at the head`, ...lag }
    return {
      ok: seconds <= mayLagSeconds,
      reason: `${what} are ${commits === 1 ? '1 commit' : `${commits} commits`} and ${Math.round(seconds)} s behind`,
      ...lag,
    }
  }
  const relay = async (): Promise<Part> => {
    if (!relayed) return { ok: true, reason: 'nobody subscribes to the events here' }
    return following('the events on the bus', 'relay')()
  }

  const ask = async (): Promise<Health> => {
    const questions = { store, bus: busPart, engine, gateway, projections: following('the documents', 'views'), relay }
    const answered = await Promise.all(
      Object.entries(questions).map(async ([name, question]) => [name, await within(clock, question)] as const),
    )
    const parts = Object.fromEntries(answered) as Health['parts']
    return { ready: Object.values(parts).every(({ ok }) => ok), parts }
  }
  let kept: { at: number; health: Promise<Health> } | undefined
  return () => {
    if (kept === undefined || clock.monotonic() - kept.at > keptForMs) kept = { at: clock.monotonic(), health: ask() }
    return kept.health
  }
}
