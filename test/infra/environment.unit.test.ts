import { expect } from 'chai'
import { readEnvironment } from '../../infra/environment.ts'

const decoded = (given: Record<string, string>) => {
  const read = readEnvironment(given)
  if (!read.ok) throw new Error(read.problem)
  return read.value
}
const problemOf = (given: Record<string, string>) => {
  const read = readEnvironment(given)
  return read.ok ? undefined : read.problem
}

describe('the environment', () => {
  it('has a default for everything', () => {
    expect(decoded({})).to.deep.equal({
      mode: 'paper',
      dataDirectory: './data',
      store: { kind: 'embedded' },
      gateway: { host: '127.0.0.1', port: 4002, clientId: 17 },
      httpPort: 8080,
      logLevel: 'info',
    })
  })

  it('takes another default port in live mode', () => {
    expect(decoded({ TRADING_MODE: 'live' }).gateway.port).to.equal(4001)
    expect(decoded({ TRADING_MODE: 'live', IB_PORT: '7496' }).gateway.port).to.equal(7496)
  })

  it('takes what is set', () => {
    const given = {
      DATA_DIR: '/srv/ib',
      IB_HOST: 'gateway',
      IB_CLIENT_ID: '3',
      IB_ACCOUNT: 'DU1234567',
      STRATEGIES_DIR: 'mine',
      PORT: '80',
    }
    expect(decoded({ ...given, LOG_LEVEL: 'warn', PATH: '/bin' })).to.deep.equal({
      mode: 'paper',
      dataDirectory: '/srv/ib',
      store: { kind: 'embedded' },
      gateway: { host: 'gateway', port: 4002, clientId: 3, account: 'DU1234567' },
      strategiesDirectory: 'mine',
      httpPort: 80,
      logLevel: 'warn',
    })
  })

  it('takes an empty value for none', () => {
    expect(decoded({ IB_ACCOUNT: '', IB_PORT: ' ', TRADING_MODE: '', GOOGLE_CLOUD_PROJECT: '' })).to.deep.equal(decoded({}))
  })

  it('names where Cloud Scheduler keeps its jobs, and what stands in for it beside the emulators', () => {
    expect(decoded({ GCP_REGION: 'europe-west1' }).scheduler).to.deep.equal({ location: 'europe-west1' })
    const emulators = { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085', FIRESTORE_EMULATOR_HOST: '127.0.0.1:8080' }
    expect(decoded({ ...emulators, CLOUD_SCHEDULER_EMULATOR_HOST: '127.0.0.1:9' }).scheduler).to.deep.equal({ emulator: '127.0.0.1:9' })
    expect(problemOf({ GOOGLE_CLOUD_PROJECT: 'my-project-1', CLOUD_SCHEDULER_EMULATOR_HOST: '127.0.0.1:9' })).to.match(
      /^CLOUD_SCHEDULER_EMULATOR_HOST: stands only beside Google's emulators/,
    )
  })

  const wrong: [variable: string, value: string, says: RegExp][] = [
    ['GCP_REGION', 'Europe', /must be a region such as europe-west1/],
    ['CLOUD_SCHEDULER_EMULATOR_HOST', 'http://x', /must be host:port/],
    ['TRADING_MODE', 'Live', /must be paper or live, got "Live"/],
    ['IB_PORT', '0', /must be a whole number from 1 to 65535/],
    ['IB_PORT', '4002.5', /whole number/],
    ['IB_PORT', '0x10', /whole number/],
    ['IB_CLIENT_ID', '0', /from 1 to/],
    ['IB_BACKUP_HOST', 'http://other', /a host name or address/],
    ['IB_BACKUP_PORT', '0', /must be a whole number from 1 to 65535/],
    ['IB_RESTART_AT', '24:00', /a time of day in New York such as 23:45/],
    ['IB_CLIENT_ID', '2147483648', /from 1 to 2147483647/],
    ['IB_ACCOUNT', 'du1', /an account such as DU1234567/],
    ['IB_HOST', 'http://gateway', /a host name or address/],
    ['PORT', '65536', /whole number/],
    ['LOG_LEVEL', 'loud', /must be trace or debug/],
    ['STORE', 'sqlite', /must be embedded or google/],
    ['GOOGLE_CLOUD_PROJECT', 'My Project', /a project id such as/],
    ['FIRESTORE_DATABASE', 'UPPER', /a database such as/],
    ['PUBSUB_EMULATOR_HOST', 'http://localhost', /must be host:port/],
    ['PUBSUB_EMULATOR_HOST', 'localhost', /must be host:port/],
  ]
  for (const [variable, value, says] of wrong)
    it(`refuses ${variable}=${value} in one line that names it`, () => {
      const problem = problemOf({ [variable]: value })
      expect(problem)
        .to.match(new RegExp(`^${variable}: [^\n]*$`))
        .and.to.match(says)
    })

  it('takes the google store where a project or the emulators are named', () => {
    const project = { GOOGLE_CLOUD_PROJECT: 'my-project' }
    expect(decoded(project).store).to.deep.equal({ kind: 'google', project: 'my-project', database: '(default)' })
    expect(decoded({ PROJECT_ID: 'my-project', FIRESTORE_DATABASE: 'paper' }).store).to.deep.include({
      project: 'my-project',
      database: 'paper',
    })
    expect(decoded({ ...project, STORE: 'embedded' }).store).to.deep.equal({ kind: 'embedded' })
    const emulators = { PUBSUB_EMULATOR_HOST: '127.0.0.1:8085', FIRESTORE_EMULATOR_HOST: 'localhost:8080' }
    expect(decoded(emulators).store).to.deep.equal({
      kind: 'google',
      project: 'ib-trading',
      database: '(default)',
      emulators: { pubsub: '127.0.0.1:8085', firestore: 'localhost:8080' },
    })
    expect(decoded({ ...emulators, ...project }).store).to.deep.include({ project: 'my-project' })
    expect(decoded({ ...emulators, STORE: 'embedded' }).store).to.deep.equal({ kind: 'embedded' })
  })

  it('refuses half an emulator and a google store without a project', () => {
    expect(problemOf({ STORE: 'google' })).to.match(/^GOOGLE_CLOUD_PROJECT: /)
    expect(problemOf({ FIRESTORE_EMULATOR_HOST: 'localhost:8080' })).to.match(/^PUBSUB_EMULATOR_HOST: .*set both or none/)
    expect(problemOf({ PUBSUB_EMULATOR_HOST: 'localhost:8080', GOOGLE_CLOUD_PROJECT: 'my-project' })).to.match(/^FIRESTORE_EMULATOR_HOST: /)
  })

  it('takes a backup gateway that is another one, and the time of the nightly restart', () => {
    const backupOf = (given: Record<string, string>) => decoded(given).gateway.backup
    expect(backupOf({ IB_BACKUP_HOST: 'other', IB_BACKUP_PORT: '4003' })).to.deep.equal({ host: 'other', port: 4003 })
    expect(backupOf({ IB_BACKUP_HOST: 'other', IB_PORT: '7497' })).to.deep.equal({ host: 'other', port: 7497 })
    expect(backupOf({ IB_BACKUP_PORT: '4003', IB_HOST: 'gateway' })).to.deep.equal({ host: 'gateway', port: 4003 })
    expect(problemOf({ IB_BACKUP_HOST: '127.0.0.1' })).to.match(/^IB_BACKUP_HOST: .*127\.0\.0\.1:4002 is the first one itself$/)
    expect(problemOf({ IB_BACKUP_PORT: '4002' })).to.match(/^IB_BACKUP_PORT: /)
    expect(decoded({ IB_RESTART_AT: '23:45' }).gateway.restartAt).to.equal('23:45')
  })
})
