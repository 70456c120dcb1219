import { expect } from 'chai'
import { indicativeQuantity } from '../../../domain/commander/indicative.ts'
import * as world from '../../given.ts'

const { configured, given, ready, resolved, SPY, snapshot, VIXY, wants } = world

const euro: world.Traded = { ...SPY, conId: 14094, symbol: 'SAP', currency: 'EUR' }
const account = [...ready, snapshot(), configured({ 'exposure.overall': 1, 'strategies.trend.allocation': 0.5 })]
type Asked = Parameters<typeof wants>[1]

/** Of the first target. 50 000 of 100 000 are the strategy's. */
const quantityOf = (targets: Asked, more: Parameters<typeof wants>[2] = {}, steps: readonly world.Step[] = account) => {
  const { ledger } = given(...steps, resolved(euro), wants('trend', targets, more))
  const signal = ledger.signals['trend']!
  return indicativeQuantity(ledger, signal, signal.targets[0]!)
}

describe('commander: an indicative quantity', () => {
  it('is the weight in the money of the strategy, by the price that the signal saw', () => {
    expect(quantityOf([{ instrument: SPY, weight: '0.5' }])).to.equal('250')
    expect(quantityOf([{ instrument: SPY, weight: '-0.5' }], { price: '125' })).to.equal('-200')
  })

  it('scales weights that sum to more than 1', () => {
    const both = [
      { instrument: SPY, weight: '-1' },
      { instrument: VIXY, weight: '1' },
    ]
    expect(quantityOf(both)).to.equal('-250')
  })

  it('converts by the rate of the snapshot, and is not known without one', () => {
    const rates = snapshot({ exchangeRates: { EUR: '1.25' } })
    expect(quantityOf([{ instrument: euro, weight: '1' }], {}, [...account, rates])).to.equal('400')
    expect(quantityOf([{ instrument: euro, weight: '1' }])).to.equal(null)
  })

  it('is not known without an account or a price, nor of a target that is a quantity', () => {
    expect(quantityOf([{ instrument: SPY, weight: '1' }], {}, ready)).to.equal(null)
    expect(quantityOf([{ instrument: SPY, weight: '1' }], { prices: [] })).to.equal(null)
    expect(quantityOf([{ instrument: SPY, quantity: '7' }])).to.equal(null)
  })
})
