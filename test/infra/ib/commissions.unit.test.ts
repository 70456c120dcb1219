import { expect } from 'chai'
import { createCommissions } from '../../../infra/ib/commissions.ts'

const report = (executionId: string, commission = '1') => ({ executionId, commission, currency: 'USD', realizedProfit: undefined })

describe('the commissions of a connection', () => {
  it('wait for their execution, and then say whose they are', () => {
    const commissions = createCommissions()
    expect(commissions.heard(report('e1.01'))).to.equal(undefined)
    expect(commissions.executed('e1.01', 'DU1')).to.deep.equal({ ...report('e1.01'), account: 'DU1' })
    expect(commissions.executed('e1.01', 'DU1'), 'an execution that is told again').to.equal(undefined)
    expect(commissions.heard(report('e1.01')), 'a commission that is told again').to.equal(undefined)
    expect(commissions.of('e1.01')).to.deep.equal({ ...report('e1.01'), account: 'DU1' })
  })

  it('are told at once after their execution, and again when they change', () => {
    const commissions = createCommissions()
    expect(commissions.executed('e1.01', 'DU2')).to.equal(undefined)
    expect(commissions.heard(report('e1.01'))).to.deep.equal({ ...report('e1.01'), account: 'DU2' })
    expect(commissions.heard(report('e1.01', '1.5'))!.commission).to.equal('1.5')
    expect(commissions.heard({ ...report('e1.01', '1.5'), realizedProfit: '7' })!.realizedProfit).to.equal('7')
  })

  it('are forgotten, the oldest first, when there are more than a busy day has', () => {
    const commissions = createCommissions(2)
    for (const id of ['e1.01', 'e2.01', 'e3.01']) {
      commissions.executed(id, 'DU1')
      commissions.heard(report(id))
    }
    expect(['e1.01', 'e2.01', 'e3.01'].map((id) => commissions.of(id)?.executionId)).to.deep.equal([undefined, 'e2.01', 'e3.01'])
    commissions.executed('e1.01', 'DU1')
    expect(commissions.heard(report('e1.01')), 'told once more').to.not.equal(undefined)
  })
})
