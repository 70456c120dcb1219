import type { Execution as IbExecution, OrderState, OrderStatus, SecType } from '@stoqey/ib'
import { expect } from 'chai'
import { contractOf } from '../../../infra/ib/contracts.ts'
import { amount, barStart, isoFromBroker, magnitude } from '../../../infra/ib/fields.ts'
import { barOf, commissionOf, completedOrderOf, createOrderSightings, executionOf } from '../../../infra/ib/reports.ts'

const unset = 1.7976931348623157e308
const contract = { conId: 756733, symbol: 'SPY', secType: 'STK' as SecType, currency: 'USD' }
const execution: IbExecution = {
  ...{ execId: 'e1.01', orderId: 5, clientId: 7, permId: 900, acctNumber: 'DU1', orderRef: 'abc-1' },
  ...{ side: 'BOT', shares: 10, price: 450.1, time: '20260707 09:30:00 US/Eastern' },
}

describe("IB's numbers", () => {
  it('are absent when they are unset, empty or no numbers', () => {
    for (const value of [unset, -unset, '1.7976931348623157E308', '', undefined, null, 'n/a', Number.NaN])
      expect(amount(value), String(value)).to.equal(undefined)
  })
  it('keep zero, signs and eight places', () => {
    expect([0, -1, '-0.5', 0.1 + 0.2, 1 / 3, '100000.00'].map(amount)).to.deep.equal(['0', '-1', '-0.5', '0.3', '0.33333333', '100000'])
  })
  it('of prices and quantities are absent at −1 and at the largest integer too', () => {
    expect([-1, 2147483647, '2147483647', 0, 12.5].map(magnitude)).to.deep.equal([undefined, undefined, undefined, '0', '12.5'])
  })
})

describe("IB's times", () => {
  for (const [text, iso] of [
    ['20200316 09:30:00 US/Eastern', '2020-03-16T13:30:00.000Z'],
    ['20200316 09:30:00 America/New_York', '2020-03-16T13:30:00.000Z'],
    ['20200116 09:30:00 US/Eastern', '2020-01-16T14:30:00.000Z'],
    ['20200316-13:30:00', '2020-03-16T13:30:00.000Z'],
    ['20200316 13:30:00 UTC', '2020-03-16T13:30:00.000Z'],
    ['20200316 14:30:00 Europe/London', '2020-03-16T14:30:00.000Z'],
    ['20200316 22:30:00 Asia/Tokyo', '2020-03-16T13:30:00.000Z'],
    ['20200316  09:30:00', '2020-03-16T13:30:00.000Z'],
    ['20200308 03:00:00 US/Eastern', '2020-03-08T07:00:00.000Z'], // the first instant of summer time
    ['20201101 01:30:00 US/Eastern', '2020-11-01T05:30:00.000Z'], // comes twice: the first
    ['20201025 01:30:00 Europe/London', '2020-10-25T00:30:00.000Z'],
    ['20201101 02:30:00 US/Eastern', '2020-11-01T07:30:00.000Z'],
    ['1584365400', '2020-03-16T13:30:00.000Z'],
  ] as const)
    it(`reads ${text}`, () => expect(isoFromBroker(text)).to.equal(iso))

  it('reads a time without a zone as the gateway means it', () => {
    expect(isoFromBroker('20200316 13:30:00', 'UTC')).to.equal('2020-03-16T13:30:00.000Z')
  })
  it('refuses what is no time, and zones that it does not know', () => {
    for (const text of ['', 'yesterday', '2020-03-16', '20200316 09:30:00 Mars/Olympus', '20200316'])
      expect(() => isoFromBroker(text), text).to.throw(RangeError)
  })
  it('names a daily bar by its date and any other by its start', () => {
    expect(barStart('20200316')).to.equal('2020-03-16')
    expect(barStart('1584365400')).to.equal('2020-03-16T13:30:00.000Z')
  })
})

describe("IB's reports", () => {
  it('sign executions', () => {
    expect(executionOf(contract, execution)).to.include({ quantity: '10', price: '450.1', time: '2026-07-07T13:30:00.000Z' })
    expect(executionOf(contract, { ...execution, side: 'SLD', shares: 0.25 }).quantity).to.equal('-0.25')
  })
  it('refuse an execution of which something is missing', () => {
    for (const changes of [{ side: 'HELD' }, { shares: unset }, { price: unset }, { execId: '' }, { acctNumber: '' }, { time: '' }])
      expect(() => executionOf(contract, { ...execution, ...changes }), JSON.stringify(changes)).to.throw(RangeError)
    expect(() => executionOf({ symbol: 'SPY' }, execution)).to.throw(RangeError, 'contract id')
  })
  it('have no commission while its amount is unset, and keep one of zero and a rebate', () => {
    expect(commissionOf({ execId: 'e1', commission: unset, currency: 'USD' })).to.equal(undefined)
    expect(commissionOf({ execId: 'e1', commission: 0, currency: 'USD', realizedPNL: unset })).to.deep.equal({
      ...{ executionId: 'e1', commission: '0', currency: 'USD', realizedProfit: undefined },
    })
    expect(commissionOf({ execId: 'e1', commission: -1, currency: 'USD', realizedPNL: -1 })).to.include({
      ...{ commission: '-1', realizedProfit: '-1' },
    })
  })
  it('know a status by the open order before it, of the same client only', () => {
    const sightings = createOrderSightings()
    const state = { status: 'Submitted' } as OrderState
    const order = { orderType: 'MKT' as never, clientId: 7, permId: 900, orderRef: 'abc-1', account: 'DU1' }
    const open = sightings.ofOpenOrder(5, contract, order, state)
    expect(open).to.include({ orderRef: 'abc-1', account: 'DU1', status: 'Submitted', filled: undefined })
    expect(sightings.ofStatus(5, 'Filled', 10, 0, 900, 7)).to.deep.equal({ ...open, status: 'Filled', filled: '10', remaining: '0' })
    expect(sightings.ofStatus(5, 'Filled', 10, 0, 901, 8).orderRef).to.equal(undefined)
  })
  it('tell orders from outside the API apart by their permanent id', () => {
    const sightings = createOrderSightings()
    const order = { orderType: 'MKT' as never, clientId: 0, permId: 1, orderRef: 'by hand', account: 'DU1' }
    sightings.ofOpenOrder(0, contract, order, { status: 'Submitted' } as OrderState)
    expect(sightings.ofStatus(0, 'Filled', 1, 0, 2, 0).orderRef).to.equal(undefined)
    expect(sightings.ofStatus(0, 'Filled', 1, 0, 1, 0).orderRef).to.equal('by hand')
  })
  it('give the time of a completed order as ISO if it can be read', () => {
    const order = { orderType: 'MKT' as never, permId: 900, orderRef: 'abc-1', account: 'DU1', filledQuantity: 10 }
    const state = { status: 'Filled' as OrderStatus, completedStatus: 'Filled Size: 10', completedTime: '20200316 09:30:00 US/Eastern' }
    expect(completedOrderOf(contract, order, state)).to.include({ completedTime: '2020-03-16T13:30:00.000Z', filled: '10' })
    expect(completedOrderOf(contract, order, { ...state, completedTime: 'noon' }).completedTime).to.equal('noon')
  })
  it('refuse a bar without a price', () => {
    expect(() => barOf('20200316', { open: 1, high: 2, low: unset, close: 1 }, 5)).to.throw(RangeError, 'low')
  })
})

describe("IB's contracts", () => {
  const details = { contract: { ...contract, exchange: 'SMART', primaryExch: 'ARCA', localSymbol: 'SPY', multiplier: 0 } }
  it('are read with steps and multiplier', () => {
    expect(contractOf({ ...details, minTick: 0.01, sizeIncrement: 0.0001, minSize: 0.01 })).to.deep.equal({
      ...{ conId: 756733, symbol: 'SPY', secType: 'STK', currency: 'USD', exchange: 'SMART', primaryExchange: 'ARCA', localSymbol: 'SPY' },
      ...{ multiplier: '1', sizeStep: '0.0001', minTick: '0.01' },
    })
  })
  it('are refused without a tick or a size step: no order could be made from them', () => {
    expect(() => contractOf({ ...details, minTick: 0.01 })).to.throw(RangeError, 'size step of SPY')
    expect(() => contractOf({ ...details, sizeIncrement: 1, minTick: 0 })).to.throw(RangeError, 'tick of SPY')
  })
})
