import { expect } from 'chai'
import { eventData } from '../../domain/events.ts'
import {
  decodeTopics,
  endsWithinOf,
  latestSlot,
  nameFor,
  nextSlot,
  type Schedule,
  slotId,
  slotsBetween,
  type Topics,
  topicOf,
  validForOf,
  type When,
} from '../../domain/topics.ts'
import { parseTopics, readTopics } from '../../infra/topics-file.ts'

const minutes = (count: number) => count * 60_000
const time = (iso: string) => Date.parse(iso)
const shipped = readTopics()

const file = () => ({
  topics: {
    '{mode}-commands': { kind: 'command', retention: '7d', messages: { strategy: { validFor: '15m' }, halt: { validFor: 'none' } } },
    '{mode}-events': { kind: 'event', retention: '7d', orderingKey: '{mode}', messages: ['OrderPlanned'] },
    '{mode}-dead-letters': { kind: 'deadLetter', retention: '31d' },
  } as Record<string, Record<string, unknown>>,
  subscriptions: {
    '{mode}-commands-engine': {
      topic: '{mode}-commands',
      handler: 'engine',
      ackDeadline: '10s',
      retry: { minimumBackOff: '1s', maximumBackOff: '60s' },
      deadLetter: { topic: '{mode}-dead-letters', attempts: 5 },
      exactlyOnce: false,
      ordering: false,
    },
  } as Record<string, Record<string, unknown>>,
  schedules: { daily: { cron: '5 16 * * 1-5', timeZone: 'America/New_York', calendar: 'NYSE', command: 'dummy', body: {} } } as Record<
    string,
    Record<string, unknown>
  >,
})
type File = ReturnType<typeof file>
const problemOf = (change: (value: File) => void): string => {
  const value = file()
  change(value)
  const answer = decodeTopics(value)
  if (typeof answer !== 'string') throw new Error('was accepted')
  return answer
}
const schedule = (when: When): Schedule => ({
  job: 'daily',
  when,
  timeZone: 'America/New_York',
  calendar: 'NYSE',
  command: { type: 'dummy', body: {} },
})
const closePlus5 = schedule({ kind: 'close', minutes: 5 })
const closeMinus5 = schedule({ kind: 'close', minutes: -5 })
const weekdays = schedule({ kind: 'cron', expression: '5 16 * * 1-5' })
const iso = (slots: number[]) => slots.map((slot) => new Date(slot).toISOString())

describe('topics.yaml', () => {
  it('gives every event type its topic, and names no other', () => {
    const events = Object.values(shipped.topics).flatMap((topic) => (topic.kind === 'event' ? topic.messages : []))
    expect([...events].sort()).to.deep.equal(Object.keys(eventData).sort())
  })

  it('says how long each command counts', () => {
    const validFor = Object.fromEntries(
      ['reconcile', 'allocation', 'orchestrator', 'resume', 'configure', 'explain', 'resolve-order'].map((type) => [
        type,
        validForOf(shipped, type),
      ]),
    )
    expect(validFor).to.deep.equal({
      reconcile: minutes(15),
      allocation: minutes(30),
      orchestrator: minutes(60),
      resume: minutes(15),
      configure: minutes(1440),
      explain: minutes(1440),
      'resolve-order': minutes(1440),
    })
    expect([validForOf(shipped, 'halt'), validForOf(shipped, 'cancel-order')]).to.deep.equal([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ])
  })

  it('keeps urgent commands on a topic of their own', () => {
    expect([topicOf(shipped, 'halt', 'paper'), topicOf(shipped, 'cancel-order', 'live')]).to.deep.equal(['paper-urgent', 'live-urgent'])
    expect(topicOf(shipped, 'reconcile', 'paper')).to.equal('paper-commands')
  })

  it('takes any other command for a strategy by its id', () => {
    expect(topicOf(shipped, 'spymacdvixy', 'paper')).to.equal('paper-commands')
    expect(validForOf(shipped, 'spymacdvixy')).to.equal(minutes(15))
  })

  it('knows no other event', () => {
    expect(topicOf(shipped, 'FillReceived', 'paper')).to.equal('paper-events')
    expect(() => topicOf(shipped, 'OrderDreamed', 'paper')).to.throw('no topic for the event type OrderDreamed')
  })

  it('bounds the pipelines and nothing else', () => {
    expect([endsWithinOf(shipped, 'orchestrator'), endsWithinOf(shipped, 'allocation')]).to.deep.equal([minutes(60), minutes(30)])
    expect([endsWithinOf(shipped, 'reconcile'), endsWithinOf(shipped, 'dummy')]).to.deep.equal([undefined, undefined])
  })

  it('lets a command retry for longer than any command that waits for the broker counts', () => {
    const { retry, deadLetter } = shipped.subscriptions['{mode}-commands-engine']!
    let lasts = 0
    for (let attempt = 1; attempt < deadLetter!.attempts; attempt++)
      lasts += Math.min(retry.minimumBackOff * 2 ** (attempt - 1), retry.maximumBackOff)
    expect(lasts).to.be.above(validForOf(shipped, 'orchestrator'))
  })

  it('has a reader for every topic of commands and a home for every dead letter', () => {
    for (const [name, topic] of Object.entries(shipped.topics)) {
      if (topic.kind === 'event') continue
      const readers = Object.values(shipped.subscriptions).filter((subscription) => subscription.topic === name)
      expect(readers.map(({ handler }) => handler)).to.deep.equal([topic.kind === 'command' ? 'engine' : 'none'])
      if (topic.kind === 'command') expect(readers[0]!.deadLetter?.topic).to.equal('{mode}-dead-letters')
    }
  })

  it('asks the orchestrator after the close of each session', () => {
    expect(shipped.schedules.map(({ job, when, command }) => ({ job, when, command }))).to.deep.equal([
      { job: 'orchestrator', when: { kind: 'close', minutes: 5 }, command: { type: 'orchestrator', body: {} } },
    ])
  })
})

describe('the codec of topics.yaml', () => {
  it('reads durations, words and both kinds of schedule', () => {
    const value = file()
    value.schedules['daily'] = { ...value.schedules['daily'], cron: undefined }
    delete value.schedules['daily']['cron']
    value.schedules['daily']['at'] = 'close-5m'
    const topics = decodeTopics(value) as Topics
    expect(topics.schedules[0]!.when).to.deep.equal({ kind: 'close', minutes: -5 })
    expect(topics.subscriptions['{mode}-commands-engine']!.retry).to.deep.equal({ minimumBackOff: 1_000, maximumBackOff: 60_000 })
    expect(nameFor('{mode}-commands', 'live')).to.equal('live-commands')
  })

  const wrong: [string, (value: File) => void, RegExp][] = [
    [
      'an unknown key',
      (v) => (v.topics['{mode}-events']!['colour'] = 1),
      /^topics\.\{mode\}-events\.colour: is not a setting; known are kind/,
    ],
    ['an unknown section', (v) => Object.assign(v, { extra: {} }), /^extra: is not a setting/],
    [
      'an unknown kind',
      (v) => (v.topics['{mode}-events']!['kind'] = 'news'),
      /^topics\.\{mode\}-events: must have a kind: command, event, deadLetter/,
    ],
    [
      'a missing duration',
      (v) => delete v.topics['{mode}-commands']!['retention'],
      /^topics\.\{mode\}-commands\.retention: must be a duration/,
    ],
    [
      'a wrong validFor',
      (v) => (v.topics['{mode}-commands']!['messages'] = { strategy: { validFor: '15 minutes' } }),
      /messages\.strategy\.validFor: must be a duration such as "15m" or "none"/,
    ],
    [
      'a name without mode',
      (v) => (v.topics['events'] = v.topics['{mode}-events']!),
      /^topics\.events: must be a name that begins with \{mode\}-/,
    ],
    [
      'a deadline under that of Pub/Sub',
      (v) => (v.subscriptions['{mode}-commands-engine']!['ackDeadline'] = '5s'),
      /ackDeadline: must be from 10 s/,
    ],
    [
      'an undeclared topic',
      (v) => (v.subscriptions['{mode}-commands-engine']!['topic'] = '{mode}-lost'),
      /topic: \{mode\}-lost is not declared/,
    ],
    [
      'dead letters on a topic of commands',
      (v) => (v.subscriptions['{mode}-commands-engine']!['deadLetter'] = { topic: '{mode}-commands', attempts: 5 }),
      /deadLetter\.topic: .* kind deadLetter/,
    ],
    [
      'a back-off upside down',
      (v) => (v.subscriptions['{mode}-commands-engine']!['retry'] = { minimumBackOff: '60s', maximumBackOff: '1s' }),
      /minimumBackOff is above maximumBackOff/,
    ],
    ['a type on two topics', (v) => (v.topics['{mode}-more'] = v.topics['{mode}-commands']!), /travels on \{mode\}-commands already/],
    [
      'no entry for strategies',
      (v) => (v.topics['{mode}-commands']!['messages'] = { halt: { validFor: 'none' } }),
      /has the entry strategy/,
    ],
    ['a schedule without time', (v) => delete v.schedules['daily']!['cron'], /^schedules\.daily: needs either cron or at/],
    ['a schedule with both', (v) => (v.schedules['daily']!['at'] = 'close+5m'), /^schedules\.daily: needs either cron or at/],
    ['a cron with seconds', (v) => (v.schedules['daily']!['cron'] = '0 5 16 * * 1-5'), /^schedules\.daily\.cron: .* five fields/],
    ['a cron drawn by lot', (v) => (v.schedules['daily']!['cron'] = 'H 16 * * *'), /^schedules\.daily\.cron: /],
    ['a cron that cannot be', (v) => (v.schedules['daily']!['cron'] = '61 16 * * *'), /^schedules\.daily\.cron: /],
    ['another time zone', (v) => (v.schedules['daily']!['timeZone'] = 'Europe/Berlin'), /^schedules\.daily\.timeZone: /],
    ['a body that is no mapping', (v) => (v.schedules['daily']!['body'] = [1]), /^schedules\.daily\.body: /],
  ]
  for (const [name, change, expected] of wrong)
    it(`names ${name}, in one line`, () => {
      expect(problemOf(change)).to.match(expected).and.not.include('\n')
    })

  it('says so when there is nothing', () =>
    expect(decodeTopics(undefined))
      .to.be.a('string')
      .and.match(/must be a mapping with topics/))
})

describe('the text of topics.yaml', () => {
  it('refuses double keys, aliases and broken YAML, naming the file', () => {
    expect(() => parseTopics('topics: {}\ntopics: {}')).to.throw(/^topics\.yaml: .*unique/)
    expect(() => parseTopics('topics: &a {}\nsubscriptions: *a')).to.throw('topics.yaml: anchors and aliases are not allowed')
    expect(() => parseTopics('topics: {}\nsubscriptions: &a {}')).to.throw('topics.yaml: anchors and aliases are not allowed')
    expect(() => parseTopics('topics: [')).to.throw(/^topics\.yaml: /)
    expect(() => parseTopics('topics: !!js {}')).to.throw(/^topics\.yaml: /)
    expect(() => parseTopics('topics: {}\n---\ntopics: {}')).to.throw(/^topics\.yaml: /)
  })
})

describe('slots', () => {
  it('follow the close: early on the day after Thanksgiving, none on the holiday', () => {
    const week = slotsBetween(closePlus5, time('2026-11-25T00:00:00Z'), time('2026-12-01T00:00:00Z'))
    expect(iso(week)).to.deep.equal(['2026-11-25T21:05:00.000Z', '2026-11-27T18:05:00.000Z', '2026-11-30T21:05:00.000Z'])
    expect(iso(slotsBetween(closeMinus5, time('2026-11-27T00:00:00Z'), time('2026-11-28T00:00:00Z')))).to.deep.equal([
      '2026-11-27T17:55:00.000Z',
    ])
  })

  it('of a cron keep New York time across the change of clocks, holidays included', () => {
    const days = slotsBetween(weekdays, time('2026-10-30T00:00:00Z'), time('2026-11-03T00:00:00Z'))
    expect(iso(days)).to.deep.equal(['2026-10-30T20:05:00.000Z', '2026-11-02T21:05:00.000Z'])
    expect(iso(slotsBetween(weekdays, time('2026-11-26T00:00:00Z'), time('2026-11-27T00:00:00Z')))).to.deep.equal([
      '2026-11-26T21:05:00.000Z',
    ])
  })

  it('are counted once when ranges meet', () => {
    const [from, slot, to] = [time('2026-11-25T00:00:00Z'), time('2026-11-25T21:05:00Z'), time('2026-11-26T00:00:00Z')]
    for (const kind of [closePlus5, weekdays]) {
      expect(slotsBetween(kind, from, slot)).to.deep.equal([slot])
      expect(slotsBetween(kind, slot, to)).to.deep.equal([])
      expect(slotsBetween(kind, to, from)).to.deep.equal([])
    }
  })

  it('agree: the next one is the first between, the latest one the last', () => {
    for (const kind of [closePlus5, closeMinus5, weekdays])
      for (let at = time('2026-12-22T12:00:00Z'); at < time('2027-01-05T00:00:00Z'); at += minutes(173)) {
        const ahead = slotsBetween(kind, at, at + minutes(20 * 1440))
        const behind = slotsBetween(kind, at - minutes(20 * 1440), at + minutes(1))
        expect([nextSlot(kind, at), latestSlot(kind, at)]).to.deep.equal([ahead[0], behind.at(-1)])
      }
  })

  it('belong to a message published up to a minute early', () => {
    const slot = time('2026-11-25T21:05:00Z')
    for (const kind of [closePlus5, weekdays]) {
      expect(latestSlot(kind, slot - minutes(1))).to.equal(slot)
      expect(latestSlot(kind, slot - minutes(1) - 1)).to.equal(time('2026-11-24T21:05:00Z'))
      expect(nextSlot(kind, slot)).to.be.above(slot)
    }
  })

  it('make the id of a command', () => {
    expect(slotId('orchestrator', time('2026-11-25T21:05:00Z'))).to.equal('orchestrator@2026-11-25T21:05:00Z')
  })
})
