import { expect } from 'chai'
import type { Cause } from '../../domain/commit.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { Journal } from '../../domain/ports/journal.ts'
import { createWriter, type Writer } from '../../handlers/writer.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { tuesday } from '../given.ts'
import { createMemory, type Memory, memoryJournal } from '../memory-store.ts'

const because = (id: string): Cause => ({ kind: 'command', id, type: 'halt', publishedAt: tuesday, source: 'test' })
const halted = (reason: string) => event('TradingHalted', { reason, publishedAt: tuesday, cancelWorking: false })
const started = event('EngineStarted', { epoch: 1, mode: 'paper' })

describe('the writer', () => {
  let memory: Memory
  let journal: Journal
  let ledger: Ledger
  let writer: Writer
  let effects: { types: string[]; positionThen: number; stored: number }[]
  let failures: string[]

  beforeEach(() => {
    memory = createMemory()
    const real = memoryJournal(memory)
    journal = { ...real, append: (commit) => real.append(commit) }
    ledger = initialLedger()
    ledger.epoch = 1
    ;[effects, failures] = [[], []]
    writer = createWriter({
      ...{ journal, clock: simulatedClock(Date.parse(tuesday)), ledger },
      committed: ({ events }) =>
        effects.push({ types: events.map(({ type }) => type), positionThen: ledger.position, stored: memory.commits.length }),
      failed: (reason) => failures.push(reason.message),
    })
  })
  const commit = async (id: string, ...events: DomainEvent[]) => {
    let answer: string | undefined
    await writer.enqueue(async () => {
      answer = await writer.commit(because(id), events)
    })
    return answer
  }

  it('lets a decision take effect after it is stored and folded, and not before', async () => {
    expect(await commit('a', started)).to.equal('appended')
    expect(effects).to.deep.equal([{ types: ['EngineStarted'], positionThen: 1, stored: 1 }])
  })

  it('lets what was decided before take no effect again', async () => {
    await commit('a', started)
    await commit('b', halted('once'))
    expect(await commit('b', halted('twice'))).to.equal('already')
    expect([effects.length, ledger.position, ledger.trading.reason]).to.deep.equal([2, 2, 'once'])
    expect(await commit('c', halted('later')), 'and goes on behind it').to.equal('appended')
  })

  it('does nothing more after somebody else wrote its position, not even what waited', async () => {
    await commit('a', started)
    journal.append = async ({ position }) => ({ answer: 'conflict', position, epoch: 2 })
    let ran = false
    const lost = commit('b', halted('lost'))
    const waiting = writer.enqueue(() => {
      ran = true
    })
    await Promise.all([lost, waiting])
    await writer.enqueue(() => {
      ran = true
    })
    expect([ran, effects.length, failures.length]).to.deep.equal([false, 1, 1])
    expect(failures[0]).to.match(/another engine \(epoch 2\) wrote position 2/)
  })

  it('stops at the first error of any work, and says which', async () => {
    await writer.enqueue(() => {
      throw new Error('a bug in the desk')
    })
    await writer.enqueue(() => {
      throw new Error('another')
    })
    expect(failures).to.deep.equal(['a bug in the desk'])
  })

  it('writes nothing that could not be read back', async () => {
    await commit('a', started)
    const odd = { type: 'TradingHalted', data: { reason: 'x', publishedAt: tuesday, cancelWorking: 'perhaps' } } as unknown as DomainEvent
    let problem: unknown
    await writer.enqueue(async () => {
      problem = await writer.commit(because('b'), [odd]).catch((error: unknown) => error)
    })
    expect(problem).to.have.property('name', 'NotWritable')
    expect([memory.commits.length, ledger.position]).to.deep.equal([1, 1])
    expect(await commit('b', halted('readable'))).to.equal('appended')
  })

  it('lets what is under way end when it is closed, and drops what waits', async () => {
    let free: () => void = () => {}
    const done: string[] = []
    void writer.enqueue(async () => {
      await new Promise<void>((resolve) => {
        free = resolve
      })
      done.push('under way')
    })
    void writer.enqueue(() => void done.push('waiting'))
    const closing = writer.close()
    expect(writer.idle()).to.equal(false)
    free()
    await closing
    expect(done).to.deep.equal(['under way'])
    expect(writer.idle()).to.equal(true)
  })
})
