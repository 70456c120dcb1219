import { expect } from 'chai'
import fc from 'fast-check'
import {
  type Configuration,
  changesBetween,
  configuredStrategies,
  parametersOf,
  problemsOf,
  settingInForce,
  settingOf,
  settings,
  strategySettingOf,
  type Value,
} from '../../domain/configuration.ts'

const full = (name: string): string => name.replace('*', 'trend').replace('*', 'fast')
const problem = (name: string, value: Value, before: Configuration = {}): string => problemsOf(before, { [name]: value }).join('; ')

describe('configuration', () => {
  it('accepts every setting at its default and says why it is there', () => {
    for (const [name, setting] of Object.entries(settings)) {
      expect(problem(full(name), setting.fallback), name).to.equal('')
      expect(setting.why, name).to.match(/\.$/)
    }
  })

  it('has defaults within their own ranges, and refuses what is just outside', () => {
    for (const [name, setting] of Object.entries(settings)) {
      if (setting.kind !== 'number') continue
      expect(setting.fallback, name).to.be.within(setting.minimum, setting.maximum)
      expect(problem(full(name), setting.minimum), name).to.equal('')
      expect(problem(full(name), setting.minimum - 0.001), name).to.contain(`from ${setting.minimum} to ${setting.maximum}`)
      expect(problem(full(name), setting.maximum + 0.001), name).to.contain(full(name))
    }
  })

  it('refuses a value of another kind, and says which it wants', () => {
    expect(problem('exposure.overall', '0.5')).to.contain('must be a number').and.to.contain('"0.5"')
    expect(problem('exposure.overall', Number.NaN)).to.contain('must be a number')
    expect(problem('halt.cancelWorking', 1)).to.contain('true or false')
    expect(problem('strategies.trend.enabled', 'yes')).to.contain('true or false')
    expect(problem('orders.algo', 'TWAP')).to.contain('none, Adaptive')
    expect(problem('strategies.trend.window', 930)).to.contain('HH:MM-HH:MM')
  })

  it('takes a window of New York times, or none', () => {
    for (const window of ['', '09:30-16:00', '22:00-02:00', '00:00-23:59']) expect(problem('strategies.trend.window', window)).to.equal('')
    for (const window of ['9:30-16:00', '09:30', '24:00-25:00', '09:30-16:00 ', 'x09:30-16:00', '09:30-16:60'])
      expect(problem('strategies.trend.window', window), window).to.contain('strategies.trend.window must be a text such as')
  })

  it('knows no setting that is not in the table', () => {
    const wrong = [
      ...['exposure', 'Exposure.overall', 'limits', '', 'toString', 'constructor', '__proto__', 'strategies', 'strategies.trend'],
      ...['strategies.trend.toString', 'strategies.*.allocation', 'strategies..allocation', 'strategies.trend.parameters'],
      ...['strategies.trend.parameters.fast.deep', 'strategies.trend.parameters.', 'other.trend.allocation'],
    ]
    for (const name of wrong) expect(problemsOf({}, Object.fromEntries([[name, 0.5]])), name).to.deep.equal([`"${name}" is not a setting`])
  })

  it('names everything that is wrong, not only the first', () => {
    expect(problemsOf({}, { 'exposure.overall': 9, nothing: 1, 'orders.algo': 'x' })).to.have.length(3)
  })

  describe('allocations', () => {
    it('sum to at most 1 over all strategies, also those that were set before', () => {
      const before = { 'strategies.trend.allocation': 0.7 }
      expect(problem('strategies.hedge.allocation', 0.3, before)).to.equal('')
      expect(problem('strategies.hedge.allocation', 0.4, before)).to.contain('sum to 1.1')
      expect(problemsOf(before, { 'strategies.trend.allocation': 0.5, 'strategies.hedge.allocation': 0.5 })).to.deep.equal([])
    })

    it('may be tenths that no double holds exactly', () => {
      const tenths = Object.fromEntries(Array.from({ length: 10 }, (_, index) => [`strategies.s${index}.allocation`, 0.1]))
      expect(problemsOf({}, tenths)).to.deep.equal([])
      const thirds = { 'strategies.a.allocation': 1 / 3, 'strategies.b.allocation': 1 / 3, 'strategies.c.allocation': 1 / 3 }
      expect(problemsOf({}, thirds)).to.deep.equal([])
      const above = { 'strategies.a.allocation': 0.33, 'strategies.b.allocation': 0.56, 'strategies.c.allocation': 0.11 }
      expect(Object.values(above).reduce((total, value) => total + value, 0)).to.be.above(1)
      expect(problemsOf({}, above)).to.deep.equal([])
    })

    it('are refused exactly when they are more than 1', () => {
      fc.assert(
        fc.property(fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 1, maxLength: 8 }), (percents) => {
          const changes = Object.fromEntries(percents.map((percent, index) => [`strategies.s${index}.allocation`, percent / 100]))
          expect(problemsOf({}, changes).length === 0).to.equal(percents.reduce((total, percent) => total + percent, 0) <= 100)
        }),
      )
    })
  })

  it('gives what was set, and else the default', () => {
    expect(settingOf({}, 'exposure.overall')).to.equal(0.9)
    expect(settingOf({ 'exposure.overall': 0 }, 'exposure.overall')).to.equal(0)
    expect(settingOf({ 'halt.cancelWorking': true }, 'halt.cancelWorking')).to.equal(true)
    expect(strategySettingOf({ 'strategies.trend.enabled': false }, 'trend', 'enabled')).to.equal(false)
    expect(strategySettingOf({ 'strategies.trend.enabled': false }, 'hedge', 'enabled')).to.equal(true)
    expect(strategySettingOf({}, 'trend', 'allocation')).to.equal(0)
    expect(settingInForce({}, 'strategies.trend.limits.positions')).to.equal(20)
    expect(settingInForce({}, 'strategies.trend.parameters.fast')).to.equal(undefined)
    expect(settingInForce({}, 'constructor')).to.equal(undefined)
  })

  it('names the strategies and the parameters that somebody set', () => {
    const configuration = {
      ...{ 'exposure.overall': 0.5, 'strategies.trend.allocation': 0.5, 'strategies.trend.parameters.fast': 12 },
      ...{ 'strategies.hedge.parameters.bearish': 'flat', 'strategies.trend.parameters.slow': 26 },
    }
    expect(configuredStrategies(configuration)).to.deep.equal(['trend', 'hedge'])
    expect(parametersOf(configuration, 'trend')).to.deep.equal({ fast: 12, slow: 26 })
    expect(parametersOf(configuration, 'tren')).to.deep.equal({})
  })

  describe('changes between what holds and what somebody wrote', () => {
    const before: Configuration = { 'exposure.overall': 0.9, freshMinutes: 180, 'strategies.trend.allocation': 0.7 }

    it('are the values that differ, new names too', () => {
      expect(changesBetween(before, before)).to.deep.equal({ changes: {}, problems: [] })
      const wanted = { ...before, freshMinutes: 60, 'strategies.hedge.allocation': 0.3 }
      expect(changesBetween(before, wanted)).to.deep.equal({
        changes: { freshMinutes: 60, 'strategies.hedge.allocation': 0.3 },
        problems: [],
      })
    })

    it('name what is wrong: kind, range, sum, an unknown name, a setting that is gone', () => {
      const wrong = (wanted: Record<string, unknown>) => changesBetween(before, { ...before, ...wanted }).problems.join('; ')
      expect(wrong({ freshMinutes: '60' }))
        .to.contain('must be a number')
        .and.to.contain('"60"')
      expect(wrong({ freshMinutes: { a: 1 } })).to.contain('must be a number')
      expect(wrong({ freshMinutes: 0 })).to.contain('from 1 to 1440')
      expect(wrong({ 'strategies.hedge.allocation': 0.4 })).to.contain('sum to 1.1')
      expect(wrong({ nothing: 1 })).to.equal('"nothing" is not a setting')
      for (const odd of [null, [1], Number.NaN, Number.POSITIVE_INFINITY])
        expect(wrong({ 'strategies.trend.parameters.fast': odd })).to.contain('must be a number, a text, true or false')
      const { freshMinutes: _, ...less } = before
      expect(changesBetween(before, less).problems).to.deep.equal(['freshMinutes was taken away; set it to a value, it is 180'])
    })
  })
})
