import { join } from 'node:path'
import { expect } from 'chai'
import { genesisHash } from '../../../domain/commit.ts'
import { event, toStored } from '../../../domain/events.ts'
import type { SettingLine } from '../../../infra/cli/settings.ts'
import { readEnvironment } from '../../../infra/environment.ts'
import { openData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { ibt, temporaryFolder } from './ibt.ts'

describe('ibt config', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  const DATA_DIR = join(folder.path, 'data')
  after(folder.remove)

  const configured = async () => {
    const read = readEnvironment({ DATA_DIR })
    if (!read.ok) throw new Error(read.problem)
    const data = await openData(read.value, readTopics())
    const changes = { freshMinutes: { from: 180, to: 90 }, 'strategies.dummy.allocation': { from: 0, to: 0.5 } }
    const recordedAt = '2026-11-20T14:31:00.000Z'
    await data.journal.append({
      ...{ position: 1, epoch: 1, recordedAt, previousHash: genesisHash },
      cause: { kind: 'command', id: 'c1', type: 'configure', publishedAt: recordedAt, source: 'cli', actor: 'anna' },
      events: toStored([event('ConfigurationChanged', { changes })], recordedAt),
    })
    await data.close()
  }

  it('shows the defaults before there is a journal, and makes none', async () => {
    const { code, out, errors } = await ibt(['config'], { DATA_DIR })
    expect([code, errors]).to.deep.equal([0, ''])
    expect(out).to.match(/^paper, .*paper\.sqlite, journal at position 0\ntrading is off: .* \(default\)\n/)
    expect(out).to.match(/^ {2}freshMinutes +180 +default\n {6}minutes, 1 to 1440: An account snapshot/m)
    expect(out).to.match(/^ {2}DATA_DIR +\S+ +environment$/m)
    expect((await ibt(['journal'], { DATA_DIR })).errors).to.contain('there is no store')
  })

  it('shows what was changed, where and by whom, in words and as data', async () => {
    await configured()
    const [text, json, one, none] = await Promise.all([
      ibt(['config'], { DATA_DIR, ALERT_WEBHOOK_URL: 'https://hooks.example.org/s3cr3t' }),
      ibt(['config', '--json'], { DATA_DIR }),
      ibt(['config', '--strategy', 'dummy', '--json'], { DATA_DIR }),
      ibt(['config', '--strategy', 'nobody'], { DATA_DIR }),
    ])
    expect(text.out).to.match(/^ {2}freshMinutes +90 +position 1, 2026-11-20T14:31:00Z, anna \(default 180\)$/m)
    expect(text.out).to.match(/^Strategy dummy\n/m)
    expect(text.out).to.not.contain('s3cr3t')
    const found = JSON.parse(json.out) as { settings: SettingLine[]; environment: object[]; position: number }
    expect(found.position).to.equal(1)
    expect(found.settings.filter(({ source }) => source !== 'default').map(({ name }) => name)).to.deep.equal(['freshMinutes'])
    expect(found.environment).to.not.deep.equal([])
    const { strategies } = JSON.parse(one.out) as { strategies: Record<string, SettingLine[]> }
    expect(Object.keys(strategies)).to.deep.equal(['dummy'])
    expect(strategies['dummy']!.find(({ name }) => name === 'strategies.dummy.allocation')).to.deep.include({
      ...{ value: 0.5, default: 0, range: '0 to 1' },
      source: { position: 1, recordedAt: '2026-11-20T14:31:00.000Z', command: 'c1', actor: 'anna' },
    })
    expect([none.code, none.errors]).to.deep.equal([
      1,
      'ibt: --strategy: there is no "nobody"; there are dummy, spymacdvixy, testsignalgenerator\n',
    ])
  })

  it('names a variable that is wrong without the secret that may be in it', async () => {
    const { code, errors } = await ibt(['config'], {
      DATA_DIR,
      AUTH_AUDIENCE: 'ibt',
      AUTH_ISSUER: 'https://i',
      AUTH_JWKS: 'ftp://anna:s3cr3t@keys',
    })
    expect(code).to.equal(1)
    expect(errors).to.match(/^ibt: AUTH_JWKS: .*ftp:\/\/\*\*\*@keys/)
  })
})
