import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { type Commit, genesisHash, store } from '../../../domain/commit.ts'
import { StoreUnavailable } from '../../../domain/ports/journal.ts'
import { systemClock } from '../../../infra/clock.ts'
import { framesAfter } from '../../../infra/http/event-stream.ts'
import { until } from '../../contract/until.ts'
import { type Memory, memoryJournal } from '../../memory-store.ts'
import { inSeconds, type Signer, signerWith, tokenOf } from './issuer.ts'
import { type ServerInHand, startServer } from './server-in-hand.ts'

/** So many commits of two events each, appended as an engine does. */
const append = async (memory: Memory, count: number, textLength = 10): Promise<void> => {
  const journal = memoryJournal(memory)
  for (let round = 0; round < count; round++) {
    const { position, hash } = await journal.head()
    const at = '2026-11-20T15:00:00.000Z'
    const lost = { type: 'GatewayLost', v: 1, occurredAt: at, data: { reason: 'x'.repeat(textLength) } }
    const commit: Commit = {
      ...{ position: position + 1, epoch: 1, recordedAt: at, previousHash: position === 0 ? genesisHash : hash },
      cause: { kind: 'broker', report: 'lost' },
      events: [lost, lost],
    }
    expect(store(commit).position).to.equal(position + 1)
    await journal.append(commit)
  }
}

type Reader = { ids(): string[]; text(): string; ended(): boolean; status(): string; socket: Socket }

/** A client of a few lines, so that a test can stop reading and can see the very bytes. */
const read = (port: number, headers: Record<string, string> = {}, path = '/events'): Reader => {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  let ended = false
  socket.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  socket.on('close', () => {
    ended = true
  })
  socket.on('error', () => undefined)
  const lines = Object.entries({ host: `localhost:${port}`, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  return {
    socket,
    text: () => text,
    ids: () => [...text.matchAll(/^id: (\S+)$/gm)].map(([, id]) => id!),
    ended: () => ended,
    status: () => text.split('\r\n')[0] ?? '',
  }
}

describe('the stream of events', () => {
  let world: ServerInHand
  let port: number
  beforeEach(async () => {
    world = await startServer()
    port = await world.server.listen(0)
  })
  afterEach(() => world.server.stop())
  const refusal = (headers: Record<string, string>, url = '/events') => world.ask({ method: 'GET', url, headers })

  it('begins with what comes next, as the journal has it', async () => {
    await append(world.memory, 2)
    const reader = read(port)
    await until('it has begun', () => reader.text().includes('retry:'))
    await append(world.memory, 1)
    await until('the next events are there', () => reader.ids().length === 2)
    expect(reader.ids()).to.deep.equal(['3.0', '3.1'])
    expect(reader.text())
      .to.match(/^HTTP\/1\.1 200 /)
      .and.match(/content-type: text\/event-stream/i)
    const [, data] = /event: GatewayLost\ndata: (.*)\n\n/.exec(reader.text().replaceAll(/\r\n[0-9a-f]+\r\n/g, ''))!
    expect(JSON.parse(data!)).to.include({ type: 'GatewayLost', position: '3.0', v: 1 })
    reader.socket.destroy()
  })

  it('goes on after the event, or the commit, that the reader saw last', async () => {
    await append(world.memory, 3)
    const cases: [Record<string, string>, string, string[]][] = [
      [{ 'last-event-id': '2.0' }, '/events', ['2.1', '3.0', '3.1']],
      [{ 'last-event-id': '2' }, '/events', ['3.0', '3.1']],
      [{}, '/events?after=0', ['1.0', '1.1', '2.0', '2.1', '3.0', '3.1']],
      [{ 'last-event-id': '3.1' }, '/events?after=0', []],
    ]
    for (const [headers, path, ids] of cases) {
      const reader = read(port, headers, path)
      await until(`${path} ${JSON.stringify(headers)} is read`, () => reader.text().includes('retry:') && reader.ids().length >= ids.length)
      expect(reader.ids()).to.deep.equal(ids)
      reader.socket.destroy()
    }
  })

  it('refuses a place that is none, or that this journal has not come to', async () => {
    await append(world.memory, 1)
    for (const place of ['yesterday', '-1', '1.', '7']) {
      const answer = await refusal({ 'last-event-id': place })
      expect([answer.statusCode, answer.json().code], place).to.deep.equal([400, 'REQUEST_INVALID'])
    }
  })

  it('keeps nothing for a reader who reads slowly, and gives him everything in the end', async () => {
    const pages: number[] = []
    const { read: original } = memoryJournal(world.memory)
    await append(world.memory, 400, 20_000)
    const leaving = new AbortController()
    const journal = {
      ...memoryJournal(world.memory),
      read: async function* (from: number, to?: number) {
        for await (const commit of original(from, to)) {
          pages.push(commit.position)
          yield commit
        }
      },
    }
    const frames = framesAfter({ journal, clock: systemClock, after: { position: 0, number: 0 }, leaving: leaving.signal })
    await frames.next()
    for (let taken = 0; taken < 4; taken++) await frames.next()
    expect(Math.max(...pages)).to.be.lessThan(4) // nobody reads ahead of him
    leaving.abort()
    await frames.return(undefined)

    const slow = read(port, {}, '/events?after=0')
    slow.socket.pause()
    slow.socket.resume()
    await until('all is read', () => slow.ids().length === 800)
    expect(slow.ids().at(-1)).to.equal('400.1')
    slow.socket.destroy()
  })

  it('says now and then that all is quiet, and outlives a store that is away', async () => {
    const timers: (() => void)[] = []
    const clock = {
      after: (_milliseconds: number, run: () => void) => {
        timers.push(run)
        return () => undefined
      },
    }
    let away = true
    const journal = memoryJournal(world.memory)
    const failing = {
      ...journal,
      read: (from: number, to?: number) => {
        if (away) throw new StoreUnavailable('away')
        return journal.read(from, to)
      },
    }
    const leaving = new AbortController()
    const frames = framesAfter({ journal: failing, clock, after: { position: 0, number: 0 }, leaving: leaving.signal })
    expect((await frames.next()).value).to.match(/^retry/)
    expect((await frames.next()).value).to.equal(': the store cannot be reached now\n\n')
    const next = frames.next()
    await until('it waits', () => timers.length === 1)
    away = false
    timers.shift()!()
    await until('it waits again', () => timers.length === 1)
    timers.shift()!()
    expect((await next).value).to.equal(': all is quiet\n\n')
    await append(world.memory, 1)
    expect((await frames.next()).value).to.match(/^id: 1\.0\nevent: GatewayLost\n/)
    leaving.abort()
    expect((await frames.next()).done).to.equal(true)
  })

  it('lets go of a reader who goes away, and takes no more than it can serve', async () => {
    const readers = Array.from({ length: 64 }, () => read(port))
    await until('all have begun', () => readers.every((reader) => reader.text().includes('retry:')))
    const answer = await refusal({})
    expect([answer.statusCode, answer.json().code, answer.headers['retry-after']]).to.deep.equal([503, 'TOO_MANY_READERS', '30'])
    const watching = () => world.memory.listeners.get('journal')!.size
    expect(watching()).to.equal(64)
    for (const reader of readers.slice(1)) reader.socket.destroy()
    await until('nobody watches for them', () => watching() === 1)
    const next = read(port)
    await until('another has begun', () => next.text().includes('retry:'))
    for (const reader of [readers[0]!, next]) reader.socket.destroy()
  })

  it('is gone on with by a reader who was cut off, at a server that was started anew: nothing is missing, nothing comes twice', async () => {
    await append(world.memory, 3)
    const first = read(port, {}, '/events?after=0')
    await until('some are read', () => first.ids().length >= 6)
    first.socket.destroy()
    await append(world.memory, 2)
    await world.server.stop()
    const again = await startServer({}, undefined, world.memory)
    try {
      const second = read(await again.server.listen(0), { 'last-event-id': first.ids()[4]! })
      await until('the rest is read', () => second.ids().length >= 5)
      await append(world.memory, 1)
      await until('what comes is read', () => second.ids().length >= 7)
      expect([...first.ids().slice(0, 5), ...second.ids()]).to.deep.equal([1, 2, 3, 4, 5, 6].flatMap((at) => [`${at}.0`, `${at}.1`]))
      second.socket.destroy()
    } finally {
      await again.server.stop()
    }
  })

  it('ends when the server stops, so that its reader comes again', async () => {
    const reader = read(port)
    await until('it has begun', () => reader.text().includes('retry:'))
    const before = performance.now()
    await world.server.stop()
    await until('it has ended', reader.ended)
    expect(performance.now() - before).to.be.lessThan(1_500)
    expect(reader.text()).to.match(/\r\n0\r\n\r\n$/) // cleanly: the last piece says so
  })
})

describe('the stream of events for those who have to say who they are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ibt-readers-'))
  let signer: Signer
  let world: ServerInHand
  let port: number
  before(async () => {
    signer = await signerWith('k1', 'ES256')
    const keys = join(folder, 'keys.json')
    writeFileSync(keys, JSON.stringify({ keys: [signer.publicJwk] }))
    world = await startServer({ identity: { audience: ['ibt'], own: { issuer: 'https://issuer.example.org', keys, roleClaim: 'role' } } })
    port = await world.server.listen(0)
  })
  after(async () => {
    await world.server.stop()
    rmSync(folder, { recursive: true })
  })
  const tokenFor = (sub: string, seconds = 300) =>
    tokenOf(signer, { iss: 'https://issuer.example.org', aud: 'ibt', sub, role: 'viewer', exp: inSeconds(seconds) })
  const readAs = async (sub: string, seconds?: number) => read(port, { authorization: `Bearer ${await tokenFor(sub, seconds)}` })

  it('ends with the token, and a new one goes on', async () => {
    const reader = await readAs('eve', -58) // within the skew of clocks for two seconds more
    await until('it has begun', () => reader.text().includes('retry:'))
    await append(world.memory, 1)
    await until('it reads', () => reader.ids().length === 2)
    await until('it has ended', () => /\r\n0\r\n\r\n$/.test(reader.text()), 60_000)
    reader.socket.destroy()
    await append(world.memory, 1)
    const expired = read(port, { authorization: `Bearer ${await tokenFor('eve', -90)}`, 'last-event-id': '1.1' })
    await until('it is answered', () => expired.text() !== '')
    expect(expired.status()).to.match(/ 401 /)
    expired.socket.destroy()
    const next = read(port, { authorization: `Bearer ${await tokenFor('eve')}`, 'last-event-id': '1.1' })
    await until('it goes on', () => next.ids().length === 2)
    expect(next.ids()).to.deep.equal(['2.0', '2.1'])
    next.socket.destroy()
  })

  it('leaves places to others, however many one caller asks for', async () => {
    const greedy = await Promise.all(Array.from({ length: 16 }, () => readAs('eve')))
    await until('all have begun', () => greedy.every((reader) => reader.text().includes('retry:')))
    const [oneMore, another] = [await readAs('eve'), await readAs('anna')]
    await until('both are answered', () => oneMore.text() !== '' && another.text().includes('retry:'))
    expect([oneMore.status(), another.status()]).to.deep.equal(['HTTP/1.1 503 Service Unavailable', 'HTTP/1.1 200 OK'])
    expect(oneMore.text()).to.match(/TOO_MANY_READERS.*16 of eve already/)
    for (const reader of [...greedy, oneMore]) reader.socket.destroy()
    await until('there is room again', async () => {
      const reader = await readAs('eve')
      await until('it is answered', () => reader.text().includes('\r\n\r\n'))
      reader.socket.destroy()
      return reader.status().includes(' 200 ')
    })
    another.socket.destroy()
  })
})
