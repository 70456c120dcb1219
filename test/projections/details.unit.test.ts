import { expect } from 'chai'
import { canonical, sha256 } from '../../domain/commit.ts'
import { event } from '../../domain/events.ts'
import type { Document, Json } from '../../domain/ports/documents.ts'
import { checkViewDocument } from '../../domain/view-documents.ts'
import { commandsView } from '../../projections/commands.ts'
import { storedBeside } from '../../projections/details.ts'
import { executionsView } from '../../projections/executions.ts'
import { broker, command, decision, documentsOf, filled, pathsOfLast, planned, SPY, started, type Told, wished } from './story.ts'

const largest = 900_000
const bytesOf = (document: Document): number => Buffer.byteLength(canonical(document))
const notes = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    ...{ code: 'LIMIT_GROSS', text: 'clipped', strategy: 'dummy', conId: number },
    numbers: { wanted: String(number), allowed: '20.5' },
  }))
const targets = (count: number) =>
  Array.from({ length: count }, (_, number) => ({
    ...{ strategy: 'dummy', conId: number, symbol: `S${number}`, wanted: '30', target: '20', book: '0', inFlight: '0', difference: '20' },
  }))

type Reference = { rows: number; details: string[] }
/** The rows as a reader finds them, inline or beside. */
const rowsIn = (documents: Map<string, Document>, value: Json | Reference): Json[] =>
  Array.isArray(value) ? value : (value as Reference).details.flatMap((path) => documents.get(path)!['rows'] as Json[])

describe('a document that would be too large', () => {
  const large: Told[] = [started, command('allocation', 'alloc-1', decision({ notes: notes(4_000), targets: targets(1_500) }))]
  const documents = documentsOf(executionsView, ...large)
  const execution = documents.get('executions/alloc-1')!
  const shown = execution['decision'] as unknown as Record<string, Json & Reference>

  it('keeps its head, and says where its rows are and how many', () => {
    expect(bytesOf(execution)).to.be.below(700_000)
    expect(shown).to.deep.include({ round: 1, exposure: 0.9 })
    expect(shown['notes']!.rows).to.equal(4_000)
    expect(execution).to.include({ status: 'completed', trigger: 'manual', actor: 'desk' })
  })

  it('loses none of them, in their order, and no part is too large', () => {
    expect(rowsIn(documents, shown['notes']!)).to.have.length(4_000)
    expect(rowsIn(documents, shown['notes']!)[3_999]).to.deep.equal({
      ...{ code: 'LIMIT_GROSS', text: 'clipped', strategy: 'dummy', conId: 3_999, numbers: { wanted: 3_999, allowed: 20.5 } },
    })
    expect(rowsIn(documents, shown['diff']!)).to.have.length(1_500)
    for (const [path, document] of documents) {
      expect(bytesOf(document)).to.be.below(largest)
      expect(checkViewDocument('paper', path)).to.equal(path)
    }
  })

  it('finds each part by the hash of what is in it', () => {
    const [path] = shown['notes']!.details
    const part = documents.get(path!)!
    expect(path).to.equal(`details/${sha256(canonical(part))}`)
    expect(part).to.include({ of: 'executions/alloc-1', field: 'decision.notes', part: 1 })
  })

  it('leaves alone what is small', () => {
    const small = documentsOf(executionsView, started, command('allocation', 'alloc-1', decision({ notes: notes(400) })))
    expect([...small.keys()]).to.deep.equal(['executions/alloc-1'])
    expect((small.get('executions/alloc-1')!['decision'] as Record<string, Json[]>)['notes']).to.have.length(400)
  })

  it('keeps the places of a thousand orders, whatever becomes of them', () => {
    const refs = Array.from({ length: 900 }, (_, number) => `abc123-123456789012-${number}`)
    const plans = refs.slice(0, 450).map((ref, number) => planned(ref, { orderId: number + 1 }))
    const others = refs.slice(450).map((ref, number) => planned(ref, { orderId: number + 451 }))
    const before: Told[] = [
      started,
      command('allocation', 'alloc-1', decision({ orders: refs.slice(0, 450).map((ref) => wished(ref, '20')) }), ...plans),
      command('allocation', 'alloc-2', ...others),
    ]
    const fill = (number: number) => broker(filled(refs[0]!, `e${number}.01`, '1'))
    const first = documentsOf(executionsView, ...before)
    const placed = first.get('executions/alloc-1')!['orders_placed']!
    expect((placed as unknown as Reference).rows).to.equal(900)
    const after = documentsOf(executionsView, ...before, fill(1), fill(2), fill(3))
    expect([...after.keys()].sort()).to.deep.equal([...first.keys()].sort())
    const rows = rowsIn(after, after.get('executions/alloc-1')!['orders_placed']!) as Record<string, Json>[]
    expect(rows[0]).to.include({ orderRef: refs[0], filled: 3 })
    expect(after.get('executions/alloc-1')!['summary']).to.match(/^Placed 900 orders: .*BUY 20 SPY and 850 more\.$/)
    for (const document of after.values()) expect(bytesOf(document)).to.be.below(700_000)
    expect(pathsOfLast(executionsView, ...before, fill(1)).length).to.be.below(6)
  })

  it('takes a large result of a command, too', () => {
    const fills = Array.from({ length: 3_000 }, (_, number) => ({
      ...{ executionId: `0000e0d5.65a1b2c3.${number}.01`, orderRef: 'abc123-123456789012-1', ...SPY, currency: 'USD', quantity: '1' },
      ...{ price: '410.25', at: '2026-11-20T20:59:00.000Z', holders: { dummy: '1' } },
    }))
    const data = { account: 'DU1', takenAt: 'now', values: [], positions: [], openOrders: [], fills, fillsLeftOut: 0 }
    const told = documentsOf(commandsView, started, command('summary', 'c1', event('AccountSummarized', data)))
    const { result } = told.get('commands/c1') as unknown as { result: Record<string, Json> }
    expect(bytesOf(told.get('commands/c1')!)).to.be.below(700_000)
    expect(rowsIn(told, result['fills']!)).to.have.length(3_000)
    expect(result).to.include({ account: 'DU1', fills_left_out: 0 })
  })

  it('puts a row that is larger than a part into one of its own', () => {
    const rows = Array.from({ length: 60 }, (_, number) => ({ number, text: 'x'.repeat(number === 7 ? 400_000 : 10) }))
    const { value, writes } = storedBeside(rows, { of: 'commands/c1', field: 'result', most: 1_000 })
    expect((value as unknown as Reference).details).to.deep.equal(writes.map(({ path }) => path))
    expect(writes.map((write) => (write.kind === 'delete' ? 0 : (write.data['rows'] as Json[]).length))).to.deep.equal([7, 1, 52])
  })
})
