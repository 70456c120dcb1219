import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { gatewaySimulatorArguments } from '../../../infra/gateway-sim/main.ts'
import { ibt, temporaryFolder } from './ibt.ts'

const verbs = [
  'demo',
  'start',
  'gateway-sim',
  'publish',
  'journal',
  'document',
  'documents',
  'replay',
  'rebuild',
  'verify',
  'agree',
  'backup',
  'checklist',
  'compare',
  'config',
  'alerts',
  'dead-letters',
  'topics',
  'signal',
]

describe('ibt --help', function () {
  this.timeout(180_000) // each of two dozen processes loads the whole program

  it('names every verb, every variable and a first walk', async () => {
    const { code, out, errors } = await ibt(['--help'])
    expect([code, errors]).to.deep.equal([0, ''])
    for (const verb of verbs) expect(out).to.match(new RegExp(`^ {2}${verb}\\b`, 'm'))
    for (const variable of ['TRADING_MODE', 'DATA_DIR', 'IB_HOST', 'IB_PORT', 'IB_CLIENT_ID', 'IB_ACCOUNT', 'STRATEGIES_DIR', 'LOG_LEVEL'])
      expect(out).to.contain(variable)
    expect(out).to.contain('npx ibt publish resume')
  })

  it('shows an example for each verb', async () => {
    const answers = await Promise.all(verbs.map(async (verb) => [verb, await ibt([verb, '--help'])] as const))
    for (const [verb, { code, out }] of answers) {
      expect(code, verb).to.equal(0)
      expect(out, verb).to.contain(`npx ibt ${verb}`)
    }
  })

  it('knows its version', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
    expect(await ibt(['--version'])).to.deep.include({ code: 0, out: `${version}\n`, errors: '' })
  })

  it('names every argument of the simulator', async () => {
    const { out } = await ibt(['gateway-sim', '--help'])
    for (const { name, value } of gatewaySimulatorArguments) expect(out).to.contain(`--${name} <${value}>`)
    const main = new URL('../../../infra/gateway-sim/main.ts', import.meta.url).pathname
    const alone = String(spawnSync(process.execPath, [main, '--help']).stdout)
    for (const { name, value, says } of gatewaySimulatorArguments) expect(alone).to.contain(`--${name} ${value} `).and.to.contain(says)
  })

  it('names what it does not know', async () => {
    const [verb, option, inner, value] = await Promise.all(
      [['frobnicate'], ['journal', '--form', '3'], ['topics', 'frobnicate'], ['publish', 'halt', '--wait', 'x']].map((words) => ibt(words)),
    )
    expect([verb!.code, verb!.out]).to.deep.equal([1, ''])
    expect(verb!.errors).to.match(/^ibt: unknown command 'frobnicate'\n/)
    expect(option!.errors).to.match(/^ibt: unknown option '--form'\n/)
    expect(inner!.errors).to.match(/^ibt: unknown command 'frobnicate'\n/)
    expect(value!.errors).to.match(/^ibt: option '--wait <seconds>' argument 'x' is invalid/)
    expect([option!.code, inner!.code, value!.code]).to.deep.equal([1, 1, 1])
  })

  it('names the folder that cannot be, the command that is none, and the store that nobody answers from', async () => {
    const folder = temporaryFolder()
    const file = join(folder.path, 'file')
    writeFileSync(file, '')
    const [start, type, silent] = await Promise.all([
      ibt(['start'], { DATA_DIR: file }),
      ibt(['publish', 'mine'], { DATA_DIR: folder.path }),
      ibt(['publish', 'halt', '--wait', '1'], { DATA_DIR: folder.path }),
    ])
    folder.remove()
    expect([start.code, start.errors]).to.deep.equal([1, `ibt: DATA_DIR: ${file} is not a folder\n`])
    expect(type.errors).to.match(/^ibt: there is no command "mine"; there are [^\n]*STRATEGIES_DIR[^\n]*\n$/)
    expect([silent.code, silent.out]).to.deep.equal([1, ''])
    expect(silent.errors).to.contain(join(folder.path, 'paper.sqlite'))
  })

  it('is an executable file that names the Node it needs', () => {
    const program = new URL('../../../infra/cli/ibt.js', import.meta.url).pathname
    const pretended = `Object.defineProperty(process.versions, 'node', { value: '20.19.1' })`
    const old = spawnSync(process.execPath, ['--import', `data:text/javascript,${encodeURIComponent(pretended)}`, program, 'journal'])
    expect(old.status).to.equal(1)
    expect(String(old.stderr)).to.match(/^ibt: this is Node 20\.19\.1, but 22\.18 or newer is needed.*\n$/)
    expect(spawnSync(program, ['--help']).status).to.equal(0)
  })
})
