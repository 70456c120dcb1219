/** docker-compose.yml as docker-compose itself reads it, with each .env that ./setup writes; and the door that it publishes. */
import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect } from 'chai'
import { parse } from 'yaml'
import { variables as known } from '../../../infra/environment.ts'
import { needs, type Ran, run } from './images-tools.ts'
import { setupWorld } from './setup-world.ts'

const file = resolve(import.meta.dirname, '../../../infra/deploy/compose/docker-compose.yml')
const text = readFileSync(file, 'utf8')
const user = 'gateway-user-wxyzzy'
const password = 'word!wxyzzy'
const real = { GATEWAY: 'real', IB_USER: user, IB_PASSWORD: password, IB_GATEWAY_SHA256: 'a'.repeat(64), IBC_SHA256: 'b'.repeat(64) }

type Service = {
  command?: string[] | string
  environment?: Record<string, string>
  image: string
  network_mode?: string
  ports?: string[]
  profiles?: string[]
  read_only?: boolean
  user?: string
  cap_drop?: string[]
  security_opt?: string[]
  volumes?: string[]
  secrets?: { source: string }[]
  mem_limit?: string
  stop_grace_period?: string
  depends_on?: Record<string, unknown>
  build?: { args?: Record<string, string> }
}
type Composed = { services: Record<string, Service>; secrets: Record<string, { file: string }> }

const ways = {
  simulated: { HTTP_PORT: '8090' },
  emulated: { STORE: 'emulators' },
  paper: real,
  live: { ...real, TRADING_MODE: 'live', IB_ACCOUNT: 'U7654321', IB_RESTART_AT: '23:30' },
} as const
type Way = keyof typeof ways

describe('docker-compose.yml', function () {
  this.timeout(180_000)
  type Machine = ReturnType<typeof setupWorld>
  type Answered = Composed & { text: string; machine: Machine }
  const answered = {} as Record<Way, Answered>
  const machines: Machine[] = []

  const read = (machine: Machine, composeFile: string, input = ''): Promise<Ran> => {
    const args = ['--env-file', join(machine.folder, '.env'), '-f', composeFile, 'config']
    return run('docker-compose', args, { input, cwd: resolve(file, '..') })
  }
  /** What ./setup writes for these answers, and what compose makes of it. */
  const composed = async (answers: Record<string, string>): Promise<Answered> => {
    const machine = setupWorld()
    machines.push(machine)
    const asked = await machine.setup(answers, { args: ['--no-start'] })
    expect(asked.code, asked.errors).to.equal(0)
    const { code, out, errors } = await read(machine, file)
    expect([code, errors]).to.deep.equal([0, ''])
    return { ...(parse(out) as Composed), text: out, machine }
  }
  before(async function () {
    needs(this, 'docker-compose')
    for (const [way, answers] of Object.entries(ways)) answered[way as Way] = await composed(answers)
  })
  after(() => {
    for (const machine of machines) machine.remove()
  })
  const startedBy = ({ services, machine }: Answered): string[] => {
    const profiles = machine.settings()['COMPOSE_PROFILES']!.split(',')
    return Object.entries(services)
      .filter(([, service]) => service.profiles === undefined || service.profiles.some((profile) => profiles.includes(profile)))
      .map(([name]) => name)
      .sort()
  }

  it('is read without a word, and starts what was asked for', () => {
    expect(startedBy(answered.simulated)).to.deep.equal(['door', 'engine', 'simulator'])
    expect(startedBy(answered.emulated)).to.deep.equal(['door', 'engine', 'firestore', 'pubsub', 'simulator'])
    expect(startedBy(answered.paper)).to.deep.equal(['door', 'engine', 'gateway'])
    expect(startedBy(answered.live)).to.deep.equal(['door', 'engine', 'gateway'])
  })

  it('is refused where an error is planted, and where ./setup was not run', async () => {
    const { machine } = answered.simulated
    const planted = [
      [text.replace('network_mode: service:door', 'network: service:door'), "Unsupported config option for services.firestore: 'network'"],
      [text.replace('depends_on: [door]', 'depends_on: [window]'), "depends on service 'window' which is undefined"],
      [text.replace('read_only: true', 'read_only: perhaps'), 'to appropriate type'],
    ] as const
    for (const [wrong, says] of planted) {
      expect(wrong).to.not.equal(text)
      const { code, errors } = await read(machine, '-', wrong)
      expect(code, says).to.equal(1)
      expect(errors).to.contain(says)
    }
    const empty = setupWorld()
    machines.push(empty)
    mkdirSync(empty.folder)
    empty.write('.env', 'HTTP_PORT=8080\n')
    expect((await read(empty, file)).errors).to.contain('run ./setup first')
  })

  it('publishes one port, on this machine alone; all others share the network of the door', () => {
    const { services } = answered.simulated
    expect(services['door']!.ports).to.deep.equal(['127.0.0.1:8090:8081/tcp'])
    for (const [name, service] of Object.entries(services)) {
      if (name === 'door') continue
      expect(service.ports, name).to.equal(undefined)
      expect(service.network_mode, name).to.equal('service:door')
    }
  })

  it('an update of the application leaves the gateway alone: what they share is of neither image', () => {
    const { services } = answered.paper
    const node = /^FROM (node:\S+)/m.exec(readFileSync(resolve(file, '../../images/application/Dockerfile'), 'utf8'))![1]
    expect(services['door']!.image).to.equal(node)
    expect(services['door']!.build).to.equal(undefined)
    expect(services['gateway']!.depends_on).to.have.all.keys('door')
  })

  it('what is ours runs as nobody special: not root, no capabilities, no new privileges, and what it was built of cannot be changed', () => {
    const { services, machine } = answered.paper
    const uid = machine.settings()['IBT_UID']
    expect(uid).to.match(/^[1-9]\d*$/)
    for (const name of ['door', 'engine', 'simulator', 'gateway']) {
      expect(services[name], name).to.deep.include({ cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
      expect(services[name]!.user).to.equal(`${uid}:${machine.settings()['IBT_GID']}`)
    }
    for (const name of ['door', 'engine', 'simulator']) expect(services[name]!.read_only, name).to.equal(true)
    expect(services['engine']).to.include({ mem_limit: '512m', stop_grace_period: '10s' })
  })

  it('has folders and secrets where ./setup made them, and the simulator shares no journal with a real account', () => {
    const dataOf = ({ services }: Composed): string => services['engine']!.volumes!.find((volume) => volume.includes(':/data'))!
    const simulated = dataOf(answered.simulated)
    const own = answered.paper
    expect(dataOf(own)).to.not.equal(simulated)
    const places = Object.values(own.services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')[0]!))
    expect(places).to.have.length(5)
    for (const place of [...places, simulated.split(':')[0]!]) expect(statSync(place).isDirectory(), place).to.equal(!place.endsWith('.ts'))
    for (const { file: secret } of Object.values(own.secrets)) expect(statSync(secret).size).to.be.above(0)
  })

  it('only the gateway gets the secrets, as files; no service has them among its variables', () => {
    const { services, secrets, text: whole } = answered.paper
    expect(Object.keys(secrets)).to.deep.equal(['ib_password', 'ib_user'])
    for (const [name, service] of Object.entries(services))
      expect(service.secrets?.map(({ source }) => source) ?? [], name).to.deep.equal(name === 'gateway' ? ['ib_user', 'ib_password'] : [])
    expect(whole).to.not.contain('wxyzzy')
    expect(services['gateway']!.environment).to.include({
      ...{ IB_USER_FILE: '/run/secrets/ib_user', IB_PASSWORD_FILE: '/run/secrets/ib_password' },
    })
    expect(services['gateway']!.build!.args).to.include({ IB_GATEWAY_SHA256: 'a'.repeat(64), IBC_SHA256: 'b'.repeat(64) })
  })

  it('engine and gateway agree on mode, port and the hour of the restart; the engine knows each variable that it is given', () => {
    const { services } = answered.live
    const [engine, gateway] = [services['engine']!.environment!, services['gateway']!.environment!]
    expect(engine).to.include({ TRADING_MODE: 'live', IB_PORT: '4001', IB_RESTART_AT: '23:30', IB_ACCOUNT: 'U7654321', STORE: 'embedded' })
    for (const name of ['TRADING_MODE', 'IB_PORT', 'IB_RESTART_AT']) expect(gateway[name], name).to.equal(engine[name])
    expect(Object.keys(known)).to.include.members(Object.keys(engine))
  })

  it('the engine finds the emulators where they listen', () => {
    const { services } = answered.emulated
    const { PUBSUB_EMULATOR_HOST, FIRESTORE_EMULATOR_HOST, STORE } = services['engine']!.environment!
    expect(STORE).to.equal('google')
    expect(services['pubsub']!.command).to.include(`--host-port=${PUBSUB_EMULATOR_HOST}`)
    expect(services['firestore']!.command).to.include(`--host-port=${FIRESTORE_EMULATOR_HOST}`)
  })

  it('takes from .env nothing that ./setup does not write, but what has a usual value', () => {
    const { machine } = answered.paper
    const needed = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!))
    expect([...needed].sort()).to.deep.equal(['IBT_FOLDER', 'IBT_GID', 'IBT_UID'])
    expect(machine.settings()).to.include.keys(...needed)
    const optional = [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name!)
    expect(optional, 'each has a usual value or is demanded').to.deep.equal([])
  })
})
