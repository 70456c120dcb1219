/** Living through a history: its actions in their order, then the faults stop, and the world has two days to come to rest. */
import { newYorkDate, newYorkTime, nextSession } from '../../domain/calendar.ts'
import { chanceFrom } from './chance.ts'
import { TooBusy } from './clock.ts'
import { type Action, drawHistory, type History } from './history.ts'
import { type Violation, violationsOf } from './invariants.ts'
import { parseJournal, type Told } from './journal-text.ts'
import { createWorld, type Patches, type World } from './world.ts'

const minute = 60_000

/** What events of a type said, oldest first. */
const said = (world: World, type: string): Told['data'][] =>
  parseJournal(world.memory.commits).flatMap((event) => (event.type === type ? [event.data] : []))

export const act = async (world: World, action: Action): Promise<void> => {
  switch (action.do) {
    case 'publish':
      for (let time = 0; time < action.times; time++) world.publish(action.type, action.id, action.body, action.publishedAgo)
      return
    case 'cancel an order': {
      const plan = said(world, 'OrderPlanned').at(-action.which)
      if (plan !== undefined) world.publish('cancel-order', action.id, { orderRef: plan['orderRef'] })
      return
    }
    case 'explain': {
      const found = said(world, 'DiscrepancyFound').at(-1)
      if (found === undefined) return
      const body = { instrument: found['conId'], quantity: found['quantity'], as: action.as, reason: 'as the statement says' }
      const orderRef = found['proposedFill']?.['orderRef']
      world.publish('explain', action.id, {
        ...body,
        ...(action.as === 'book' ? { strategy: 'leaner' } : {}),
        ...(action.as === 'fill' && orderRef !== undefined ? { orderRef } : {}),
      })
      return
    }
    case 'resolve an order': {
      const doubted = said(world, 'OrderUnresolved').at(-1)
      if (doubted !== undefined)
        world.publish('resolve-order', action.id, { orderRef: doubted['orderRef'], as: action.as, reason: 'asked the broker by phone' })
      return
    }
    case 'publish nonsense':
      world.publishNonsense(action.type)
      return
    case 'trade by hand':
      world.broker.tradeByHand(action.conId, action.quantity)
      return
    case 'move the price':
      world.market.move(action.conId, action.factor)
      return
    case 'wait':
      await world.clock.pass(action.milliseconds)
      return
    case 'skip':
      world.note('time goes by')
      await world.clock.skipTo(world.clock.now() + action.milliseconds)
      return
    case 'cut the line':
      world.note(`the line is cut for ${action.milliseconds} ms`)
      world.exchange.cutOff(action.milliseconds)
      return
    case 'cut the link':
      world.note(`the link of the gateway is cut for ${action.milliseconds} ms`)
      world.exchange.cutLink(action.milliseconds)
      return
    case 'roll the ids back':
      world.broker.rollBack()
      return
    case 'crash': {
      let left = action.steps
      world.crashAt(action.role, (point) => point.startsWith(action.at) && --left <= 0, action.down)
      return
    }
    case 'stop the engine':
      world.stopEngine(action.down)
      return
    case 'start':
      world.note(`the ${action.role} is started`)
      world.start(action.role)
      return
    case 'freeze':
      world.freeze(action.role, action.milliseconds, action.givenUpAfter)
      return
    case 'the store is away':
      world.storeAway(action.milliseconds)
      return
    case 'split':
      world.broker.split(action.conId, action.ratio)
      return
    case 'edit by hand':
      world.edit(action.path, action.fields)
      return
    case 'edit a setting by hand': {
      const { settings = {} } = JSON.parse(world.memory.documents.get('config/common') ?? '{}')
      world.edit('config/common', { settings: { ...settings, [action.name]: action.value } })
      return
    }
  }
}

/** After the close of the session that follows: what was in force for the day is over, and has been asked for. */
const nextEvening = (now: number): number => nextSession(newYorkDate(now)).close + 30 * minute

/** In the evening a person goes through all that is unexplained, as far as the engine has asked for it. */
const explainAll = (world: World, round: number): void => {
  const proposals = new Map(said(world, 'DiscrepancyFound').map((found) => [found['conId'], found['proposedFill']]))
  for (const { conId, unexplained } of said(world, 'PositionReconciled').at(-1)?.['differences'] ?? []) {
    const id = `evening-${round}-${conId}`
    // The first time as what it was, as far as it is known; what is left of it nobody knows.
    const split = world.broker.splits.find((done) => done.conId === conId)
    const orderRef = proposals.get(conId)?.['orderRef']
    if (round === 1 && split !== undefined)
      world.publish('explain', id, { instrument: conId, as: 'corporateAction', ratio: `${split.ratio}:1` })
    else if (round <= 2 && orderRef !== undefined)
      world.publish('explain', id, { instrument: conId, quantity: unexplained, as: 'fill', orderRef })
    else world.publish('explain', id, { instrument: conId, quantity: unexplained, as: 'manual' })
  }
}

/** Whatever was cut is joined again, whatever was down starts; then every wait has the time that it may take. */
export const comeToRest = async (world: World): Promise<void> => {
  world.note('the faults stop')
  world.faults.stop()
  world.mend()
  await world.clock.pass(3 * minute)
  // Engines that are down until tomorrow come back on the way.
  await world.clock.skipTo(nextEvening(world.clock.now()))
  await world.clock.pass(3 * minute)
  world.waited()
  for (const round of [1, 2, 3]) {
    world.publish('reconcile', `evening-${round}`, {})
    await world.clock.pass(3 * minute)
    explainAll(world, round)
    await world.clock.pass(minute)
  }
  await world.clock.skipTo(nextEvening(world.clock.now()))
  await world.clock.pass(5 * minute)
  for (const id of ['last-look-1', 'last-look-2']) {
    world.publish('reconcile', id, {})
    await world.clock.pass(90_000)
  }
}

export type Lived = { world: World; violations: Violation[] }

export const liveThroughHistory = async (
  seed: string,
  { start, actions }: History,
  options: { patches?: Patches; story?: boolean } = {},
): Promise<Lived> => {
  const world = createWorld({ seed, start, ...options })
  try {
    world.start('engine')
    world.start('projector')
    for (const action of actions) await act(world, action)
    await comeToRest(world)
    return { world, violations: await violationsOf(world) }
  } catch (error) {
    if (error instanceof TooBusy) return { world, violations: [{ invariant: 'nothing waits for ever', text: error.message }] }
    // Whatever else is thrown belongs to this night, and to its seed.
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { world, violations: [{ invariant: 'no failure goes unheard', text }] }
  }
}

export const liveThrough = (seed: string, options: { patches?: Patches; story?: boolean } = {}): Promise<Lived> =>
  liveThroughHistory(seed, drawHistory(chanceFrom(`${seed}: history`)), options)

/** A time of day in New York, for scenarios. */
export const newYork = (date: string, time: string): number => newYorkTime(date, time)
