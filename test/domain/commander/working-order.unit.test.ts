import { expect } from 'chai'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { account, target } from './accounts.ts'
import { deciding, decisionOf, noteOf, ordersOf } from './decision.ts'

const { dataOf, given, ordered, SPY, wants } = world

describe('commander: never against a working order', () => {
  const working = [...account(), ordered('r-1', SPY, { trend: '50' })]

  it('cancels first what opposes, and orders nothing there in this decision', () => {
    const events = given(...working, target('0')).when(deciding())
    expect(dataOf(events, 'OrderCancelRequested').map(({ orderRef }) => orderRef)).to.deep.equal(['r-1'])
    expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'CANCEL_FIRST')).to.deep.include({ strategy: 'trend', numbers: { difference: '-50' } })
  })

  it('does so when less is wanted than works', () => {
    expect(decisionOf(given(...working, target('30')).when(deciding())).cancels).to.deep.equal(['r-1'])
  })

  it('does so when another strategy wants the other side', () => {
    const events = given(...working, target('50'), target('-20', 'hedge')).when(deciding())
    expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
    expect(dataOf(events, 'PositionsCrossed')).to.deep.equal([])
  })

  it('asks once for a cancel, and waits for it again', () => {
    const asked = event('OrderCancelRequested', { orderRef: 'r-1', reason: 'test' })
    const events = given(...working, asked, target('0')).when(deciding())
    expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
    expect(dataOf(events, 'OrderCancelRequested')).to.deep.equal([])
    expect(ordersOf(events)).to.deep.equal([])
  })

  it('lets an exit go on while its book is being closed, and cancels what it left behind', () => {
    const exit = ordered('x-1', SPY, { hedge: '-50' }, { decision: 'flat', closing: true })
    const plan = { pipeline: 'flat', plan: { strategies: ['hedge'] }, validUntil: null, endsBy: world.tuesdayClose }
    const closing = world.caused(world.command('flat', 'close-all'), event('PipelineStarted', plan))
    const over = event('PipelineEnded', { pipeline: 'flat', outcome: 'failed', text: 'test' })
    const meanwhile = given(...account(), closing, exit, target('50')).when(deciding())
    expect([decisionOf(meanwhile).cancels, ordersOf(meanwhile)]).to.deep.equal([[], []])
    expect(noteOf(meanwhile, 'EXIT_FIRST').text).to.contain('x-1')
    const ended = world.caused(world.command('flat:end', 'close-all', { pipeline: 'flat' }), over)
    expect(decisionOf(given(...account(), closing, exit, ended, target('50')).when(deciding())).cancels).to.deep.equal(['x-1'])
  })

  it('orders on top in the same direction', () => {
    const events = given(...working, target('80')).when(deciding())
    expect(decisionOf(events).cancels).to.deep.equal([])
    expect(ordersOf(events)).to.deep.equal(['SPY 30'])
  })

  it('trades again when the cancel is through', () => {
    const events = given(...working, world.closed('r-1', 'cancelled'), target('-20')).when(deciding())
    expect(ordersOf(events)).to.deep.equal(['SPY -20'])
  })

  it('goes on in other instruments', () => {
    const both = wants('trend', [
      { instrument: SPY, quantity: '0' },
      { instrument: world.VIXY, quantity: '10' },
    ])
    expect(ordersOf(given(...working, both).when(deciding()))).to.deep.equal(['VIXY 10'])
  })
})
