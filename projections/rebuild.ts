/**
 * The proof that documents are nothing but the journal seen from another side: fold everything again, in memory, through the same views,
 * and compare. Every batch is guarded by the checkpoint it was compared at, so a projector at work is never overwritten.
 */
import { canonical, genesisHash } from '../domain/commit.ts'
import type { Checkpoint, Document, Documents, DocumentWrite } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { applyTo, inBatches } from './batch.ts'
import { createReplay, Unprojectable } from './replay.ts'
import type { View } from './view.ts'

/** How many documents were written, deleted and left as they were, and the position they show now. */
export type Rebuilt = { written: number; deleted: number; unchanged: number; position: number }
/** Paths, ascending: other content than the journal gives, not there, and there without a reason. */
export type Comparison = { different: string[]; missing: string[]; extra: string[]; position: number }

type Source = { journal: Journal; documents: Documents; mode: 'paper' | 'live'; name: string; views: readonly View[] }
type Place = { position: number; hash: string }

/** Documents by path as the journal gives them, folded on and on but never back. */
const createImage = ({ journal, mode, views }: Source) => {
  const replay = createReplay(views, mode)
  const documents = new Map<string, Document>()
  return {
    documents,
    position: replay.position,
    /** @throws Unprojectable when the journal ends before, or has another commit there */
    foldTo: async ({ position, hash }: Place): Promise<void> => {
      if (position > replay.position())
        for await (const stored of journal.read(replay.position() + 1, position)) applyTo(documents, replay.step(stored, false))
      if (replay.position() < position)
        throw new Unprojectable(
          replay.position() + 1,
          `the documents show position ${position}, but the journal ends at ${replay.position()}`,
        )
      if (replay.hash() !== hash)
        throw new Unprojectable(position, `the documents were made from another journal: ${hash} stands here, not ${replay.hash()}`)
    },
  }
}
type Image = ReturnType<typeof createImage>

const compareWith = async (image: Image, documents: Documents): Promise<Omit<Comparison, 'position'>> => {
  const different: string[] = []
  const extra: string[] = []
  const missing = new Set(image.documents.keys())
  for await (const { path, data } of documents.all()) {
    const wanted = image.documents.get(path)
    missing.delete(path)
    if (wanted === undefined) extra.push(path)
    else if (canonical(wanted) !== canonical(data)) different.push(path)
  }
  return { different: different.sort(), missing: [...missing].sort(), extra: extra.sort() }
}

const same = (left: Checkpoint | undefined, right: Checkpoint | undefined): boolean => left?.version === right?.version
const beginning: Place = { position: 0, hash: genesisHash }
const showsNothing = (checkpoint: Checkpoint | undefined): boolean => (checkpoint?.position ?? 0) === 0
/** At one and the same position: somebody else keeps writing there, or the store changes what it is given. */
const mostRepairs = 5

/**
 * Compares at a checkpoint that stood still meanwhile. Without a checkpoint no document should be there.
 * @throws Unprojectable
 */
export const compareDocuments = async (source: Source): Promise<Comparison> => {
  const { documents, name } = source
  let image = createImage(source)
  for (;;) {
    const checkpoint = await documents.checkpoint(name)
    if ((checkpoint?.position ?? 0) < image.position()) image = createImage(source)
    await image.foldTo(checkpoint ?? beginning)
    const found = await compareWith(image, documents)
    if (same(checkpoint, await documents.checkpoint(name))) return { ...found, position: image.position() }
  }
}

/**
 * Repairs at the checkpoint it reads; where it moves meanwhile, folds on and compares again. Where nothing is shown yet it goes to the head.
 * Ends only after a comparison that found nothing, at a checkpoint that stood still.
 * @throws Unprojectable when a commit cannot be read, or the checkpoint is not of this journal
 */
export const rebuildDocuments = async (source: Source): Promise<Rebuilt> => {
  const { documents, journal, name } = source
  let image = createImage(source)
  const written = new Set<string>()
  const deleted = new Set<string>()

  /** Stops early when somebody else moves the checkpoint: what is left has to be compared again. */
  const repair = async (writes: readonly DocumentWrite[], before: Checkpoint | undefined, target: Place): Promise<void> => {
    let checkpoint = before
    const batches = inBatches(writes)
    for (const batch of batches) {
      // Where nothing was shown before, documents that are half there must not claim to show anything: the last batch says so.
      const next = showsNothing(before) && batch !== batches.at(-1) ? beginning : target
      const answer = await documents.write(name, batch, next, checkpoint)
      if (answer.answer === 'moved') return
      checkpoint = answer.checkpoint
      for (const { kind, path } of batch) (kind === 'delete' ? deleted : written).add(path)
    }
  }

  let repairs = { position: 0, count: 0 }
  for (;;) {
    const checkpoint = await documents.checkpoint(name)
    const target: Place = checkpoint === undefined || showsNothing(checkpoint) ? await journal.head() : checkpoint
    if (target.position < image.position()) image = createImage(source)
    await image.foldTo(target)
    const { different, missing, extra } = await compareWith(image, documents)
    const writes: DocumentWrite[] = [
      ...[...different, ...missing].map((path): DocumentWrite => ({ kind: 'set', path, data: image.documents.get(path)! })),
      ...extra.map((path): DocumentWrite => ({ kind: 'delete', path })),
    ]
    if (writes.length > 0 || (showsNothing(checkpoint) && target.position > 0)) {
      repairs = { position: target.position, count: repairs.position === target.position ? repairs.count + 1 : 1 }
      if (repairs.count > mostRepairs) throw new Error(`${writes[0]?.path ?? 'the checkpoint'} does not keep what is written to it`)
      await repair(writes, checkpoint, target)
      continue
    }
    if (!same(checkpoint, await documents.checkpoint(name))) continue
    const unchanged = [...image.documents.keys()].filter((path) => !written.has(path)).length
    return { written: written.size, deleted: deleted.size, unchanged, position: image.position() }
  }
}
