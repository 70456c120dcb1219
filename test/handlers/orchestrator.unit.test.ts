import { expect } from 'chai'
import { isRefusal } from '../../domain/errors.ts'
import dummy from '../../domain/strategies/dummy.ts'
import spymacdvixy from '../../domain/strategies/spymacdvixy.ts'
import { orchestrator } from '../../handlers/orchestrator.ts'
import { booked, caused, command, configured, continued, failed, given, ready, SPY, tuesday } from '../given.ts'

const strategies = { dummy, spymacdvixy }
const engine = { ready: true, notHandedOver: [], said: {}, strategies, validUntil: null, endsBy: '2024-01-09T16:00:00.000Z' }

/** The ledger after the orchestrator was taken up. */
const begun = (body: object, ...steps: Parameters<typeof given>) => {
  const { ledger } = given(ready, ...steps)
  const asked = { id: 'o1', type: 'orchestrator', publishedAt: tuesday, source: 'test', body }
  const decided = orchestrator.decide({ ledger, command: asked, facts: null, now: Date.parse(tuesday), engine })
  if (isRefusal(decided)) throw new Error(decided.refusal)
  return { after: continued(ledger, caused(command('o1', 'orchestrator'), ...decided)) }
}
const typesOf = (move: ReturnType<NonNullable<typeof orchestrator.next>>) => ('steps' in move ? move.steps.map(({ type }) => type) : move)

describe('an orchestrator', () => {
  const bothPaid = configured({ 'strategies.dummy.allocation': 0.5, 'strategies.spymacdvixy.allocation': 0.5 })
  const paused = configured({ 'strategies.dummy.enabled': false })

  it('asks the strategies that are enabled and have money or a book', () => {
    const one = begun({}, configured({ 'strategies.dummy.allocation': 0.5 }))
    expect(typesOf(orchestrator.next!(one.after, one.after.pipelines['o1']!))).to.deep.equal(['dummy'])
    const held = begun({}, booked('spymacdvixy', SPY, '1'))
    expect(typesOf(orchestrator.next!(held.after, held.after.pipelines['o1']!))).to.deep.equal(['spymacdvixy'])
    const disabled = begun({}, bothPaid, paused)
    expect(typesOf(orchestrator.next!(disabled.after, disabled.after.pipelines['o1']!))).to.deep.equal(['spymacdvixy'])
  })

  it('lets the decision be about everybody, so that the book of a disabled strategy is named in it', () => {
    const { after } = begun({ runReconcile: false, freshMinutes: 5 }, bothPaid, paused, booked('dummy', SPY, '10'))
    const signalled = continued(after, caused(command('o1:spymacdvixy', 'spymacdvixy', { pipeline: 'o1' }), failed('spymacdvixy')))
    const move = orchestrator.next!(signalled, signalled.pipelines['o1']!)
    expect(move).to.deep.equal({ steps: [{ id: 'o1:allocation', type: 'allocation-round', body: { freshMinutes: 5 } }] })
  })

  it('decides about the named strategies alone when some are named', () => {
    const { after } = begun({ strategies: ['dummy'], runReconcile: false }, bothPaid)
    expect(typesOf(orchestrator.next!(after, after.pipelines['o1']!))).to.deep.equal(['dummy'])
    const signalled = continued(after, caused(command('o1:dummy', 'dummy', { pipeline: 'o1' }), failed('dummy')))
    const move = orchestrator.next!(signalled, signalled.pipelines['o1']!)
    expect(move).to.deep.equal({ steps: [{ id: 'o1:allocation', type: 'allocation-round', body: { strategies: ['dummy'] } }] })
  })
})
