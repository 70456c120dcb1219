import { expect } from 'chai'
import type { Execution } from '../../../infra/gateway-sim/book.ts'
import { type ExecutionFilter, executionsLike } from '../../../infra/gateway-sim/execution-filter.ts'
import { readLayout, rows, slots, unlessZero, writeLayout } from '../../../infra/gateway-sim/field-layout.ts'
import { readTerms } from '../../../infra/gateway-sim/order-terms.ts'
import { readLife } from '../../../infra/gateway-sim/time-in-force.ts'
import { instantOfIb } from '../../../infra/gateway-sim/time-text.ts'
import { createUniverse } from '../../../infra/gateway-sim/universe.ts'
import { monday, on } from './client.ts'

const listing = createUniverse(['SPY']).traded('SPY')!
const iso = (instant: number | undefined): string | undefined => (instant === undefined ? undefined : new Date(instant).toISOString())
const life = (attributes: Record<string, string>, now: string) => {
  const terms = readTerms({ orderType: 'LMT', lmtPrice: '100', auxPrice: '101', ...attributes }, listing)
  if ('code' in terms) throw new Error(terms.text)
  const read = readLife(attributes, terms, Date.parse(now))
  return 'code' in read ? read.code : read
}
const ends = (attributes: Record<string, string>, now: string): unknown => {
  const read = life(attributes, now)
  return typeof read === 'number' ? read : iso(read.expiresAt)
}

describe('how long an order works', () => {
  it('a day order until the close of its session, with the hours around it until 20:00', () => {
    expect(ends({}, monday('12:00'))).to.equal('2019-06-03T20:00:00.000Z')
    expect(ends({ tif: 'DAY' }, monday('16:00'))).to.equal('2019-06-04T20:00:00.000Z')
    expect(ends({ tif: 'DAY' }, '2019-07-03T12:00:00-04:00')).to.equal('2019-07-03T17:00:00.000Z')
    expect(ends({ outsideRth: '1' }, monday('17:00'))).to.equal('2019-06-04T00:00:00.000Z')
    expect(ends({ outsideRth: '1', orderType: 'STP' }, monday('17:00'))).to.equal('2019-06-04T20:00:00.000Z')
    expect(ends({ tif: 'IOC' }, on(7, '17:00'))).to.equal('2019-06-10T20:00:00.000Z')
    expect(ends({ goodAfterTime: '20190605 10:00:00' }, monday('12:00'))).to.equal('2019-06-05T20:00:00.000Z')
  })

  it('one until cancelled without an end, one until a date until then', () => {
    expect(ends({ tif: 'GTC' }, monday('12:00'))).to.equal(undefined)
    expect(ends({ tif: 'GTD', goodTillDate: '20190703' }, monday('12:00'))).to.equal('2019-07-03T17:00:00.000Z')
    expect(ends({ tif: 'GTD', goodTillDate: '20190704' }, monday('12:00'))).to.equal(334)
    expect(ends({ tif: 'GTD', goodTillDate: '20190603 11:00:00' }, monday('12:00'))).to.equal(334)
    expect(ends({ tif: 'GTD' }, monday('12:00'))).to.equal(334)
  })

  it('refuses what does not go together, and auctions that are too near', () => {
    expect(life({ tif: 'OPG', orderType: 'STP' }, monday('08:00'))).to.equal(111)
    expect(life({ tif: 'IOC', goodAfterTime: '20190603 15:00:00' }, monday('12:00'))).to.equal(111)
    expect(life({ tif: 'GTC', orderType: 'LOC' }, monday('12:00'))).to.equal(113)
    expect(life({ tif: 'OPG' }, monday('09:28'))).to.include({ auction: 'open' })
    expect(life({ tif: 'OPG' }, '2019-06-03T09:28:01-04:00')).to.equal(201)
    expect(life({ orderType: 'MOC' }, monday('15:50'))).to.include({ auction: 'close' })
    expect(life({ orderType: 'MOC' }, '2019-06-03T15:50:01-04:00')).to.equal(201)
    expect(life({ orderType: 'MOC' }, monday('16:00'))).to.include({ auction: 'close' })
  })
})

describe('times as a client writes them', () => {
  it('are of New York, or of the zone that they name, or with a dash of UTC', () => {
    const written = {
      '20190603 09:30:00': '2019-06-03T13:30:00.000Z',
      '20190603 09:30:00 US/Eastern': '2019-06-03T13:30:00.000Z',
      '20190603 09:30:00 EST': '2019-06-03T13:30:00.000Z',
      '20190603 15:30:00 Europe/Berlin': '2019-06-03T13:30:00.000Z',
      '20190603-13:30:00': '2019-06-03T13:30:00.000Z',
      '20191202 9:30': '2019-12-02T14:30:00.000Z',
      '20190603 13:30:00 UTC': '2019-06-03T13:30:00.000Z',
    }
    for (const [text, instant] of Object.entries(written)) expect(iso(instantOfIb(text)), text).to.equal(instant)
  })

  it('are none when they are none', () => {
    for (const text of ['', 'noon', '20190631 10:00:00', '20190603', '20190603 25:00:00', '20190603 10:00:00 Mars/Base']) {
      expect(instantOfIb(text), text).to.equal(undefined)
    }
  })
})

describe('a filter of executions', () => {
  const execution = (more: Partial<Execution>): Execution => ({
    ...{ execId: 'a', orderId: 1, clientId: 7, permId: 1, orderRef: '', listing, side: 'BUY', shares: 1, price: 1, cumulative: 1 },
    ...{ averagePrice: 1, commission: 0, at: Date.parse(monday('10:00')), held: false, forgotten: false },
    ...more,
  })
  const nothing: ExecutionFilter = { clientId: '', account: '', time: '', symbol: '', secType: '', exchange: '', side: '' }
  const found = (filter: Partial<ExecutionFilter>, executions = [execution({})]): number =>
    executionsLike(executions, 'DU1', { ...nothing, ...filter }).length

  it('lets through what fits in everything that it names', () => {
    const fits = { clientId: '7', account: 'DU1', symbol: 'SPY', secType: 'STK', exchange: 'ARCA', side: 'BUY', time: '20190603 10:00:00' }
    expect(found(fits)).to.equal(1)
    const misses = {
      clientId: '8',
      account: 'DU2',
      symbol: 'SP',
      secType: 'FUT',
      exchange: 'NYSE',
      side: 'SELL',
      time: '20190603 10:00:01',
    }
    for (const [name, value] of Object.entries(misses)) expect(found({ ...fits, [name]: value }), name).to.equal(0)
    for (const side of ['BOT', 'B', 'buy']) expect(found({ side }), side).to.equal(1)
    for (const side of ['SLD', 'SELL', 'SSHORT']) expect(found({ side }), side).to.equal(0)
  })

  it('reads a time with its zone', () => {
    expect(found({ time: '20190603 14:00:00 UTC' })).to.equal(1)
    expect(found({ time: '20190603 14:00:01 UTC' })).to.equal(0)
  })

  it('leaves out what midnight took and what is held back', () => {
    expect(found({}, [execution({ forgotten: true }), execution({ held: true })])).to.equal(0)
  })
})

describe('the layout of a message', () => {
  const fail = (problem: string): Error => new Error(problem)
  const reading = (fields: string[]): (() => string) => {
    return () => fields.shift() ?? expect.fail('too short')
  }
  const layout = [...slots('a'), ...unlessZero('a', slots('b')), ...rows('list', slots('x y')), { name: 'late', since: 190, empty: 'none' }]

  it('reads what it writes, with what depends on versions, values and counts', () => {
    for (const [version, more] of [
      [189, {}],
      [190, { late: 'yes' }],
    ] as const) {
      for (const values of [
        { a: '0', list: [] },
        {
          a: '2',
          b: 'shown',
          list: [
            { x: '1', y: '2' },
            { x: '3', y: '4' },
          ],
        },
      ]) {
        const written = writeLayout(layout, { ...values, ...more }, version).map(String)
        expect(readLayout(layout, reading(written), version, fail)).to.deep.equal({ ...values, ...more })
      }
    }
    expect(writeLayout(layout, {}, 190)).to.deep.equal([undefined, 0, 'none'])
  })

  it('refuses a count that is none', () => {
    for (const count of ['x', '-1', '1.5', '5000']) {
      expect(() => readLayout(rows('list', slots('x')), reading([count]), 178, fail), count).to.throw('list')
    }
  })
})
