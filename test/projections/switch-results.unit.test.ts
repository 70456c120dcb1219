import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import type { Document } from '../../domain/ports/documents.ts'
import { commandsView } from '../../projections/commands.ts'
import {
  broker,
  closed,
  command,
  connected,
  documentsOf,
  placed,
  planned,
  resolved,
  SPY,
  snapshot,
  started,
  type Told,
  VIXY,
} from './story.ts'

const documentOf = (...told: Told[]): Document => documentsOf(commandsView, started, connected, ...told).get('commands/c1')!
const order = command('allocation', 'alloc-1', resolved(SPY), planned('r1'))
const another = command('allocation', 'alloc-2', planned('r2', { ...VIXY, orderId: 2, quantity: '-50' }))
const halt = event('TradingHalted', { reason: 'the news', publishedAt: '2026-11-20T21:00:00.000Z', cancelWorking: false })
const cancel = (orderRef: string) => event('OrderCancelRequested', { orderRef, reason: 'by hand' })
const lost = broker(event('GatewayLost', { reason: 'the line is closed' }))
const doubt = event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'not found' })

describe('the answer of an intent that changes no holding', () => {
  it('configure: old and new of each setting', () => {
    const changes = { 'exposure.overall': { from: 0.9, to: 0.5 }, 'strategies.dummy.parameters.bearish': { from: null, to: 'flat' } }
    expect(documentOf(command('configure', 'c1', event('ConfigurationChanged', { changes })))).to.deep.include({
      status: 'completed',
      text: 'exposure.overall: 0.9 → 0.5; strategies.dummy.parameters.bearish: not set → "flat"',
      result: { changed: true, changes },
    })
  })

  it('halt: what was withdrawn, what was called back, and what is left to its end', () => {
    const told = documentOf(order, another, command('halt', 'c1', halt, closed('r1', 'withdrawn')))
    expect(told).to.deep.include({
      text: 'trading is halted: the news; 1 order withdrawn; 1 order left at the broker',
      result: { trading: false, changed: true, withdrawn: ['r1'], cancels: [], left_working: ['r2'] },
    })
    const called = documentOf(order, another, command('halt', 'c1', halt, cancel('r1'), cancel('r2')))
    expect(called['result']).to.deep.include({ cancels: ['r1', 'r2'], left_working: [] })
  })

  it('halt: a second one may still withdraw, and says that it changed no switch', () => {
    const told = documentOf(order, command('halt', 'c0', halt), command('halt', 'c1', closed('r1', 'withdrawn')))
    expect(told['result']).to.deep.include({ trading: false, changed: false, withdrawn: ['r1'] })
  })

  it('resume: what still stands in the way', () => {
    const on = event('TradingResumed', { reason: 'checked' })
    expect(documentOf(command('resume', 'c1', on))).to.include({ text: 'trading is on: checked' })
    const differences = [{ ...SPY, reported: '5', expected: '0', unexplained: '5' }]
    const told = documentOf(order, command('reconcile', 'c0', snapshot({ differences }), doubt), lost, command('resume', 'c1', on))
    expect(told['text']).to.equal(
      'trading is on: checked; the gateway is not connected: the line is closed; blocked until explained: SPY; unresolved: r1',
    )
    expect(told['result']).to.deep.include({ trading: true, unresolved_orders: ['r1'] })
  })

  it('cancel-order: whether it was withdrawn or the broker is asked, and when', () => {
    expect(documentOf(order, broker(placed('r1')), command('cancel-order', 'c1', cancel('r1')))).to.deep.include({
      text: 'the broker is asked to cancel order r1 (BUY 20 SPY), 0 filled so far',
      result: { orderRef: 'r1', cancel: 'requested', filled: 0, quantity: 20, document: 'positions/paper/openOrders/r1' },
    })
    expect(documentOf(order, lost, command('cancel-order', 'c1', cancel('r1')))['text']).to.match(/it is sent when the gateway is back$/)
    expect(documentOf(order, command('cancel-order', 'c1', closed('r1', 'withdrawn')))).to.deep.include({
      text: 'order r1 (BUY 20 SPY) is withdrawn: it had not been handed over',
    })
  })

  it('resolve-order: the end that a person gave it, and whether the instrument is free', () => {
    const differences = [{ ...SPY, reported: '5', expected: '0', unexplained: '5' }]
    const ended = command('resolve-order', 'c1', closed('r1', 'lost'))
    expect(documentOf(order, broker(doubt), ended)).to.deep.include({
      text: 'order r1 (BUY 20 SPY) is lost, it was lost',
      result: { orderRef: 'r1', how: 'lost', filled: 0, quantity: 20, blocked: null },
    })
    expect(documentOf(order, command('reconcile', 'c0', snapshot({ differences }), doubt), ended)['text']).to.match(
      /; SPY stays blocked: 5 unexplained since/,
    )
  })
})
