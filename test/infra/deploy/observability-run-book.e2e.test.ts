/** The run-book has a section for each policy, and every command in it would be taken. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parse } from 'yaml'
import { wrongCommands } from './cloud-gcloud.ts'
import { problemsOfAllIbt, problemsOfIbt, shownCommands } from './documented-commands.ts'
import { needs } from './images-tools.ts'

const folder = new URL('../../../infra/deploy/observability/', import.meta.url)
const page = readFileSync(new URL('run-book.md', folder), 'utf8')
const policies = readdirSync(new URL('policies/', folder)).map((file) => file.replace(/\.yaml$/, ''))
const commands = shownCommands(page)
const of = (...tools: string[]) => commands.filter(({ words }) => tools.includes(words[0] ?? ''))

const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section] as const),
)

describe('the run-book', function () {
  this.timeout(180_000)

  it('has a section for each policy and no other, with what it means, what to look at and what to do', () => {
    expect([...sections.keys()]).to.have.members(policies)
    for (const [name, section] of sections)
      for (const part of ['**Means.**', '**Look at.**', '**Do.**']) expect(section.split(part).length, `${part} of ${name}`).to.equal(2)
  })
  it('is where each policy links to', () => {
    for (const name of policies) {
      const { documentation } = parse(readFileSync(new URL(`policies/${name}.yaml`, folder), 'utf8')) as {
        documentation: { content: string }
      }
      expect(documentation.content).to.match(new RegExp(`infra/deploy/observability/run-book\\.md#${name}$`))
    }
  })
  it('shows only lines of ibt that ibt would take', async () => {
    const shown = of('npx', 'ibt')
    expect(shown.length).to.be.greaterThan(15)
    expect(await problemsOfAllIbt(shown)).to.deep.equal([])
  })
  it('would be caught with a verb, a flag or a body that nobody takes', async () => {
    const [verb, flag, body] = shownCommands(
      ['    npx ibt status', '    npx ibt journal --last 3', `    npx ibt publish resolve-order --data '{"orderRef": "r1"}'`].join('\n'),
    )
    expect(await problemsOfIbt(verb!)).to.deep.equal(['npx ibt status: there is no verb status'])
    expect(await problemsOfIbt(flag!)).to.deep.equal(['npx ibt journal --last 3: journal has no --last'])
    expect(await problemsOfIbt(body!)).to.have.length(1)
  })
  it('shows only lines of gcloud that gcloud would take', function () {
    needs(this, 'gcloud')
    const shown = of('gcloud')
    expect(shown.length).to.be.greaterThan(6)
    const wrong = shownCommands('    gcloud run services list --regio=us-east1 --project=my-project')
    expect(wrongCommands(shown.map(({ words }) => words.slice(1)))).to.deep.equal([])
    expect(wrongCommands(wrong.map(({ words }) => words.slice(1)))).to.have.length(1)
  })
})
