/** Each metric counts what it is for, and nothing else: its filter against the lines that the product really writes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { parse } from 'yaml'
import { type Entry, readExtractor, readQuery } from './logging-query.ts'

type Metric = { name: string; filter: string; labelExtractors?: Record<string, string> }

const folder = new URL('../../../infra/deploy/observability/metrics/', import.meta.url)
const metrics = readdirSync(folder).map((file) => parse(readFileSync(new URL(file, folder), 'utf8')) as Metric)
const program = fileURLToPath(new URL('log-scene.ts', import.meta.url))

const run = async (argument: string) => {
  const child = spawn(process.execPath, [program, argument], { env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 45_000)
  await once(child, 'close')
  clearTimeout(timer)
  expect(child.exitCode, errors).to.equal(0)
  return { out, lines: errors.trim().split('\n').filter(Boolean) }
}

/** What Cloud Run makes of a line of JSON: https://docs.cloud.google.com/logging/docs/structured-logging */
const onCloudRun = (line: string): Entry => {
  const { severity, time: _, 'logging.googleapis.com/trace': __, ...rest } = JSON.parse(line) as Record<string, unknown>
  const resource = { type: 'cloud_run_worker_pool' }
  const onlyText = Object.keys(rest).every((name) => name === 'message')
  return { severity: String(severity), resource, ...(onlyText ? { textPayload: String(rest['message']) } : { jsonPayload: rest }) }
}
/** On Container-Optimized OS the line stays one text. */
const onMachine = (line: string): Entry => ({
  severity: 'DEFAULT',
  resource: { type: 'gce_instance' },
  jsonPayload: { message: line, 'cos.googleapis.com/container_name': 'engine' },
})

/** So it comes from the journal of that machine. */
const onJournal = (line: string): Entry => ({
  severity: 'INFO',
  resource: { type: 'gce_instance' },
  jsonPayload: { MESSAGE: line, _SYSTEMD_UNIT: 'ib-engine.service' },
})

/** How often each metric counts in each scene; what is not named is 0. */
const expected: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'an order in doubt': { ibt_orders_unresolved: 1, ibt_alerts: 1 },
  'a channel that gives up after a day': { ibt_orders_unresolved: 1, ibt_alerts: 1 },
  'a gateway that is away for eleven minutes': { ibt_gateway_lost: 1, ibt_alerts: 1 },
  'a Friday without its run': { ibt_runs_missed: 1, ibt_alerts: 1 },
  'a message that was given up': { ibt_dead_letters: 1, ibt_alerts: 1 },
  'a run that failed': { ibt_alerts: 1 },
  'a lease that is lost': { ibt_lease_lost: 1, ibt_engine_stopped: 1 },
  'a journal that another one writes': { ibt_lease_lost: 1, ibt_engine_stopped: 1 },
  'an account that is not the one of the journal': { ibt_engine_stopped: 1 },
  'an engine that is stopped': {},
  'a port at which nobody listens': { ibt_gateway_lost: 1 },
  'HTTP answers': { ibt_http_failures: 2 },
}

describe('the log-based metrics', function () {
  this.timeout(180_000)
  const written = new Map<string, string[]>()
  const counted = (lines: readonly string[], entryOf: (line: string) => Entry): Record<string, number> =>
    Object.fromEntries(
      metrics.flatMap(({ name, filter }) => {
        const matched = lines.map(entryOf).filter(readQuery(filter)).length
        return matched === 0 ? [] : [[name, matched]]
      }),
    )
  before(async () => {
    const names = Object.keys(expected)
    for (let first = 0; first < names.length; first += 2)
      await Promise.all(names.slice(first, first + 2).map(async (name) => written.set(name, (await run(name)).lines)))
  })

  it('have an expectation for every scene', async () => {
    expect(JSON.parse((await run('--list')).out)).to.have.members(Object.keys(expected))
  })
  for (const [name, counts] of Object.entries(expected)) {
    it(`count of ${name} what it is, on Cloud Run`, () => expect(counted(written.get(name)!, onCloudRun)).to.deep.equal(counts))
    it(`count of ${name} what it is, on a machine`, () => {
      expect(counted(written.get(name)!, onMachine)).to.deep.equal(counts)
      expect(counted(written.get(name)!, onJournal)).to.deep.equal(counts)
    })
  }

  it('are each counted by some scene', () => {
    const seen = new Set(Object.values(expected).flatMap((counts) => Object.keys(counts)))
    expect([...seen]).to.have.members(metrics.map(({ name }) => name))
  })

  it('name in their labels what the line is about', () => {
    const labels = (scene: string, metric: string) => {
      const { filter, labelExtractors = {} } = metrics.find(({ name }) => name === metric)!
      const entries = written.get(scene)!.map(onCloudRun).filter(readQuery(filter))
      return entries.map((entry) =>
        Object.entries(labelExtractors).map(([label, extractor]) => `${label}=${readExtractor(extractor)(entry)}`),
      )
    }
    expect(labels('a Friday without its run', 'ibt_runs_missed')).to.deep.equal([['job=orchestrator']])
    expect(labels('a message that was given up', 'ibt_alerts')).to.deep.equal([['kind=dead-letter']])
    expect(labels('HTTP answers', 'ibt_http_failures')).to.deep.equal([
      ['status=500', 'route=/trend'],
      ['status=503', 'route=/halt'],
    ])
  })

  it('would miss a field of another name', () => {
    const line = written.get('a lease that is lost')!.map((each) => each.replace('"stopped"', '"halted"'))
    expect(counted(line, onCloudRun)).to.deep.equal({})
    expect(counted(line, onMachine)).to.deep.equal({})
  })

  it('are not taken in by what somebody else wrote into a text', () => {
    const said = JSON.stringify({
      severity: 'ERROR',
      time: '',
      correlationId: '","alert":"unresolved-x","a":"',
      message: '{"alert":"unresolved-x"',
    })
    expect(counted([said], onMachine)).to.deep.equal({})
  })
})
