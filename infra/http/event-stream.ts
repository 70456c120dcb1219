/**
 * `GET /events`: the events of the journal as they come, as server-sent events. The id of each is its position, so a reader that was cut off
 * goes on after `Last-Event-ID`. The journal itself is the buffer: each reader takes from it at his own pace, so a slow one costs no memory.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { refuse } from '../../domain/errors.ts'
import type { Clock } from '../../domain/ports/clock.ts'
import { type Journal, StoreUnavailable } from '../../domain/ports/journal.ts'
import { messagesOf } from '../../projections/event-messages.ts'
import { sendRefusal } from './access.ts'
import type { HttpContext } from './context.ts'
import { describeText } from './descriptions.ts'

const mostReaders = 64
/** Of one who has said who he is: nobody takes all the places. */
const mostOfOne = 16
/** Node's timers take no more milliseconds. */
const longestTimer = 2 ** 31 - 1
const heartbeatMs = 15_000
/** A reader who takes nothing for so long is gone, or as good as that. */
const stalledAfterMs = 60_000
const storeRetryMs = 1_000

/** An event's place: the position of its commit and its number there. */
type Place = { position: number; number: number }

const placeShape = /^(\d{1,15})(?:\.(\d{1,6}))?$/

/** `12.0` is after that event, `12` after all of that commit. */
const placeOf = (text: string): Place | undefined => {
  const found = placeShape.exec(text)
  return found === null
    ? undefined
    : { position: Number(found[1]), number: found[2] === undefined ? Number.POSITIVE_INFINITY : Number(found[2]) }
}

type Following = { journal: Journal; clock: Pick<Clock, 'after'>; after: Place; leaving: AbortSignal }

/** Frames without end: what is there, then what comes, and a comment now and then in between. */
export async function* framesAfter({ journal, clock, after, leaving }: Following): AsyncGenerator<string> {
  let place = after
  let news = true
  let wake = () => {}
  const tell = () => {
    news = true
    wake()
  }
  const unwatch = journal.onAppended(tell)
  const left = () => wake()
  leaving.addEventListener('abort', left)
  /** @returns whether there is news */
  const pause = async (milliseconds: number): Promise<boolean> => {
    let callOff = () => {}
    if (!news && !leaving.aborted)
      await new Promise<void>((resolve) => {
        wake = resolve
        callOff = clock.after(milliseconds, resolve)
      })
    callOff()
    return news
  }
  try {
    yield 'retry: 2000\n\n'
    while (!leaving.aborted) {
      news = false
      try {
        for await (const stored of journal.read(Math.max(1, place.position))) {
          for (const { data, attributes } of messagesOf(stored)) {
            const here = placeOf(attributes['position']!)!
            if (here.position === place.position && here.number <= place.number) continue
            if (leaving.aborted) return
            yield `id: ${attributes['position']}\nevent: ${attributes['type']}\ndata: ${data}\n\n`
            place = here
          }
          if (stored.position > place.position) place = { position: stored.position, number: Number.POSITIVE_INFINITY }
        }
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error
        yield ': the store cannot be reached now\n\n'
        await pause(storeRetryMs)
        news = true
      }
      if (!(await pause(heartbeatMs)) && !leaving.aborted) yield ': all is quiet\n\n'
    }
  } finally {
    leaving.removeEventListener('abort', left)
    unwatch()
  }
}

export const registerEvents = (app: FastifyInstance, { journal, clock, leaving, log }: HttpContext): { readers(): number } => {
  let readers = 0
  const ofOne = new Map<string, number>()
  const count = (actor: string, change: 1 | -1): void => {
    readers += change
    const now = (ofOne.get(actor) ?? 0) + change
    if (now === 0) ofOne.delete(actor)
    else ofOne.set(actor, now)
  }
  app.get<{ Querystring: { after?: string } }>(
    '/events',
    {
      config: { role: 'viewer', patient: true },
      schema: describeText('events', 'The events of the journal as they come (server-sent events)', 'text/event-stream', {
        headers: {
          type: 'object',
          properties: { 'Last-Event-ID': { type: 'string', description: 'go on after this event', examples: ['12.0'] } },
        },
        querystring: {
          type: 'object',
          properties: {
            after: { type: 'string', description: 'the same for a first request; 0 is from the beginning; left out: from now on' },
          },
        },
      }),
    },
    async (request, reply) => {
      const [asked] = [request.headers['last-event-id'] ?? request.query.after ?? []].flat()
      const { position: head } = await journal.head()
      const after = asked === undefined ? { position: head, number: Number.POSITIVE_INFINITY } : placeOf(asked)
      if (after === undefined)
        return sendRefusal(reply, refuse('REQUEST_INVALID', `${JSON.stringify(asked)} is not a position such as 12 or 12.0`))
      if (after.position > head)
        return sendRefusal(reply, refuse('REQUEST_INVALID', `position ${after.position} is of another journal: this one ends at ${head}`))
      if (readers >= mostReaders)
        return sendRefusal(reply.header('retry-after', '30'), refuse('TOO_MANY_READERS', `${mostReaders} already`))
      const { actor, until } = request.caller
      if (until !== undefined && (ofOne.get(actor) ?? 0) >= mostOfOne)
        return sendRefusal(reply.header('retry-after', '30'), refuse('TOO_MANY_READERS', `${mostOfOne} of ${actor} already`))
      const gone = new AbortController()
      // Who is let in for an hour reads for an hour; with the next token he goes on where he was.
      const over = until === undefined ? undefined : setTimeout(() => gone.abort(), Math.min(Math.max(until - Date.now(), 0), longestTimer))
      count(actor, 1)
      reply.raw.once('close', () => {
        count(actor, -1)
        clearTimeout(over)
        gone.abort()
      })
      request.raw.socket.setTimeout(stalledAfterMs, () => request.raw.socket.destroy())
      log.debug({ correlationId: request.id, after: asked, readers }, 'a reader of the events has come')
      const frames = framesAfter({ journal, clock, after, leaving: AbortSignal.any([leaving, gone.signal]) })
      return reply
        .header('content-type', 'text/event-stream; charset=utf-8')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(Readable.from(frames, { objectMode: false }))
    },
  )
  return { readers: () => readers }
}
