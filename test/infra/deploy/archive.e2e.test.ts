/** SQL on the archive counts what the journal counts: the events of a demo through the real relay, into the table's columns. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect } from 'chai'
import type { Commit } from '../../../domain/commit.ts'
import type { EventData } from '../../../domain/events.ts'
import { openExistingData } from '../../../infra/store.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { createRelay } from '../../../projections/relay.ts'
import { createMemory, memoryDocuments } from '../../memory-store.ts'
import { createBus, hasty, type Kept, silent } from '../../projections/relay-in-hand.ts'
import { ibt, temporaryFolder } from '../cli/ibt.ts'
import { type Column, checkTable, openDataset, rowOf } from './big-query.ts'

const folder = new URL('../../../infra/deploy/archive/', import.meta.url)
const textOf = (path: string): string => readFileSync(new URL(path, folder), 'utf8')
const columns = JSON.parse(textOf('messages.schema.json')) as Column[]
const names = readdirSync(new URL('queries/', folder)).map((file) => file.replace(/\.sql$/, ''))
const dataset = 'ib_trading_paper'

type Event = Commit['events'][number]
const countBy = (keys: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const key of [...keys].sort()) counts[key] = (counts[key] ?? 0) + 1
  return counts
}
const rounded = (value: unknown): number => Math.round(Number(value) * 1e6) / 1e6

describe('the archive', function () {
  this.timeout(180_000)
  const home = temporaryFolder()
  let commits: Commit[]
  let events: Event[]
  let published: Kept[]
  let archive: ReturnType<typeof openDataset>
  const ask = (name: string) => archive.ask(textOf(`queries/${name}.sql`))
  const of = <T extends Parameters<typeof countBy>[0][number]>(type: T) => events.filter((event) => event.type === type)
  const dataOf = <T>(event: Event): T => event.data as T

  before(async () => {
    const demo = await ibt(['demo', '--days', '20', '--keep', home.path])
    expect(demo.code, demo.errors).to.equal(0)
    const journal = await ibt(['journal'], { DATA_DIR: home.path })
    commits = journal.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Commit)
    events = commits.flatMap((commit) => commit.events)
    const data = await openExistingData({ dataDirectory: home.path, mode: 'paper', store: { kind: 'embedded' } }, readTopics())
    // A bus that now and then keeps a message and loses the answer: the relay publishes the last of them again.
    const { bus, kept } = createBus((call) => (call % 97 === 0 ? 'kept, but the answer is lost' : undefined))
    const relay = createRelay({
      ...{ journal: data.journal, documents: memoryDocuments(createMemory()), bus, topics: readTopics() },
      ...{ mode: 'paper', log: silent, clock: hasty() },
    })
    await relay.start()
    await relay.caughtUp(commits.length)
    await relay.stop()
    await data.close()
    published = kept
  })
  beforeEach(() => {
    checkTable(columns)
    archive = openDataset(dataset, columns, textOf('events.view.sql'))
    for (const [number, { data, attributes }] of published.entries()) {
      const publishTime = new Date(Date.parse('2026-11-20T21:00:00Z') + number).toISOString()
      archive.write(rowOf(columns, 'projects/p/subscriptions/paper-events-archive', { id: `${number}`, publishTime, data, attributes }))
    }
  })
  afterEach(() => archive.close())
  after(() => home.remove())

  it('has been given some events twice, as the topic may', () => {
    expect(published.length).to.be.greaterThan(events.length)
    expect(new Set(published.map(({ attributes }) => attributes['position'])).size).to.equal(events.length)
  })

  it('takes every message of the relay, and a table that Pub/Sub could not write to is found', () => {
    const without = columns.filter(({ name }) => name !== 'attributes')
    expect(() => checkTable(without)).to.throw('the table has no column attributes')
    const wrong = columns.map((column) => (column.name === 'publish_time' ? { ...column, type: 'DATE' } : column))
    expect(() => checkTable(wrong)).to.throw('publish_time cannot be DATE')
    expect(() => checkTable([...columns, { name: 'mode', type: 'STRING', mode: 'REQUIRED' }])).to.throw('required column mode')
    const message = { id: '1', publishTime: '2026-11-20T21:00:00Z', attributes: {} }
    expect(() => rowOf(columns, 's', { ...message, data: 'no JSON' })).to.throw(SyntaxError)
  })

  it('shows in its columns what the attributes say, and what the journal keeps', () => {
    const rows = archive.ask(`SELECT * FROM \${DATASET}.events ORDER BY commit_position, event_number`)
    const expected = commits.flatMap(({ position, recordedAt, cause, events: own }) =>
      own.map(({ type, v, occurredAt, data }, number) => ({
        ...{ position: `${position}.${number}`, commit_position: position, event_number: number, type, v },
        ...{ occurred_at: occurredAt, recorded_at: recordedAt },
        correlation_id: 'correlationId' in cause ? (cause.correlationId ?? null) : null,
        data,
      })),
    )
    expect(rows.map((row) => ({ ...row, data: JSON.parse(String(row['data'])) }))).to.deep.equal(expected)
    for (const { attributes, data } of published) {
      const { type, v, position } = JSON.parse(data) as { type: string; v: number; position: string }
      expect([attributes['type'], attributes['v'], attributes['position']]).to.deep.equal([type, String(v), position])
    }
  })

  const expected: Record<string, () => unknown> = {
    'events-by-type': () => Object.entries(countBy(events.map(({ type }) => type))).map(([type, count]) => ({ type, events: count })),
    completeness: () => [
      { events: events.length, commits: commits.length, first_commit: 1, last_commit: commits.length, missing_commits: 0 },
    ],
    'fills-by-day': () => {
      const days = new Map<string, { fills: number; bought: number; sold: number; turnover: number }>()
      for (const event of of('FillReceived')) {
        const { symbol, quantity, price } = dataOf<EventData<'FillReceived'>>(event)
        const day = days.get(`${event.occurredAt.slice(0, 10)} ${symbol}`) ?? { fills: 0, bought: 0, sold: 0, turnover: 0 }
        const shares = Number(quantity)
        days.set(`${event.occurredAt.slice(0, 10)} ${symbol}`, {
          fills: day.fills + 1,
          bought: day.bought + Math.max(shares, 0),
          sold: day.sold + Math.max(-shares, 0),
          turnover: rounded(day.turnover + Math.abs(shares) * Number(price)),
        })
      }
      return [...days]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([key, day]) => ({ day: key.slice(0, 10), symbol: key.slice(11), ...day }))
    },
    'orders-by-end': () => {
      const ends = new Map(of('OrderClosed').map((event) => [dataOf<EventData<'OrderClosed'>>(event).orderRef, event]))
      const hows = of('OrderPlanned').map((event) => {
        const end = ends.get(dataOf<EventData<'OrderPlanned'>>(event).orderRef)
        return end === undefined ? 'open' : dataOf<EventData<'OrderClosed'>>(end).how
      })
      return Object.entries(countBy(hows)).map(([how, orders]) => ({ how, orders }))
    },
    commissions: () => {
      const reports = of('CommissionReported').map((event) => dataOf<EventData<'CommissionReported'>>(event))
      expect(new Set(reports.map(({ currency }) => currency))).to.deep.equal(new Set(['USD']))
      return [
        {
          currency: 'USD',
          reports: reports.length,
          commission: rounded(reports.reduce((sum, { commission }) => sum + Number(commission), 0)),
        },
      ]
    },
    days: () =>
      of('DayClosed').map((event) => {
        const { session, currency, netLiquidation, profit } = dataOf<EventData<'DayClosed'>>(event)
        return { session, currency, net_liquidation: rounded(netLiquidation), profit: profit === undefined ? null : rounded(profit) }
      }),
    'runs-by-outcome': () =>
      Object.entries(countBy(of('PipelineEnded').map((event) => dataOf<EventData<'PipelineEnded'>>(event).outcome))).map(
        ([outcome, runs]) => ({
          outcome,
          runs,
        }),
      ),
  }
  const inexact = new Set(['turnover', 'commission', 'net_liquidation', 'profit', 'bought', 'sold'])

  it('has an expectation for each of its queries', () => {
    expect(Object.keys(expected).sort()).to.deep.equal([...names].sort())
  })
  for (const name of names)
    it(`counts in ${name}.sql what the journal counts`, () => {
      const answer = ask(name).map((row) =>
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, inexact.has(key) && value !== null ? rounded(value) : value])),
      )
      expect(answer).to.have.length.greaterThan(0)
      expect(answer).to.deep.equal(expected[name]!())
    })

  it('says when a commit is missing', () => {
    archive.remove(`JSON_VALUE(data, '$.position') LIKE '7.%'`)
    expect(ask('completeness')[0]).to.deep.include({ commits: commits.length - 1, missing_commits: 1 })
  })
})
