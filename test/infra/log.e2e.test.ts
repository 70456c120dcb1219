/** The log as a reader has it: lines of a process of its own, on standard error and in files. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Environment } from '../../infra/environment.ts'
import { secretsIn } from '../../infra/log.ts'
import { until } from '../contract/until.ts'
import { begin } from './cli/ibt.ts'

type Line = Record<string, unknown>
type Settings = Pick<Environment, 'logLevel' | 'logging' | 'store'>
const plain: Settings = { logLevel: 'info', logging: { format: 'plain' }, store: { kind: 'embedded' } }
const cloud: Settings = {
  ...plain,
  logging: { format: 'cloud' },
  store: { kind: 'google', project: 'my-project-1', database: '(default)' },
}

/** Runs a piece of a program that says something to `log`. */
const said = async (settings: Settings, program: string, variables: Record<string, string> = {}) => {
  const log = new URL('../../infra/log.ts', import.meta.url).href
  const code = `const { openProcessLog } = await import('${log}'); const log = await openProcessLog(${JSON.stringify(settings)}); ${program}`
  const env = { PATH: process.env['PATH'] ?? '', ...variables }
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  await once(child, 'close')
  const lines = () =>
    errors
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Line)
  return { errors, lines, code: child.exitCode }
}

describe('the log', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'ibt-log-'))
  after(() => rmSync(folder, { recursive: true }))

  it('is a line of JSON each, from its level on', async () => {
    const { lines } = await said(plain, `log.debug({}, 'not this'); log.info({ command: 'c1', correlationId: 'k1' }, '100 % done')`)
    const [line, ...others] = lines()
    expect(others).to.deep.equal([])
    expect(line).to.deep.include({ level: 30, command: 'c1', correlationId: 'k1', msg: '100 % done' })
    expect(line!['time']).to.be.a('number')
  })

  it('has the fields of Cloud Logging where it is read there, and the trace of the request', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const { lines } = await said(
      cloud,
      `for (const level of ['info', 'warn', 'error']) log[level]({ correlationId: '${trace}', stack: 'Error: at' }, level); log.info({ correlationId: 'k1' }, 'none')`,
    )
    expect(lines().map(({ severity, message }) => [severity, message])).to.deep.equal([
      ...[
        ['INFO', 'info'],
        ['WARNING', 'warn'],
      ],
      ...[
        ['ERROR', 'error'],
        ['INFO', 'none'],
      ],
    ])
    const [first, , third, last] = lines()
    expect(first!['time']).to.match(/^\d{4}-\d\d-\d\dT.*Z$/)
    expect(first!['logging.googleapis.com/trace']).to.equal(`projects/my-project-1/traces/${trace}`)
    expect(third!['stack_trace']).to.equal('Error: at')
    expect(last).to.not.have.property('logging.googleapis.com/trace')
    expect(last).to.not.have.any.keys('level', 'msg')
  })

  it('hides what looks like a credential, in texts, fields and errors', async () => {
    const secret = 'https://post.example.org/x/8fj2kd'
    for (const settings of [plain, cloud]) {
      const { errors, lines } = await said(
        settings,
        `const err = Object.assign(new Error('to https://anna:s3cr3t@example.org'), { headers: { authorization: 'abc-s3cr3t' } })
         log.error({ err, attributes: { Authorization: 'Bearer s3cr3t-s3cr3t' }, url: '/x?token=s3cr3t' }, 'Bearer s3cr3t.s3cr3t, and ${secret}')`,
        { ALERT_WEBHOOK_URL: secret },
      )
      expect(errors).to.not.contain('s3cr3t').and.to.not.contain('8fj2kd')
      const [line] = lines()
      expect(line!['attributes']).to.deep.equal({ Authorization: '***' })
      expect(line!['err']).to.deep.include({ type: 'Error', message: 'to https://***@example.org', headers: { authorization: '***' } })
      expect((line!['err'] as Line)['stack']).to.contain('at ')
    }
  })

  it('takes from the environment what is secret by its name, and nothing so short that it would be everywhere', () => {
    expect(
      secretsIn({ SMTP_URL: 'smtp://anna:s3cr%40t-pass@mail', SLACK_TOKEN: 'abc', HOME: '/home/anna', AUTH_JWKS: '/keys.json' }),
    ).to.deep.equal(['smtp://anna:s3cr%40t-pass@mail', 's3cr@t-pass'])
    expect(secretsIn({ SMTP_URL: 'smtp://anna:100%s3cr3t@mail' })).to.include('100%s3cr3t')
  })

  const today = () => {
    const now = new Date()
    return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('-')
  }
  const inFile = (name: string, kept = 14): Settings => ({
    ...plain,
    logging: { format: 'plain', file: { path: join(folder, name), kept } },
  })

  it('goes into the file of the day too, and a second process goes on there', async () => {
    const settings = inFile('new/ibt.log')
    const first = await said(settings, `log.info({}, 'one')`)
    await said(settings, `log.info({ token: 's3cr3t' }, 'two')`)
    expect(first.lines().map(({ msg }) => msg)).to.deep.equal(['one'])
    expect(readdirSync(join(folder, 'new'))).to.deep.equal([`ibt.${today()}.1.log`])
    const lines = readFileSync(join(folder, 'new', `ibt.${today()}.1.log`), 'utf8')
      .trim()
      .split('\n')
    expect(lines.map((line) => (JSON.parse(line) as Line)['msg'])).to.deep.equal(['one', 'two'])
    expect(lines[1]).to.not.contain('s3cr3t')
  })

  it('loses no line of a process that dies', async () => {
    const dying = await said(inFile('dying/ibt'), `log.error({}, 'the last word'); process.kill(process.pid, 'SIGKILL')`)
    expect(dying.code).to.equal(null)
    expect(readFileSync(join(folder, 'dying', `ibt.${today()}.1.log`), 'utf8')).to.contain('the last word')
  })

  it('keeps so many files, and touches no others', async () => {
    const place = join(folder, 'old')
    mkdirSync(place)
    const old = ['2026-01-01.1', '2025-12-31.1', '2026-01-02.1', '2026-01-03.1'].map((day) => `ibt.${day}.log`)
    for (const file of [...old, 'ibt.log', 'ibt.notes.txt', 'other.2026-01-01.1.log']) writeFileSync(join(place, file), '')
    await said(inFile('old/ibt.log', 3), `log.info({}, 'x')`)
    expect(readdirSync(place).sort()).to.deep.equal(
      ['ibt.2026-01-02.1.log', 'ibt.2026-01-03.1.log', `ibt.${today()}.1.log`, 'ibt.log', 'ibt.notes.txt', 'other.2026-01-01.1.log'].sort(),
    )
  })

  it('is what ibt start writes, in the way the environment asks for', async () => {
    const file = join(folder, 'start', `ibt.${today()}.1.log`)
    const running = begin(['start', '--role', 'api'], {
      ...{ DATA_DIR: join(folder, 'data'), PORT: '0', LOG_FORMAT: 'cloud', LOG_FILE: join(folder, 'start', 'ibt.log') },
    })
    await until('it is served', () => running.errors().includes('HTTP is served') || running.child.exitCode !== null, 60_000)
    const { code, errors } = await running.stop()
    expect(code, errors).to.equal(0)
    const written = readFileSync(file, 'utf8')
    expect(written).to.equal(errors)
    const lines = written
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    expect(lines.map(({ severity }) => severity)).to.include.members(['INFO', 'WARNING'])
    expect(lines.map(({ message }) => message)).to.include('starting')
  })

  it('says in one line that its file cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '')
    const { code, errors } = await said(inFile('file/ibt.log'), '')
    expect(code).to.equal(1)
    expect(errors).to.match(/Error: LOG_FILE: .*file\/ibt\.log cannot be written: /)
  })
})
