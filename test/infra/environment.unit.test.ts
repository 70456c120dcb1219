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
      access: { corsOrigins: [], requestsPerMinute: 600 },
      logLevel: 'info',
      logging: { format: 'plain' },
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
      access: { corsOrigins: [], requestsPerMinute: 600 },
      logLevel: 'warn',
      logging: { format: 'plain' },
    })
  })

  it('takes a folder or a bucket for bars, and nothing else', () => {
    expect(decoded({ BARS_DIR: '/srv/bars' }).barsDirectory).to.equal('/srv/bars')
    expect(decoded({ BARS_DIR: 'gs://my-bars/here/' }).barsDirectory).to.equal('gs://my-bars/here/')
    for (const wrong of ['s3://bars', 'gs://', 'gs://B', 'https://storage.googleapis.com/bars'])
      expect(problemOf({ BARS_DIR: wrong })).to.match(/^BARS_DIR: must be a folder or gs:\/\/bucket\/prefix, got "/)
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
    ['LOG_FORMAT', 'json', /must be plain or cloud/],
    ['LOG_FILES_KEPT', '1', /from 2 to 3650/],
    ['RATE_LIMIT', '0', /from 1 to/],
    ['CORS_ORIGINS', '*', /a list of origins such as/],
    ['CORS_ORIGINS', 'https://a.example.org/', /got "https:\/\/a\.example\.org\/"/],
    ['AUTH_GOOGLE_EMAILS', 'anna@example.org', /a list such as anna@example\.org:admin/],
    ['AUTH_GOOGLE_EMAILS', 'anna@example.org:root', /the role of anna@example\.org must be viewer, trader, admin/],
    ['AUTH_GOOGLE_EMAILS', 'a@b:admin, A@b:viewer', /A@b is named twice/],
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

  it('writes the log for Cloud Logging where the store is Google, unless it is told otherwise, and into a file when asked', () => {
    const google = { GOOGLE_CLOUD_PROJECT: 'my-project' }
    expect(decoded(google).logging).to.deep.equal({ format: 'cloud' })
    expect(decoded({ ...google, LOG_FORMAT: 'plain' }).logging).to.deep.equal({ format: 'plain' })
    expect(decoded({ LOG_FORMAT: 'cloud', LOG_FILE: '/var/log/ibt.log' }).logging).to.deep.equal({
      format: 'cloud',
      file: { path: '/var/log/ibt.log', kept: 14 },
    })
    expect(decoded({ LOG_FILE: 'a', LOG_FILES_KEPT: '30' }).logging?.file?.kept).to.equal(30)
  })

  it('names who may ask', () => {
    const google = { AUTH_AUDIENCE: 'https://a, https://b', AUTH_GOOGLE_EMAILS: 'Anna@example.org:admin, bert@example.org:viewer,' }
    expect(decoded({ ...google, RATE_LIMIT: '60', CORS_ORIGINS: 'https://desk.example.org,http://localhost:3000' }).access).to.deep.equal({
      identity: { audience: ['https://a', 'https://b'], google: { 'anna@example.org': 'admin', 'bert@example.org': 'viewer' } },
      ...{ requestsPerMinute: 60, corsOrigins: ['https://desk.example.org', 'http://localhost:3000'] },
    })
    const own = { AUTH_AUDIENCE: 'ibt', AUTH_ISSUER: 'https://issuer.example.org/', AUTH_JWKS: 'https://issuer.example.org/keys' }
    expect(decoded(own).access?.identity).to.deep.equal({
      audience: ['ibt'],
      own: { issuer: 'https://issuer.example.org/', keys: 'https://issuer.example.org/keys', roleClaim: 'role' },
    })
    const both = decoded({ ...google, ...own, AUTH_ROLE_CLAIM: 'realm_access.roles' }).access?.identity
    expect(both).to.have.all.keys('audience', 'google', 'own')
    expect(both?.own?.roleClaim).to.equal('realm_access.roles')
  })

  it('does not take half a door for a door', () => {
    const own = { AUTH_ISSUER: 'https://issuer.example.org', AUTH_JWKS: '/etc/ibt/keys.json' }
    const halves: [given: Record<string, string>, says: RegExp][] = [
      [{ AUTH_AUDIENCE: 'ibt' }, /^AUTH_GOOGLE_EMAILS: AUTH_AUDIENCE is set and no issuer is/],
      [own, /^AUTH_AUDIENCE: an issuer of tokens is set and this is not/],
      [{ AUTH_GOOGLE_EMAILS: 'anna@example.org:admin' }, /^AUTH_AUDIENCE: /],
      [{ AUTH_AUDIENCE: 'ibt', AUTH_ISSUER: own.AUTH_ISSUER }, /^AUTH_JWKS: AUTH_ISSUER is set and this is not/],
      [{ AUTH_AUDIENCE: 'ibt', AUTH_JWKS: own.AUTH_JWKS }, /^AUTH_ISSUER: AUTH_JWKS is set and this is not/],
      [{ AUTH_ROLE_CLAIM: 'groups' }, /^AUTH_ISSUER: AUTH_ROLE_CLAIM is set and this is not/],
      [{ ...own, AUTH_AUDIENCE: 'ibt', AUTH_JWKS: 'http://issuer.example.org/keys' }, /^AUTH_JWKS: must be an address with https/],
      [{ ...own, AUTH_AUDIENCE: 'ibt', AUTH_JWKS: 'http://127.0.0.1.example.org/keys' }, /^AUTH_JWKS: must be an address with https/],
      [{ ...own, AUTH_AUDIENCE: 'ibt', AUTH_JWKS: 'ftp://issuer.example.org/keys' }, /^AUTH_JWKS: must be an address with https/],
    ]
    for (const [given, says] of halves) expect(problemOf(given)).to.match(says)
    expect(problemOf({ ...own, AUTH_AUDIENCE: 'ibt', AUTH_JWKS: 'http://localhost:9000/keys' })).to.equal(undefined)
  })

  it('names where alerts go, and never what is secret in it', () => {
    const mail = { ALERT_SMTP_URL: 'smtp://anna:secret@mail.example.org:587', ALERT_MAIL_TO: 'anna@example.org, bob@example.org' }
    expect(decoded({}).alerts).to.equal(undefined)
    expect(decoded({ ...mail, ALERT_WEBHOOK_URL: 'https://hooks.example.org/T0' }).alerts).to.deep.equal({
      webhook: 'https://hooks.example.org/T0',
      mail: { url: mail.ALERT_SMTP_URL, to: ['anna@example.org', 'bob@example.org'], from: 'anna@example.org' },
    })
    expect(decoded({ ...mail, ALERT_MAIL_FROM: 'engine@example.org' }).alerts?.mail?.from).to.equal('engine@example.org')
    expect(problemOf({ ALERT_MAIL_TO: 'anna@example.org' })).to.match(/^ALERT_SMTP_URL: ALERT_MAIL_TO is set and this is not/)
    expect(problemOf({ ALERT_SMTP_URL: mail.ALERT_SMTP_URL })).to.match(/^ALERT_MAIL_TO: /)
    expect(problemOf({ ...mail, ALERT_MAIL_TO: 'anna' })).to.match(/^ALERT_MAIL_TO: must be mail addresses/)
    const secret = problemOf({ ...mail, ALERT_SMTP_URL: 'mail.example.org/secret' })
    expect(secret)
      .to.match(/^ALERT_SMTP_URL: must be an address that begins with smtp/)
      .and.not.contain('secret')
  })
})
