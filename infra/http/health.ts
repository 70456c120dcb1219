/**
 * How each part is, with its reason and its sign of life. The same questions for the process of the engine and for one that only serves:
 * what cannot be asked directly is read where it leaves its mark (lease, checkpoints, documents).
 */

import type { Commit } from '../../domain/commit.ts'
import { type Clock, isoTime } from '../../domain/ports/clock.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { withoutSecrets } from '../../domain/secrets.ts'
import { leaseTimes } from '../../handlers/lease-holder.ts'
import type { Life } from '../../projections/follower.ts'
import type { HttpContext } from './context.ts'

/** `heartbeat`: when the part last gave a sign of life, where it leaves one that can be seen from here. */
export type Part = { ok: boolean; reason: string; heartbeat?: string; [detail: string]: unknown }
export const partNames = ['store', 'bus', 'engine', 'gateway', 'projections', 'relay', 'alerts', 'handEdits'] as const
export type PartName = (typeof partNames)[number]
export type Health = { ready: boolean; parts: Record<PartName, Part> }

/** Longer than the bus takes to say why it cannot be reached. */
const answersWithinMs = 4_000
/** Anybody may ask, and a store is not to be worn out by that. */
const keptForMs = 1_000
/** Documents may be this much older than the journal before somebody should look. */
const mayLagSeconds = 30
/** Whoever follows the journal is asked for a look when his last one is older than that; at rest he has no reason for one. */
const freshMs = 10_000
const looksWithinMs = 1_000
const lookEveryMs = 10
/** Who has not looked for so long although he was asked is not alive, or as good as that. */
const mayBeSilentMs = 60_000

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
  const { journal, documents, bus, lease, clock, where, session, relayed, followers } = context

  const now = () => isoTime(clock.now())

  const store = async (): Promise<Part> => {
    const { position } = await journal.head()
    return { ok: true, reason: `the journal ends at ${position}`, position, heartbeat: now() }
  }
  const busPart = async (): Promise<Part> => {
    await bus.reachable()
    const idle = await bus.idle()
    return {
      ok: true,
      reason: idle ? 'it takes commands; nothing waits' : 'it takes commands; messages are on their way',
      heartbeat: now(),
    }
  }
  const engine = async (): Promise<Part> => {
    const held = await lease.current()
    if (held === undefined) return { ok: false, reason: 'no engine holds the lease' }
    const { epoch, heldFor } = held
    const heartbeat = isoTime(clock.now() - Math.max(0, leaseTimes.ttlMs - heldFor)) // its last renewal, which was for the whole time
    return { ok: true, reason: `an engine holds the lease for another ${Math.ceil(heldFor / 1_000)} s`, epoch, heartbeat }
  }
  const ownGateway = (view: NonNullable<HttpContext['session']>): Part => {
    const { phase, text, lasting, gateway, ordersHeld } = view()
    return { ok: phase === 'ready', reason: ordersHeld ?? text, phase, since: isoTime(clock.now() - lasting), gateway, heartbeat: now() }
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

  // ── Those who follow the journal ──

  /** The last look of somebody in this process, who is asked for one where he had no reason for it. */
  const lastLook = async ({ lookedAt, look }: Life): Promise<number | undefined> => {
    const before = lookedAt()
    if (before !== undefined && clock.monotonic() - before <= freshMs) return before
    look()
    for (let waited = 0; waited < looksWithinMs && lookedAt() === before; waited += lookEveryMs)
      await new Promise<void>((resolve) => void clock.after(lookEveryMs, resolve))
    return lookedAt()
  }
  const alive = async (life: Life): Promise<Part> => {
    const looked = life.failure() === undefined ? await lastLook(life) : life.lookedAt()
    const ago = looked === undefined ? undefined : clock.monotonic() - looked
    const heartbeat = ago === undefined ? {} : { heartbeat: isoTime(clock.now() - ago) }
    const failure = life.failure()
    if (failure !== undefined) return { ok: false, reason: `stopped: ${failure.message}`, ...heartbeat }
    if (ago === undefined) return { ok: false, reason: 'has not looked at the journal yet', ...heartbeat }
    if (ago > mayBeSilentMs) return { ok: false, reason: `has not looked at the journal for ${Math.round(ago / 1_000)} s`, ...heartbeat }
    return { ok: true, reason: 'follows the journal', ...heartbeat }
  }
  /** Of one elsewhere there is only what he has done: he lived when the last commit came that he has dealt with. */
  const lastTrace = async (position: number): Promise<{ heartbeat?: string }> => {
    if (position > 0) for await (const { recordedAt } of journal.read(position, position)) return { heartbeat: recordedAt }
    return {}
  }
  const following = (what: string, checkpoint: string, life: Life | undefined) => async (): Promise<Part> => {
    const { position: head } = await journal.head()
    const { position, commits, seconds } = await lagOf(context, checkpoint, head)
    const lag = { position, lag_commits: commits, lag_seconds: seconds }
    const own = life === undefined ? undefined : await alive(life)
    const heartbeat = own === undefined ? await lastTrace(position) : own.heartbeat === undefined ? {} : { heartbeat: own.heartbeat }
    if (own?.ok === false) return { ...own, ...lag }
    if (commits === 0) return { ok: true, reason: `${what} are at the head`, ...lag, ...heartbeat }
    return {
      ok: seconds <= mayLagSeconds,
      reason: `${what} are ${commits === 1 ? '1 commit' : `${commits} commits`} and ${Math.round(seconds)} s behind`,
      ...lag,
      ...heartbeat,
    }
  }
  const relay = async (): Promise<Part> => {
    if (!relayed) return { ok: true, reason: 'nobody subscribes to the events here' }
    return following('the events on the bus', 'relay', followers?.relay)()
  }
  /** They leave no mark where they are at rest. What could stop them, a journal that cannot be read, stops the documents too. */
  const elsewhere: Part = { ok: true, reason: 'not in this process: whoever keeps the documents does this too' }
  const alerts = async (): Promise<Part> => {
    if (followers === undefined) return elsewhere
    return followers.alerts === undefined ? { ok: true, reason: 'nobody is told of simulated days' } : alive(followers.alerts)
  }
  const handEdits = async (): Promise<Part> => (followers === undefined ? elsewhere : alive(followers.handEdits))

  const ask = async (): Promise<Health> => {
    const projections = following('the documents', 'views', followers?.projections)
    const questions: Record<PartName, () => Promise<Part>> = { store, bus: busPart, engine, gateway, projections, relay, alerts, handEdits }
    const answered = await Promise.all(
      Object.entries(questions).map(async ([name, question]) => {
        const part = await within(clock, question)
        return [name, { ...part, reason: withoutSecrets(part.reason) }] as const // anybody may read it
      }),
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
