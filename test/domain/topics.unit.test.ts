import { expect } from 'chai'
import { newYorkTime, sessions } from '../../domain/calendar.ts'
import { eventData } from '../../domain/events.ts'
import { backOffAfter } from '../../domain/ports/bus.ts'
import {
  cronsOf,
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
const atClose = (value: File, at: string) => {
  const { cron: _, ...rest } = value.schedules['daily']!
  value.schedules['daily'] = { ...rest, at }
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
    for (let attempt = 1; attempt < deadLetter!.attempts; attempt++) lasts += backOffAfter(retry, attempt)
    expect(lasts).to.be.above(validForOf(shipped, 'orchestrator'))
  })

  it('has a reader for every topic of commands and a home for every dead letter', () => {
    for (const [name, topic] of Object.entries(shipped.topics)) {
      if (topic.kind === 'event') continue
      const readers = Object.values(shipped.subscriptions).filter((subscription) => subscription.topic === name)
      expect(readers.map(({ handler }) => handler)).to.deep.equal(topic.kind === 'command' ? ['engine'] : ['none', 'alerts'])
      if (topic.kind === 'command') expect(readers[0]!.deadLetter?.topic).to.equal('{mode}-dead-letters')
    }
  })

  it('looks at the risk at noon, audits and closes the day before each close, and asks the orchestrator after it', () => {
    const jobs = shipped.schedules.map(({ job, when, command }) => [job, when, command])
    const plain = (type: string) => ({ type, body: {} })
    expect(jobs).to.deep.equal([
      ['risk-check', { kind: 'cron', expression: '0 12 * * 1-5' }, plain('risk-check')],
      ['trade-reconciliation', { kind: 'close', minutes: -10 }, plain('trade-reconciliation')],
      ['eod-check', { kind: 'close', minutes: -5 }, plain('eod-check')],
      ['orchestrator', { kind: 'close', minutes: 5 }, plain('orchestrator')],
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
      'a back-off of dead letters',
      (v) => (v.subscriptions['{mode}-commands-engine']!['topic'] = '{mode}-dead-letters'),
      /engine\.retry: a dead letter that somebody has looked at/,
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
    ['a close on the next day', (v) => atClose(v, 'close+480m'), /^schedules\.daily\.at: close\+480m is not on the day of each session/],
    ['a close on the day before', (v) => atClose(v, 'close-781m'), /^schedules\.daily\.at: close-781m is not on the day of each session/],
    [
      'two schedules of one job',
      (v) => {
        v.schedules['daily-1300'] = { ...v.schedules['daily'] }
        atClose(v, 'close+5m')
      },
      /^schedules: two of them would be the job daily-1300 of Cloud Scheduler/,
    ],
    [
      'too few attempts for Pub/Sub',
      (v) => (v.subscriptions['{mode}-commands-engine']!['deadLetter'] = { topic: '{mode}-dead-letters', attempts: 4 }),
      /deadLetter\.attempts: must be a whole number from 5 to 100/,
    ],
    [
      'more attempts than Pub/Sub makes',
      (v) => (v.subscriptions['{mode}-commands-engine']!['deadLetter'] = { topic: '{mode}-dead-letters', attempts: 101 }),
      /deadLetter\.attempts: must be a whole number from 5 to 100/,
    ],
    [
      'a deadline over that of Pub/Sub',
      (v) => (v.subscriptions['{mode}-commands-engine']!['ackDeadline'] = '11m'),
      /ackDeadline: must be from 10 s to 600 s/,
    ],
    [
      'a back-off over that of Pub/Sub',
      (v) => (v.subscriptions['{mode}-commands-engine']!['retry'] = { minimumBackOff: '1s', maximumBackOff: '601s' }),
      /retry\.maximumBackOff: must be from 0 s to 600 s/,
    ],
    [
      'a retention over that of Pub/Sub',
      (v) => (v.topics['{mode}-events']!['retention'] = '32d'),
      /retention: must be from 600 s to 2678400 s/,
    ],
    ['a retention under that of Pub/Sub', (v) => (v.topics['{mode}-events']!['retention'] = '9m'), /retention: must be from 600 s/],
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
    for (let at = time('2026-12-22T12:00:00Z'); at < time('2027-01-05T00:00:00Z'); at += minutes(173)) {
      for (const kind of [closePlus5, closeMinus5, weekdays])
        expect(nextSlot(kind, at)).to.equal(slotsBetween(kind, at, at + minutes(20 * 1440))[0])
      expect(latestSlot(weekdays, at)).to.equal(slotsBetween(weekdays, at - minutes(20 * 1440), at + minutes(1)).at(-1))
    }
  })

  it('at the close are also those of a close that does not come about: each job of it has an id of its own', () => {
    const of = (publishedAt: string) => iso([latestSlot(closePlus5, time(publishedAt))])[0]
    expect(of('2026-11-24T18:05:00Z'), '13:05 on a usual day').to.equal('2026-11-24T18:05:00.000Z')
    expect(of('2026-11-24T21:08:00Z'), 'three minutes late').to.equal('2026-11-24T21:05:00.000Z')
    expect(of('2026-11-26T21:05:00Z'), 'on Thanksgiving').to.equal('2026-11-26T21:05:00.000Z')
    expect(of('2026-11-27T21:05:00Z'), 'after an early close').to.equal('2026-11-27T21:05:00.000Z')
    expect(of('2026-11-29T21:05:00Z'), 'on Sunday').to.equal('2026-11-27T21:05:00.000Z')
  })

  it('keep New York time on the days around the change of clocks', () => {
    const of = (publishedAt: string) => iso([latestSlot(closeMinus5, time(publishedAt))])[0]
    expect(of('2026-10-30T19:56:00Z')).to.equal('2026-10-30T19:55:00.000Z')
    expect(of('2026-11-02T20:56:00Z')).to.equal('2026-11-02T20:55:00.000Z')
    expect(of('2026-11-02T19:56:00Z')).to.equal('2026-11-02T17:55:00.000Z')
    expect(of('2027-03-12T20:56:00Z')).to.equal('2027-03-12T20:55:00.000Z')
    expect(of('2027-03-15T19:56:00Z')).to.equal('2027-03-15T19:55:00.000Z')
  })

  it('of each session are the ones by which a message published then is named, whoever publishes it', () => {
    const years = [
      ['1990-01-05', '1994-01-01'],
      ['2025-01-01', '2027-01-01'],
    ].map(([from, to]) => [time(`${from}T00:00:00Z`), time(`${to}T00:00:00Z`)] as const)
    for (const kind of [closePlus5, closeMinus5])
      for (const slot of years.flatMap(([from, to]) => slotsBetween(kind, from, to)))
        expect(latestSlot(kind, slot), new Date(slot).toISOString()).to.equal(slot)
  })

  it('at the close become one cron for each possible close', () => {
    expect(cronsOf(closePlus5)).to.deep.equal([
      { name: 'daily-1300', expression: '5 13 * * 1-5' },
      { name: 'daily-1600', expression: '5 16 * * 1-5' },
    ])
    expect(cronsOf(closeMinus5).map(({ expression }) => expression)).to.deep.equal(['55 12 * * 1-5', '55 15 * * 1-5'])
    expect(cronsOf(weekdays)).to.deep.equal([{ name: 'daily', expression: '5 16 * * 1-5' }])
  })

  it('leave out no close: since 1993 no session has ended at another time, nor will one by the rules', () => {
    for (const { date, close } of sessions('1993-01-01', '2060-12-31'))
      expect([newYorkTime(date, '13:00'), newYorkTime(date, '16:00')], date).to.include(close)
  })

  it('belong to a message published up to a minute early', () => {
    const slot = time('2026-11-25T21:05:00Z')
    for (const kind of [closePlus5, weekdays]) {
      expect(latestSlot(kind, slot - minutes(1))).to.equal(slot)
      expect(latestSlot(kind, slot - minutes(1) - 1)).to.equal(kind === weekdays ? time('2026-11-24T21:05:00Z') : slot - minutes(180))
      expect(nextSlot(kind, slot)).to.be.above(slot)
    }
  })

  it('make the id of a command', () => {
    expect(slotId('orchestrator', time('2026-11-25T21:05:00Z'))).to.equal('orchestrator@2026-11-25T21:05:00Z')
  })
})
