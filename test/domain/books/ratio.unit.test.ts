import { expect } from 'chai'
import fc from 'fast-check'
import { afterSplit, ratioOf, splitBetween } from '../../../domain/books/ratio.ts'
import { sum } from '../../../domain/decimal.ts'

describe('the ratio of a split', () => {
  it('is written new for old, in whole numbers that differ', () => {
    expect(ratioOf('3:2')).to.deep.equal({ units: '3', for: '2' })
    for (const wrong of ['2', '2:', '0:1', '2:2', '-2:1', '1.5:1', '2/1', ' 2:1', '10001:1'])
      expect(ratioOf(wrong), wrong).to.equal(undefined)
  })

  it('is seen in a difference that it explains, with one holder or with several who each lost a fraction', () => {
    const seen = (expected: string, reported: string, holders = 1, step = '1') => splitBetween(expected, reported, holders, step)
    expect([seen('100', '200'), seen('-100', '-300'), seen('100', '150'), seen('500', '50')]).to.deep.equal(['2:1', '3:1', '3:2', '1:10'])
    expect([seen('105', '10'), seen('101', '151'), seen('55.5', '111', 1, '0.0001')]).to.deep.equal(['1:10', '3:2', '2:1'])
    expect([seen('109', '9', 1), seen('109', '9', 2)], 'a fraction for each holder').to.deep.equal([undefined, '1:10'])
  })

  it('is not seen in what a lost execution makes', () => {
    for (const [expected, reported] of [
      ['100', '90'],
      ['100', '101'],
      ['100', '0'],
      ['0', '100'],
      ['100', '-200'],
      ['50', '45'],
      ['100', '100'],
    ] as const)
      expect(splitBetween(expected, reported, 1, '1'), `${expected} → ${reported}`).to.equal(undefined)
  })

  it('is given to every holder, long and short, so that all together have what the broker holds', () => {
    const held = [
      { holder: 'trend', quantity: '55' },
      { holder: 'hedge', quantity: '-16' },
      { holder: 'manual', quantity: '66' },
    ]
    expect(afterSplit(held, { units: '1', for: '10' }, '10', '1')!.map(({ quantity }) => quantity)).to.deep.equal(['5', '-1', '6'])
    expect(afterSplit(held, { units: '1', for: '10' }, '11', '1')!.map(({ quantity }) => quantity)).to.deep.equal(['5', '-1', '7'])
    expect(afterSplit(held, { units: '1', for: '10' }, '20', '1')).to.equal(undefined)
  })

  it('never takes or gives anybody a whole step more than his proportion, whatever is held', () => {
    const quantity = fc.integer({ min: -500, max: 500 }).filter((whole) => whole !== 0)
    const ratios = fc.constantFrom('2:1', '3:1', '3:2', '1:10', '5:4', '1:3', '7:2').map((text) => ratioOf(text)!)
    fc.assert(
      fc.property(fc.array(quantity, { minLength: 1, maxLength: 5 }), ratios, (quantities, ratio) => {
        const held = quantities.map((whole, index) => ({ holder: `book-${index}`, quantity: String(whole) }))
        const factor = Number(ratio.units) / Number(ratio.for)
        const exact = quantities.reduce((total, whole) => total + whole, 0) * factor
        const after = afterSplit(held, ratio, String(Math.trunc(exact)), '1')!
        expect(sum(after.map((each) => each.quantity))).to.equal(String(Math.trunc(exact)))
        after.forEach((each, index) => {
          expect(Math.abs(Number(each.quantity) - quantities[index]! * factor)).to.be.lessThan(1.0001)
        })
      }),
    )
  })
})
