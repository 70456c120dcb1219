/** Live trading is switched on for what has a record on paper, and for nothing else. */
import { expect } from 'chai'
import { decode } from '../../domain/decode.ts'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import type { PaperRecord } from '../../domain/paper-record.ts'
import { noBarCatalogue } from '../../domain/ports/bar-catalogue.ts'
import type { Broker } from '../../domain/ports/broker.ts'
import { StoreUnavailable } from '../../domain/ports/journal.ts'
import dummy from '../../domain/strategies/dummy.ts'
import spymacdvixy from '../../domain/strategies/spymacdvixy.ts'
import type { EngineFacts, Handler, ReadPaperRecord } from '../../handlers/handler.ts'
import { handlersFor } from '../../handlers/handlers.ts'
import { configured, connected, continued, ledgerOf, together, tuesday } from '../given.ts'

const strategies = { dummy, spymacdvixy }
const handlers = handlersFor(strategies)
const engine: EngineFacts = {
  ...{ ready: true, notHandedOver: [], said: {}, strategies, validUntil: null, endsBy: '2024-01-09T16:00:00.000Z' },
}
const nobody = {} as Broker

const asked =
  (type: string, body: object = {}, publishedAt = tuesday) =>
  async (ledger: Ledger, paper?: ReadPaperRecord, meanwhile: (ledger: Ledger) => Ledger = (same) => same) => {
    const { handler } = handlers.published(type) as { handler: Handler }
    const decoded = decode(handler.body, body)
    if (!decoded.ok) throw new Error(decoded.problem)
    const command = { id: 'c1', type, publishedAt, source: 'test', body: decoded.value }
    const ports = { broker: nobody, catalogue: noBarCatalogue, now: Date.parse(tuesday), ...(paper === undefined ? {} : { paper }) }
    const facts = await handler.gather(ports, command, ledger)
    return handler.decide({ ledger: meanwhile(ledger), command, facts, now: Date.parse(tuesday), engine })
  }
type Answer = Awaited<ReturnType<ReturnType<typeof asked>>>
const codeOf = (answer: Answer): string => (isRefusal(answer) ? answer.refusal : answer.map(({ type }) => type).join())
const textOf = (answer: Answer): string => (isRefusal(answer) ? answer.text : '')
const folded = (ledger: Ledger, answer: Answer): Ledger => {
  if (isRefusal(answer)) throw new Error(answer.text)
  return continued(ledger, together(...answer))
}

const ten = Array.from({ length: 10 }, (_, day) => `2023-12-${day + 11}`)
const record: PaperRecord = {
  ...{
    position: 812,
    hash: 'abc',
    account: 'DU1234567',
    runs: ten,
    strategies: { dummy: ten },
    filled: 4,
    halts: 1,
    starts: 2,
    doubts: [],
  },
}
const proven: ReadPaperRecord = async () => record
const money = (strategy: string): DomainEvent => configured({ [`strategies.${strategy}.allocation`]: 0.4 })
const fresh = ledgerOf(event('EngineStarted', { epoch: 1, mode: 'live' }), connected())
const withMoney = continued(fresh, money('dummy'))
const resume = asked('resume')
const give = (strategy: string) => asked('configure', { changes: { [`strategies.${strategy}.allocation`]: 0.3 } })
const halted = (ledger: Ledger): Ledger =>
  continued(ledger, event('TradingHalted', { reason: 'test', publishedAt: '2024-01-09T14:00:00.000Z', cancelWorking: false }))

describe('resume in live mode', () => {
  it('is accepted with a record on paper, and writes down which one it was', async () => {
    const answer = await resume(withMoney, proven)
    expect(answer).to.deep.equal([
      event('TradingResumed', { reason: 'resumed by command', paper: { position: 812, hash: 'abc', strategies: ['dummy'] } }),
    ])
    const ledger = folded(withMoney, answer)
    expect([ledger.trading.on, ledger.provenOnPaper]).to.deep.equal([true, ['dummy']])
  })

  it('is refused with what is not met, and shows the whole checklist', async () => {
    const answer = await resume(withMoney, async () => ({ ...record, halts: 0, runs: ten.slice(1) }))
    expect(codeOf(answer)).to.equal('NOT_PROVEN_ON_PAPER')
    expect(textOf(answer))
      .to.contain('the daily run completed on 9 of 10 sessions')
      .and.to.contain('halted and resumed 0 times')
      .and.not.contain('orders were filled')
    const { details } = answer as unknown as { details: { checklist: { item: string }[] } }
    expect(details.checklist.map(({ item }) => item)).to.include.members(['daily-runs', 'strategy-dummy', 'order-filled'])
  })

  it('is refused where no paper journal is known, or none that can be trusted', async () => {
    expect(textOf(await resume(withMoney))).to.contain('PAPER_JOURNAL')
    const broken = async () => Promise.reject(new Error('commit 7 was altered'))
    const answer = await resume(withMoney, broken)
    expect([codeOf(answer), textOf(answer)]).to.deep.equal([
      'NOT_PROVEN_ON_PAPER',
      'live trading wants a record on paper first: the paper journal cannot be read: commit 7 was altered',
    ])
  })

  it('waits for a store that is away', async () => {
    const away = async () => Promise.reject(new StoreUnavailable('given up'))
    expect(codeOf(await resume(withMoney, away))).to.equal('STORE_UNAVAILABLE')
  })

  it('reads paper once: afterwards a halt is lifted without it', async () => {
    const later = halted(folded(withMoney, await resume(withMoney, proven)))
    const never = async () => Promise.reject(new Error('nobody should read it'))
    expect(await resume(later, never)).to.deep.equal([event('TradingResumed', { reason: 'resumed by command' })])
  })

  it('reads it again for a strategy that came later, and asks for that one alone', async () => {
    const later = continued(halted(folded(withMoney, await resume(withMoney, proven))), money('spymacdvixy'))
    expect(textOf(await resume(later, proven))).to.contain('the commander followed spymacdvixy with money on 0 of 10')
    const both = await resume(later, async () => ({ ...record, strategies: { spymacdvixy: ten } }))
    expect(folded(later, both).provenOnPaper).to.deep.equal(['dummy', 'spymacdvixy'])
  })

  it('is refused when money was given to somebody else while paper was read', async () => {
    const switchedOff = halted(folded(withMoney, await resume(withMoney, proven)))
    expect(codeOf(await resume(switchedOff, proven, (ledger) => continued(ledger, money('spymacdvixy'))))).to.equal('NOT_PROVEN_ON_PAPER')
    expect(codeOf(await resume(withMoney, proven, (ledger) => continued(ledger, money('spymacdvixy'))))).to.equal('NOT_PROVEN_ON_PAPER')
  })

  it('asks nothing of the kind on paper', async () => {
    const paper = ledgerOf(event('EngineStarted', { epoch: 1, mode: 'paper' }), connected(), money('dummy'))
    expect(await resume(paper)).to.deep.equal([event('TradingResumed', { reason: 'resumed by command' })])
  })
})

describe('configure while live trading is on', () => {
  it('gives no money to a strategy without a record; before the first resume and during a halt it does', async () => {
    const on = folded(withMoney, await resume(withMoney, proven))
    expect(codeOf(await give('spymacdvixy')(fresh))).to.equal('ConfigurationChanged')
    const answer = await give('spymacdvixy')(on)
    expect([codeOf(answer), textOf(answer)]).to.deep.equal([
      'NOT_PROVEN_ON_PAPER',
      'live trading wants a record on paper first: halt, configure spymacdvixy, and resume: that looks at the paper journal',
    ])
    expect(codeOf(await give('spymacdvixy')(halted(on)))).to.equal('ConfigurationChanged')
  })

  it('lets a strategy begin in the shadow, and holds it back when it would step out of it', async () => {
    const on = folded(withMoney, await resume(withMoney, proven))
    const shadow = { 'strategies.spymacdvixy.mode': 'shadow', 'strategies.spymacdvixy.allocation': 0.3 }
    const begun = await asked('configure', { changes: shadow })(on)
    expect(codeOf(begun)).to.equal('ConfigurationChanged')
    const stepOut = asked('configure', { changes: { 'strategies.spymacdvixy.mode': 'live' } })
    expect(codeOf(await stepOut(folded(on, begun)))).to.equal('NOT_PROVEN_ON_PAPER')
  })

  it('changes whoever is proven as it likes', async () => {
    const on = folded(withMoney, await resume(withMoney, proven))
    expect(codeOf(await give('dummy')(on))).to.equal('ConfigurationChanged')
    const off = folded(on, await asked('configure', { changes: { 'strategies.dummy.allocation': 0 } })(on))
    expect(codeOf(await give('dummy')(off))).to.equal('ConfigurationChanged')
  })
})
