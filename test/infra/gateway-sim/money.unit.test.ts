import { expect } from 'chai'
import fc from 'fast-check'
import { type Account, applyEntry, type Entry, foldAccount, holdingIn } from '../../../infra/gateway-sim/account.ts'
import { commissionFor } from '../../../infra/gateway-sim/commission.ts'
import type { Listing } from '../../../infra/gateway-sim/listing.ts'
import { createMarket } from '../../../infra/gateway-sim/market.ts'
import { exchangeRates, withoutRate } from '../../../infra/gateway-sim/rates.ts'
import { createUniverse } from '../../../infra/gateway-sim/universe.ts'
import { valuation } from '../../../infra/gateway-sim/valuation.ts'

const universe = createUniverse([])
const listing = (name: string): Listing => universe.traded(name)!
const [spy, german, future, euro, yen] = ['SPY', 'SYNEUR.EUR', 'ES201909', 'EUR.USD', 'USD.JPY'].map(listing) as [
  Listing,
  Listing,
  Listing,
  Listing,
  Listing,
]

const trade = (of: Listing, quantity: number, price: number, commission = 0): Entry => ({
  ...{ kind: 'trade', id: '', listing: of, quantity, price, commission },
})
const cash = ({ cash }: Account): Record<string, number> => Object.fromEntries(cash)
const start = { USD: 100_000, EUR: 1000 }

describe('money of the simulated account', () => {
  it('a share in euros is paid in euros and counts in dollars at the rate', () => {
    const account = foldAccount(start, [trade(german, 10, 45, 1)])
    expect(cash(account)).to.deep.equal({ USD: 100_000, EUR: 1000 - 451 })
    const worth = valuation(
      account,
      () => 50,
      () => 1.1,
    )
    expect(worth.currencies.find(({ currency }) => currency === 'EUR')).to.deep.include({
      cash: 549,
      stockValue: 500,
      unrealised: 49,
      exchangeRate: 1.1,
    })
    expect(worth.netLiquidation).to.be.closeTo(100_000 + 1049 * 1.1, 1e-6)
    expect(worth.grossPositionValue).to.be.closeTo(550, 1e-6)
  })

  it('a currency pair moves the cash of both currencies; its position is worth nothing beside', () => {
    const account = foldAccount(start, [trade(euro, 2000, 1.12, 2)])
    expect(cash(account)).to.deep.equal({ USD: 100_000 - 2240 - 2, EUR: 3000 })
    expect(holdingIn(account, euro)).to.deep.include({ quantity: 2000, averageCost: 1.12 })
    expect(
      valuation(
        account,
        () => 9,
        () => 1.12,
      ),
    ).to.deep.include({ netLiquidation: 100_000 - 2 + 1000 * 1.12, stockValue: 0, unrealised: 0 })
    expect(cash(foldAccount(start, [trade(yen, 1000, 108, 2)]))).to.deep.equal({ USD: 100_998, EUR: 1000, JPY: -108_000 })
  })

  it('of a future only the commission is paid; its profit is cash when it is closed', () => {
    const bought = foldAccount(start, [trade(future, 2, 2800, 4.5)])
    expect(cash(bought)).to.deep.equal({ USD: 99_995.5, EUR: 1000 })
    expect(holdingIn(bought, future).averageCost).to.equal(140_002.25)
    const worth = valuation(
      bought,
      () => 2810,
      () => 0,
    )
    expect(worth).to.deep.include({ netLiquidation: 99_995.5 + 1000, futuresProfit: 1000, stockValue: 0, grossPositionValue: 0 })
    expect(worth.initialMargin).to.be.closeTo(2 * 50 * 2810 * 0.1, 1e-6)
    const half = applyEntry(bought, trade(future, -1, 2810, 2.25))
    expect(half.realised).to.equal(500 - 4.5)
    expect(cash(half.account)['USD']).to.equal(99_995.5 + 500 - 2.25)
    const settled = applyEntry(half.account, { kind: 'settlement', listing: future, price: 2790 }).account
    expect(cash(settled)['USD']).to.equal(100_000 + 500 - 500 - 4.5 - 2.25)
    expect(holdingIn(settled, future)).to.include({ quantity: 0, averageCost: 0, commissionInCost: 0 })
  })

  it('a split changes quantity and cost and nothing else, but that a rest is paid in cash', () => {
    const long = foldAccount(1000, [trade(spy, 7, 100), { kind: 'split', listing: spy, ratio: 2, price: 50 }])
    expect(holdingIn(long, spy)).to.include({ quantity: 14, averageCost: 50, realised: 0 })
    expect(cash(long)).to.deep.equal({ USD: 300 })
    const reverse = foldAccount(1000, [trade(spy, -15, 10), { kind: 'split', listing: spy, ratio: 0.1, price: 110 }])
    expect(holdingIn(reverse, spy)).to.include({ quantity: -1, averageCost: 100, realised: -5 })
    expect(cash(reverse)).to.deep.equal({ USD: 1150 - 0.5 * 110 })
  })

  it('a dividend is owed from its ex-date and paid once, and a short position pays it', () => {
    const dividend: Entry = { kind: 'dividend', id: 'd', listing: spy, amount: 0.5 }
    const owed = foldAccount(1000, [trade(spy, 10, 10), dividend, trade(spy, -10, 10)])
    expect(valuation(owed, () => 10)).to.deep.include({ accruedDividends: 5, cash: 1000, netLiquidation: 1005 })
    const paid = [1, 2].reduce((account) => applyEntry(account, { kind: 'payment', id: 'd', listing: spy }).account, owed)
    expect(valuation(paid, () => 10)).to.deep.include({ accruedDividends: 0, cash: 1005, netLiquidation: 1005 })
    expect(valuation(foldAccount(1000, [trade(spy, -10, 10), dividend]), () => 10).netLiquidation).to.equal(995)
  })

  it('always adds up: each currency is what it began with, its profits, its dividends and what was exchanged', () => {
    const size = fc.integer({ min: -40, max: 40 }).filter((quantity) => quantity !== 0)
    const price = fc.integer({ min: 100, max: 20_000 }).map((value) => value / 100)
    const traded = fc
      .tuple(fc.constantFrom(spy, german, future, euro), size, price, fc.nat(300))
      .map(([of, quantity, at, commission]) => trade(of, quantity, at, commission / 100))
    const split = fc
      .tuple(fc.constantFrom(spy, german), fc.constantFrom(2, 3, 0.5, 0.1), price)
      .map(([of, ratio, at]): Entry => ({ kind: 'split', listing: of, ratio, price: at }))
    const dividend = fc
      .tuple(fc.constantFrom(spy, german), fc.nat(100))
      .map(([of, cents]): Entry => ({ kind: 'dividend', id: `${cents}`, listing: of, amount: cents / 100 }))
    const payment = fc.nat(100).map((cents): Entry => ({ kind: 'payment', id: `${cents}`, listing: spy }))
    const expiry = price.map((at): Entry => ({ kind: 'settlement', listing: future, price: at }))
    const entries = fc.array(fc.oneof({ weight: 5, arbitrary: traded }, split, dividend, payment, expiry), { maxLength: 25 })
    fc.assert(
      fc.property(entries, price, fc.integer({ min: 1, max: 300 }), (ledger, rateTimes100, market) => {
        let account = foldAccount(start, [])
        const expected = { USD: start.USD, EUR: start.EUR }
        for (const entry of ledger) {
          if (entry.kind === 'dividend')
            expected[entry.listing.currency as 'USD' | 'EUR'] += holdingIn(account, entry.listing).quantity * entry.amount
          if (entry.kind === 'trade' && entry.listing === euro) {
            expected.EUR += entry.quantity
            expected.USD -= entry.quantity * entry.price + entry.commission
          }
          account = applyEntry(account, entry).account
        }
        const rate = rateTimes100 / 100
        const worth = valuation(
          account,
          () => market,
          () => rate,
        )
        const of = (currency: 'USD' | 'EUR') => worth.currencies.find((value) => value.currency === currency)!
        for (const currency of ['USD', 'EUR'] as const) {
          const { netLiquidation, realised, unrealised } = of(currency)
          expect(netLiquidation).to.be.closeTo(expected[currency] + realised + unrealised, 1e-3)
        }
        expect(worth.netLiquidation).to.be.closeTo(of('USD').netLiquidation + rate * of('EUR').netLiquidation, 1e-3)
        const inCash = (currency: 'USD' | 'EUR') => of(currency).netLiquidation - of(currency).stockValue - of(currency).futuresProfit
        expect(of('EUR').cash + of('EUR').accruedDividends).to.be.closeTo(inCash('EUR'), 1e-6)
        for (const { listing: held, quantity } of account.positions.values()) {
          expect(Math.abs(quantity / held.sizeIncrement - Math.round(quantity / held.sizeIncrement))).to.be.lessThan(1e-6)
        }
      }),
      { numRuns: 300 },
    )
  })

  it('counts currencies by their pair, either way round or over dollars, before its first bar at its first price', () => {
    const market = createMarket({ get: universe.bars }, 1, universe.tickOf)
    const at = (time: string) => exchangeRates(universe, market, () => Date.parse(time))
    const rates = at('2019-06-03T20:00:00Z')
    const [euroPrice, yenPrice] = ['EUR.USD', 'USD.JPY'].map((series) => market.day(series, '2019-06-03')!.bar.close) as [number, number]
    expect(rates('USD', 'USD')).to.equal(1)
    expect(rates('EUR', 'USD')).to.equal(euroPrice)
    expect(rates('JPY', 'USD')).to.equal(1 / yenPrice)
    expect(rates('EUR', 'JPY')).to.be.closeTo(euroPrice * yenPrice, 1e-9)
    expect(at('2001-06-04T20:00:00Z')('EUR', 'USD')).to.equal(universe.bars('EUR.USD')!.daily[0]!.open)
    expect(() => rates('CHF', 'USD')).to.throw('there is no way from CHF to USD')
    expect([withoutRate(universe, ['EUR']), withoutRate(universe, ['CHF'])]).to.deep.equal([undefined, 'CHF'])
  })

  it('charges futures by the contract and pairs by what they are worth', () => {
    const rateOf = (currency: string): number => (currency === 'JPY' ? 0.01 : 1)
    expect(commissionFor(future, 3, 8400, 'fixed', rateOf)).to.equal(6.75)
    expect(commissionFor(euro, 1000, 1120, 'fixed', rateOf)).to.equal(2)
    expect(commissionFor(yen, 1_000_000, 108_000_000, 'tiered', rateOf)).to.equal(21.6)
    expect(commissionFor(spy, 100, 10_000, 'fixed', rateOf)).to.equal(1)
    expect(commissionFor(future, 3, 8400, 'none', rateOf)).to.equal(0)
  })
})
