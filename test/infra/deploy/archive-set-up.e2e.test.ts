/** The script of the archive and the lines of its page, given to Google's own bq. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Resource, startBigQuery, whyNoBq } from './big-query-server.ts'
import { cloudWorld, root, type World } from './cloud-world.ts'
import { shownCommands } from './documented-commands.ts'
import { skipFor } from './images-tools.ts'

const folder = join(root, 'infra/deploy/archive')
const textOf = (name: string): string => readFileSync(join(folder, name), 'utf8')
const viewOf = (mode: string): string =>
  textOf('events.view.sql')
    .trimEnd()
    .replace(/\$\{DATASET\}/, `ib_trading_${mode}`)
const script = join(folder, 'set-up.sh')
const dataset = '/bigquery/v2/projects/my-trading-1/datasets'
const settings = { TRADING_MODE: 'paper', BIGQUERY_LOCATION: 'europe-west1' }

describe('the set-up of the archive, by the real bq', function () {
  this.timeout(240_000)
  let world: World
  let bigQuery: Awaited<ReturnType<typeof startBigQuery>>
  before(async function () {
    const why = whyNoBq()
    if (why !== undefined) skipFor(this, why)
    bigQuery = await startBigQuery()
    world = cloudWorld()
    bigQuery.serve(world)
  })
  after(async () => {
    world?.remove()
    await bigQuery?.close()
  })
  const posted = () => bigQuery.asked.filter(({ method }) => method === 'POST').map(({ path }) => path.slice(dataset.length))

  it('makes dataset, table and view, lets Pub/Sub write there, and finds nothing to make the second time', async () => {
    const first = await world.run(script, [], settings)
    expect(first.code, first.errors).to.equal(0)
    expect(posted()).to.deep.equal([
      '',
      '/ib_trading_paper/tables',
      '/ib_trading_paper/tables',
      ...['get', 'set'].map((verb) => `/ib_trading_paper/tables/messages:${verb}IamPolicy`),
    ])
    const made = (name: string): Resource => bigQuery.kept.get(`${dataset}/ib_trading_paper${name}`)!
    expect(made('')).to.include({ location: 'europe-west1' })
    expect(made('/tables/messages')).to.deep.include({
      schema: { fields: JSON.parse(textOf('messages.schema.json')) as unknown },
      timePartitioning: { type: 'MONTH', field: 'publish_time' },
    })
    expect(made('/tables/events')).to.deep.include({
      view: {
        query: viewOf('paper'),
        useLegacySql: false,
      },
    })
    const writer = {
      role: 'roles/bigquery.dataEditor',
      members: ['serviceAccount:service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com'],
    }
    expect(made('/tables/messages:setIamPolicy')['bindings']).to.deep.equal([writer])
    expect(Object.keys(world.state())).to.include('pubsub-subscriptions--paper-events-archive')

    const before = posted().length
    const second = await world.run(script, [], settings)
    expect(second.code, second.errors).to.equal(0)
    expect(
      posted()
        .slice(before)
        .filter((path) => !path.includes('IamPolicy')),
    ).to.deep.equal([])
  })

  it('prints in a dry run what it would give to bq, and asks bq nothing', async () => {
    const asked = bigQuery.asked.length
    const { code, out, errors } = await world.run(script, ['--dry-run'], { ...settings, TRADING_MODE: 'live' })
    expect(code, errors).to.equal(0)
    expect(out.match(/\|\| bq .* mk /g)).to.have.length(3)
    expect(bigQuery.asked).to.have.length(asked)
  })

  it('is given to a bq that takes no wrong flag, verb or value, and no field that there is not; the script then says what to do', async () => {
    const [table, view] = [
      'mk --table --time_partitioning_type=MONTH ib_trading_paper.new',
      'mk --use_legacy_sql=false --view=SELECT ib_trading_paper.seen',
    ]
    const planted: [string, RegExp][] = [
      [table!.replace('partitioning_type', 'partition_type'), /Unknown command line flag 'time_partition_type'/],
      ['make --dataset ib_trading_paper', /Command 'make' unknown/],
      [view!.replace('false', 'perhaps'), /Non-boolean argument/],
      [`${table} schema.json`, /unknown: Table\.schema\.fields\[0\]\.kind/],
    ]
    writeFileSync(join(world.path, 'schema.json'), '[{"name": "data", "type": "JSON", "kind": "x"}]')
    const asked = await Promise.all(planted.map(([words]) => world.run('-c', [`bq --project_id=my-trading-1 ${words}`])))
    for (const [place, [words, says]] of planted.entries()) {
      expect(asked[place]!.code, words).to.equal(1)
      expect(asked[place]!.out + asked[place]!.errors, words).to.match(says)
    }
    const text = readFileSync(script, 'utf8')
    const spoiled = text.replace('show "$dataset" --', 'shows "$dataset" --').replace(/^here=.*$/m, `here=${folder}`)
    expect(spoiled).to.contain('shows')
    writeFileSync(join(world.path, 'spoiled.sh'), spoiled)
    const { code, errors } = await world.run(join(world.path, 'spoiled.sh'), [], settings)
    expect([code, errors.includes("Command 'shows' unknown"), errors.includes('what to do: ')], errors).to.deep.equal([1, true, true])
  })

  it('shows on its page only lines of bq that bq takes', async () => {
    const pages = ['infra/deploy/README.md', 'infra/deploy/archive/README.md'].map((page) => readFileSync(join(root, page), 'utf8'))
    const shown = pages.flatMap(shownCommands).filter(({ words }) => words[0] === 'bq')
    expect(shown.length).to.be.greaterThan(1)
    for (const { words, line } of shown) {
      const before = bigQuery.asked.length
      const quoted = words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ')
      const { out } = await world.run('-c', [quoted], {}, 'SELECT 1')
      const [job] = bigQuery.asked.slice(before)
      expect(job?.path, `${line}: ${out}`).to.equal('/bigquery/v2/projects/my-project/jobs')
      expect(JSON.stringify(job!.body))
        .to.contain('"useLegacySql":false')
        .and.to.match(/"query":"(SELECT|DELETE) /)
    }
  })
})
