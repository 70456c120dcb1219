import { expect } from 'chai'
import * as t from 'io-ts'
import { type Cause, genesisHash, type StoredCommit, store } from '../../../domain/commit.ts'
import { settings } from '../../../domain/configuration.ts'
import { type DomainEvent, event, toStored } from '../../../domain/events.ts'
import { defineStrategy, type Strategy } from '../../../domain/strategy.ts'
import { accountSettings, configuredBy, environmentLines, strategyIds, strategySettings } from '../../../infra/cli/settings.ts'
import { variables } from '../../../infra/environment.ts'

const by = (id: string, actor?: string): Cause => ({
  ...{ kind: 'command', id, type: 'configure', publishedAt: '', source: 'cli' },
  ...(actor === undefined ? {} : { actor }),
})
const changed = (changes: Record<string, unknown>): DomainEvent =>
  event('ConfigurationChanged', { changes: Object.fromEntries(Object.entries(changes).map(([name, to]) => [name, { from: null, to }])) })

const journal = (...decisions: [Cause, DomainEvent][]) =>
  configuredBy(
    (async function* (): AsyncGenerator<StoredCommit> {
      for (const [index, [cause, decided]] of decisions.entries()) {
        const recordedAt = `2026-11-20T14:0${index}:00.000Z`
        const events = toStored([decided], recordedAt)
        yield store({ position: index + 1, epoch: 1, recordedAt, cause, events, previousHash: genesisHash })
      }
    })(),
  )

const trend = defineStrategy({
  name: 'Trend',
  description: '',
  instruments: {},
  bars: [],
  parameters: { codec: t.type({ fast: t.number, mode: t.string }), defaults: { fast: 12, mode: 'calm' } },
  signal: () => ({ kind: 'neutral', reason: '', indicators: {} }),
}) as Strategy

describe('every setting, with where its value comes from', () => {
  it('is the default in an empty journal, and none is left out', async () => {
    const lines = accountSettings(await journal())
    expect(lines.map(({ name }) => name)).to.deep.equal(Object.keys(settings).filter((name) => !name.startsWith('strategies.')))
    for (const { value, default: usual, source, unit, range, why } of lines) {
      expect([value, source]).to.deep.equal([usual, 'default'])
      for (const text of [unit, range, why]) expect(text).to.be.a('string').and.not.equal('')
    }
  })

  it('names the commit that changed it last, and by whom', async () => {
    const configured = await journal(
      [by('c1', 'anna'), changed({ freshMinutes: 60, 'exposure.overall': 0.5 })],
      [{ kind: 'engine', reason: 'started' }, event('EngineStarted', { epoch: 1, mode: 'paper' })],
      [by('c3'), changed({ freshMinutes: 90 })],
    )
    const named = (name: string) => accountSettings(configured).find((line) => line.name === name)
    expect(named('freshMinutes')).to.deep.include({
      ...{ value: 90, default: 180, range: '1 to 1440', unit: 'minutes' },
      source: { position: 3, recordedAt: '2026-11-20T14:02:00.000Z', command: 'c3' },
    })
    expect(named('exposure.overall')!.source).to.deep.include({ position: 1, command: 'c1', actor: 'anna' })
    expect(configured.position).to.equal(3)
  })

  it('says of a setting that was put back to its default that somebody did so', async () => {
    const [line] = accountSettings(await journal([by('c1'), changed({ 'exposure.overall': 0.9 })]))
    expect(line).to.deep.include({ name: 'exposure.overall', value: 0.9, default: 0.9 })
    expect(line!.source).to.deep.include({ command: 'c1' })
  })

  it('shows who switched trading on or off last', async () => {
    expect((await journal()).trading).to.deep.include({ on: false, source: 'default' })
    const halted = event('TradingHalted', { reason: 'the news', publishedAt: '', cancelWorking: false })
    const { trading } = await journal([by('r1'), event('TradingResumed', { reason: 'checked' })], [by('h1', 'anna'), halted])
    expect(trading).to.deep.include({ on: false, reason: 'the news' })
    expect(trading.source).to.deep.include({ position: 2, actor: 'anna' })
  })

  it('has those of every strategy, its parameters with their own defaults, and of one that is gone what was set', async () => {
    const configured = await journal([
      by('c1'),
      changed({ 'strategies.trend.allocation': 0.5, 'strategies.trend.parameters.fast': 8, 'strategies.gone.parameters.slow': 3 }),
    ])
    expect(strategyIds({ trend }, configured)).to.deep.equal(['gone', 'trend'])
    const lines = strategySettings('trend', trend, configured)
    const of = (name: string) => lines.find((line) => line.name === `strategies.trend.${name}`)!
    expect([of('allocation').value, of('allocation').default]).to.deep.equal([0.5, 0])
    expect([of('parameters.fast').value, of('parameters.fast').default, of('parameters.fast').range]).to.deep.equal([8, 12, null])
    expect([of('parameters.mode').value, of('parameters.mode').source]).to.deep.equal(['calm', 'default'])
    const gone = strategySettings('gone', undefined, configured)
    expect(gone.find(({ name }) => name === 'strategies.gone.parameters.slow')).to.deep.include({ value: 3 })
  })
})

describe('every variable, with where its value comes from', () => {
  const lineOf = (given: Record<string, string>, name: string) => environmentLines(variables, given).find((line) => line.name === name)!

  it('is given, is the default, or is not set', () => {
    expect(lineOf({ PORT: '9000' }, 'PORT')).to.deep.include({ value: '9000', default: '8080', source: 'environment' })
    expect(lineOf({ PORT: ' ' }, 'PORT')).to.deep.include({ value: '8080', source: 'default' })
    expect(lineOf({}, 'FIRESTORE_DATABASE')).to.deep.include({ value: '(default)', source: 'default' })
    expect(lineOf({}, 'IB_ACCOUNT')).to.deep.include({ value: null, default: null, source: 'not set' })
    expect(lineOf({ PROJECT_ID: 'my-project' }, 'GOOGLE_CLOUD_PROJECT')).to.deep.include({ value: 'my-project', source: 'environment' })
    expect(environmentLines(variables, {})).to.have.length(Object.keys(variables).length)
  })

  it('shows no secret', () => {
    const meanings = { ALERT_WEBHOOK_URL: 'where', SMTP_URL: 'where', SOME_TOKEN: 'what', AUTH_JWKS: 'keys' }
    const given = { ALERT_WEBHOOK_URL: 'https://x/s3cr3t', SMTP_URL: 's3cr3t', SOME_TOKEN: 's3cr3t', AUTH_JWKS: 'https://a:s3cr3t@keys' }
    expect(environmentLines(meanings, given).map(({ value }) => value)).to.deep.equal(['***', '***', '***', 'https://***@keys'])
  })
})
