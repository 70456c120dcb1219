/** The steps of a close-all, looking at the state alone. */
import { expect } from 'chai'
import { isRefusal } from '../../domain/errors.ts'
import { type DomainEvent, event } from '../../domain/events.ts'
import type { Ledger } from '../../domain/ledger.ts'
import { closeAll } from '../../handlers/close-all.ts'
import type { Move } from '../../handlers/handler.ts'
import {
  booked,
  caused,
  closed,
  command,
  continued,
  dataOf,
  filled,
  given,
  ordered,
  ready,
  SPY,
  type Step,
  snapshot,
  stands,
  together,
  tuesday,
} from '../given.ts'

const engine = {
  ...{ ready: true, notHandedOver: [], said: {}, strategies: { trend: {}, hedge: {} } },
  ...{ validUntil: '2024-01-10T15:00:00.000Z', endsBy: '2024-01-14T15:00:00.000Z' },
}
const asked = (body: object = {}, id = 'close-1') =>
  ({ ledger: {} as Ledger, command: { ...command(id, 'close-all'), body }, facts: null, now: Date.parse(tuesday), engine }) as never
const deciding =
  (body: object = {}, id = 'close-1') =>
  (ledger: Ledger): DomainEvent[] | string => {
    const decided = closeAll.decide({ ...(asked(body, id) as object), ledger } as never)
    return isRefusal(decided) ? `${decided.refusal} ${decided.text}` : decided
  }
const types = (decided: DomainEvent[] | string) => (typeof decided === 'string' ? decided.split(' ')[0] : decided.map(({ type }) => type))
const textOf = (decided: DomainEvent[] | string) =>
  typeof decided === 'string' ? decided : (dataOf(decided, 'CommandCompleted')[0]?.result['text'] as string)

const priced = snapshot({ holdings: [{ instrument: SPY, quantity: '100', marketPrice: '100' }] })
const held: Step[] = [...ready, booked('trend', SPY, '100'), stands('trend', [{ instrument: SPY, quantity: '100' }]), priced]
const halted = event('TradingHalted', { reason: 'enough', publishedAt: tuesday, cancelWorking: false })

describe('close-all', () => {
  it('begins with the standing targets at 0, in its first commit, halted or not', () => {
    const decided = given(held, halted).when(deciding())
    expect(types(decided)).to.deep.equal(['PipelineStarted', 'StandingTargetsSet'])
    expect(dataOf(decided as DomainEvent[], 'StandingTargetsSet')[0]!.targets).to.deep.equal([
      { conId: SPY.conId, symbol: 'SPY', quantity: '0' },
    ])
  })

  it('plans for as long as any close-all, and through the whole next session at least, over days without one', () => {
    const [began] = dataOf(given(held).when(deciding()) as DomainEvent[], 'PipelineStarted')
    expect(began!.validUntil).to.equal('2024-01-10T21:00:00.000Z')
    const at = (now: string, validUntil: string) => (ledger: Ledger) => {
      const decision = { ...(asked() as object), ledger, now: Date.parse(now), engine: { ...engine, validUntil } }
      return dataOf(closeAll.decide(decision as never) as DomainEvent[], 'PipelineStarted')[0]!.validUntil
    }
    expect(given(held).when(at('2024-01-12T22:00:00.000Z', '2024-01-13T22:00:00.000Z')), 'the Monday is a holiday').to.equal(
      '2024-01-16T21:00:00.000Z',
    )
    expect(given(held).when(at('2024-01-10T11:00:00.000Z', '2024-01-11T11:00:00.000Z')), 'before the open').to.equal(
      '2024-01-11T11:00:00.000Z',
    )
  })

  it('does nothing when all is flat already, however often it is asked', () => {
    expect(textOf(given(ready).when(deciding()))).to.equal('already flat')
    expect(textOf(given(ready).when(deciding({ dryRun: true })))).to.equal('already flat')
    expect(textOf(given(held).when(deciding({ strategies: ['hedge'] })))).to.equal('already flat')
  })

  it('does nothing while another one is closing the same books', () => {
    const { ledger } = given(held)
    const first = continued(ledger, caused(command('close-1', 'close-all'), ...(deciding()(ledger) as DomainEvent[])))
    expect(textOf(deciding({ strategies: ['trend'] }, 'close-2')(first))).to.equal('close-1 is closing that already')
    expect(types(deciding({ includeManual: true }, 'close-2')(first)), 'manual is closed by nobody, but there is none').to.deep.equal([
      'CommandCompleted',
    ])
  })

  it('refuses whom it does not know, an empty list, and manual among the strategies', () => {
    expect(given(held).when(deciding({ strategies: ['trnd'] }))).to.match(/^STRATEGY_UNKNOWN .*trnd/)
    expect(given(held).when(deciding({ strategies: [] }))).to.match(/^BODY_INVALID .*leave it out/)
    expect(given(held).when(deciding({ strategies: ['manual'] }))).to.match(/^BODY_INVALID .*includeManual/)
  })

  it('says on a dry run what it would do, and plans nothing', () => {
    const working = ordered('abc-1', SPY, { trend: '20' })
    const decided = given(held, working).when(deciding({ dryRun: true })) as DomainEvent[]
    expect(types(decided)).to.deep.equal(['CommandCompleted'])
    const [{ result }] = dataOf(decided, 'CommandCompleted') as [{ result: Record<string, unknown> }]
    expect(result).to.deep.include({ dryRun: true, books: ['trend'], cancels: ['abc-1'], crossed: [] })
    expect((result['orders'] as { quantity: string }[]).map(({ quantity }) => quantity)).to.deep.equal(['-100'])
  })
})

describe('a close-all that goes on', () => {
  const started = (plan: object = {}): Step =>
    caused(
      command('p', 'close-all'),
      event('PipelineStarted', { pipeline: 'p', plan: { ...plan }, validUntil: null, endsBy: '2024-01-14T15:00:00.000Z' }),
    )
  const step = (name: string, ...events: DomainEvent[]): Step => caused(command(`p:${name}`, name, { pipeline: 'p' }), ...events)
  const next = (...steps: Step[]): Move => {
    const { ledger } = given(held, ...steps)
    return closeAll.next!(ledger, ledger.pipelines['p']!)
  }
  const names = (move: Move) => ('steps' in move ? move.steps.map(({ id, type }) => `${id} ${type}`) : move)
  const exit = (orderRef = 'x-1', quantity = '-100') => ordered(orderRef, SPY, { trend: quantity }, { decision: 'p', closing: true })
  const round = (number: number, ...orders: DomainEvent[]): Step =>
    step(number === 1 ? 'close' : `close${number}`, event('CommandCompleted', { result: {} }), ...orders)
  const flat = snapshot()
  const looked = step('look', priced)

  it('asks for the end of every order in which the book has a share, and waits for each', () => {
    const working = ordered('abc-1', SPY, { trend: '20', hedge: '5' })
    expect(names(next(working, started({ strategies: ['trend'] })))).to.deep.equal(['p:clear close-clear'])
    const clear = step('clear', event('OrderCancelRequested', { orderRef: 'abc-1', reason: 'test' }))
    expect(next(working, started(), clear)).to.deep.equal({ wait: true })
    expect(names(next(working, started(), clear, closed('abc-1', 'cancelled')))).to.deep.equal(['p:look proof'])
    expect(
      names(next(working, started(), clear, event('OrderUnresolved', { orderRef: 'abc-1', conId: SPY.conId, text: '' }))),
    ).to.deep.equal(['p:proof proof'])
  })

  it('looks before it sells, sells, waits for the fill, and proves it', () => {
    expect(names(next(started()))).to.deep.equal(['p:look proof'])
    expect(names(next(started(), looked))).to.deep.equal(['p:close close-round'])
    expect(next(started(), looked, round(1, exit()))).to.deep.equal({ wait: true })
    const sold = [round(1, exit()), filled('x-1', SPY, 'e1.01', { trend: '-100' }), closed('x-1', 'filled', '-100')]
    expect(names(next(started(), looked, ...sold))).to.deep.equal(['p:proof proof'])
    const end = next(started(), looked, ...sold, step('proof', flat))
    expect(end).to.have.nested.property('end.outcome', 'completed')
    expect(end).to.have.nested.property('end.text').that.includes('flat, by 1 order')
  })

  it('decides again when something is left, three times at most, and then names what is left', () => {
    const rejected = (number: number) => [round(number, exit(`x-${number}`)), closed(`x-${number}`, 'rejected')]
    expect(names(next(started(), looked, ...rejected(1)))).to.deep.equal(['p:close2 close-round'])
    const three = [...rejected(1), ...rejected(2), ...rejected(3)]
    expect(names(next(started(), looked, ...three))).to.deep.equal(['p:proof3 proof'])
    const end = next(started(), looked, ...three, step('proof3', priced))
    expect(end).to.have.nested.property('end.outcome', 'failed')
    expect(end).to.have.nested.property('end.text').that.includes('trend holds 100 SPY').and.includes('x-3 rejected')
  })

  it('takes a difference at first sight for a doubt, and waits until it is asked for again', () => {
    const lagging = snapshot({
      differences: [{ conId: SPY.conId, symbol: 'SPY', reported: '100', expected: '0', unexplained: '100' }],
      holdings: [{ instrument: SPY, quantity: '100', marketPrice: '100' }],
    })
    const sold = [round(1, exit()), filled('x-1', SPY, 'e1.01', { trend: '-100' }), closed('x-1', 'filled', '-100')]
    expect(next(started(), looked, ...sold, step('proof', lagging))).to.deep.equal({ wait: true })
    expect(next(started(), looked, ...sold, step('proof', lagging), flat)).to.have.nested.property('end.outcome', 'completed')
    const found = event('DiscrepancyFound', { conId: SPY.conId, symbol: 'SPY', kind: 'position', quantity: '100', text: 'too many' })
    const end = next(started(), looked, ...sold, step('proof', lagging), together(lagging, found))
    expect(end).to.have.nested.property('end.outcome', 'partial_success')
    expect(end).to.have.nested.property('end.text').that.includes('SPY is in doubt')
  })

  it('ends when the broker refuses to be asked, and says why and what it leaves', () => {
    const end = next(started(), step('look', event('CommandRefused', { code: 'BROKER_REFUSED', text: 'no' })))
    expect(end).to.deep.equal({
      end: { outcome: 'failed', code: 'BROKER_REFUSED', text: 'the step p:look could not be taken: no; left: trend holds 100 SPY' },
    })
  })

  it('leaves the orders of others alone, and waits for the exits of another close-all instead of selling twice', () => {
    const others = [ordered('abc-1', SPY, { hedge: '5' }), ordered('abc-2', SPY, { trend: '-100' }, { closing: true, orderId: 2 })]
    expect(next(...others, started({ strategies: ['trend'] }))).to.deep.equal({ wait: true })
    const sold = [filled('abc-2', SPY, 'e1.01', { trend: '-100' }), closed('abc-2', 'filled', '-100')]
    expect(names(next(...others, started({ strategies: ['trend'] }), ...sold))).to.deep.equal(['p:proof proof'])
  })
})
