import { expect } from 'chai'
import * as t from 'io-ts'
import type { Command } from '../../domain/commands.ts'
import { refuse } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import { initialLedger, type Pipeline } from '../../domain/ledger.ts'
import { noBarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import { type Broker, BrokerUnavailable } from '../../domain/ports/broker.ts'
import { createDeciding } from '../../handlers/deciding.ts'
import { defineHandler, type EngineFacts, type Handler } from '../../handlers/handler.ts'
import { createWriter } from '../../handlers/writer.ts'
import { simulatedClock } from '../../infra/clock.ts'
import { tuesday } from '../given.ts'
import { createMemory, memoryJournal } from '../memory-store.ts'
import { silent } from './ports-in-hand.ts'

const minute = 60_000
const command: Command = { id: 'c1', type: 'test', publishedAt: tuesday, source: 'test', body: { size: 1 } }
const resumed = event('TradingResumed', { reason: 'decided' })

const handler = (parts: Partial<Handler> = {}): Handler =>
  defineHandler({
    body: t.type({ size: t.number }),
    needsBroker: true,
    gather: async () => 'gathered',
    decide: () => [resumed],
    ...parts,
  } as Handler)

describe('carrying a command through its handler', () => {
  const bench = ({ pipelines = [] as string[] } = {}) => {
    const memory = createMemory()
    const ledger = initialLedger()
    ledger.epoch = 1
    for (const id of pipelines) ledger.pipelines[id] = { id, steps: {} } as unknown as Pipeline
    const clock = simulatedClock(Date.parse(tuesday))
    const failures: string[] = []
    const state = { ready: true }
    const writer = createWriter({
      ...{ journal: memoryJournal(memory), clock, ledger, committed: () => {} },
      failed: (reason) => failures.push(reason.message),
    })
    const deciding = createDeciding({
      ...{
        ledger,
        broker: {} as Broker,
        catalogue: noBarCatalogue,
        clock,
        writer,
        log: silent,
        ready: () => state.ready,
        sequence: () => 0,
      },
      ...{ facts: () => ({}) as EngineFacts, validFor: () => 15 * minute, patience: () => 10 * minute },
    })
    const written = () => memory.commits.flatMap(({ json }) => (JSON.parse(json) as { events: DomainEvent[] }).events)
    const carry = async (by: Handler, asked: Command = command) => deciding.decide(asked, by, await deciding.gather(asked, by))
    return { deciding, carry, written, clock, state, failures }
  }

  it('gives a step that only asks the time of its pipeline, and a command of its own none', async () => {
    const { carry, written, clock } = bench({ pipelines: ['p'] })
    await clock.moveTo(Date.parse(tuesday) + 16 * minute)
    const silent = async () => {
      throw new BrokerUnavailable('timedOut', 'no answer')
    }
    const asks = { asksOnly: true }
    expect(await carry(handler({ ...asks, gather: silent }), { ...command, id: 'p:proof', pipeline: 'p' })).to.include({ outcome: 'later' })
    await carry(handler(asks), { ...command, id: 'p:proof', pipeline: 'p' })
    await carry(handler(asks))
    expect(written()).to.have.length(2)
    expect(written()[0]).to.deep.include({ type: 'TradingResumed' })
    expect(written()[1]!.data).to.include({ code: 'EXPIRED' })
  })

  it('gives the facts to the decision and remembers its events', async () => {
    const { carry, written } = bench()
    const seen: unknown[] = []
    const decide: Handler['decide'] = ({ facts, command: { body } }) => {
      seen.push(facts, body)
      return [resumed]
    }
    expect(await carry(handler({ decide }))).to.include({ outcome: 'decided' })
    expect([seen, written().map(({ type }) => type)]).to.deep.equal([['gathered', { size: 1 }], ['TradingResumed']])
  })

  it('remembers a final refusal by its code, and of a passing one nothing', async () => {
    const { carry, written } = bench()
    expect((await carry(handler({ decide: () => refuse('GATEWAY_NOT_READY') }))).outcome).to.equal('later')
    expect(written()).to.deep.equal([])
    expect((await carry(handler({ decide: () => refuse('HALTED', 'enough', { since: 'noon' }) }))).outcome).to.equal('decided')
    expect(written()[0]).to.deep.include({
      type: 'CommandRefused',
      data: { code: 'HALTED', text: 'trading is halted: enough', details: { since: 'noon' } },
    })
  })

  it('remembers also that there was nothing to do', async () => {
    const { carry, written } = bench()
    await carry(handler({ decide: () => [] }))
    expect(written().map(({ type }) => type)).to.deep.equal(['CommandCompleted'])
  })

  it('ends the command of a handler that throws, loudly, and goes on', async () => {
    for (const parts of [
      { decide: () => expect.fail('a bug in it') },
      { gather: async () => expect.fail('a bug in it') },
    ] as Partial<Handler>[]) {
      const { carry, written, failures } = bench()
      expect((await carry(handler(parts))).outcome).to.equal('decided')
      expect(written()[0]).to.deep.include({ type: 'CommandFailed', data: { code: 'UNEXPECTED', text: 'a bug in it' } })
      expect(failures).to.deep.equal([])
    }
  })

  it('writes no credential into the journal, whatever an error or a refusal says', async () => {
    const says = 'no answer of https://anna:s3cr3t@example.org?token=s3cr3t'
    for (const parts of [
      { decide: () => expect.fail(says) },
      { decide: () => refuse('HALTED', says) },
      { gather: async () => Promise.reject(new BrokerUnavailable('refused', says)) },
    ] as Partial<Handler>[]) {
      const { carry, written } = bench()
      await carry(handler(parts))
      expect((written()[0]!.data as { text: string }).text).to.contain('https://***@example.org?token=***')
    }
    const later = await bench().carry(handler({ gather: async () => Promise.reject(new BrokerUnavailable('timedOut', says)) }))
    expect(JSON.stringify(later)).to.contain('BROKER_TIMED_OUT').and.to.not.contain('s3cr3t')
  })

  it('refuses a body that does not fit, before anybody is asked', async () => {
    const { carry, written } = bench()
    const gather = async () => expect.fail('it was asked')
    await carry(handler({ gather }), { ...command, body: { size: 'large' } })
    expect(written()[0]).to.deep.include({ type: 'CommandRefused' })
    expect(written()[0]!.data).to.include({ code: 'BODY_INVALID' })
  })

  describe('that needs the broker', () => {
    const no = (why: BrokerUnavailable['why']) => handler({ gather: async () => Promise.reject(new BrokerUnavailable(why, 'as it said')) })

    it('waits until the gateway is ready, and looks again when it decides', async () => {
      const { carry, deciding, written, state } = bench()
      state.ready = false
      expect((await carry(handler())).outcome).to.equal('later')
      expect((await carry(handler({ needsBroker: false }))).outcome).to.equal('decided')
      state.ready = true
      const other = { ...command, id: 'c2' }
      const gathered = await deciding.gather(other, handler())
      state.ready = false
      expect((await deciding.decide(other, handler(), gathered)).outcome, 'the line went while it gathered').to.equal('later')
      expect(written()).to.have.length(1)
    })

    it('comes again when the broker does not answer or the line is gone, and takes a no for an answer', async () => {
      for (const why of ['timedOut', 'lost', 'notReady'] as const) {
        const { carry, written } = bench()
        expect((await carry(no(why))).outcome, why).to.equal('later')
        expect(written()).to.deep.equal([])
      }
      const { carry, written } = bench()
      expect((await carry(no('refused'))).outcome).to.equal('decided')
      expect(written()[0]!.data).to.include({ code: 'BROKER_REFUSED', text: 'the broker refused the question: as it said' })
    })

    it('is not asked any more when the broker has been silent for longer than its patience', async () => {
      const { carry, written, clock } = bench()
      await clock.moveTo(Date.parse(tuesday) + 10 * minute)
      expect((await carry(no('timedOut'))).outcome).to.equal('later')
      await clock.moveTo(Date.parse(tuesday) + 10 * minute + 1)
      expect((await carry(no('timedOut'))).outcome).to.equal('decided')
      expect(written()[0]!.data).to.include({ code: 'EXPIRED' })
    })
  })

  it('refuses a command that is older than it may be, without asking, also when it became so while it gathered', async () => {
    const late = bench()
    await late.clock.moveTo(Date.parse(tuesday) + 15 * minute + 1)
    await late.carry(handler({ gather: async () => expect.fail('it was asked') }))
    expect(late.written()[0]!.data).to.include({ code: 'EXPIRED' })

    const { deciding, clock, written } = bench()
    await clock.moveTo(Date.parse(tuesday) + 15 * minute)
    const gathered = await deciding.gather(command, handler())
    await clock.moveTo(clock.now() + 1)
    await deciding.decide(command, handler(), gathered)
    expect(written().map(({ data }) => (data as { code?: string }).code)).to.deep.equal(['EXPIRED'])
  })
})
