/** A day on which the market falls by more than seven percent, through the real session, sockets and gateway. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import { type Rig, startTrading } from '../rig.ts'
import { onEachStore } from '../stores.ts'

onEachStore('risk-check on 9 March 2020', (store) => {
  let rig: Rig
  afterEach(() => rig?.stop())

  it('finds the breach, tells it once, halts, and lets nothing increase after a resume, while exits go on', async () => {
    rig = await startTrading({
      ...{ store: store(), start: '2020-03-06T15:00:00.000Z', names: ['Trend'] },
      allocations: { 'risk.haltOnBreach': true, 'limits.singleName': 4, 'strategies.trend.risk.dailyDrawdown': 1 },
    })
    await rig.want({ trend: '300' })
    await rig.run('friday')
    await rig.driver.runTo(newYorkTime('2020-03-09', '09:00'))
    await rig.command('reconcile')
    await rig.driver.runTo(newYorkTime('2020-03-09', '15:55'))
    expect(await rig.command('risk-check', {}, { id: 'risk' })).to.have.nested.property('result.halted', true)
    const [breach] = await rig.events('RiskBreached')
    expect(breach).to.include({ rule: 'dailyDrawdown', scope: 'account', session: '2020-03-09' })
    expect(Number(breach!.value)).to.be.within(0.05, 0.09)
    expect(rig.composed.engine.ledger.trading.on).to.equal(false)
    await rig.command('risk-check', {}, { id: 'again' })
    expect(await rig.events('RiskBreached')).to.have.length(1)
    await rig.command('resume')
    await rig.want({ trend: '310' })
    const audit = (await rig.run('more')) as unknown as { decision: { notes: { code: string }[]; orders: unknown[] } }
    expect(audit.decision.notes.map(({ code }) => code)).to.include('LIMIT_DRAWDOWN')
    expect(audit.decision.orders).to.deep.equal([])
    await rig.want({ trend: '250' })
    await rig.run('less')
    expect((await rig.events('OrderPlanned')).at(-1)).to.include({ reduces: true, type: 'MKT' })
  })
})
