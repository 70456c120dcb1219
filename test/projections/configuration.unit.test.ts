import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { configurationView } from '../../projections/configuration.ts'
import { at, changed, command, connected, documentsOf, pathsOfLast, snapshot, started } from './story.ts'

describe('the view of the configuration', () => {
  it('shows every default from the first commit on, with trading off', () => {
    const documents = documentsOf(configurationView, started)
    expect(documents.get('config/common')!['settings']).to.include({ 'exposure.overall': 0.9, freshMinutes: 180 })
    expect(documents.get('config/common')).to.deep.include({ changed: [], updated_at: at(1) })
    expect(documents.get('config/paper')).to.deep.include({ tradingEnabled: false, account: null, updated_at: at(1) })
  })

  it('shows what was changed, and for a strategy that is named its other settings too', () => {
    const changes = changed({ 'exposure.overall': 0.5, 'strategies.dummy.allocation': 0.6, 'strategies.dummy.parameters.fast': 12 })
    const common = documentsOf(configurationView, started, command('configure', 'c1', changes)).get('config/common')!
    expect(common['settings']).to.include({
      'exposure.overall': 0.5,
      'strategies.dummy.allocation': 0.6,
      'strategies.dummy.enabled': true,
      'strategies.dummy.parameters.fast': 12,
    })
    expect(Object.keys(common['settings']!)).to.satisfy((names: string[]) => names.every((name) => !name.includes('*')))
    expect(common).to.deep.include({
      changed: ['exposure.overall', 'strategies.dummy.allocation', 'strategies.dummy.parameters.fast'],
      updated_at: at(2),
    })
  })

  it('shows the switch with its reason, and keeps the account beside it', () => {
    const told = [started, connected, command('resume', 'c1', event('TradingResumed', { reason: 'checked' }))]
    expect(documentsOf(configurationView, ...told).get('config/paper')).to.deep.equal({
      tradingEnabled: true,
      reason: 'checked',
      account: 'DU1',
      updated_at: at(3),
    })
    const halted = event('TradingHalted', { reason: 'too wild', publishedAt: at(3), cancelWorking: false })
    expect(documentsOf(configurationView, ...told, command('halt', 'c2', halted)).get('config/paper')).to.deep.include({
      tradingEnabled: false,
      reason: 'too wild',
      account: 'DU1',
    })
  })

  it('writes nothing when no setting, switch or account is concerned', () => {
    expect(pathsOfLast(configurationView, started, command('reconcile', 'c1', snapshot()))).to.deep.equal([])
  })
})
