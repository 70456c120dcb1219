/**
 * The machine of its own: what cloud-init.yaml becomes when its names are filled in. Its scripts are run against a disk and a Secret Manager
 * that write down what they are asked; its units are held against the files that they name.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { variables as known } from '../../../infra/environment.ts'
import { rendered } from './cloud-world.ts'
import { hasTool, needs, run, skipFor } from './images-tools.ts'

const file = resolve(import.meta.dirname, '../../../infra/deploy/vm/cloud-init.yaml')
const imageOf = (name: string, digit: string): string =>
  `us-east1-docker.pkg.dev/my-trading-1/ib-trading/${name}@sha256:${digit.repeat(64)}`
const live = {
  ...{ TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321', FIRESTORE_DATABASE: 'live', SECRET_NAME: 'ib-live' },
  ...{ BASE_IMAGE: imageOf('base', '1'), APPLICATION_IMAGE: imageOf('application', '2') },
}
const alerts = { ALERT_WEBHOOK: 'yes', ALERT_MAIL_TO: 'anna@example.org,ben@example.org', ALERT_MAIL_FROM: 'ib@example.org' }
const told = await rendered(file, { ...live, ...alerts })
const untold = await rendered(file, live)

type WrittenFile = { path: string; permissions: string; content: string }
const machine = parse(told) as { write_files: WrittenFile[]; runcmd: string[][] }
const contentOf = (path: string): string => {
  const found = machine.write_files.find((file) => file.path === path)
  if (found === undefined) throw new Error(`${path} is not written; there are ${machine.write_files.map((file) => file.path).join(', ')}`)
  return found.content
}
const scripts = machine.write_files.filter(({ path }) => path.endsWith('.sh'))
const units = machine.write_files.filter(({ path }) => path.endsWith('.service'))
const variablesOf = (path: string): Record<string, string> =>
  Object.fromEntries([...contentOf(path).matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]))
/** Continued lines as one; of a name that stands there more than once, each. */
const settingsOf = (path: string, name: string): string[] =>
  [
    ...contentOf(path)
      .replace(/\\\n\s*/g, '')
      .matchAll(new RegExp(`^${name}=(.*)$`, 'gm')),
  ].map(([, value]) => value!)
const gateway = '/etc/systemd/system/ib-gateway.service'
const engine = '/etc/systemd/system/ib-engine.service'

describe('the machine of its own', function () {
  this.timeout(180_000)
  let folder: string
  const path = (name: string): string => join(folder, name)
  const program = (name: string, body: string): void => {
    const told = `{ printf '%s' "$(basename "$0")"; for word; do printf ' %s' "$word"; done; echo; } >>"${path('calls')}"`
    writeFileSync(path(`bin/${name}`), `#!/bin/bash\n${told}\n${body}\n`)
    chmodSync(path(`bin/${name}`), 0o755)
  }
  const calls = (): string[] => (existsSync(path('calls')) ? readFileSync(path('calls'), 'utf8').trimEnd().split('\n') : [])
  /** A script of the machine, with the places that it has there replaced by places of the test. */
  const play = (script: string, places: readonly (readonly [string, string])[], env: Record<string, string> = {}, args: string[] = []) => {
    let text = contentOf(script)
    for (const [there, here] of places) {
      expect(text).to.contain(there)
      text = text.replaceAll(there, here)
    }
    writeFileSync(path('script.sh'), text)
    return run('bash', [path('script.sh'), ...args], { env: { PATH: `${path('bin')}:${process.env['PATH']}`, ...env } })
  }
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'ibt-machine-'))
    mkdirSync(path('bin'))
    // It makes folders as they were asked for; whose they are is written down.
    program('install', 'for place; do case $place in /*) mkdir -p "$place" && chmod 0700 "$place" ;; esac; done')
    program('chown', '')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is a cloud-config whose every name is filled in, and none of them is forgotten', () => {
    const template = readFileSync(file, 'utf8')
    expect([template, told].map((text) => text.split('\n')[0])).to.deep.equal(['#cloud-config', '#cloud-config'])
    expect(template.match(/\$\{[A-Z_]+\}/g)).to.have.length.greaterThan(15)
    for (const text of [told, untold]) expect(text).to.not.match(/\$\{[A-Z_]+\}|only with/)
    expect(Object.keys(machine)).to.have.members(['write_files', 'runcmd'])
    expect(machine.write_files.map(({ permissions }) => permissions)).to.satisfy((all: string[]) =>
      all.every((mode) => /^0[0-7]{3}$/.test(mode)),
    )
  })

  it('has scripts in which shellcheck finds nothing, and finds what is planted', async function () {
    needs(this, 'shellcheck')
    expect(scripts).to.have.length(2)
    for (const { path: place, content } of scripts) {
      expect((await run('shellcheck', ['-'], { input: content })).out, place).to.equal('')
      expect((await run('shellcheck', ['-'], { input: `${content}\nrm -rf $planted/*\n` })).code, place).to.equal(1)
    }
  })

  describe('the disk', () => {
    const places = (): [string, string][] => [
      ['/dev/disk/by-id/google-ib-live-settings', path('disk')],
      ['-b "$disk"', '-e "$disk"'], // a block device
      ['/mnt/disks/ib-trading', path('place')],
    ]
    const prepare = (env: Record<string, string>) => play('/etc/ib-trading/disk.sh', places(), { MOUNTPOINT: '1', FSCK: '0', ...env })
    beforeEach(() => {
      program('blkid', 'exit "$BLKID"')
      program('mkfs.ext4', '')
      program('mountpoint', 'exit "$MOUNTPOINT"')
      program('fsck.ext4', 'exit "$FSCK"')
      program('mount', '')
      writeFileSync(path('disk'), '')
    })
    const made = (): string[] => calls().filter((call) => /^(mkfs|fsck|mount )/.test(call))
    const [format, check, mount] = [
      () => `mkfs.ext4 -q -m 0 ${path('disk')}`,
      () => `fsck.ext4 -p ${path('disk')}`,
      () => `mount -o nodev,nosuid ${path('disk')} ${path('place')}`,
    ]

    it('that is blank is formatted, mounted, and given to the two containers', async () => {
      expect(await prepare({ BLKID: '2' })).to.include({ code: 0, errors: '' })
      expect(made()).to.deep.equal([format(), check(), mount()])
      for (const name of ['place/gateway', 'place/data']) expect(statSync(path(name)).mode & 0o777).to.equal(0o700)
      expect(calls().at(-1)).to.contain('-o 10001 -g 10001 -m 0700')
    })

    it('that holds something is never formatted: known, it is mounted; not understood, it is left alone', async () => {
      expect((await prepare({ BLKID: '0' })).code).to.equal(0)
      expect((await prepare({ BLKID: '0', FSCK: '1' })).code, 'put right').to.equal(0)
      expect(made()).to.deep.equal([check(), mount(), check(), mount()])
      rmSync(path('calls'))
      expect(await prepare({ BLKID: '8' })).to.include({
        ...{ code: 1, errors: `disk: ${path('disk')} holds something that is not understood (blkid: 8)\n` },
      })
      expect((await prepare({ BLKID: '0', FSCK: '4' })).code, 'broken').to.not.equal(0)
      expect(made()).to.deep.equal([check()])
    })

    it('that is mounted already stays so; one that is missing stops the start', async () => {
      expect((await prepare({ BLKID: '0', MOUNTPOINT: '0' })).code).to.equal(0)
      expect(made()).to.deep.equal([])
      rmSync(path('disk'))
      expect(await prepare({ BLKID: '2' })).to.include({ code: 1, errors: `disk: ${path('disk')} is not attached\n` })
      expect(made()).to.deep.equal([])
    })
  })

  describe('the secrets', () => {
    const token = 'token-of-the-machine-wxyzzy'
    const secrets: Record<string, string> = { 'ib-live-userid': 'userwxyzzy', 'ib-live-password': 'p# a=ss\\w:ord!wxyzzy' }
    const fetchAll = (whose = 'gateway') => play('/etc/ib-trading/secrets.sh', [['/run/ib-trading', path('memory')]], {}, [whose])
    const serve = (given: Record<string, string>): void => {
      const answers = Object.entries(given).map(([name, value]) => {
        // As Secret Manager answers: on several lines, in base64.
        const body = `{\n  "name": "x",\n  "payload": {\n    "data": "${Buffer.from(value).toString('base64')}",\n    "dataCrc32c": "1"\n  }\n}`
        return `*/secrets/${name}/versions/latest:access*) [[ "$(cat)" == "Authorization: Bearer ${token}" ]] || exit 22; cat <<'JSON'\n${body}\nJSON\n;;`
      })
      program(
        'curl',
        `tr '\\0' '\\n' </proc/$$/environ >>"${path('environment')}" 2>/dev/null || :
case "$*" in
*metadata.google.internal*) [[ "$*" == *'Metadata-Flavor: Google'* ]] || exit 22; echo '{"access_token":"${token}","expires_in":3599,"token_type":"Bearer"}' ;;
${answers.join('\n')}
*) echo "curl: (22) The requested URL returned error: 403" >&2; exit 22 ;;
esac`,
      )
    }

    it('come into memory as files of the container alone; neither they nor the token are an argument or in an environment', async () => {
      serve(secrets)
      expect(await fetchAll()).to.deep.equal({ code: 0, out: '', errors: '' })
      expect(readFileSync(path('memory/secrets/ib_user'), 'utf8')).to.equal(secrets['ib-live-userid'])
      expect(readFileSync(path('memory/secrets/ib_password'), 'utf8')).to.equal(secrets['ib-live-password'])
      for (const name of ['ib_user', 'ib_password']) {
        expect(statSync(path(`memory/secrets/${name}`)).mode & 0o777).to.equal(0o400)
        expect(calls()).to.include(`chown 10001:10001 ${path(`memory/secrets/${name}`)}`)
      }
      expect(calls().filter((call) => call.startsWith('curl'))).to.have.length(4)
      expect(calls().join('\n')).to.contain('/v1/projects/my-trading-1/secrets/ib-live-password/versions/latest:access')
      expect(calls().join('\n')).to.not.contain('wxyzzy')
      if (existsSync('/proc/self/environ'))
        expect(readFileSync(path('environment'), 'utf8'))
          .to.contain('PATH=')
          .and.to.not.contain('wxyzzy')
    })

    it('that may not be read, or are empty, stop the start of the gateway with their name', async () => {
      serve({ 'ib-live-userid': 'userwxyzzy' })
      const forbidden = await fetchAll()
      expect(forbidden.code).to.not.equal(0)
      expect(forbidden.errors).to.contain('403')
      rmSync(path('memory'), { recursive: true })
      serve({ ...secrets, 'ib-live-password': '' })
      expect(await fetchAll()).to.include({ code: 1, errors: 'secrets: ib-live-password is empty\n' })
    })

    it('of the alerts become variables of the engine: in memory, for root alone, and not among those of the gateway', async () => {
      const addresses = { webhook: 'https://hooks.example.org/a?b=c&d=wxyzzy', smtp: 'smtp://ib:p%40ss=wxyzzy@smtp.example.org:587' }
      serve({ 'ib-live-alert-webhook': addresses.webhook, 'ib-live-alert-smtp': `${addresses.smtp}\n` })
      for (const _ of ['first start', 'again']) expect(await fetchAll('engine')).to.deep.equal({ code: 0, out: '', errors: '' })
      expect(readFileSync(path('memory/alerts.env'), 'utf8')).to.equal(
        `ALERT_WEBHOOK_URL=${addresses.webhook}\nALERT_SMTP_URL=${addresses.smtp}\n`,
      )
      expect(statSync(path('memory/alerts.env')).mode & 0o777).to.equal(0o600)
      expect(existsSync(path('memory/secrets'))).to.equal(false)
      expect(calls().join('\n')).to.not.contain('wxyzzy')
      serve({ 'ib-live-alert-webhook': addresses.webhook })
      expect((await fetchAll('engine')).errors).to.contain('403')
    })
  })

  describe('the units', () => {
    it('name only files that are written, and are started at each boot', () => {
      expect(units).to.have.length(3)
      const files = units.flatMap(({ path: unit }) =>
        [...contentOf(unit).matchAll(/(?:--env-file=|\/bin\/bash )(\/etc\/\S+)/g)].map(([, written]) => written!),
      )
      expect(files).to.have.length(5)
      for (const written of files) expect(contentOf(written)).to.not.equal('')
      // What the script writes for the engine is what the engine is given.
      const [given] = /(?<=--env-file=)\/run\/\S+/.exec(settingsOf(engine, 'ExecStart')[0]!)!
      expect(contentOf('/etc/ib-trading/secrets.sh'))
        .to.contain(`place=${dirname(given)}\n`)
        .and.to.contain(`>"$place/${basename(given)}"`)
      const wanted = units.flatMap(({ path: unit }) => settingsOf(unit, 'Requires').filter((name) => name.startsWith('ib-')))
      for (const name of wanted) expect(contentOf(`/etc/systemd/system/${name}`)).to.contain('[Unit]')
      const started = machine.runcmd.find((command) => command.includes('start'))
      expect(started).to.include.members(['ib-gateway.service', 'ib-engine.service'])
    })

    it('run containers that are not root, can become nothing else, and have what they need alone', () => {
      const [ofGateway, ofEngine] = [settingsOf(gateway, 'ExecStart')[0]!, settingsOf(engine, 'ExecStart')[0]!]
      for (const command of [ofGateway, ofEngine])
        expect(command).to.contain('--user=10001:10001').and.to.contain('--cap-drop=ALL').and.to.contain('--security-opt=no-new-privileges')
      expect(ofEngine)
        .to.contain('--read-only')
        .and.to.contain('--memory=512m')
        .and.to.match(/@sha256:2{64} start --role all$/)
      expect(ofEngine, 'the engine has no use for the login').to.not.contain('secrets')
      expect(ofGateway, 'nor the gateway for where alerts go').to.not.contain('alerts.env')
      expect(ofGateway)
        .to.contain('source=/run/ib-trading/secrets,target=/run/secrets,readonly')
        .and.to.match(/@sha256:1{64}$/)
      expect(ofGateway).to.contain('source=/mnt/disks/ib-trading/gateway,target=/settings')
    })

    it('log into the files that the agent of the system sends to Cloud Logging, and fill no disk with them', () => {
      for (const unit of [gateway, engine])
        expect(settingsOf(unit, 'ExecStart')[0]).to.match(/--log-driver=json-file --log-opt=max-size=\d+m --log-opt=max-file=\d+ /)
      expect(readFileSync(resolve(file, '../../cloud/machine.sh'), 'utf8')).to.contain('--metadata=google-logging-enabled=true,')
    })

    it('take time to end: more than the containers are given', () => {
      for (const [unit, least] of [
        [gateway, 30],
        [engine, 10],
      ] as const) {
        const given = Number(/--time=(\d+)/.exec(settingsOf(unit, 'ExecStop')[0]!)![1])
        expect(given).to.be.at.least(least)
        expect(Number(settingsOf(unit, 'TimeoutStopSec')[0])).to.be.above(given)
        expect(settingsOf(unit, 'Restart')).to.deep.equal(['always'])
      }
    })

    it('do not try a login again and again', () => {
      expect(settingsOf(gateway, 'StartLimitBurst')).to.deep.equal(['5'])
      expect(settingsOf(gateway, 'StartLimitIntervalSec')).to.deep.equal(['3600'])
      expect(settingsOf(gateway, 'RestartPreventExitStatus'), 'what start.sh says of a wrong configuration').to.deep.equal(['78'])
    })

    it('have commands that Docker itself takes, and refuses where a flag is wrong', async function () {
      if (!hasTool('docker')) skipFor(this, 'docker is not installed here')
      const nowhere = { DOCKER_HOST: `unix://${path('no-daemon')}`, HOME: folder }
      const commands = units.flatMap(({ path: unit }) =>
        ['ExecStart', 'ExecStartPre', 'ExecStop']
          .flatMap((name) => settingsOf(unit, name))
          .filter((line) => line.includes('/usr/bin/docker ')),
      )
      expect(commands).to.have.length(8)
      const asked = async (command: string): Promise<string> => {
        const words = command.replace(/^-?\S+ /, '').split(' ')
        return (await run('docker', words, { env: nowhere })).errors
      }
      for (const command of commands) {
        expect(await asked(command), command)
          .to.match(/cannot connect|failed to connect|no such file/i)
          .and.not.match(/unknown|invalid|requires/i)
        expect(await asked(command.replace(/docker (\w+)/, 'docker $1 --planted')), command).to.contain('unknown flag: --planted')
      }
    })
  })

  it('engine and gateway agree on the mode and on the hour of the restart; the engine knows each variable that it is given', () => {
    const [ofGateway, ofEngine] = [variablesOf('/etc/ib-trading/gateway.env'), variablesOf('/etc/ib-trading/engine.env')]
    for (const name of ['TRADING_MODE', 'IB_RESTART_AT']) expect(ofEngine[name], name).to.equal(ofGateway[name])
    expect(ofEngine).to.include({ TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321', STORE: 'google', FIRESTORE_DATABASE: 'live' })
    expect(Object.keys(known)).to.include.members(Object.keys(ofEngine))
    expect(ofEngine).to.include({ ALERT_MAIL_TO: alerts.ALERT_MAIL_TO, ALERT_MAIL_FROM: alerts.ALERT_MAIL_FROM })
    expect(untold, 'where nobody is told').to.not.contain('ALERT_')
    expect(ofGateway).to.include({ IB_USER_FILE: '/run/secrets/ib_user', IB_PASSWORD_FILE: '/run/secrets/ib_password' })
    expect(Object.keys(ofGateway)).to.not.include.members(['IB_USER', 'IB_PASSWORD'])
  })
})
