import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import type { Document, Json } from '../../domain/ports/documents.ts'
import { applyTo } from '../../projections/batch.ts'
import { configurationView } from '../../projections/configuration.ts'
import { comparableText, readSettingsEdit, readSwitchEdit, repairOf } from '../../projections/edit.ts'
import { changed, command, connected, documentsOf, started } from './story.ts'

const resumed = command('resume', 'c1', event('TradingResumed', { reason: 'checked' }))
const configured = command('configure', 'c2', changed({ 'strategies.dummy.allocation': 0.6, 'strategies.other.allocation': 0.3 }))
const shown = documentsOf(configurationView, started, connected, resumed, configured)
const on = shown.get('config/paper')!
const off = documentsOf(configurationView, started, connected).get('config/paper')!
const common = shown.get('config/common')!

const without = (document: Document, field: string): Document =>
  Object.fromEntries(Object.entries(document).filter(([name]) => name !== field))
const settings = (changes: Record<string, unknown>, base = common['settings'] as Document): Document => ({
  ...common,
  settings: { ...base, ...(changes as Record<string, Json>) },
})

describe('an edit of the switch', () => {
  const halts = (expected: Document, found: Document | undefined) => readSwitchEdit('config/paper', expected, found)
  const wish = { type: 'halt', body: { reason: 'trading was switched off in config/paper by hand' } }

  for (const value of [false, 'false', 'true', 'off', '', 0, 1, null, [], {}, [true], { true: true }, Number.NaN])
    it(`halts by ${comparableText(value)} in the place of true`, () => {
      expect(halts(on, { ...on, tradingEnabled: value as Json })).to.deep.equal({ wish, problems: [] })
    })

  it('halts whatever else is wrong with it, and names that too', () => {
    const { wish: wished, problems } = halts(on, { tradingEnabled: false, reason: 'a crash', note: 1 })
    expect(wished).to.deep.equal(wish)
    expect(problems.join('; ')).to.match(/reason is "checked".*found "a crash"/)
    expect(problems.join('; ')).to.contain('account was taken away; it is "DU1"').and.to.contain('note is not a field')
  })

  it('takes nothing that is gone for a wish', () => {
    expect(halts(on, undefined)).to.deep.equal({ problems: ['the document was deleted; tradingEnabled is true'] })
    expect(halts(on, without(on, 'tradingEnabled'))).to.deep.equal({ problems: ['tradingEnabled was taken away; it is true'] })
  })

  it('does not switch trading on by a tick, and says what does', () => {
    const { wish: wished, problems } = halts(off, { ...off, tradingEnabled: true })
    expect(wished).to.equal(undefined)
    expect(problems).to.have.length(1)
    expect(problems[0]).to.contain('publish resume')
  })

  it('has nothing to halt while trading is off', () => {
    for (const value of [0, null, 'false']) {
      const { wish: wished, problems } = halts(off, { ...off, tradingEnabled: value })
      expect(wished).to.equal(undefined)
      expect(problems).to.deep.equal([`tradingEnabled is false and not edited here, found ${comparableText(value)}`])
    }
  })

  it('is none where only the order of the fields differs', () => {
    expect(halts(on, Object.fromEntries(Object.entries(on).reverse()))).to.deep.equal({ problems: [] })
  })
})

describe('an edit of the settings', () => {
  it('asks for just what differs', () => {
    const found = settings({
      'exposure.overall': 0.5,
      'orders.algo': 'Adaptive',
      'halt.cancelWorking': true,
      'strategies.new.allocation': 0.1,
    })
    const changes = { 'exposure.overall': 0.5, 'orders.algo': 'Adaptive', 'halt.cancelWorking': true, 'strategies.new.allocation': 0.1 }
    expect(readSettingsEdit(common, found)).to.deep.equal({ wish: { type: 'configure', body: { changes } }, problems: [] })
  })

  const wrong: [Record<string, unknown>, string][] = [
    [{ 'exposure.overall': '0.5' }, 'exposure.overall must be a number from 0 to 4 (fraction of net liquidation), got "0.5"'],
    [{ 'exposure.overall': 5 }, 'exposure.overall must be a number from 0 to 4 (fraction of net liquidation), got 5'],
    [{ 'exposure.overall': null }, 'exposure.overall must be a number from 0 to 4 (fraction of net liquidation), got null'],
    [{ 'halt.cancelWorking': 1 }, 'halt.cancelWorking must be true or false, got 1'],
    [{ 'orders.algo': 'TWAP' }, 'orders.algo must be one of none, Adaptive, got "TWAP"'],
    [{ misspelt: 1 }, '"misspelt" is not a setting'],
    [
      { 'strategies.dummy.parameters.fast': { x: 1 } },
      'strategies.dummy.parameters.fast must be a number, a text, true or false, got {"x":1}',
    ],
    [{ 'strategies.other.allocation': 0.5 }, 'the allocations of all strategies sum to 1.1, at most 1 is allowed'],
  ]
  for (const [changes, problem] of wrong)
    it(`refuses all of it for ${JSON.stringify(changes)}`, () => {
      expect(readSettingsEdit(common, settings({ 'limits.gross': 0.8, ...changes }))).to.deep.equal({ problems: [problem] })
    })

  it('cannot take a setting away, and refuses what is asked for beside it', () => {
    const found = settings({ 'limits.gross': 0.8 }, without(common['settings'] as Document, 'exposure.overall'))
    expect(readSettingsEdit(common, found)).to.deep.equal({
      problems: ['exposure.overall was taken away; set it to a value, it is 0.9'],
    })
  })

  it('names a map that is none', () => {
    for (const value of [null, 'x', 3, [], [1]])
      expect(readSettingsEdit(common, { ...common, settings: value }).problems.join()).to.contain('must be a map of settings')
    expect(readSettingsEdit(common, without(common, 'settings')).problems).to.have.length(1)
    expect(readSettingsEdit(common, undefined)).to.deep.equal({ problems: ['the document was deleted'] })
  })

  it('takes no notice of the other fields but to name them', () => {
    const { wish, problems } = readSettingsEdit(common, { ...settings({ freshMinutes: 60 }), changed: [], updated_at: 'now', x: 1 })
    expect(wish).to.deep.equal({ type: 'configure', body: { changes: { freshMinutes: 60 } } })
    expect(problems).to.have.length(3)
    expect(readSettingsEdit(common, { ...common, changed: [] }).wish).to.equal(undefined)
  })

  it('refuses more than a command can hold', () => {
    const long = settings({ 'strategies.dummy.parameters.text': 'x'.repeat(70_000) })
    const { wish, problems } = readSettingsEdit(common, long)
    expect(wish).to.equal(undefined)
    expect(problems[0]).to.contain('at most 64000')
  })

  it('asks back what was under way and shows its old value again', () => {
    const underWay = { 'exposure.overall': 0.5, freshMinutes: 60 }
    const { wish } = readSettingsEdit(common, settings({ freshMinutes: 60 }), underWay)
    expect(wish?.body).to.deep.equal({ changes: { 'exposure.overall': 0.9, freshMinutes: 60 } })
    expect(readSettingsEdit(common, common, underWay).wish?.body).to.deep.equal({ changes: { 'exposure.overall': 0.9, freshMinutes: 180 } })
  })
})

describe('a repair', () => {
  const repaired = (expected: Document, found: Document | undefined): Document | undefined => {
    const documents = new Map(found === undefined ? [] : [['config/paper', found]])
    applyTo(documents, [repairOf('config/paper', expected, found)])
    return documents.get('config/paper')
  }

  it('gives back what the journal says, whatever was written', () => {
    const wrecks: (Document | undefined)[] = [undefined, {}, { x: 1 }, { ...on, x: 1 }, { ...on, reason: 7 }, without(on, 'reason')]
    for (const found of wrecks) expect(repaired(on, found)).to.deep.equal(on)
  })

  it('leaves alone what nobody edited, so that a switch turned off at this moment is not overwritten', () => {
    expect(repairOf('config/paper', on, { ...on, reason: 'mine' })).to.deep.equal({
      kind: 'merge',
      path: 'config/paper',
      data: { reason: 'checked' },
    })
  })
})
