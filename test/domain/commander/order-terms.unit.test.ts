import { expect } from 'chai'
import type { OrderProperties } from '../../../domain/commands.ts'
import type { Configuration } from '../../../domain/configuration.ts'
import { event } from '../../../domain/events.ts'
import * as world from '../../given.ts'
import { codesOf, deciding, now } from './decision.ts'

const { booked, configured, dataOf, given, ready, SPY, snapshot, wants } = world
const account = [...ready, snapshot(), configured({ 'strategies.trend.allocation': 1 })]
const holding = (quantity = '0', changes: Configuration = {}) => [
  ...ready,
  snapshot({ holdings: [{ instrument: SPY, quantity, marketPrice: '100' }] }),
  configured({ 'strategies.trend.allocation': 1, ...changes }),
]
const target = (quantity: string) => wants('trend', [{ instrument: SPY, quantity }])
const orderOf = (orderProperties: OrderProperties, quantity = '50', instrument: world.Traded = SPY, price = '100') => {
  const events = given(...account, world.resolved(instrument), wants('trend', [{ instrument, quantity }], { price })).when(
    deciding({ orderProperties }),
  )
  return { order: dataOf(events, 'OrderPlanned')[0]!, codes: codesOf(events) }
}

describe('commander: order terms', () => {
  it('carry times, algo and priority of the request', () => {
    const later = new Date(now + 3_600_000).toISOString()
    expect(orderOf({ goodAfterTime: later }).order).to.include({ goodAfter: later, timeInForce: 'DAY', inForceUntil: world.tuesdayClose })
    expect(orderOf({ goodAfterTime: '09:45 New York' }).order).to.include({
      goodAfter: '2024-01-10T14:45:00.000Z',
      inForceUntil: '2024-01-10T21:00:00.000Z',
    })
    expect(orderOf({ timeInForce: 'GTD', goodTillDate: '2024-01-12' }).order).to.include({
      ...{ timeInForce: 'GTD', goodTill: '2024-01-12T21:00:00.000Z', inForceUntil: '2024-01-12T21:00:00.000Z' },
    })
    expect(orderOf({ algo: 'Adaptive', adaptivePriority: 'Urgent' }).order.algo).to.deep.equal({
      ...{ strategy: 'Adaptive', parameters: { adaptivePriority: 'Urgent' } },
    })
  })

  it('count the time of the wish from the command, not from the decision', () => {
    const asked = { askedAt: now - 3_600_000 }
    const events = given(...account, wants('trend', [{ instrument: SPY, quantity: '5' }])).when(
      deciding({ orderProperties: { goodAfterTime: '09:45 New York' } }, asked),
    )
    expect(dataOf(events, 'OrderPlanned')[0]).to.include({ goodAfter: '2024-01-09T14:45:00.000Z', inForceUntil: world.tuesdayClose })
  })

  it('ask for a preview before an increase where that is wished, under an order id of its own', () => {
    const previewed = (setting: string, mode: 'paper' | 'live') => {
      const steps = [...account, event('EngineStarted', { epoch: 2, mode }), configured({ 'orders.whatIf': setting })]
      const both = [
        { instrument: SPY, quantity: '-50' },
        { instrument: world.VIXY, quantity: '5' },
      ]
      const events = given(...steps, world.booked('trend', SPY, '10'), wants('trend', both)).when(deciding())
      return dataOf(events, 'OrderPlanned').map(({ orderId, previewId }) => [previewId, orderId])
    }
    const asked = [
      [undefined, 1],
      ...[
        [2, 3],
        [4, 5],
      ],
    ]
    expect(previewed('always', 'paper')).to.deep.equal(asked)
    expect(previewed('live', 'live')).to.deep.equal(asked)
    const plain = [
      [undefined, 1],
      [undefined, 2],
      [undefined, 3],
    ]
    expect(previewed('live', 'paper')).to.deep.equal(plain)
    expect(previewed('never', 'live')).to.deep.equal(plain)
  })

  it('name the time in force in every order (the preset of the terminal decided)', () => {
    const flip = given(...holding('50'), booked('trend', SPY, '50'), target('-50')).when(deciding())
    for (const order of dataOf(flip, 'OrderPlanned')) expect(order.timeInForce).to.equal('DAY')
  })

  it('follow the request for increases only', () => {
    const wished = { orderProperties: { timeInForce: 'GTC', outsideRegularHours: true } } as const
    const flip = given(...holding('50'), booked('trend', SPY, '50'), target('-50')).when(deciding(wished))
    const [reduction, increase] = dataOf(flip, 'OrderPlanned')
    expect(reduction).to.include({ type: 'MKT', timeInForce: 'DAY', outsideRegularHours: false })
    expect(increase).to.include({ type: 'LMT', timeInForce: 'GTC', outsideRegularHours: true })
  })

  it('say that a market order gives up the collar, and keep it in regular hours', () => {
    const wished = { orderProperties: { type: 'MKT', outsideRegularHours: true } } as const
    const events = given(...holding(), target('50')).when(deciding(wished))
    expect(dataOf(events, 'OrderPlanned')[0]).to.include({ type: 'MKT', outsideRegularHours: false })
    expect(codesOf(events)).to.include('COLLAR_OFF')
  })

  it('carry the Adaptive algo where it may work: for the day, in regular hours', () => {
    const adaptive = { 'orders.algo': 'Adaptive', 'orders.adaptivePriority': 'Patient' }
    const algo = { strategy: 'Adaptive', parameters: { adaptivePriority: 'Patient' } }
    const flip = [...holding('50', adaptive), booked('trend', SPY, '50'), target('-50')]
    for (const order of dataOf(given(...flip).when(deciding()), 'OrderPlanned')) expect(order.algo).to.deep.equal(algo)
    const good = dataOf(given(...flip).when(deciding({ orderProperties: { timeInForce: 'GTC' } })), 'OrderPlanned')
    expect(good.map((order) => order.algo)).to.deep.equal([algo, undefined])
  })
})
