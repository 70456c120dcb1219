/** What the demo proves of itself at its end. Each proof says what it found, or why it fails. */
import { canonical } from '../../../domain/commit.ts'
import { add, compare, type Decimal, decimal } from '../../../domain/decimal.ts'
import { fold } from '../../../domain/fold.ts'
import { booksIn, initialLedger, type Ledger } from '../../../domain/ledger.ts'
import type { Documents, DocumentWrite } from '../../../domain/ports/documents.ts'
import { verifyChain } from '../../../domain/verify.ts'
import type { Process } from '../../compose.ts'
import { rememberedBy } from '../verify.ts'
import type { GatewayState } from './gateway.ts'
import type { Names } from './plan.ts'

export type Proof = { name: string; holds: boolean; found: string }
type Proven = Pick<Process, 'journal' | 'documents' | 'projector' | 'engine'>

const journalIsWhole = async ({ journal, documents }: Proven): Promise<Proof> => {
  const chain = await verifyChain(journal, await rememberedBy({ documents }))
  const name = 'journal'
  if (!chain.ok) return { name, holds: false, found: chain.problem }
  return { name, holds: true, found: `verified, ${chain.commits} commits with ${chain.events} events, head ${chain.head.hash}` }
}

// ── Documents ──

const textsOf = async (documents: Documents): Promise<Map<string, string>> => {
  const texts = new Map<string, string>()
  for await (const { path, data } of documents.all()) texts.set(path, canonical(data))
  return texts
}

const deleteAll = async (documents: Documents, paths: readonly string[]): Promise<void> => {
  const checkpoint = await documents.checkpoint('views')
  if (checkpoint === undefined) throw new Error('the projections have no checkpoint')
  const writes = paths.map((path): DocumentWrite => ({ kind: 'delete', path }))
  const { position, hash } = checkpoint
  const { answer } = await documents.write('views', writes, { position, hash }, checkpoint)
  if (answer === 'moved') throw new Error('the projections were still at work')
}

const documentsAreRebuilt = async ({ documents, projector }: Proven): Promise<Proof> => {
  const name = 'documents'
  const before = await textsOf(documents)
  await deleteAll(documents, [...before.keys()])
  // Whoever watches over edits by hand is still there, and puts the configuration back at once.
  const left = [...(await textsOf(documents)).keys()].filter((path) => !path.startsWith('config/')).length
  if (left > 0) return { name, holds: false, found: `${left} of ${before.size} documents could not be deleted` }
  await projector.rebuild()
  const after = await textsOf(documents)
  const different = [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path))
  const [first] = different
  if (first === undefined) return { name, holds: true, found: `all ${before.size} deleted and rebuilt from the events, equal` }
  return { name, holds: false, found: `${different.length} of ${before.size} differ after the rebuild, the first is ${first}` }
}

// ── Positions ──

const positionsAgree = (ledger: Readonly<Ledger>, state: GatewayState, nameOf: Names): Proof => {
  const name = 'positions'
  const fails = (found: string): Proof => ({ name, holds: false, found })
  const unexplained = Object.values(ledger.unexplained)
  if (unexplained.length > 0) return fails(`unexplained: ${unexplained.map(({ quantity, symbol }) => `${quantity} ${symbol}`).join(', ')}`)
  const blocked = Object.values(ledger.discrepancies)
  if (blocked.length > 0) return fails(blocked.map(({ text }) => text).join('; '))
  const broker = new Map<number, Decimal>(state.positions.map(({ conId, quantity }) => [conId, decimal(quantity)]))
  const held = [...Object.values(ledger.books), ledger.manual].flatMap((holdings) => Object.keys(holdings).map(Number))
  for (const conId of new Set([...held, ...broker.keys()])) {
    const ours = add(booksIn(ledger, conId), ledger.manual[conId] ?? '0')
    const theirs = broker.get(conId) ?? '0'
    if (compare(ours, theirs) !== 0) return fails(`contract ${conId}: books and manual hold ${ours}, the broker ${theirs}`)
  }
  const text = state.positions.map(({ quantity, symbol }) => `${quantity} ${nameOf(symbol, 'long')}`).join(', ')
  return { name, holds: true, found: `books + manual = the broker's positions (${text || 'none'}), nothing unexplained` }
}

const ordersWentOnce = (story: { orders: Readonly<Record<string, number>> }, state: GatewayState): Proof => {
  const name = 'orders'
  const received = Object.values(state.received).flat()
  const twice = received.find(({ count }) => count !== 1)
  if (twice !== undefined) return { name, holds: false, found: `${twice.orderRef} reached the broker ${twice.count} times` }
  const handedOver = (story.orders['planned'] ?? 0) - (story.orders['withdrawn'] ?? 0)
  const found = `${received.length} reached the broker, each once, of ${handedOver} handed over`
  return { name, holds: received.length === handedOver, found }
}

// ── State ──

const stateIsReplayed = async ({ journal, engine }: Proven): Promise<Proof> => {
  const name = 'state'
  const ledger = initialLedger()
  for await (const stored of journal.read(1)) fold(ledger, stored)
  if (canonical(ledger) === canonical(engine.ledger))
    return { name, holds: true, found: `replayed from position 1 to ${ledger.position}, equal to the live engine's` }
  const differs = (Object.keys(ledger) as (keyof Ledger)[]).filter((key) => canonical(ledger[key]) !== canonical(engine.ledger[key]))
  return { name, holds: false, found: `replayed, it differs from the live engine's in ${differs.join(', ')}` }
}

/** What cannot even be tried is not proven. */
const attempt = async (name: string, tried: () => Proof | Promise<Proof>): Promise<Proof> => {
  try {
    return await tried()
  } catch (error) {
    return { name, holds: false, found: (error as Error).message }
  }
}

/** All proofs, in this order; the process must have come to rest. */
export const prove = async (
  composed: Proven,
  state: GatewayState,
  story: { orders: Readonly<Record<string, number>> },
  nameOf: Names,
): Promise<Proof[]> => [
  await attempt('journal', () => journalIsWhole(composed)),
  await attempt('documents', () => documentsAreRebuilt(composed)),
  await attempt('positions', () => positionsAgree(composed.engine.ledger, state, nameOf)),
  await attempt('orders', () => ordersWentOnce(story, state)),
  await attempt('state', () => stateIsReplayed(composed)),
]
