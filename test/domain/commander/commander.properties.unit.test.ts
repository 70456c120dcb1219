import { expect } from 'chai'
import fc from 'fast-check'
import { type Configuration, settingOf, strategySettingOf } from '../../../domain/configuration.ts'
import {
  absolute,
  add,
  compare,
  type Decimal,
  isZero,
  multiply,
  sign,
  smaller,
  sum,
  toNumber,
  towardsZero,
} from '../../../domain/decimal.ts'
import type { DomainEvent, EventData } from '../../../domain/events.ts'
import { booksIn, type Ledger, openOrdersIn } from '../../../domain/ledger.ts'
import { inFlightOf, remainingOf } from '../../../domain/order.ts'
import { continued, dataOf, given, together } from '../../given.ts'
import { deciding, decisionOf } from './decision.ts'
import { arbitraryWorld, FUTURE, instruments, stepsOf, strategies, type World } from './world.arbitrary.ts'

type Line = EventData<'AllocationDecided'>['targets'][number]

const always = (
  check: (ledger: Ledger, events: DomainEvent[], world: World) => void,
  asked: { numRuns?: number; seed?: number } = {},
): void =>
  fc.assert(
    fc.property(arbitraryWorld, (world) => {
      const { ledger } = given(...stepsOf(world))
      check(ledger, deciding()(ledger), world)
    }),
    { numRuns: 200, ...asked },
  )

const positionBefore = ({ book, inFlight }: Line): Decimal => add(book, inFlight)
const increases = (line: Line): boolean =>
  !isZero(line.difference) &&
  (sign(line.target) !== sign(positionBefore(line)) || compare(absolute(line.target), absolute(positionBefore(line))) > 0) &&
  !isZero(line.target)

/** Left to itself: its orders in flight may still arrive, so the larger of the two counts. */
const isHeld = ({ difference, target, book, inFlight }: Line): boolean => isZero(difference) && target === book && !isZero(inFlight)
const stays = (line: Line): Decimal => (compare(absolute(positionBefore(line)), absolute(line.book)) > 0 ? positionBefore(line) : line.book)

const inInstrument = (events: readonly DomainEvent[], conId: number) => ({
  orders: dataOf(events, 'OrderPlanned').filter((order) => order.conId === conId),
  crossed: dataOf(events, 'PositionsCrossed').filter((moves) => moves.conId === conId),
})

/** What the decision moves for one strategy in one instrument: shares of orders and of crossings. */
const movedFor = (events: readonly DomainEvent[], { strategy, conId }: { strategy: string; conId: number }): Decimal => {
  const { orders, crossed } = inInstrument(events, conId)
  const shares = [...orders.flatMap((order) => order.shares), ...crossed.flatMap(({ moves }) => moves)]
  return sum(shares.filter((share) => share.strategy === strategy).map(({ quantity }) => quantity))
}

describe('commander, whatever the account', function () {
  this.timeout(180_000)

  it('never moves more than the difference, and never the other way', () => {
    always((_, events) => {
      for (const line of decisionOf(events).targets) {
        const moved = movedFor(events, line)
        expect(compare(absolute(moved), absolute(line.difference))).to.be.at.most(0)
        if (!isZero(moved)) expect(sign(moved)).to.equal(sign(line.difference))
      }
    })
  })

  it('explains each target that is not the book and moves nothing', () => {
    always((_, events) => {
      const { targets, notes } = decisionOf(events)
      for (const line of targets) {
        if (line.target === line.book && line.wanted === line.book) continue
        const explained = notes.some(({ strategy, conId }) => strategy === line.strategy && conId === line.conId)
        expect(!isZero(movedFor(events, line)) || explained, JSON.stringify(line)).to.equal(true)
      }
    })
  })

  it('never clips a reduction', () => {
    always((_, events) => {
      for (const line of decisionOf(events).targets) {
        const before = positionBefore(line)
        const reduces = isZero(line.wanted) || (sign(line.wanted) === sign(before) && compare(absolute(line.wanted), absolute(before)) <= 0)
        if (reduces) expect(line.target).to.equal(line.wanted)
        else if (sign(line.target) !== 0 && !isZero(line.difference)) expect(sign(line.target)).to.equal(sign(line.wanted))
      }
    })
  })

  it('increases nothing beyond a limit', () => {
    always((ledger, events, world) => {
      const { targets, instruments: views } = decisionOf(events)
      const { configuration } = ledger
      const priceOf = (conId: number) => views.find((view) => view.conId === conId)!
      const free = targets.filter(({ conId }) => priceOf(conId).blocked === undefined)
      const unit = (conId: number, price: Decimal) => multiply(multiply(price, priceOf(conId).multiplier), priceOf(conId).exchangeRate!)
      /** What is in the book already counts at the market, the rest at the reference. */
      const worthOf = (line: Line, end?: Decimal): number => {
        const { price, marketPrice } = priceOf(line.conId)
        const untouched = priceOf(line.conId).blocked !== undefined || isHeld(line)
        const target = end ?? (untouched ? stays(line) : line.target)
        // What an order in flight takes out of the book is new again when the target wants it back.
        const remains = sign(positionBefore(line)) === sign(line.book) ? smaller(absolute(line.book), absolute(positionBefore(line))) : '0'
        const inBook = untouched ? line.book : remains
        const ofBook = sign(line.book) === sign(target) ? Math.min(Math.abs(toNumber(inBook)), Math.abs(toNumber(target))) : 0
        const rest = Math.abs(toNumber(target)) - ofBook
        return ofBook * toNumber(unit(line.conId, marketPrice!)) + rest * toNumber(unit(line.conId, price?.value ?? '0'))
      }
      const growing = free.filter(increases)
      const netLiquidation = 100_000
      const tolerance = 1e-4
      const netOf = (lines: readonly Line[], side: number) =>
        lines.reduce((total, line) => {
          const untouched = isHeld(line) || priceOf(line.conId).blocked !== undefined
          const ends = untouched ? [line.book, positionBefore(line)] : [line.target]
          return total + Math.max(...ends.map((end) => side * Math.sign(toNumber(end)) * worthOf(line, end)))
        }, 0)
      const grossOf = (lines: readonly Line[]) => lines.reduce((total, line) => total + worthOf(line), 0)
      for (const strategy of strategies) {
        const own = targets.filter((line) => line.strategy === strategy)
        const grow = growing.filter((line) => line.strategy === strategy)
        if (grow.length === 0) continue
        const base = netLiquidation * world.configuration['exposure.overall'] * strategySettingOf(configuration, strategy, 'allocation')
        expect(grossOf(own)).to.be.at.most(base * strategySettingOf(configuration, strategy, 'limits.gross') + tolerance)
        for (const { target } of grow)
          expect(netOf(own, sign(target))).to.be.at.most(base * strategySettingOf(configuration, strategy, 'limits.net') + tolerance)
        for (const line of grow)
          expect(worthOf(line)).to.be.at.most(base * strategySettingOf(configuration, strategy, 'limits.singleName') + tolerance)
        const opened = grow.filter((line) => isZero(positionBefore(line)))
        if (opened.length > 0)
          expect(own.filter(({ target }) => !isZero(target)).length).to.be.at.most(
            strategySettingOf(configuration, strategy, 'limits.positions') + blockedTargets(own, priceOf),
          )
      }
      if (growing.length === 0) return
      expect(grossOf(targets)).to.be.at.most(netLiquidation * settingOf(configuration as Configuration, 'limits.gross') + tolerance)
      for (const grown of growing) {
        const side = sign(grown.target)
        const here = targets.filter((line) => line.conId === grown.conId)
        expect(netOf(here, side)).to.be.at.most(netLiquidation * settingOf(configuration, 'limits.singleName') + tolerance)
        expect(netOf(targets, side)).to.be.at.most(netLiquidation * settingOf(configuration, 'limits.net') + tolerance)
      }
    })
  })

  it('conserves the sum of all books when it crosses, and the shares of an order are the order', () => {
    always((ledger, events) => {
      for (const { moves } of dataOf(events, 'PositionsCrossed')) expect(sum(moves.map(({ quantity }) => quantity))).to.equal('0')
      const after = continued(ledger, together(...events))
      for (const { conId } of instruments) expect(booksIn(after, conId)).to.equal(booksIn(ledger, conId))
      for (const { shares, quantity, sizeStep } of dataOf(events, 'OrderPlanned')) {
        expect(sum(shares.map((share) => share.quantity))).to.equal(quantity)
        for (const share of shares) expect(sign(share.quantity)).to.equal(sign(quantity))
        expect(towardsZero(quantity, sizeStep)).to.equal(quantity)
      }
    })
  })

  it('never orders against another order, working or new', () => {
    always((ledger, events) => {
      for (const order of dataOf(events, 'OrderPlanned')) {
        const others = [
          ...openOrdersIn(ledger, order.conId).map(remainingOf),
          ...inInstrument(events, order.conId).orders.map(({ quantity }) => quantity),
        ]
        for (const other of others) expect(sign(other)).to.equal(sign(order.quantity))
      }
    })
  })

  it('orders and crosses nothing in a blocked instrument', () => {
    always((_, events, { blocked }) => {
      instruments.forEach(({ conId }, index) => {
        if (blocked[index]) expect(inInstrument(events, conId)).to.deep.equal({ orders: [], crossed: [] })
      })
    })
  })

  it('holds what has no fresh signal', () => {
    always((_, events, { words, configuration }) => {
      strategies.forEach((strategy, who) => {
        const silent =
          ['failed', 'stale', 'silent'].includes(words[who]!.kind) || (strategy === 'carry' && !configuration['strategies.carry.enabled'])
        if (!silent) return
        for (const line of decisionOf(events).targets.filter((target) => target.strategy === strategy)) {
          expect(line).to.include({ target: line.book, difference: '0' })
          expect(movedFor(events, line)).to.equal('0')
        }
      })
    })
  })

  it('gives a reduction the sign of an exit and never more than is held', () => {
    always((ledger, events) => {
      for (const { conId, reduces, shares } of dataOf(events, 'OrderPlanned'))
        for (const { strategy, quantity } of shares) {
          const flight = sum(openOrdersIn(ledger, conId).map((order) => inFlightOf(order, strategy)))
          const position = add(ledger.books[strategy]?.[conId] ?? '0', flight)
          if (reduces) {
            expect(sign(quantity)).to.equal(-sign(position))
            expect(compare(absolute(quantity), absolute(position))).to.be.at.most(0)
          }
        }
    })
  })

  it('shows in a dry run exactly the orders of the real one', () => {
    always((ledger, events) => {
      const { dryRun: _, ...shown } = decisionOf(deciding({ dryRun: true })(ledger))
      const { dryRun: __, ...real } = decisionOf(events)
      expect(shown).to.deep.equal(real)
      expect(real.orders.map(({ orderRef }) => orderRef)).to.deep.equal(dataOf(events, 'OrderPlanned').map(({ orderRef }) => orderRef))
    })
  })

  it('plans nothing more once its orders are on their way', () => {
    always(
      (ledger, events, world) => {
        // A crossing moves quantities from the reference to the market price, and so may free or take room under a limit.
        if (world.market !== 100 && dataOf(events, 'PositionsCrossed').length > 0) return
        // What a limit granted and the rules on orders then kept back is shared out anew the next time.
        const codes = new Set(decisionOf(events).notes.map(({ code }) => code))
        const clipped = ['LIMIT_GROSS', 'LIMIT_NET', 'LIMIT_SINGLE_NAME', 'LIMIT_POSITIONS'].some((code) => codes.has(code))
        if (clipped && ['CANCEL_FIRST', 'BELOW_MINIMUM', 'ORDER_NOTIONAL'].some((code) => codes.has(code))) return
        const after = continued(ledger, together(...events))
        const again = deciding({}, { step: 'second', round: 2 })(after)
        expect(dataOf(again, 'OrderPlanned')).to.deep.equal([])
        expect(dataOf(again, 'PositionsCrossed')).to.deep.equal([])
        expect(dataOf(again, 'OrderCancelRequested')).to.deep.equal([])
        expect(decisionOf(again).cancels).to.deep.equal(decisionOf(events).cancels)
      },
      { numRuns: 400 },
    )
  })

  it('keeps order refs and ids apart', () => {
    always((ledger, events) => {
      const planned = dataOf(events, 'OrderPlanned')
      expect(new Set(planned.map(({ orderRef }) => orderRef)).size).to.equal(planned.length)
      const ids = planned.map(({ orderId }) => orderId)
      expect(ids).to.deep.equal(ids.map((_, index) => Math.max(ledger.nextValidId - 1, ledger.highestOrderId) + 1 + index))
    })
  })

  it('draws worlds in which something happens', () => {
    const seen = { orders: 0, crossed: 0, cancels: 0, future: 0, notes: new Set<string>() }
    always(
      (_, events) => {
        seen.orders += dataOf(events, 'OrderPlanned').length
        seen.crossed += dataOf(events, 'PositionsCrossed').length
        seen.cancels += dataOf(events, 'OrderCancelRequested').length
        seen.future += inInstrument(events, FUTURE.conId).orders.length
        for (const { code } of decisionOf(events).notes) seen.notes.add(code)
      },
      { seed: 1 },
    ) // the same worlds each time: how often something happens is a matter of luck
    expect(Math.min(seen.orders, seen.crossed, seen.cancels, seen.future)).to.be.above(20)
    expect([...seen.notes]).to.include.members([
      'LIMIT_GROSS',
      'LIMIT_NET',
      'ORDER_NOTIONAL',
      'ORDER_SPLIT',
      'LIMIT_SINGLE_NAME',
      'LIMIT_POSITIONS',
      'BLOCKED',
      'CANCEL_FIRST',
      'IN_FLIGHT',
      'BELOW_MINIMUM',
    ])
  })
})

/** Targets in blocked instruments are shown, not pursued. */
const blockedTargets = (lines: readonly Line[], viewOf: (conId: number) => { blocked?: string }): number =>
  lines.filter(({ conId, target, book }) => viewOf(conId).blocked !== undefined && !isZero(target) && isZero(book)).length
