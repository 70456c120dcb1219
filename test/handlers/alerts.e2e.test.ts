/** A bad day, and what people are told of it: each thing once, with what to do, through the real session, the engine and a chat. */
import { expect } from 'chai'
import { newYorkTime } from '../../domain/calendar.ts'
import { readTopics } from '../../infra/topics-file.ts'
import { until } from '../contract/until.ts'
import { type Rig, startTrading } from '../rig.ts'
import { onEachStore } from '../stores.ts'
import { type Chat, openChat } from './chat.ts'

onEachStore('alerts', (store) => {
  let rig: Rig
  let chat: Chat
  afterEach(async () => {
    await chat?.stop()
    await rig?.stop()
  })
  const later = (seconds: number) => rig.driver.runTo(rig.clock.now() + seconds * 1_000)

  it('tell of everything that asks for a person, once, however often it is met again', async () => {
    rig = await startTrading({ store: store() })
    chat = await openChat(rig, readTopics())
    await rig.want({ trend: '100', hedge: '50' })
    await rig.run('a-good-run')

    await rig.want({ trend: 'throw' })
    for (const id of ['first', 'second']) await rig.run(id)
    await rig.command('configure', { changes: { 'strategies.hedge.enabled': false } })
    for (const id of ['third', 'fourth']) await rig.command('orchestrator', {}, { id })
    await rig.command('configure', { changes: { 'risk.dailyDrawdown': 0.000001 } })
    for (let time = 0; time < 2; time++) await rig.command('risk-check')
    await rig.command('configure', { changes: { 'risk.dailyDrawdown': 1 } })

    await rig.fault({ fault: 'position', symbol: 'SPY', quantity: 5 })
    for (let time = 0; time < 3; time++) {
      await rig.command('reconcile')
      await later(61)
    }
    await rig.command('explain', { instrument: 'SPY', quantity: '5', as: 'manual' })
    await rig.fault({ fault: 'swallowOrder' })
    await rig.want({ trend: '60' })
    await rig.command('orchestrator', { strategies: ['trend'] }, { id: 'lost' })
    await later(300)
    await rig.composed.bus.publish('paper-commands', { data: '{}', attributes: { source: 'nobody' } })
    await rig.driver.settled()
    await rig.command('halt', { reason: 'enough for a day' })
    await rig.driver.runTo(newYorkTime('2020-02-04', '17:30'))

    const told = [
      '*Warning: No signal of trend*',
      '*Warning: Nobody looks after the book of hedge*',
      '*ERROR: A risk limit is breached: dailyDrawdown of account*',
      '*ERROR: SPY is blocked*',
      '*ERROR: order (SELL 40 SPY) is in doubt*',
      '*ERROR: orchestrator ended failed*',
      '*ERROR: A message was given up: of no type*',
      '*ERROR: Trading is halted*',
      '*Warning: order (SELL 40 SPY) was lost*',
      '*ERROR: eod-check did not run*',
      '*ERROR: orchestrator did not run*',
    ]
    await until('all of it is told', () => chat.heard.length >= told.length)
    expect(chat.titles().map((title) => title.replace(/order \S+/, 'order'))).to.have.members(told)
    for (const [title, why, next] of chat.heard) {
      expect(why, title).to.match(/\S+ \S+/)
      expect(next, title).to.match(/^What to do: .*(ibt|next decision)/)
    }
  })
})
