/**
 * The start script of the gateway's image, against an IBC and an Xvfb that write down what they were given: their arguments, their
 * environment, the files that were rendered for them.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { until } from '../../contract/until.ts'
import { needs } from './images-tools.ts'

const script = resolve(import.meta.dirname, '../../../infra/deploy/images/base/start.sh')
const user = 'gateway-user-wxyzzy'
const password = 'p# a=ss\\w:ord!wxyzzy'

const isAlive = (id: number): boolean => {
  try {
    return process.kill(id, 0)
  } catch {
    return false
  }
}

describe("the start of the gateway's container", function () {
  this.timeout(180_000)
  let folder: string
  const running: ChildProcess[] = []
  const path = (...parts: string[]): string => join(folder, ...parts)
  const textOf = (...parts: string[]): string => readFileSync(path(...parts), 'utf8')
  const program = (name: string, body: string): void => {
    writeFileSync(path(name), `#!/bin/bash\n${body}\n`)
    chmodSync(path(name), 0o755)
  }

  /** What a process was given, as the kernel tells it to everybody who may look. */
  const recorder = (name: string): string =>
    `tr '\\0' '\\n' </proc/$$/cmdline >"${path(`${name}.arguments`)}"; tr '\\0' '\\n' </proc/$$/environ >"${path(`${name}.environment`)}"`

  before(function () {
    needs(this, 'flock')
    if (!existsSync('/proc/self/environ')) this.skip()
  })
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ibt-gateway-'))
    for (const name of ['bin', 'ibc/scripts', 'programs/ibgateway/1050/jars', 'settings', 'secrets'])
      mkdirSync(path(name), { recursive: true })
    program('bin/Xvfb', `echo $$ >"${path('xvfb.id')}"; ${recorder('xvfb')}\necho 7\nexec sleep 60`)
    // A disk, whatever the machine of the test has.
    program('bin/stat', '[[ -n "$KIND_OF_DISK" ]] || KIND_OF_DISK=ext2/ext3; echo "$KIND_OF_DISK"')
    program(
      'ibc/scripts/ibcstart.sh',
      `${recorder('ibc')}
tr '\\0' '\\n' </proc/$PPID/environ >"${path('starter.environment')}"
tr '\\0' '\\n' </proc/$PPID/cmdline >"${path('starter.arguments')}"
cp "${path('ibc.ini')}" "${path('seen.ini')}"
trap 'echo ended >"${path('ended')}"; exit 143' TERM
touch "${path('up')}"
[[ -z "\${CODE_OF_IBC:-}" ]] || exit "$CODE_OF_IBC"
while :; do sleep 0.05; done`,
    )
    writeFileSync(path('secrets/user'), `${user}\n`)
    writeFileSync(path('secrets/password'), `${password}\n`)
  })
  afterEach(async () => {
    for (const child of running.splice(0)) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit')
      process.kill(-child.pid!, 'SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true, force: true })
  })

  type Variables = Record<string, string | undefined>
  const files = (): Variables => ({ IB_USER_FILE: path('secrets/user'), IB_PASSWORD_FILE: path('secrets/password') })
  const start = (variables: Variables = files()) => {
    const child = spawn(script, [], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...{ PATH: `${path('bin')}:${process.env['PATH']}`, TWS_PATH: path('programs'), IBC_PATH: path('ibc') },
        ...{ TWS_SETTINGS_PATH: path('settings'), IBC_INI: path('ibc.ini'), ...variables },
      },
    })
    running.push(child)
    const said = { text: '' }
    for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (text) => (said.text += text))
    return { child, said }
  }
  const up = async (variables?: Variables) => {
    const started = start(variables)
    await until('IBC was started', () => existsSync(path('up')) || started.child.exitCode !== null)
    expect(started.child.exitCode, started.said.text).to.equal(null)
    return started
  }
  const ended = async ({ child, said }: ReturnType<typeof start>) => {
    if (child.exitCode === null) await once(child, 'close')
    return { code: child.exitCode, text: said.text }
  }
  const refused = async (variables: Variables) => {
    const { code, text } = await ended(start(variables))
    expect(existsSync(path('up')), 'IBC is not started').to.equal(false)
    expect(text.trim().split('\n'), 'one line').to.have.length(1)
    expect(code).to.equal(78)
    return text.trim()
  }
  const settingsOf = (text: string): Record<string, string> =>
    Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))

  it('renders what the environment says', async () => {
    await up({
      ...files(),
      ...{ TRADING_MODE: 'live', IB_RESTART_AT: '00:05', IB_COLD_RESTART_AT: '08:30', SECOND_FACTOR_TIMEOUT: '120' },
      SECOND_FACTOR_DEVICE: 'IB Key',
      ...{ EXISTING_SESSION_ACTION: 'primaryoverride', READ_ONLY_API: 'yes', TWS_VERSION: '10.50.1d' },
    })
    expect(settingsOf(textOf('ibc.ini'))).to.include({
      ...{ IbLoginId: user, IbPassword: 'p# a=ss\\\\w:ord!wxyzzy', TradingMode: 'live', OverrideTwsApiPort: '4001' },
      ...{ AutoRestartTime: '12:05 AM', ColdRestartTime: '08:30', SecondFactorAuthenticationTimeout: '120' },
      SecondFactorDevice: 'IB Key',
      ...{ ExistingSessionDetectedAction: 'primaryoverride', ReadOnlyApi: 'yes', IbDir: path('settings') },
      ...{ ReloginAfterSecondFactorAuthenticationTimeout: 'yes', CommandServerPort: '0' },
    })
    expect(settingsOf(textOf('settings/jts.ini'))).to.include({
      LocalServerPort: '4001',
      TrustedIPs: '127.0.0.1',
      TimeZone: 'America/New_York',
    })
    const [, ...given] = textOf('ibc.arguments').trim().split('\n')
    expect(given).to.deep.equal([
      ...[path('ibc/scripts/ibcstart.sh'), '1050', '-g', `--tws-path=${path('programs')}`, `--tws-settings-path=${path('settings')}`],
      ...[`--ibc-path=${path('ibc')}`, `--ibc-ini=${path('ibc.ini')}`, '--mode=live', '--on2fatimeout=restart'],
    ])
  })

  it('has usual values for all but the credentials: paper, 23:45, the version that is installed', async () => {
    await up({ ...files() })
    expect(settingsOf(textOf('ibc.ini'))).to.include({
      ...{ TradingMode: 'paper', OverrideTwsApiPort: '4002', AutoRestartTime: '11:45 PM', ColdRestartTime: '07:05', ReadOnlyApi: 'no' },
    })
    expect(textOf('ibc.arguments')).to.include('\n1050\n')
    expect(textOf('ibc.environment'), 'the display that Xvfb took').to.include('DISPLAY=:7\n')
  })

  it('shows the secrets to nobody: no argument, no environment of any process, no log, and one file that is its own', async () => {
    const ways: Variables[] = [
      files(),
      { IB_USER: user, IB_PASSWORD: password },
      { IB_USERNAME: user, IB_PASSWORD: password, LOG_PATH: path('logs') },
      { IB_USERNAME_FILE: path('secrets/user'), IB_PASSWORD: password },
    ]
    for (const variables of ways) {
      const started = await up(variables)
      await until('Xvfb was started', () => existsSync(path('xvfb.environment')))
      for (const name of ['ibc', 'xvfb', 'starter'])
        for (const what of ['arguments', 'environment']) {
          expect(textOf(`${name}.${what}`)).to.not.equal('')
          expect(textOf(`${name}.${what}`), `${what} of ${name}`).to.not.match(/wxyzzy|ss\\w/)
        }
      expect(textOf('starter.environment'), 'not even where they come from').to.not.match(/IB_(USER|PASSWORD)/)
      const others = readdirSync(folder, { recursive: true, encoding: 'utf8' })
        .map((name) => path(name))
        .filter((name) => statSync(name).isFile() && !name.startsWith(path('secrets')) && readFileSync(name, 'utf8').includes('wxyzzy'))
      expect(others.sort()).to.deep.equal([path('ibc.ini'), path('seen.ini')])
      expect(statSync(path('ibc.ini')).mode & 0o777).to.equal(0o600)
      const over = once(started.child, 'close')
      started.child.kill('SIGTERM')
      await over
      expect(started.said.text).to.not.include('wxyzzy')
      expect(existsSync(path('ibc.ini')), 'gone with the gateway').to.equal(false)
      for (const name of ['up', 'xvfb.environment', 'seen.ini']) rmSync(path(name))
    }
  })

  it('passes SIGTERM on to IBC, waits for it, and takes the display down', async () => {
    const started = await up()
    await until('Xvfb was started', () => existsSync(path('xvfb.environment')))
    const display = Number(textOf('xvfb.id'))
    expect(isAlive(display)).to.equal(true)
    started.child.kill('SIGTERM')
    const { code } = await ended(started)
    expect(code).to.equal(143)
    expect(existsSync(path('ended'))).to.equal(true)
    await until('the display is gone', () => !isAlive(display))
  })

  it('keeps what the gateway wrote to its own settings', async () => {
    writeFileSync(
      path('settings/jts.ini'),
      '[IBGateway]\nLocalServerPort=7\nMainWindow.Height=550\n[Logon]\nUserNameToDirectory=x,ab\nTimeZone=UTC\n[Communication]\nPeer=cdc1\n',
    )
    await up()
    expect(textOf('settings/jts.ini')).to.equal(
      [
        ...['[IBGateway]', 'LocalServerPort=4002', 'MainWindow.Height=550', 'WriteDebug=false', 'TrustedIPs=127.0.0.1', 'ApiOnly=true'],
        ...[
          '[Logon]',
          'UserNameToDirectory=x,ab',
          'TimeZone=America/New_York',
          'Locale=en',
          'displayedproxymsg=1',
          'UseSSL=true',
          's3store=true',
        ],
        ...['[Communication]', 'Peer=cdc1', ''],
      ].join('\n'),
    )
  })

  it('refuses a settings folder that is not on a disk, in one line, where the login needs a second factor', async () => {
    expect(await refused({ ...files(), TRADING_MODE: 'live', KIND_OF_DISK: 'tmpfs' })).to.match(
      /^gateway: TWS_SETTINGS_PATH: .* is not on a disk \(tmpfs\)/,
    )
    rmSync(path('bin/stat'))
    const memory = mkdtempSync('/dev/shm/ibt-gateway-')
    try {
      expect(await refused({ ...files(), TRADING_MODE: 'live', TWS_SETTINGS_PATH: memory })).to.include('not on a disk (tmpfs)')
    } finally {
      rmSync(memory, { recursive: true })
    }
    program('bin/stat', 'echo overlayfs')
    const { said } = await up({ ...files(), TRADING_MODE: 'paper' })
    await until('it is said', () => said.text.includes('is not on a disk (overlayfs)'))
  })

  it('refuses a settings folder that another gateway uses', async () => {
    await up()
    const second = start()
    const { code, text } = await ended(second)
    expect(code).to.equal(78)
    expect(text).to.include('another gateway uses')
  })

  it('names what is missing or wrong, in one line, and starts nothing', async () => {
    const wrong: [Variables, RegExp][] = [
      [{}, /IB_USER: missing/],
      [{ IB_USER: user }, /IB_PASSWORD: missing/],
      [{ ...files(), IB_PASSWORD: password }, /IB_PASSWORD: IB_PASSWORD_FILE is set as well/],
      [{ ...files(), IB_PASSWORD_FILE: path('nowhere') }, /IB_PASSWORD_FILE: .*nowhere cannot be read/],
      [{ IB_USER: 'ümlaut', IB_PASSWORD: password }, /IB_USER: only printable ASCII/],
      [{ IB_USER: user, IB_PASSWORD: 'two\nlines' }, /IB_PASSWORD: only printable ASCII/],
      [{ ...files(), TRADING_MODE: 'demo' }, /TRADING_MODE: must be one of paper live, got 'demo'/],
      [{ ...files(), TWS_VERSION: '1030' }, /TWS_VERSION: IB Gateway 1030 is not installed/],
      [{ ...files(), TWS_VERSION: 'latest' }, /TWS_VERSION: must be a major version/],
      [{ ...files(), IBC_PATH: path('programs') }, /IBC_PATH: there is no scripts\/ibcstart.sh/],
      [{ ...files(), TWS_SETTINGS_PATH: path('nowhere') }, /TWS_SETTINGS_PATH: .* is no folder/],
      [{ ...files(), TWS_SETTINGS_PATH: 'a b' }, /TWS_SETTINGS_PATH.*'a b' is no absolute path/],
      [{ ...files(), IB_RESTART_AT: '25:00' }, /IB_RESTART_AT: must be a time of day/],
      [{ ...files(), IB_COLD_RESTART_AT: '00:30' }, /IB_COLD_RESTART_AT: must be after 01:00/],
      [{ ...files(), SECOND_FACTOR_TIMEOUT_ACTION: 'ignore' }, /SECOND_FACTOR_TIMEOUT_ACTION: must be one of restart wait/],
      [{ ...files(), SECOND_FACTOR_TIMEOUT: 'long' }, /SECOND_FACTOR_TIMEOUT: must be a whole number/],
      [{ ...files(), IB_PORT: '4002x' }, /IB_PORT: must be a whole number/],
      [{ ...files(), EXISTING_SESSION_ACTION: 'fight' }, /EXISTING_SESSION_ACTION: must be one of/],
      [{ ...files(), READ_ONLY_API: 'true' }, /READ_ONLY_API: must be one of yes no/],
      [{ ...files(), SECOND_FACTOR_DEVICE: 'two\nlines' }, /SECOND_FACTOR_DEVICE: only printable ASCII/],
      [{ ...files(), RETRY_AFTER: '10m' }, /RETRY_AFTER: must be a whole number/],
    ]
    for (const [variables, line] of wrong) {
      const said = await refused(variables)
      expect(said).to.match(line)
      expect(said).to.not.include('wxyzzy')
    }
    mkdirSync(path('programs/ibgateway/1037/jars'), { recursive: true })
    expect(await refused(files())).to.include('holds 2 versions')
  })

  it('ends where there is no display, and takes the file with the secrets away', async () => {
    program('bin/Xvfb', 'exit 1')
    expect(await ended(start())).to.deep.equal({ code: 1, text: 'gateway: Xvfb has no display\n' })
    expect([existsSync(path('up')), existsSync(path('ibc.ini'))]).to.deep.equal([false, false])
  })

  it('wakes nobody twice when the second factor was not given and SECOND_FACTOR_TIMEOUT_ACTION is wait', async () => {
    const started = await up({ ...files(), SECOND_FACTOR_TIMEOUT_ACTION: 'wait', CODE_OF_IBC: '87' })
    await until('it says so', () => started.said.text.includes('restart the container when you have your phone at hand'))
    expect(settingsOf(textOf('seen.ini'))['ReloginAfterSecondFactorAuthenticationTimeout']).to.equal('no')
    expect(textOf('ibc.arguments')).to.include('--on2fatimeout=exit')
    expect(started.child.exitCode).to.equal(null)
    started.child.kill('SIGTERM')
    expect((await ended(started)).code).to.equal(87)
  })

  it("ends with IBC's own code when IBC ends", async () => {
    const started = start({ ...files(), CODE_OF_IBC: '4', RETRY_AFTER: '0' })
    expect((await ended(started)).code).to.equal(4)
  })

  it('holds back after a start that failed, so that whatever restarts containers does not lock the user, and still ends when told to', async () => {
    const started = await up({ ...files(), CODE_OF_IBC: '4' })
    await until('it says so', () => /IBC ended with 4 after \d+ s; nothing is tried again for 600 s/.test(started.said.text))
    expect(started.child.exitCode).to.equal(null)
    started.child.kill('SIGTERM')
    expect((await ended(started)).code).to.equal(4)
    expect(existsSync(path('ibc.ini')), 'the file with the secrets is gone').to.equal(false)
  })
})
