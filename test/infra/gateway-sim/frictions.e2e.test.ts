import { EventName } from '@stoqey/ib'
import { expect } from 'chai'
import type { Frictions } from '../../../infra/gateway-sim/frictions.ts'
import { type Loose, limit, market, monday, spy } from './client.ts'
import { closeUpAndDown, openUpAndDown, volumeOfHalfHour } from './course.ts'

describe('gateway simulator, what fills cost', () => {
  afterEach(closeUpAndDown)

  const ready = async (frictions: Partial<Frictions>, seed = 1) => {
    const { simulator, client, until } = await openUpAndDown({ frictions, seed })
    const fills = (): Loose[] =>
      client.all(EventName.execDetails).map(([, , { orderId, shares, price, time }]: Loose) => [orderId, shares, price, time.slice(9, 14)])
    return { simulator, client, fills, until }
  }

  it('buys at the ask and sells at the bid during the day, at one price in the auctions', async () => {
    const { client, fills, until } = await ready({ spread: 4 })
    client.api.placeOrder(1, spy, market('BUY', 10))
    await until(monday('12:00'))
    client.api.placeOrder(2, spy, market('BUY', 10))
    client.api.placeOrder(3, spy, market('SELL', 10))
    client.api.placeOrder(4, spy, limit('SELL', 10, 100))
    client.api.placeOrder(5, spy, market('SELL', 10, { orderType: 'MOC' as never }))
    await until(monday('13:30'))
    expect(fills()).to.deep.equal([
      [1, 10, 100, '09:30'],
      [2, 10, 99.02, '12:00'],
      [3, 10, 98.98, '12:00'],
    ])
    await until(monday('16:00'))
    expect(fills().slice(3)).to.deep.equal([
      [4, 10, 100, '13:40'],
      [5, 10, 104, '16:00'],
    ])
  })

  it('rounds half a tick to the worse side, but never beyond a limit', async () => {
    const { client, fills, until } = await ready({ spread: 3 })
    await until(monday('12:00'))
    client.api.placeOrder(1, spy, market('BUY', 10))
    client.api.placeOrder(2, spy, market('SELL', 10))
    client.api.placeOrder(3, spy, limit('SELL', 10, 102))
    await until(monday('14:00'))
    expect(fills().map(([, , price]) => price)).to.deep.equal([99.02, 98.98, 102])
  })

  it('slips orders at market by chance, but the same for the same seed, and never limits or auctions', async () => {
    const prices = async (seed: number): Promise<number[]> => {
      const { client, fills, until } = await ready({ slippage: 50 }, seed)
      client.api.placeOrder(1, spy, market('BUY', 10))
      client.api.placeOrder(2, spy, limit('BUY', 10, 99.5))
      await until(monday('12:00'))
      for (const orderId of [3, 4, 5]) client.api.placeOrder(orderId, spy, market('BUY', 10))
      await client.settled()
      return fills().map(([, , price]) => price)
    }
    const [atOpen, atLimit, ...slipped] = await prices(1)
    expect([atOpen, atLimit]).to.deep.equal([100, 99.5])
    for (const price of slipped) expect(price).to.be.within(99, 99.5)
    expect(new Set(slipped).size).to.be.greaterThan(1)
    expect(await prices(1)).to.deep.equal([atOpen, atLimit, ...slipped])
    expect(await prices(2)).not.to.deep.equal([atOpen, atLimit, ...slipped])
  })

  it('fills in parts, as much of each bar as the market takes, for all orders together', async () => {
    const { client, fills, until, simulator } = await ready({ participation: 0.1 })
    client.api.placeOrder(1, spy, market('BUY', 2500))
    client.api.placeOrder(2, spy, market('SELL', 2500))
    await until(monday('15:59'))
    const perBar = new Map<string, number>()
    for (const [, shares, , time] of fills()) perBar.set(time, (perBar.get(time) ?? 0) + shares)
    const sizes = [...perBar.values()]
    for (const size of sizes) expect(size).to.be.within(1, volumeOfHalfHour * 0.15)
    for (const size of sizes.slice(0, -1)) expect(size).to.be.at.least(volumeOfHalfHour * 0.05)
    expect([...perBar.keys()].slice(0, 3)).to.deep.equal(['09:30', '10:00', '10:30'])
    expect(sizes.reduce((sum, size) => sum + size)).to.equal(5000)
    expect((await simulator.state()).orders.map(({ status }: Loose) => status)).to.deep.equal(['Filled', 'Filled'])
  })

  it('cancels what the market does not take of an order at once, and waits with one that wants all', async () => {
    const { client, fills, until, simulator } = await ready({ participation: 0.1 })
    await until(monday('10:00'))
    client.api.placeOrder(1, spy, market('BUY', 5000, { tif: 'FOK' as never }))
    client.api.placeOrder(2, spy, market('BUY', 5000, { tif: 'IOC' }))
    client.api.placeOrder(3, spy, market('BUY', 400, { allOrNone: true }))
    client.api.placeOrder(4, spy, market('BUY', 2000, { minQty: 450 }))
    await until(monday('15:59'))
    const { orders } = await simulator.state()
    expect(orders.map(({ status }: Loose) => status)).to.deep.equal(['Cancelled', 'Cancelled', 'Filled', 'Filled'])
    expect(orders[0].filled).to.equal(0)
    expect(orders[1].filled).to.be.within(500, 1500)
    expect(fills().filter(([id]) => id === 3)).to.deep.equal([[3, 400, 104 - 0, '10:30']])
    expect(fills().find(([id]) => id === 4)[1]).to.be.at.least(450)
  })

  it('takes the commission of the schedule, which the control port can change', async () => {
    const { client, simulator } = await ready({ commission: 'tiered' })
    await client.settled()
    await simulator.clock(monday('12:00'))
    const commissions = (): number[] => client.all(EventName.commissionReport).map(([report]: Loose) => report.commission)
    client.api.placeOrder(1, spy, market('BUY', 50))
    client.api.placeOrder(2, spy, market('BUY', 1000))
    await client.settled()
    expect(await simulator.post('/frictions', { commission: 'none' })).to.include({ commission: 'none', spread: 0, status: 200 })
    client.api.placeOrder(3, spy, market('BUY', 1000))
    await client.settled()
    await simulator.post('/frictions', { commission: 'fixed', spread: 2 })
    client.api.placeOrder(4, spy, market('BUY', 1000))
    await client.settled()
    expect(commissions()).to.deep.equal([0.35, 3.5, 0, 5])
    expect((await simulator.state()).frictions).to.deep.equal({ spread: 2, slippage: 0, participation: 0, commission: 'fixed' })
    const refused = async (body: object): Promise<string> => (await simulator.post('/frictions', body)).error
    expect(await refused({ commission: 'free' })).to.match(/^commission: /)
    expect(await refused({ participation: 2 })).to.match(/^participation: /)
    expect(await refused({ slip: 2 })).to.match(/^slip: /)
  })
})
