/** The guide: its commands are taken by the tools, those that need nothing but this machine are run, and what it says of the engine is so. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { dirname, join, resolve } from 'node:path'
import { expect } from 'chai'
import { settings } from '../../../domain/configuration.ts'
import { errors } from '../../../domain/errors.ts'
import { paperChecklist } from '../../../domain/paper-record.ts'
import { variables as environmentVariables } from '../../../infra/environment.ts'
import { ibt, temporaryFolder } from '../cli/ibt.ts'
import { wrongCommands } from './cloud-gcloud.ts'
import { buildOf, cloudWorld, root, variables, type World } from './cloud-world.ts'
import { problemsOfAllIbt, type Shown, shownCommands } from './documented-commands.ts'
import { needs } from './images-tools.ts'

const pages = ['infra/deploy/README.md', 'infra/deploy/archive/README.md']
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')
const guide = textOf(pages[0]!)
const commands = pages.flatMap((page) => shownCommands(textOf(page)))
const toolOf = ({ words }: Shown): string =>
  words[0]?.startsWith('infra/deploy/') ? 'script' : words[0] === 'npx' ? words[1]! : (words[0] ?? 'export')

/** A section by its heading, with what stands under smaller headings in it. */
const section = (heading: string): string => {
  const depth = /^#+/.exec(heading)![0].length
  const lines = guide.split('\n')
  const first = lines.indexOf(heading)
  if (first < 0) throw new Error(`the guide has no ${heading}`)
  const length = lines.slice(first + 1).findIndex((line) => new RegExp(`^#{1,${depth}} `).test(line))
  return lines.slice(first, length < 0 ? undefined : first + 1 + length).join('\n')
}
/** As GitHub makes it of a heading. */
const anchorsOf = (page: string): string[] =>
  [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('the guide', function () {
  this.timeout(180_000)
  const folder = temporaryFolder()
  let world: World
  before(() => {
    world = cloudWorld()
  })
  after(() => {
    world.remove()
    folder.remove()
  })

  it('uses no tool that nobody looks at here', () => {
    const judged = ['ibt', 'gcloud', 'script', 'export']
    const plain = ['npm', 'printf', 'curl', 'sha256sum', 'bq', 'sed', 'mkdir', 'mv', 'cp', 'tail']
    expect([...new Set(commands.map(toolOf))].sort()).to.deep.equal([...judged, ...plain].sort())
    expect(commands.filter((one) => toolOf(one) === 'npm').map(({ line }) => line)).to.deep.equal(['npm ci'])
  })

  it('shows only lines of ibt that ibt would take', async () => {
    const shown = commands.filter((one) => toolOf(one) === 'ibt')
    expect(shown.length).to.be.greaterThan(20)
    expect(await problemsOfAllIbt(shown)).to.deep.equal([])
  })

  it('shows only lines of gcloud that gcloud would take', function () {
    needs(this, 'gcloud')
    const lines = commands.flatMap(({ words }) => (words[0] === 'gcloud' ? [words.slice(1)] : []))
    const judged = lines.filter(([group]) => group !== 'auth') // logging in talks to a person, not to a parser
    expect(judged.length).to.be.greaterThan(15)
    expect(wrongCommands(judged)).to.deep.equal([])
    expect(wrongCommands([['firestore', 'databases', 'restore', '--from=x', '--project=my-project']])).to.have.length(1)
    expect(lines.filter(([first]) => first === 'auth').map((words) => words.join(' '))).to.deep.equal([
      ...['auth login', 'auth application-default login', 'auth application-default set-quota-project my-project'],
    ])
  })

  it('shows only scripts that are there and take these arguments: each is run, as a dry run, with what the guide has named so far', async () => {
    const filled = ['PROJECT_ID', 'GCP_REGION', 'USER_EMAIL_ACCOUNT', 'IB_GATEWAY_SHA256', 'IBC_SHA256']
    const first = guide.indexOf('infra/deploy/cloud/set-up.sh --dry-run')
    for (const name of filled) expect(guide.slice(0, first), name).to.contain(`\`${name}\``)
    // All else is left empty: that of the repository is asked for only where builds on every push are wanted.
    const empty = Object.fromEntries(Object.keys(variables).flatMap((name) => (filled.includes(name) ? [] : [[name, '']])))
    expect(Object.keys(empty)).to.have.members(['REPO_OWNER', 'GITHUB_REPO'])
    // As in one terminal, from top to bottom: what was exported stays.
    const exported: Record<string, string> = {}
    for (const { words, variables: before, line } of commands) {
      const [first = '', ...args] = words
      if (first === 'export') Object.assign(exported, Object.fromEntries(args.map((word) => word.split('='))))
      if (!first.startsWith('infra/deploy/')) continue
      const dry = args.includes('--dry-run') || args.includes('--help') ? args : [...args, '--dry-run']
      const { code, out, errors: said } = await world.run(join(root, first), dry, { ...empty, ...exported, ...before })
      expect(code, `${line}: ${said}`).to.equal(0)
      expect(out.trim(), line).not.to.equal('')
    }
    expect(exported).to.include({ FIRESTORE_DATABASE: 'paper-2', SHAPE: 'vm' })
    expect(world.calls()).to.deep.equal([])
    expect((await world.run(join(root, 'infra/deploy/cloud/set-up.sh'), ['--only', 'everything', '--dry-run'])).code).to.equal(1)
  })

  it('restores the embedded store by the very lines that it shows', async () => {
    const data = join(folder.path, 'data')
    const made = await ibt(['demo', '--days', '2', '--keep', data])
    expect(made.code, made.errors).to.equal(0)
    const before = (await ibt(['journal'], { DATA_DIR: data })).out.trimEnd().split('\n')
    const bin = join(folder.path, 'bin')
    mkdirSync(bin)
    writeFileSync(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, 'infra/cli/ibt.js')}" "$@"\n`)
    chmodSync(join(bin, 'npx'), 0o755)
    const lines = section('### The embedded store').match(/^ {4}.+$/gm)!
    expect(lines.length).to.be.greaterThan(6)
    // What nobody backed up is lost: here a file that no longer is a store.
    const spoil = 'printf "no store" > data/paper.sqlite'
    const child = spawn('bash', ['-euo', 'pipefail', '-c', [lines[0], spoil, ...lines.slice(1)].join('\n')], {
      ...{ cwd: folder.path, env: { PATH: `${bin}:${process.env['PATH']}`, HOME: folder.path }, stdio: ['ignore', 'pipe', 'pipe'] },
    })
    let [out, said] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code, said).to.equal(0)
    expect(out.trimEnd().split('\n').at(-1)).to.equal(before.at(-1))
    expect(existsSync(join(folder.path, 'away', 'paper.sqlite'))).to.equal(true)
  })

  it('says of the record on paper what the engine asks', () => {
    const said = section('## From paper to live')
    const record = { position: 0, hash: '', account: null, runs: [], strategies: {}, filled: 0, halts: 0, starts: 0, doubts: ['one'] }
    const words: Record<string, RegExp> = {
      'daily-runs': new RegExp(
        `daily run completed on at least ${settings['live.paperSessions'].fallback} sessions \\(\`live\\.paperSessions\`\\)`,
      ),
      'strategy-dummy': /the commander followed each strategy that has money now/,
      'order-filled': /an order of ours was filled to its end/,
      'halt-tried': /trading was halted, and resumed after/,
      'restart-tried': /the engine was started again/,
      'nothing-in-doubt': /nothing is unresolved or blocked/,
    }
    const asked = paperChecklist(record, { configuration: {}, strategies: ['dummy'], now: Date.parse('2026-11-20T15:00:00Z') })
    expect(asked.map(({ item }) => item)).to.have.members(Object.keys(words))
    for (const { item, met } of asked) {
      expect(met, item).to.equal(false)
      expect(said).to.match(words[item]!)
    }
    expect(asked[0]!.text).to.contain('since 2026-09-21') // 60 days before
    expect(said).to.contain('within the last 60 days')
  })

  it('names only variables, settings and codes that there are', () => {
    const deployment = [...textOf('infra/deploy/deployment_vars.sh').matchAll(/^export ([A-Z0-9_]+)=/gm)].map(([, name]) => name!)
    const known = new Set([
      ...deployment,
      ...Object.keys(environmentVariables),
      ...Object.keys(errors),
      'ALERT_CHANNEL',
      'BIGQUERY_LOCATION',
      'JSON_VALUE',
      'RETRY_AFTER',
      'DATASET',
    ])
    for (const page of pages) {
      const named = [...textOf(page).matchAll(/\b[A-Z]{2,}(?:_[A-Z0-9]+)+\b/g)].map(([name]) => name)
      expect(named.filter((name) => !known.has(name))).to.deep.equal([])
    }
    const dotted = [...guide.matchAll(/`((?:exposure|live|risk|limits|orders)\.[a-zA-Z]+)`/g)].map(([, name]) => name!)
    expect(dotted.length).to.be.greaterThan(1)
    expect(dotted.filter((name) => !Object.hasOwn(settings, name))).to.deep.equal([])
    expect(shownCommands(guide).find(({ words }) => words[0] === 'sha256sum')!.words[1]).to.equal(
      `ibgateway-${/IB_GATEWAY_VERSION:-([^}]+)/.exec(textOf('infra/deploy/deployment_vars.sh'))![1]}-standalone-linux-x64.sh`,
    )
  })

  it('gives a token to curl in the header, and on no command line', async function () {
    needs(this, 'curl')
    const asked: IncomingHttpHeaders[] = []
    const server = createServer((request, response) => {
      asked.push(request.headers)
      response.setHeader('connection', 'close').end('{}')
    }).unref()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const shown = ['infra/deploy/README.md', 'infra/deploy/cloud/README.md'].map((page) => textOf(page).match(/^ {4}.*\bcurl\b.*$/gm)!)
    expect(shown.map((lines) => lines.length)).to.deep.equal([1, 1])
    // A curl that writes down its own command line before it goes on.
    const real = execFileSync('sh', ['-c', 'command -v curl'], { encoding: 'utf8' }).trim()
    writeFileSync(join(world.path, 'bin', 'curl'), `#!/bin/sh\necho "$*" >> "${world.path}/curl"\nexec ${real} "$@"\n`, { mode: 0o755 })
    for (const [line] of shown as [string][]) {
      const script = join(world.path, 'curl.sh')
      writeFileSync(script, line.replaceAll(/https:\/\/\S+(?=\/)/g, '$ADDRESS'))
      const { code, errors: said } = await world.run(script, [], { ADDRESS: `http://127.0.0.1:${port}`, TOKEN: 'a-token' })
      expect(code, said).to.equal(0)
    }
    expect(asked.map((fields) => [fields['x-serverless-authorization'], fields.authorization])).to.deep.equal([
      ['Bearer a-token', undefined],
      ['Bearer a-token', 'Bearer a-token'],
    ])
    expect(readFileSync(join(world.path, 'curl'), 'utf8'))
      .to.contain('--header @-')
      .and.not.to.contain('a-token')
    world.forget()
  })

  it('counts among the costs what a build uses, as its file says', () => {
    const row = section('## What it costs')
      .split('\n')
      .find((line) => line.startsWith('| Cloud Build |'))
    const { options, timeout } = buildOf('application') as unknown as { options: { machineType: string }; timeout: string }
    expect(row)
      .to.contain(`\`${options.machineType}\``)
      .and.to.contain(`after ${Number.parseInt(timeout, 10) / 60} minutes`)
    expect(buildOf('base')['options'] ?? {}).not.to.have.property('machineType')
    expect(buildOf('application').steps.map(({ args }) => args?.join(' '))).to.include.members(['test'])
  })

  it('links only to what is there', () => {
    const linking = [...pages, 'infra/deploy/observability/run-book.md']
    for (const page of linking) {
      const links = [...textOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!).filter((link) => !/^https?:/.test(link))
      for (const link of links) {
        const [path, anchor] = link.split('#') as [string, string | undefined]
        const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
        expect(existsSync(target), `${page}: ${link}`).to.equal(true)
        if (anchor !== undefined) expect(anchorsOf(readFileSync(target, 'utf8')), `${page}: ${link}`).to.include(anchor)
      }
    }
  })
})
