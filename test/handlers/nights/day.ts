/** One trading day from 09:00 to 17:00 in New York in which faults, wishes and trades by hand come by the luck of a seed. */
import { newYorkTime } from '../../../domain/calendar.ts'
import { until } from '../../contract/until.ts'
import { type Chance, chanceFrom } from '../../world/chance.ts'
import { type Fault, faults } from './faults.ts'
import { minute, type Night, startTradingNight } from './night.ts'

const date = '2020-02-04'
const dayAfter = '2020-02-05'
const strategies = ['Trend', 'Hedge']
/** Two of what must come alone: they hold up what the others need to end. */
const lives = /engine/

export type Day = { night: Night; happened: string[] }

type Armed = { fault: Fault; until: number }

const wishes = ['0', '40', '100', '-60', 'neutral', 'throw']

const something = async (night: Night, chance: Chance, count: number): Promise<string> => {
  const id = `run-${count}`
  if (chance.happens(0.7)) await answerForWhatIsFound(night)
  switch (chance.pick(['run', 'run', 'run', 'allocation', 'reconcile', 'foreign', 'cancel', 'halt'] as const)) {
    case 'run': {
      const changes = Object.fromEntries(
        strategies.map((name) => [`strategies.${name.toLowerCase()}.parameters.wants`, chance.pick(wishes)]),
      )
      await night.publish('configure', { changes })
      await night.publish('orchestrator', {}, id)
      return `${id} with ${JSON.stringify(Object.values(changes))}`
    }
    case 'allocation':
      return night.publish('allocation', {}, id)
    case 'reconcile':
      return night.publish('reconcile', {})
    case 'foreign':
      await night.fault({ fault: 'handTrade', symbol: 'AAPL', quantity: chance.pick([5, -5]), price: 300 })
      return 'somebody trades AAPL by hand'
    case 'cancel': {
      const order = Object.values(night.life().engine.ledger.orders).find(({ status }) => status === 'working')
      return order === undefined ? 'nothing to cancel' : night.publish('cancel-order', { orderRef: order.orderRef })
    }
    case 'halt':
      await night.publish('halt', { reason: 'a bad feeling' })
      await night.pass(minute)
      return `halt and ${await night.publish('resume', {})}`
  }
}

const end = async (night: Night, armed: Armed[], due: (one: Armed) => boolean): Promise<void> => {
  for (const one of armed.filter(due)) {
    armed.splice(armed.indexOf(one), 1)
    await one.fault.end?.(night)
  }
}

/** A person answers for what the engine found: differences go to `manual`, and an order of which the gateway shows nothing is lost. */
const answerForWhatIsFound = async (night: Night): Promise<void> => {
  const { discrepancies, orders } = night.life().engine.ledger
  for (const [instrument, { quantity }] of Object.entries(discrepancies))
    await night.publish('explain', { instrument: Number(instrument), quantity, as: 'manual' })
  const shown = new Set((await night.state()).orders.map(({ orderRef }) => orderRef))
  for (const { orderRef, status } of Object.values(orders))
    if (status === 'unresolved' && !shown.has(orderRef))
      await night.publish('resolve-order', { orderRef, as: 'lost', reason: 'the window of the gateway shows nothing' })
}

/** Asked until nothing new is found, each time with a person's answer. */
const explainAll = async (night: Night): Promise<void> => {
  for (let round = 0; round < 4; round++) {
    await night.command('reconcile')
    await night.runTo(night.clock.now() + 2 * minute)
    await answerForWhatIsFound(night)
  }
  await night.command('reconcile')
}

/** Those that bring an instrument to a stop come seldom, those that a line has every day often. */
const weightOf = ({ name, brings }: Fault): number => (brings !== undefined ? 1 : /line|IB is lost|order/.test(name) ? 6 : 3)

const pickFault = (chance: Chance, candidates: readonly Fault[]): Fault =>
  chance.pick(candidates.flatMap((fault) => Array.from({ length: weightOf(fault) }, () => fault)))

/** @returns the night when all faults have ended and all orders have had their time, with what happened in it */
export const dayOfFaults = async (seed: string, { reportsTogether = false } = {}): Promise<Day> => {
  const chance = chanceFrom(`night ${seed}`)
  const configuration = { 'orders.minimumTrade': 0 }
  const start = new Date(newYorkTime(date, '09:00')).toISOString()
  const night = await startTradingNight({ start, names: strategies, configuration, reportsTogether })
  const happened: string[] = []
  const note = (text: string) => happened.push(`${new Date(night.clock.now()).toISOString().slice(11, 19)} ${text}`)
  const armed: Armed[] = []
  const close = newYorkTime(date, '17:00')
  for (let count = 1; night.clock.now() < close; count++) {
    await end(night, armed, ({ until }) => until <= night.clock.now())
    const alone = armed.some(({ fault }) => lives.test(fault.name))
    if (!alone && chance.happens(0.35)) {
      const fault = pickFault(
        chance,
        faults.filter(({ name }) => armed.every((one) => one.fault.name !== name)),
      )
      note(fault.name)
      if (lives.test(fault.name)) await end(night, armed, () => true)
      await fault.begin(night)
      armed.push({ fault, until: night.clock.now() + chance.whole(10, 400) * 1_000 })
    }
    if (chance.happens(0.6)) note(await something(night, chance, count))
    await night.pass(chance.whole(30, 360) * 1_000, 45_000)
  }
  await end(night, armed, () => true)
  if (night.life().ended) await night.begin()
  await night.fault({ fault: 'clear' })
  await night.ready()
  await explainAll(night)
  await night.runTo(newYorkTime(dayAfter, '16:30')) // what was ordered in the evening has had its day
  await explainAll(night)
  await until('all is quiet', () => night.life().engine.idle())
  return { night, happened }
}
