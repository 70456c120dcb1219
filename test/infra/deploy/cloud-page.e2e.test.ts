/** The page of the set-up: its commands are taken by the tools, its links lead somewhere, and what it says of the scripts is so. */
import { copyFileSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'chai'
import { wrongCommands } from './cloud-gcloud.ts'
import { buildOf, cloud, cloudWorld, root } from './cloud-world.ts'
import { problemsOfAllIbt, type Shown, shownCommands } from './documented-commands.ts'
import { needs } from './images-tools.ts'

const page = readFileSync(join(cloud, 'README.md'), 'utf8')
/** `NAME=$(gcloud …)` is a command of gcloud too. */
const commands = shownCommands(page.replaceAll(/^( {4})[A-Z]+=\$\((.*)\)$/gm, '$1$2'))
const toolOf = ({ words }: Shown): string => (words[0]?.endsWith('.sh') ? 'script' : (words[0] ?? 'assignment'))
const of = (tool: string): Shown[] => commands.filter((each) => toolOf(each) === tool)

const anchorsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

describe('the page of the set-up', function () {
  this.timeout(180_000)

  it('uses no tool that nobody looks at here', () => {
    expect([...new Set(commands.map(toolOf))]).to.have.members(['script', 'gcloud', 'npx', 'printf', 'curl', 'cp', 'jq', 'export'])
  })

  it('shows only lines of the scripts that they take, as a dry run shows', async () => {
    const world = cloudWorld()
    copyFileSync(join(cloud, '../deployment_vars.sh'), join(world.path, 'staging.sh'))
    const lines = of('script')
    expect(lines.length).to.be.greaterThan(6)
    const ofRepository = ['REPO_OWNER', 'GITHUB_REPO']
    for (const { words, variables, line } of lines) {
      const [script, ...rest] = words as [string, ...string[]]
      const given = rest.includes('--help') || rest.includes('--dry-run') ? rest : [...rest, '--dry-run']
      // Nobody has filled in what the page has not named yet.
      const unnamed = ofRepository.filter((name) => !page.slice(0, page.indexOf(line)).includes(name))
      const unfilled = Object.fromEntries(unnamed.map((name) => [name, '']))
      const { code, out, errors } = await world.run(join(root, script), given, { ...unfilled, ...variables })
      expect(code, `${line}: ${errors}`).to.equal(0)
      expect(out.length, line).to.be.greaterThan(100)
    }
    expect((await world.run('set-up.sh', ['--vars', 'nowhere.sh', '--dry-run'])).errors).to.contain('cannot be read from "nowhere.sh"')
    expect(world.calls()).to.deep.equal([])
    world.remove()
  })

  it('shows only lines of ibt that ibt would take', async () => {
    expect(of('npx').length).to.be.greaterThan(8)
    expect(await problemsOfAllIbt(of('npx'))).to.deep.equal([])
  })

  it('shows only lines of gcloud that gcloud would take', function () {
    needs(this, 'gcloud')
    const lines = of('gcloud').filter(({ words }) => words[1] !== 'auth')
    expect(lines.length).to.be.greaterThan(5)
    expect(wrongCommands(lines.map(({ words }) => words.slice(1)))).to.deep.equal([])
  })

  it('leads to files and headings that are there', () => {
    const links = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
    expect(links.length).to.be.greaterThan(20)
    for (const link of links.filter((each) => !each.includes('://'))) {
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(cloud, 'README.md') : join(cloud, path)
      expect(existsSync(file), link).to.equal(true)
      if (anchor !== undefined) expect(anchorsOf(readFileSync(file, 'utf8')), link).to.include(anchor)
    }
    const named = readdirSync(cloud).filter((name) => name !== 'README.md' && !/^(field-overrides\.js|mode-resources\.ts)$/.test(name))
    for (const name of named) expect(page, name).to.contain(`(${name})`)
    expect(dirname(cloud)).to.equal(join(root, 'infra/deploy'))
  })

  it('says of times, tags and variables what the files say', () => {
    const rollOut = readFileSync(join(cloud, 'roll-out.sh'), 'utf8')
    for (const [, name, seconds] of page.matchAll(/\| `([A-Z_]+)` \((\d+)\)/g)) expect(rollOut).to.contain(`\${${name}:-${seconds}}`)
    expect(JSON.stringify(buildOf('application').steps[2]!.args))
      .to.contain('application:$BUILD_ID')
      .and.to.match(/application:\$\{_TRADING_MODE\}/)
    const gcloud = /gcloud (\d+), which/.exec(page)![1]!
    expect(buildOf('application').steps.at(-1)!.name).to.contain(`google-cloud-cli:${gcloud}.`)
  })
})
