/** A gateway that goes away for half an hour, through the real session, the simulator and the notifier, to a chat that listens. */
import { expect } from 'chai'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { type Rig, startTrading } from '../rig.ts'
import { onEachStore } from '../stores.ts'
import { type Chat, openChat } from './chat.ts'

const minutes = (count: number) => count * 60_000

onEachStore('a gateway that goes away', (store) => {
  let rig: Rig
  let chat: Chat
  beforeEach(async () => {
    rig = await startTrading({ store: store() })
    chat = await openChat(rig, { ...readTopics(), schedules: [] })
  })
  afterEach(async () => {
    await chat?.stop()
    await rig?.stop()
  })

  /** A minute at a time: while the line is down nobody can be asked whether all has arrived. */
  const pass = async (count: number): Promise<void> => {
    for (let passed = 0; passed < count; passed++) {
      const time = rig.clock.now() + minutes(1)
      await fetch(`http://127.0.0.1:${rig.simulator.controlPort}/clock`, { method: 'POST', body: JSON.stringify({ to: new Date(time) }) })
      rig.clock.setNow(time)
      await rig.clock.moveTo(time, () => until('the process is at rest', () => rig.composed.idle()))
    }
  }
  /** @returns since when the engine misses it */
  const goesAwayFor = async (count: number): Promise<string> => {
    await rig.fault({ fault: 'restart', seconds: count * 60 })
    await until('it is missed', () => !rig.composed.engine.ledger.gateway.connected)
    await pass(count)
    return rig.composed.engine.ledger.gateway.since!
  }
  const isBack = async (): Promise<void> => {
    const ready = () => rig.composed.engine.ready()
    for (let tries = 0; !ready() && tries < 20; tries++) {
      await pass(1)
      await until('it is ready', ready, 3_000).catch(() => undefined) // or it tries again in a while, by market time
    }
    expect(ready(), 'the engine is ready again').to.equal(true)
  }

  it('for half an hour is told once, with what to do, and told once when it is back; the second time it is told again', async () => {
    const first = await goesAwayFor(30)
    await until('it is told', () => chat.heard.length === 1)
    const [title, reason, next] = chat.heard[0]!
    expect(title).to.equal(`*ERROR: The gateway is away since ${first}*`)
    expect(reason, 'why').to.match(/ECONN|closed|gateway/)
    expect(next).to.match(/^What to do: Nothing is traded and no fill is seen meanwhile. Look at IB Gateway: /)
    await isBack()
    await until('it is told that it is back', () => chat.heard.length === 2)
    expect(chat.heard[1]!.slice(0, 2)).to.deep.equal(['*Note: The gateway is back*', `it was away since ${first}`])

    await goesAwayFor(2)
    await isBack()
    await pass(15)
    const third = await goesAwayFor(30)
    await until('it is told again', () => chat.heard.length === 3)
    await isBack()
    await until('it is told again that it is back', () => chat.heard.length === 4)
    expect(chat.titles(), 'and not a word about two minutes').to.deep.equal([
      `*ERROR: The gateway is away since ${first}*`,
      '*Note: The gateway is back*',
      `*ERROR: The gateway is away since ${third}*`,
      '*Note: The gateway is back*',
    ])
    expect(third > first).to.equal(true)
  })
})
