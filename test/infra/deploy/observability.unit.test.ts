/** Policies, dashboard and run-book fit what Google has published, and one another. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import * as t from 'io-ts'
import { parse } from 'yaml'
import { decode } from '../../../domain/decode.ts'
import { nameFor, validForOf } from '../../../domain/topics.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { readExtractor, readQuery } from './logging-query.ts'
import { shapeOf } from './proto-shape.ts'

const folder = new URL('../../../infra/deploy/observability/', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, folder), 'utf8')
const filesOf = (path: string): string[] => readdirSync(new URL(`${path}/`, folder)).map((file) => file.replace(/\.yaml$/, ''))

// ── Files ──

/** https://docs.cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics, as far as ours go */
const Metric = t.intersection([
  t.type({
    name: t.string,
    description: t.string,
    filter: t.string,
    metricDescriptor: t.intersection([
      t.type({ metricKind: t.literal('DELTA'), valueType: t.literal('INT64'), unit: t.literal('1') }),
      t.partial({
        labels: t.array(t.type({ key: t.string, valueType: t.keyof({ STRING: null, INT64: null, BOOL: null }), description: t.string })),
      }),
    ]),
  }),
  t.partial({ labelExtractors: t.record(t.string, t.string) }),
])
type Threshold = {
  filter: string
  aggregations: { alignmentPeriod: string; perSeriesAligner: string; groupByFields?: string[] }[]
  duration: string
}
type Policy = {
  displayName: string
  userLabels: Record<string, string>
  conditions: { displayName: string; conditionThreshold: Threshold }[]
  documentation: { content: string }
  alertStrategy: { autoClose: string }
}
type Tile = { xPos: number; yPos: number; width: number; height: number; widget: Record<string, unknown> }

const metrics = filesOf('metrics').map((name) => ({ name, content: parse(textOf(`metrics/${name}.yaml`)) as t.TypeOf<typeof Metric> }))
const policies = filesOf('policies').map((name) => ({ name, content: parse(textOf(`policies/${name}.yaml`)) as Policy }))
const dashboard = parse(textOf('dashboard.yaml')) as { mosaicLayout: { columns: number; tiles: Tile[] } }

// ── Filters of Cloud Monitoring ──

const googles = new Set(
  ['oldest_unacked_message_age', 'num_undelivered_messages'].map((name) => `pubsub.googleapis.com/subscription/${name}`),
)
const writers = new Set(['cloud_run_worker_pool', 'cloud_run_revision', 'gce_instance'])
const subscriptions = Object.keys(readTopics().subscriptions)

/** What is wrong with a filter: https://docs.cloud.google.com/monitoring/api/v3/filters, one metric and one kind of resource. */
const problemsOfFilter = (filter: string): string[] => {
  const parts = filter.trim().split(/\s+AND\s+/)
  const read = parts.map((part) => /^(metric\.type|resource\.type|resource\.label\.[a-z_]+)=(.+)$/.exec(part))
  if (read.some((each) => each === null)) return [`cannot be read: ${filter}`]
  const values = Object.fromEntries(read.map((each) => [each![1]!, each![2]!]))
  const literal = (name: string): string => /^"([^"]+)"$/.exec(values[name] ?? '')?.[1] ?? ''
  const [metric, resource] = [literal('metric.type'), literal('resource.type')]
  const own = metric.startsWith('logging.googleapis.com/user/') ? metric.slice('logging.googleapis.com/user/'.length) : undefined
  const problems: string[] = []
  if (own === undefined ? !googles.has(metric) : !metrics.some(({ name }) => name === own)) problems.push(`there is no metric ${metric}`)
  if (own === undefined ? resource !== 'pubsub_subscription' : !writers.has(resource)) problems.push(`${metric} is not of ${resource}`)
  if (own === undefined) {
    const names = /^monitoring\.regex\.full_match\("(.+)"\)$/.exec(values['resource.label.subscription_id'] ?? '')?.[1]
    for (const mode of ['paper', 'live'])
      if (names === undefined || !subscriptions.some((name) => new RegExp(`^(?:${names})$`).test(nameFor(name, mode))))
        problems.push(`topics.yaml has no subscription ${names} in ${mode} mode`)
  }
  return problems
}

/** All filters of time series in a file, wherever they stand. */
const seriesFilters = (value: unknown): string[] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, inner]) =>
    name === 'filter' && String(inner).includes('metric.type') ? [String(inner)] : seriesFilters(inner),
  )
}

describe('what is watched', () => {
  describe('a metric', () => {
    for (const { name, content } of metrics)
      it(`${name} has the shape of a LogMetric, a filter and labels that can be read`, () => {
        expect(decode(Metric, content)).to.include({ ok: true })
        expect(['name', 'description', 'filter', 'metricDescriptor', 'labelExtractors']).to.include.members(Object.keys(content))
        expect(['metricKind', 'valueType', 'unit', 'labels']).to.include.members(Object.keys(content.metricDescriptor))
        expect(content.name).to.equal(name)
        expect(name).to.match(/^[a-z][a-z0-9_]{0,99}$/)
        readQuery(content.filter)
        const { labels = [] } = content.metricDescriptor
        expect(Object.keys(content.labelExtractors ?? {})).to.have.members(labels.map(({ key }) => key))
        for (const extractor of Object.values(content.labelExtractors ?? {})) readExtractor(extractor)
      })
    it('with a filter that nobody knows is found', () => {
      for (const wrong of [
        'jsonPayload.a~"x"',
        'labels.mode="paper"',
        'jsonPayload.a="x" jsonPayload.b="y"',
        '(jsonPayload.a="x"',
        'jsonPayload.a=~"(?=x)"',
      ])
        expect(() => readQuery(wrong), wrong).to.throw()
    })
    it('binds OR tighter than AND, and takes a new line for AND', () => {
      const entry = (fields: object) => ({ severity: 'INFO', resource: { type: 'x' }, jsonPayload: { ...fields } })
      const query = readQuery('jsonPayload.a="1" OR jsonPayload.b="1"\njsonPayload.c="1"')
      expect([query(entry({ a: 1 })), query(entry({ a: 1, c: 1 })), query(entry({ b: 1, c: 1 })), query(entry({ c: 1 }))]).to.deep.equal([
        false,
        true,
        true,
        false,
      ])
    })
  })

  describe('a policy', () => {
    const problemsOf = shapeOf('@google-cloud/monitoring', 'google.monitoring.v3.AlertPolicy')
    const seconds = (duration: string): number => Number(duration.slice(0, -1))
    for (const { name, content } of policies)
      it(`${name} is an AlertPolicy, on metrics that exist`, () => {
        expect(problemsOf(content)).to.deep.equal([])
        expect(content.userLabels['ibt']).to.equal(name)
        expect(seriesFilters(content).flatMap(problemsOfFilter)).to.deep.equal([])
        expect(content.conditions.length).to.be.within(1, 6)
        for (const {
          conditionThreshold: { filter, aggregations, duration },
        } of content.conditions) {
          expect(filter.length).to.be.at.most(2048)
          for (const { alignmentPeriod } of aggregations) expect(seconds(alignmentPeriod) % 60).to.equal(0)
          expect(seconds(duration) % 60).to.equal(0)
        }
        expect(seconds(content.alertStrategy.autoClose)).to.be.within(1_800, 604_800)
      })
    it('waits longer for a command than any run of the day may take', () => {
      const topics = readTopics()
      const longest = Math.max(...topics.schedules.map(({ command }) => validForOf(topics, command.type) / 1_000))
      const [threshold] = policies
        .find(({ name }) => name === 'run-missed')!
        .content.conditions.flatMap(({ conditionThreshold }) =>
          conditionThreshold.filter.includes('commands-engine')
            ? [Number((conditionThreshold as unknown as { thresholdValue: number }).thresholdValue)]
            : [],
        )
      expect(longest).to.equal(3_600)
      expect(threshold).to.be.greaterThan(longest)
    })
    it('with an error is found', () => {
      const { content } = policies.find(({ name }) => name === 'lease-lost')!
      const [condition] = content.conditions
      const changed = (change: object) => ({
        ...content,
        conditions: [{ ...condition, conditionThreshold: { ...condition!.conditionThreshold, ...change } }],
      })
      expect(problemsOf({ ...content, notify: true })).to.deep.equal(['notify: AlertPolicy has no such field'])
      expect(problemsOf({ ...content, combiner: 'XOR' })).to.deep.equal(['combiner: "XOR" is no ConditionCombinerType'])
      expect(problemsOf(changed({ comparison: 'GREATER' }))).to.deep.equal([
        'conditions[0].conditionThreshold.comparison: "GREATER" is no ComparisonType',
      ])
      expect(problemsOf(changed({ duration: '5m' }))).to.deep.equal([
        'conditions[0].conditionThreshold.duration: "5m" is no google.protobuf.Duration',
      ])
      expect(problemsOf({ ...content, conditions: [{ ...condition, conditionAbsent: {} }] })[0]).to.match(
        /only one of conditionThreshold, conditionAbsent/,
      )
    })
    it('on a metric, a resource or a subscription that does not exist is found', () => {
      const filter = policies.find(({ name }) => name === 'lease-lost')!.content.conditions[0]!.conditionThreshold.filter
      expect(problemsOfFilter(filter.replace('ibt_lease_lost', 'ibt_lease_gone'))).to.deep.equal([
        'there is no metric logging.googleapis.com/user/ibt_lease_gone',
      ])
      expect(problemsOfFilter(filter.replace('cloud_run_worker_pool', 'worker_pool'))).to.have.length(1)
      const waiting = policies.find(({ name }) => name === 'dead-letters')!.content.conditions[0]!.conditionThreshold.filter
      expect(problemsOfFilter(waiting.replace('dead-letters-kept', 'dead-letters-held'))).to.have.length(2)
    })
  })

  describe('the dashboard', () => {
    const problemsOf = shapeOf('@google-cloud/monitoring-dashboards', 'google.monitoring.dashboard.v1.Dashboard')
    const { columns, tiles } = dashboard.mosaicLayout
    it('is a Dashboard, and its charts are of metrics that exist', () => {
      expect(problemsOf(dashboard)).to.deep.equal([])
      expect(seriesFilters(dashboard).flatMap(problemsOfFilter)).to.deep.equal([])
      const typeOf = (filter: string): string => /metric\.type="([^"]+)"/.exec(filter)![1]!
      const shown = new Set(seriesFilters(dashboard).map(typeOf))
      for (const { name, content } of policies)
        expect(
          seriesFilters(content)
            .map(typeOf)
            .some((type) => shown.has(type)),
          name,
        ).to.equal(true)
      for (const { widget } of tiles) {
        const panel = widget['logsPanel'] as { filter: string } | undefined
        if (panel !== undefined) readQuery(panel.filter)
      }
    })
    it('has its tiles side by side, none over another', () => {
      const taken = new Set<string>()
      for (const { xPos, yPos, width, height } of tiles) {
        expect(xPos + width).to.be.at.most(columns)
        for (let x = xPos; x < xPos + width; x++)
          for (let y = yPos; y < yPos + height; y++) {
            expect(taken.has(`${x},${y}`), `two tiles at ${x},${y}`).to.equal(false)
            taken.add(`${x},${y}`)
          }
      }
    })
    it('with an error is found', () => {
      expect(problemsOf({ ...dashboard, gridLayout: {} })[0]).to.match(/only one of gridLayout, mosaicLayout/)
      expect(problemsOf({ mosaicLayout: { tiles: [{ xPosition: 0 }] } })).to.deep.equal([
        'mosaicLayout.tiles[0].xPosition: Tile has no such field',
      ])
      expect(problemsOf({ mosaicLayout: { tiles: [{ widget: { text: { format: 'HTML' } } }] } })).to.deep.equal([
        'mosaicLayout.tiles[0].widget.text.format: "HTML" is no Format',
      ])
    })
  })

  describe('what brings it into a project', () => {
    const script = fileURLToPath(new URL('apply.sh', folder))
    const run = (args: string[], variables: Record<string, string>) =>
      spawnSync('bash', [script, ...args], { env: { PATH: process.env['PATH'], ...variables }, encoding: 'utf8', timeout: 20_000 })
    it('names the variable that is missing', () => {
      const { status, stderr } = run(['--dry-run'], {})
      expect([status, stderr.trim()]).to.deep.equal([
        1,
        'apply.sh: PROJECT_ID: is not set; fill in infra/deploy/deployment_vars.sh, or set it before',
      ])
    })
    it('has a command for each file, and tells who is to be told', () => {
      const { status, stdout } = run(['--dry-run'], {
        PROJECT_ID: 'my-project-1',
        ALERT_CHANNEL: 'projects/my-project-1/notificationChannels/1',
      })
      const lines = stdout.trim().split('\n')
      expect([status, lines.length]).to.deep.equal([0, metrics.length + policies.length + 1])
      for (const { name } of metrics) expect(stdout).to.match(new RegExp(`logging metrics create ${name} .*metrics/${name}\\.yaml`))
      for (const { name } of policies)
        expect(stdout).to.match(new RegExp(`policies create .*policies/${name}\\.yaml --notification-channels=projects/my-project-1`))
    })
  })
})
