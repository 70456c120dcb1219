import { expect } from 'chai'
import { chooseAccount } from '../../domain/account.ts'

const choose = (mode: 'paper' | 'live', managed: string[], wanted?: string, fixed: string | null = null) =>
  chooseAccount(mode, { wanted, fixed, managed })

describe('the account', () => {
  it('of paper is the only managed one, if it is a paper account', () => {
    expect(choose('paper', ['DU1'])).to.deep.equal({ account: 'DU1' })
    expect(choose('paper', ['U1']))
      .to.have.property('mismatch')
      .that.includes('begin with D')
  })

  it('is never guessed among several: they are named', () => {
    expect(choose('paper', ['DU1', 'DU2']))
      .to.have.property('mismatch')
      .that.includes('DU1, DU2')
    expect(choose('paper', ['DU1', 'DU2'], 'DU2')).to.deep.equal({ account: 'DU2' })
  })

  it('of live must be named, and must not be a paper account', () => {
    expect(choose('live', ['U1']))
      .to.have.property('mismatch')
      .that.includes('IB_ACCOUNT')
    expect(choose('live', ['U1'], 'U1')).to.deep.equal({ account: 'U1' })
    expect(choose('live', ['DU1'], 'DU1'))
      .to.have.property('mismatch')
      .that.includes('paper account')
  })

  it('is fixed by the first connection of the journal', () => {
    expect(choose('paper', ['DU2'], undefined, 'DU1'))
      .to.have.property('mismatch')
      .that.includes('DU1 is not managed')
    expect(choose('paper', ['DU1', 'DU2'], undefined, 'DU1')).to.deep.equal({ account: 'DU1' })
    expect(choose('paper', ['DU1', 'DU2'], 'DU2', 'DU1'))
      .to.have.property('mismatch')
      .that.includes('another journal')
  })

  it('is none when the login manages none', () => {
    expect(choose('paper', [])).to.have.property('mismatch')
  })
})
