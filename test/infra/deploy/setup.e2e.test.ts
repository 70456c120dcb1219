/** ./setup, which asks for what is missing, writes .env, and starts the whole on one machine. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { viewDocuments } from '../../../domain/view-documents.ts'
import { hasTool, needs } from './images-tools.ts'
import { setupScript, setupWorld } from './setup-world.ts'

const user = 'gateway-user-wxyzzy'
const password = ` p# a=s$s\\w"o'rd!wxyzzy`
const checksums = { IB_GATEWAY_SHA256: 'a'.repeat(64), IBC_SHA256: 'b'.repeat(64) }
const real = { GATEWAY: 'real', ...checksums }
const account = { IB_USER: user, IB_PASSWORD: password }
const isQuestion = /\): ?$|: $/m

describe('./setup', function () {
  this.timeout(180_000)
  let machine: ReturnType<typeof setupWorld>
  beforeEach(() => {
    machine = setupWorld()
  })
  afterEach(() => machine.remove())

  const done = async (...given: Parameters<typeof machine.setup>) => {
    const ran = await machine.setup(...given)
    expect(ran.code, ran.errors).to.equal(0)
    expect(ran.out, 'all that it says is for people').to.equal('')
    return ran
  }

  it('in an empty folder, with nothing answered: the simulator, paper, one file, and all of it started', async () => {
    const { errors } = await done()
    const root = process.getuid?.() === 0
    expect(machine.settings()).to.deep.equal({
      ...{ GATEWAY: 'simulator', TRADING_MODE: 'paper', IB_PORT: '4002', IB_ACCOUNT: '', STORE: 'embedded', HTTP_PORT: '8080' },
      ...{ IBT_UID: root ? '10001' : String(process.getuid?.()), IBT_GID: root ? '10001' : String(process.getgid?.()) },
      ...{ IBT_FOLDER: machine.folder, COMPOSE_PROFILES: 'simulator' },
      COMPOSE_PROJECT_NAME: machine.settings()['COMPOSE_PROJECT_NAME'],
    })
    expect(machine.mode('.env')).to.equal('600')
    expect(machine.mode('secrets')).to.equal('700')
    expect(readdirSync(machine.folder).sort()).to.deep.equal(['.env', 'bars', 'data', 'gateway', 'secrets', 'strategies'])
    expect(machine.calls()).to.deep.equal(['docker compose build engine', 'docker compose up -d --remove-orphans'])
    expect(errors).to.contain('http://localhost:8080/docs').and.to.contain('publish resume')
  })

  it('says at its end where the account is to be seen: at addresses that the API has', async () => {
    const { errors } = await done({ ...real, ...account, TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321', HTTP_PORT: '8090' })
    const paths = [...errors.matchAll(/curl http:\/\/localhost:8090\/(\S+)/g)].map(([, path]) => path!)
    expect(paths).to.deep.equal(['readyz', 'documents/positions/live'])
    expect(viewDocuments('live').map((document) => `documents/${document}`)).to.include(paths[1])
  })

  it('of two folders with the same name are two projects of compose, so that neither takes the containers of the other', async () => {
    const names: (string | undefined)[] = []
    for (const place of ['here', 'there', 'here']) {
      const folder = join(machine.root, place, 'trading')
      await done({}, { args: ['--no-start', '--folder', folder] })
      names.push(/^COMPOSE_PROJECT_NAME=(.*)$/m.exec(readFileSync(join(folder, '.env'), 'utf8'))?.[1])
    }
    for (const name of names) expect(name, 'what compose allows').to.match(/^[a-z0-9][a-z0-9_-]+$/)
    expect(names[0]).to.equal(names[2]).and.not.equal(names[1])
  })

  it('run again, it asks nothing, changes nothing, and starts again', async () => {
    const variables = { ...real, ...account, IB_ACCOUNT: 'DU1234567', IB_RESTART_AT: '23:30', HTTP_PORT: '8090' }
    await done(variables)
    const [settings, secret] = [machine.text('.env'), machine.text('secrets/paper/ib_password')]
    machine.forget()
    const { errors } = await done()
    expect(errors).to.not.match(isQuestion)
    expect(machine.text('.env')).to.equal(settings)
    expect(machine.text('secrets/paper/ib_password')).to.equal(secret)
    expect(machine.calls().at(-1)).to.equal('docker compose up -d --remove-orphans')
  })

  it('writes .env for its owner alone, also where it was open before', async () => {
    await done()
    rmSync(join(machine.folder, '.env'))
    writeFileSync(join(machine.folder, '.env'), 'HTTP_PORT=8091\n', { mode: 0o644 })
    await done()
    expect(machine.mode('.env')).to.equal('600')
    expect(machine.settings()['HTTP_PORT']).to.equal('8091')
  })

  for (const shell of [['/bin/sh'], ['bash', '--posix']])
    it(`takes answers a line each, in ${shell.join(' ')}`, async () => {
      const answers = ['real', '', user, password, '23:30', checksums.IB_GATEWAY_SHA256, checksums.IBC_SHA256, 'emulators', '8090']
      await done(
        {},
        { answers, shell: shell[0] === 'bash' ? ['/usr/bin/env', `PATH=${process.env['PATH']}`, ...shell] : shell, args: ['--no-start'] },
      )
      expect(machine.settings()).to.include({
        ...{ GATEWAY: 'real', TRADING_MODE: 'paper', IB_PORT: '4002', IB_RESTART_AT: '23:30', HTTP_PORT: '8090', ...checksums },
        ...{ STORE: 'google', PUBSUB_EMULATOR_HOST: '127.0.0.1:8185', FIRESTORE_EMULATOR_HOST: '127.0.0.1:8181' },
        COMPOSE_PROFILES: 'gateway,emulators',
      })
      expect(machine.text('secrets/paper/ib_user')).to.equal(user)
      expect(machine.text('secrets/paper/ib_password'), 'every character of it').to.equal(password)
      expect([machine.mode('secrets/paper/ib_user'), machine.mode('secrets/paper/ib_password')]).to.deep.equal(['600', '600'])
      expect(machine.text('.env')).to.not.contain('wxyzzy')
      expect(machine.calls(), 'nothing is started').to.deep.equal([])
    })

  it('changes one answer by its variable, and keeps the others and what was added by hand', async () => {
    await done({ ...real, ...account, IB_ACCOUNT: 'DU1234567' })
    machine.write('.env', machine.text('.env').replace(/(?<=COMPOSE_PROJECT_NAME=).*/, 'mine'))
    machine.write('.env', `${machine.text('.env')}ALERT_MAIL_TO=me@example.org\n`)
    const before = machine.settings()
    await done({ HTTP_PORT: '8090' })
    expect(machine.settings()).to.deep.equal({ ...before, HTTP_PORT: '8090' })
    expect(machine.settings()['ALERT_MAIL_TO']).to.equal('me@example.org')
  })

  it('goes from paper to live only with an account of its own, and never back with that account', async () => {
    await done({ ...real, ...account, IB_ACCOUNT: 'DU1234567' })
    const live = { TRADING_MODE: 'live', IB_USER: 'live-user', IB_PASSWORD: 'another' }
    const refused = await machine.setup({ ...live, IB_ACCOUNT: 'DU1234567' })
    expect([refused.code, refused.errors]).to.deep.equal([1, "setup: IB_ACCOUNT: must be an account such as U7654321, got 'DU1234567'\n"])
    const asked = await machine.setup(live)
    expect([asked.code, asked.errors], 'that of paper does not count').to.deep.equal([
      ...[1, 'Account to trade, such as U7654321: \nsetup: IB_ACCOUNT: missing\n'],
    ])
    await done(live, { answers: ['U7654321'] })
    expect([machine.text('secrets/live/ib_user'), machine.text('secrets/paper/ib_user')], 'each has its own').to.deep.equal([
      'live-user',
      user,
    ])
    expect(machine.settings()).to.include({ TRADING_MODE: 'live', IB_PORT: '4001', IB_ACCOUNT: 'U7654321' })
    await done({ TRADING_MODE: 'paper' })
    expect(machine.settings()).to.include({ TRADING_MODE: 'paper', IB_PORT: '4002', IB_ACCOUNT: '' })
    await done({ TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321' })
    await done({ TRADING_MODE: 'paper', GATEWAY: 'simulator' })
    expect(machine.settings(), 'the simulator has an account of its own').to.include({ IB_ACCOUNT: '', COMPOSE_PROFILES: 'simulator' })
  })

  it('shows the secrets to nobody: no argument and no environment of a program that it calls, nothing on the screen', async function () {
    if (!existsSync('/proc/self/environ')) this.skip()
    const files = { IB_USER_FILE: join(machine.root, 'user'), IB_PASSWORD_FILE: join(machine.root, 'password') }
    writeFileSync(files.IB_USER_FILE, `${user}\n`)
    writeFileSync(files.IB_PASSWORD_FILE, `${password}\n`)
    const ways: [Record<string, string>, string[]][] = [
      [account, []],
      [files, []],
      [{}, [user, password]],
    ]
    for (const [variables, answers] of ways) {
      rmSync(machine.folder, { recursive: true, force: true })
      const { errors } = await done({ ...real, TRADING_MODE: 'paper', ...variables }, { answers })
      expect(machine.text('secrets/paper/ib_password')).to.equal(password)
      expect(machine.seen()).to.contain('up -d').and.to.contain('PATH=')
      expect(machine.seen(), Object.keys(variables).join()).to.not.contain('wxyzzy')
      expect(errors).to.not.contain('wxyzzy')
      expect(machine.text('.env')).to.not.contain('wxyzzy')
    }
  })

  it('gives compose what is in .env, not what the shell happens to have', async function () {
    if (!existsSync('/proc/self/environ')) this.skip()
    await done({ STORE: 'emulators', IB_PORT: '4009' })
    const [, ofDocker = ''] = machine.seen().split('up -d')
    expect(ofDocker).to.contain('COMPOSE_PROFILES=simulator,emulators')
    expect(ofDocker).to.not.match(/^(STORE|IB_PORT|IBT_UID)=/m)
    expect(machine.settings()).to.include({ STORE: 'google', IB_PORT: '4002' })
    await done({ STORE: 'embedded' })
    expect(machine.settings()).to.include({ STORE: 'embedded', COMPOSE_PROFILES: 'simulator' })
    expect(machine.settings()).to.not.have.any.keys('PUBSUB_EMULATOR_HOST', 'FIRESTORE_EMULATOR_HOST')
  })

  it('builds the image of the gateway, or takes the one that is named: here, or fetched', async () => {
    await done({ ...real, ...account })
    expect(machine.calls()[0]).to.equal('docker compose build engine gateway')
    for (const [image, fetched] of [
      ['registry.example.org/base:here', []],
      ['registry.example.org/base:away', ['docker pull registry.example.org/base:away']],
    ] as const) {
      rmSync(machine.folder, { recursive: true })
      machine.forget()
      await done({ GATEWAY: 'real', ...account, GATEWAY_IMAGE: image })
      expect(machine.calls().filter((call) => !call.startsWith('docker image'))).to.deep.equal([
        ...['docker compose build engine', ...fetched, 'docker compose up -d --remove-orphans'],
      ])
    }
    const nowhere = await machine.setup({ GATEWAY_IMAGE: 'base:nowhere' })
    expect(nowhere.code).to.equal(1)
    expect(nowhere.errors).to.contain('GATEWAY_IMAGE: base:nowhere is neither here')
  })

  it('uses the older docker-compose where there is no other, and without any says so and keeps the answers', async () => {
    machine.docker('docker', false)
    const none = await machine.setup({ HTTP_PORT: '8090' })
    expect(none.code).to.equal(1)
    expect(none.errors).to.match(/setup: docker: not found; .*\n$/)
    expect(machine.settings()['HTTP_PORT']).to.equal('8090')
    machine.docker('docker-compose', true)
    await done()
    expect(machine.calls()).to.deep.equal(['docker-compose build engine', 'docker-compose up -d --remove-orphans'])
  })

  it('names what is wrong in one line, and leaves .env as it was', async () => {
    await done({ ...real, ...account })
    const before = machine.text('.env')
    const wrong: [Record<string, string>, string][] = [
      [{ GATEWAY: 'fake' }, "GATEWAY: must be simulator or real, got 'fake'"],
      [{ TRADING_MODE: 'demo' }, "TRADING_MODE: must be paper or live, got 'demo'"],
      [{ TRADING_MODE: 'live', GATEWAY: 'simulator' }, 'TRADING_MODE: the simulator has no live mode'],
      [{ TRADING_MODE: 'live' }, 'IB_USER: missing'],
      [{ TRADING_MODE: 'live', ...account }, 'IB_ACCOUNT: missing'],
      [{ TRADING_MODE: 'live', ...account, IB_ACCOUNT: 'U7654321', STORE: 'emulators' }, 'STORE: live trading needs a store that keeps'],
      [{ IB_RESTART_AT: '25:00' }, "IB_RESTART_AT: must be a time of day such as 23:45, got '25:00'"],
      [{ IB_GATEWAY_SHA256: 'abc' }, "IB_GATEWAY_SHA256: must be 64 hexadecimal digits, got 'abc'"],
      [{ IB_USER: user, IB_USER_FILE: '/nowhere' }, 'IB_USER: IB_USER_FILE is set as well'],
      [{ IB_PASSWORD_FILE: '/nowhere' }, 'IB_PASSWORD_FILE: /nowhere cannot be read'],
      [{ STORE: 'file' }, "STORE: must be embedded or emulators, got 'file'"],
      [{ HTTP_PORT: '80a' }, "HTTP_PORT: must be a port, got '80a'"],
      [{ HTTP_PORT: '70000' }, "HTTP_PORT: must be a port, got '70000'"],
    ]
    for (const [variables, line] of wrong) {
      const { code, errors } = await machine.setup(variables)
      expect(code, line).to.equal(1)
      expect(errors.trimEnd().split('\n').at(-1)).to.contain(`setup: ${line}`)
      expect(errors).to.not.contain('wxyzzy')
      expect(machine.text('.env'), line).to.equal(before)
      expect(machine.has('.env.new')).to.equal(false)
    }
    const ofArguments: [string[], string][] = [
      [['--all'], 'setup: --all: unknown argument; --help says what is possible\n'],
      [['--folder'], 'setup: --folder: needs a directory\n'],
      [
        ['--folder', join(machine.root, 'two words')],
        `setup: --folder: no spaces or special characters, please: ${machine.root}/two words\n`,
      ],
    ]
    for (const [args, line] of ofArguments) expect((await machine.setup({}, { args })).errors).to.equal(line)
    expect((await machine.setup({}, { args: ['--help'] })).out)
      .to.contain('Usage: ./setup')
      .and.to.contain('IB_PASSWORD_FILE')
  })

  it('does not repeat an answer that does not fit: it may be the password, one line too early', async () => {
    const { code, errors } = await machine.setup(real, { answers: ['paper', user, '', password] })
    expect([code, errors.includes('setup: IB_PASSWORD: missing')]).to.deep.equal([1, true])
    const late = await machine.setup(real, { answers: ['paper', password, user, password] })
    expect([late.code, late.errors.trimEnd().split('\n').at(-1)?.split(': ').slice(-2).join(': ')]).to.deep.equal([
      1,
      'IB_RESTART_AT: must be a time of day such as 23:45',
    ])
    expect(errors + late.errors).to.not.contain('wxyzzy')
  })

  it('asks for a secret again when its file is removed', async () => {
    await done({ ...real, ...account })
    rmSync(join(machine.folder, 'secrets/paper/ib_password'))
    await done({}, { answers: ['another one'] })
    expect(machine.text('secrets/paper/ib_password')).to.equal('another one')
    expect(machine.text('secrets/paper/ib_user')).to.equal(user)
  })

  describe('at a terminal', () => {
    before(function () {
      needs(this, 'script')
      if (process.platform !== 'linux') this.skip() // elsewhere script has other arguments
    })
    const command = () => `${setupScript} --folder ${machine.folder} --no-start`

    it('asks, and the password is not to be seen', async () => {
      const at = machine.terminal(command())
      await at.answer('Gateway, simulator or real (simulator): ', 'real\n')
      await at.answer('Trading mode, paper or live (paper): ', 'live\n')
      await at.answer('User of Interactive Brokers: ', `${user}\n`)
      await at.answer('Its password (not shown): ', `${password}\n`)
      await at.answer('Account to trade, such as U7654321: ', 'U7654321\n')
      await at.answer('(23:45): ', '\n')
      await at.answer('installer; infra/deploy/images/README.md says how to get it: ', `${checksums.IB_GATEWAY_SHA256}\n`)
      await at.answer('Checksum (sha256) of IBC: ', `${checksums.IBC_SHA256}\n`)
      await at.answer('(embedded): ', '\n')
      await at.answer('(8080): ', '\n')
      expect(await at.ended(), at.screen()).to.equal(0)
      expect(at.screen(), 'what may be seen is').to.contain(user).and.to.contain('U7654321')
      expect(at.screen()).to.not.contain(password.trim()).and.to.not.contain('rd!wxyzzy')
      expect(machine.text('secrets/live/ib_password')).to.equal(password)
      expect(machine.settings()).to.include({ TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321', IB_RESTART_AT: '23:45' })

      const again = machine.terminal(command())
      expect(await again.ended(), again.screen()).to.equal(0)
      expect(again.screen(), 'asks nothing the second time').to.equal(
        `Written: ${machine.folder}/.env\r\nNot started; run it again without --no-start for that.\r\n`,
      )
    })

    it('left in the middle of the password (Ctrl-C): the terminal shows again what is typed, and nothing is written', async () => {
      expect(hasTool('stty')).to.equal(true)
      const at = machine.terminal(
        `/bin/sh -c 'trap : INT; "$0" --folder "$1" --no-start; echo "code $?"; stty -a' ${setupScript} ${machine.folder}`,
        { ...real, TRADING_MODE: 'paper', IB_USER: user },
      )
      await at.answer('Its password (not shown): ', 'half\x03')
      await at.ended()
      expect(at.screen()).to.contain('code 130')
      expect(at.screen())
        .to.match(/ echo /)
        .and.to.not.match(/ -echo /)
      expect(at.screen()).to.not.contain('half')
      expect(machine.has('.env')).to.equal(false)
      expect(machine.has('.env.new')).to.equal(false)
    })
  })
})
