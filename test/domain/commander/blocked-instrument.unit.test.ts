import { expect } from 'chai'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { account, target } from './accounts.ts'
import { codesOf, deciding, decisionOf, noteOf, ordersOf } from './decision.ts'

const { given, ordered, SPY, snapshot } = world

const unresolved = (orderRef: string) => event('OrderUnresolved', { orderRef, conId: SPY.conId, text: 'not found' })

describe('commander: a blocked instrument', () => {
  it('is not ordered, with the reason', () => {
    const differs = snapshot({ differences: [{ conId: SPY.conId, symbol: 'SPY', reported: '5', expected: '0', unexplained: '5' }] })
    const events = given(...account(), differs, target('50')).when(deciding())
    expect(ordersOf(events)).to.deep.equal([])
    expect(noteOf(events, 'BLOCKED').text).to.contain('5 unexplained')
    expect(decisionOf(events).instruments[0]!.blocked).to.contain('5 unexplained')
  })

  it('lets a working order the other way be cancelled, but not one that nobody can find', () => {
    const blocked = [...account(), ordered('r-1', SPY, { trend: '50' }), ordered('r-2', SPY, { trend: '5' }), unresolved('r-2')]
    const events = given(...blocked, target('0')).when(deciding())
    expect(decisionOf(events).cancels).to.deep.equal(['r-1'])
    expect(codesOf(events, 'trend')).to.have.members(['BLOCKED', 'CANCEL_FIRST'])
  })
})
