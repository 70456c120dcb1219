import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { canonical, sha256 } from '../../../domain/commit.ts'
import { ibt, type Run, temporaryFolder } from './ibt.ts'

type Line = {
  cause: { id?: string; job?: string; pipeline?: string; publishedAt?: string }
  events: { type: string; data: Data }[]
  hash: string
}
// biome-ignore lint/suspicious/noExplicitAny: as they come from a file
type Data = any

describe('ibt compare: a new revision beside the old one', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const store = join(folder.path, 'store')
  const old = join(folder.path, 'before.jsonl')
  let lines: string[] = []

  before(async () => {
    const made = await ibt(['demo', '--days', '6', '--keep', store])
    expect(made.code, made.errors).to.equal(0)
    const { out } = await ibt(['journal'], { DATA_DIR: store })
    lines = out.trimEnd().split('\n')
    writeFileSync(old, out)
  })
  after(folder.remove)

  /** What another revision might have written: each commit as `change` leaves it, or none, with the hash of what it then is. */
  const revision = (name: string, change: (commit: Line) => Line | undefined): string => {
    const path = join(folder.path, `${name}.jsonl`)
    const changed = lines.flatMap((line) => {
      const after = change(JSON.parse(line))
      if (after === undefined) return []
      const { hash: _, ...commit } = after
      const json = canonical(commit)
      return [`${json.slice(0, -1)},"hash":"${sha256(json)}"}`]
    })
    writeFileSync(path, `${changed.join('\n')}\n`)
    return path
  }
  const compare = (...args: string[]): Promise<Run> => ibt(['compare', ...args])
  const lastSlot = (): string => {
    const slots = lines.map((line) => (JSON.parse(line) as Line).cause).filter(({ job, pipeline }) => job === 'orchestrator' && !pipeline)
    return slots.at(-1)!.id!
  }
  const ofCommand = ({ cause }: Line, id: string) => (cause.pipeline ?? cause.id) === id

  it('finds no difference between a store and what was exported from it', async () => {
    const { code, out, errors } = await compare(old, store)
    expect([code, errors]).to.deep.equal([0, ''])
    const { compared, alike, differences, missing } = JSON.parse(out)
    expect(compared).to.equal(alike).and.to.be.greaterThan(20)
    expect([differences, missing]).to.deep.equal([[], []])
  })

  it('names the signal that is another, and whether the bars were the same', async () => {
    const slot = lastSlot()
    const after = revision('signal', (commit) => {
      if (!ofCommand(commit, slot)) return commit
      for (const { type, data } of commit.events)
        if (type === 'SignalGenerated' && data.strategy === 'spymacdvixy')
          Object.assign(data, { kind: 'targets', targets: [{ conId: data.bars[0].conId, symbol: data.bars[0].symbol, weight: '0.125' }] })
      return commit
    })
    const { code, out, errors } = await compare(old, after)
    expect(code).to.equal(1)
    expect(errors).to.match(/^ibt: of \d+ commands: 1 decision differs\n$/)
    const [{ before: was, ...difference }] = JSON.parse(out).differences
    expect(difference).to.include({ command: slot, what: 'signal', strategy: 'spymacdvixy', same_bars: true })
    expect(difference.after).to.match(/^(SPY|VIXY): weight 0\.125$/)
    expect(was)
      .to.match(/^neutral$|weight/)
      .and.not.equal(difference.after)
  })

  it('names targets and orders that are others, by strategy and symbol, and lets a tolerance pass them', async () => {
    const order = lines
      .map((line) => JSON.parse(line) as Line)
      .find(({ events }) => events.some(({ type, data }) => type === 'AllocationDecided' && data.orders.length > 0))!
    const id = order.cause.pipeline!
    const more = (quantity: string): string => String(Math.round(Number(quantity) * 1.1))
    let symbol = ''
    const after = revision('orders', (commit) => {
      if (!ofCommand(commit, id)) return commit
      for (const { type, data } of commit.events) {
        if (type !== 'AllocationDecided') continue
        const [first] = data.orders
        symbol = first.symbol
        first.shares = first.shares.map(({ strategy, quantity }: Data) => ({ strategy, quantity: more(quantity) }))
        for (const target of data.targets) if (target.conId === first.conId) target.target = more(target.target)
      }
      return commit
    })
    const { code, out } = await compare(old, after)
    expect(code).to.equal(1)
    const { differences } = JSON.parse(out) as { differences: Data[] }
    expect(new Set(differences.map(({ what }) => what))).to.deep.equal(new Set(['target', 'order']))
    for (const difference of differences) {
      expect(difference).to.include({ command: id, symbol })
      expect(Number.parseFloat(difference.after)).to.equal(Number(more(String(Number.parseFloat(difference.before)))))
    }
    expect((await compare(old, after, '--tolerance', '0.2')).code).to.equal(0)
    expect((await compare(old, after, '--tolerance', '0.05')).code).to.equal(1)
  })

  it('counts a slot that one of them missed as a difference, and a command of a person not', async () => {
    const slot = lastSlot()
    const { code, out, errors } = await compare(
      old,
      revision('missed', (commit) =>
        ofCommand(commit, slot.replace('orchestrator', 'eod-check').replace('20:05', '19:55')) ? undefined : commit,
      ),
    )
    expect(code).to.equal(1)
    expect(errors).to.contain('1 slot of a schedule is in one journal only')
    expect(JSON.parse(out).missing[0]).to.include({ type: 'eod-check', only: 'before' })

    const byHand = (who: string) =>
      revision(who, (commit) => {
        if (commit.cause.job !== 'risk-check') return commit
        const { job: _, ...cause } = commit.cause
        return { ...commit, cause: { ...cause, id: `${who}-${cause.id}` } }
      })
    const alone = await compare(byHand('anna'), byHand('bert'))
    expect([alone.code, alone.errors]).to.deep.equal([0, ''])
    expect(JSON.parse(alone.out).alone).to.be.greaterThan(5)
  })

  it('pairs a slot whose command was given another id by its job and minute', async () => {
    const slot = lastSlot()
    const after = revision('renamed', (commit) => {
      const { id, pipeline } = commit.cause
      if (!ofCommand(commit, slot)) return commit
      return {
        ...commit,
        cause: { ...commit.cause, id: id!.replace(slot, 'mine-1'), ...(pipeline === undefined ? {} : { pipeline: 'mine-1' }) },
      }
    })
    const { code, out, errors } = await compare(old, after)
    expect([code, errors]).to.deep.equal([0, ''])
    expect(JSON.parse(out).missing).to.deep.equal([])
  })

  it('compares accounts of different size as if they were of one', async () => {
    const halved = revision('halved', (commit) => {
      for (const { type, data } of commit.events) {
        if (type !== 'AllocationDecided') continue
        const half = (quantity: string): string => String(Math.trunc(Number(quantity) / 2))
        if (data.snapshot.netLiquidation !== undefined) data.snapshot.netLiquidation = String(Number(data.snapshot.netLiquidation) / 2)
        for (const target of data.targets) target.target = half(target.target)
        for (const order of data.orders) for (const share of order.shares) share.quantity = half(share.quantity)
      }
      return commit
    })
    expect((await compare(old, halved)).code).to.equal(1)
    const { code, errors } = await compare(old, halved, '--by-capital')
    expect([code, errors]).to.deep.equal([0, ''])
  })

  it('looks at the days it is asked for, and fails where there is nothing to compare', async () => {
    const day = lastSlot().slice('orchestrator@'.length, -'T20:05:00Z'.length)
    const one = await compare(old, store, '--from', day, '--to', day)
    expect(one.code).to.equal(0)
    expect(JSON.parse(one.out).compared).to.be.within(3, 8)
    const none = await compare(old, store, '--from', '2031-01-01')
    expect([none.code, none.out]).to.deep.equal([1, ''])
    expect(none.errors).to.contain('nothing in common')
  })

  it('refuses a file that is no journal, a line that was changed, and a place that is not there', async () => {
    const garbage = join(folder.path, 'garbage')
    writeFileSync(garbage, '{"a":1}\n')
    const changed = join(folder.path, 'changed')
    writeFileSync(changed, readFileSync(old, 'utf8').replace('"epoch":1', '"epoch":2'))
    for (const [place, problem] of [
      [garbage, 'line 1: is no line of ibt journal'],
      [changed, 'line 1: was changed'],
      [join(folder.path, 'nowhere'), 'there is nothing at'],
    ] as const) {
      const { code, out, errors } = await compare(old, place)
      expect([code, out]).to.deep.equal([1, ''])
      expect(errors).to.contain(problem)
    }
  })
})
