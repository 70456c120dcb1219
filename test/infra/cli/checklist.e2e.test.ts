/** From paper to live, as a user goes: real processes on what a demo left, and an engine that has earned it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { newYorkTime } from '../../../domain/calendar.ts'
import type { PaperItem } from '../../../domain/paper-record.ts'
import { topicOf } from '../../../domain/topics.ts'
import { createDriver } from '../../../infra/cli/demo/driver.ts'
import { simulatedClock } from '../../../infra/clock.ts'
import { compose } from '../../../infra/compose.ts'
import { startGatewaySimulator } from '../../../infra/gateway-sim/simulator.ts'
import { readTopics } from '../../../infra/topics-file.ts'
import { startTrading, wanting } from '../../rig.ts'
import { begin, beginGateway, ibt, type Running, temporaryFolder } from './ibt.ts'

describe('from paper to live', function () {
  this.timeout(180_000)

  describe('after a demo, whose sessions are long ago', () => {
    const folder = temporaryFolder()
    const DATA_DIR = folder.path
    const running: Running[] = []
    before(async () => {
      const made = await ibt(['demo', '--days', '3', '--keep', DATA_DIR])
      expect(made.code, made.errors).to.equal(0)
    })
    after(async () => {
      for (const each of running.reverse()) await each.stop()
      folder.remove()
    })

    it('ibt checklist shows what is met and what is not, and fails', async () => {
      const { code, out, errors } = await ibt(['checklist'], { DATA_DIR })
      expect(code).to.equal(1)
      const { checklist, account, position } = JSON.parse(out) as { checklist: PaperItem[]; account: string; position: number }
      const met = Object.fromEntries(checklist.map(({ item, met }) => [item, met]))
      expect(met).to.include({ 'daily-runs': false, 'order-filled': true, 'halt-tried': false, 'nothing-in-doubt': true })
      expect(Object.keys(met).filter((item) => item.startsWith('strategy-'))).to.have.length.greaterThan(0)
      expect([account, position > 10]).to.deep.equal(['DU1234567', true])
      expect(errors).to.match(/^ibt: live trading would not be switched on: the daily run completed on 0 of 10 sessions since .*\n$/)
      const named = await ibt(['checklist', 'nobody', '--sessions', '4'], { DATA_DIR })
      expect(named.errors).to.contain('the commander followed nobody with money on 0 of 4 sessions')
    })

    it('says where there is no paper journal, and which it looked for', async () => {
      const none = await ibt(['checklist'], { DATA_DIR: join(DATA_DIR, 'none') })
      expect([none.code, none.out]).to.deep.equal([1, ''])
      expect(none.errors).to.contain(join(DATA_DIR, 'none'))
      const elsewhere = await ibt(['checklist'], { DATA_DIR: join(DATA_DIR, 'none'), PAPER_JOURNAL: DATA_DIR })
      expect(JSON.parse(elsewhere.out)).to.have.property('journal', DATA_DIR)
    })

    it('a live engine beside it starts, and refuses to be switched on', async () => {
      const gateway = await beginGateway('--port', '0', '--control-port', '0', '--account', 'U1234567')
      running.push(gateway)
      const live = { DATA_DIR, TRADING_MODE: 'live', IB_ACCOUNT: 'U1234567', IB_PORT: String(gateway.port), LOG_LEVEL: 'silent' }
      running.push(begin(['start'], live))
      const { code, out } = await ibt(['publish', 'resume', '--wait', '60'], live)
      expect(code).to.equal(1)
      expect(out).to.contain('NOT_PROVEN_ON_PAPER').and.to.contain('the daily run completed on 0 of 10 sessions')
      expect(JSON.parse((await ibt(['document', 'status/live'], live)).out)).to.have.nested.property('trading.on', false)
    })
  })

  it('an engine that has earned it is switched on, and its journal says by which record', async () => {
    const home = mkdtempSync(join(tmpdir(), 'ibt-live-'))
    const paper = await startTrading({ names: ['Trend', 'Hedge'], allocations: { 'strategies.hedge.allocation': 0 } })
    const account = 'U1234567'
    let simulator: Awaited<ReturnType<typeof startGatewaySimulator>> | undefined
    let live: Awaited<ReturnType<typeof compose>> | undefined
    try {
      await paper.want({ trend: '10' })
      await paper.run('first')
      await paper.driver.runTo(newYorkTime('2020-02-04', '15:30'))
      await paper.command('halt')
      await paper.restart()
      await paper.command('resume')
      const lines: string[] = []
      for await (const { json, hash } of paper.composed.journal.read(1)) lines.push(`${json.slice(0, -1)},"hash":"${hash}"}\n`)
      const paperJournal = join(home, 'paper.jsonl')
      writeFileSync(paperJournal, lines.join(''))
      expect((await paper.state()).orders.map(({ status }) => status)).to.deep.equal(['Filled'])

      const start = '2020-02-05T15:00:00.000Z'
      simulator = await startGatewaySimulator({ start, account })
      const { port, controlPort } = simulator
      const clock = simulatedClock(Date.parse(start))
      live = await compose(
        {
          ...{ mode: 'live', dataDirectory: home, store: { kind: 'embedded' }, paperJournal, httpPort: 0, logLevel: 'silent' },
          gateway: { host: '127.0.0.1', port, clientId: 17, account },
        },
        { clock, strategies: { trend: wanting('Trend'), hedge: wanting('Hedge') }, topics: { ...readTopics(), schedules: [] } },
      )
      const composed = live
      await composed.start()
      const driver = createDriver({
        ...{ clock, composed },
        gateway: {
          moveTo: async (time) => {
            const body = JSON.stringify({ to: new Date(time).toISOString() })
            const answer = await fetch(`http://127.0.0.1:${controlPort}/clock`, { method: 'POST', body })
            return Date.parse(((await answer.json()) as { nextEventAt: string }).nextEventAt)
          },
        },
      })
      await driver.connected()
      let counter = 0
      const asked = async (type: string, body: object = {}) => {
        const id = `${type}-${++counter}`
        const attributes = { type, id, source: 'cli', publishedAt: new Date(clock.now()).toISOString() }
        await composed.bus.publish(topicOf(readTopics(), type, 'live'), { data: JSON.stringify(body), attributes })
        await driver.settled()
        return composed.documents.get(`commands/${id}`)
      }
      const configure = (changes: object) => asked('configure', { changes })
      await configure({ 'strategies.trend.allocation': 0.5 })
      expect(await asked('resume')).to.include({ status: 'refused', code: 'NOT_PROVEN_ON_PAPER' })
      await configure({ 'live.paperSessions': 1 })
      expect(await asked('resume')).to.include({ status: 'completed' })
      const { trading, provenOnPaper } = composed.engine.ledger
      expect([trading.on, provenOnPaper]).to.deep.equal([true, ['trend']])
      expect(await configure({ 'strategies.hedge.allocation': 0.2 })).to.include({ status: 'refused', code: 'NOT_PROVEN_ON_PAPER' })
      const commits: string[] = []
      for await (const { json } of composed.journal.read(1)) if (json.includes('"TradingResumed"')) commits.push(json)
      const [resumed] = commits.map((json) => JSON.parse(json).events[0].data.paper)
      expect(resumed).to.deep.equal({ position: lines.length, hash: JSON.parse(lines.at(-1)!).hash, strategies: ['trend'] })
    } finally {
      await live?.stop()
      await simulator?.close()
      await paper.stop()
      rmSync(home, { recursive: true, force: true })
    }
  })
})
