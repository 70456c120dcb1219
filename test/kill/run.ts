/**
 * Engines that are killed (SIGKILL) at any moment, on a real store, at a gateway that is a process of its own and has its own troubles,
 * while somebody goes on asking. In the end the troubles stop, and everything must have come right.
 */
import type { Environment } from '../../infra/environment.ts'
import { until } from '../contract/until.ts'
import type { State } from '../handlers/nights/night.ts'
import { beginGateway } from '../infra/cli/ibt.ts'
import { type EngineProcess, openTakeoverWorld, type TakeoverWorld } from '../infra/takeover-world.ts'
import { tuesdayMorning } from '../rig.ts'
import { type Chance, chanceFrom } from '../world/chance.ts'
import { earlyOrders, undecided, violationsOutside } from './outside.ts'
import { createPublisher, names, type Publisher } from './publisher.ts'
import { createTroublemaker } from './trouble.ts'

const program = new URL('./engine.ts', import.meta.url).pathname
const readyWithin = { embedded: 6_000, google: 10_000 }
const orderWithin = { embedded: 5_000, google: 15_000 }
/** How long the last engine may take for what is left, once nothing goes wrong any more. */
const restWithin = { embedded: 60_000, google: 150_000 }
/** As long as no order has been killed as it went out, one is waited for so many times longer. */
const firstOrder = 3
/** Pub/Sub's emulator goes on giving messages to a stream whose reader is gone; Google's own service is not known to. */
const askedAgainMs = 3_000
/** A pause of the market that the orders in doubt need before they are called unresolved. */
const roundMs = 3_200

const lasting = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds))

export type KillRun = {
  /** What did not hold, with all that is needed to look for it; empty where all is well. */
  wrong: string[]
  kills: number
  counted: Record<string, number>
}

type Options = {
  store: Environment['store']
  kills: number
  seed: number
  withinMs: number
  /** Told after each kill. */
  progress: (kills: number) => void
}

/** When it is killed. */
export const moments = ['killed as it begins', 'killed at work', 'killed as its order goes out'] as const
type Moment = (typeof moments)[number]
/** Luck decides, but none of them is tried so much oftener than another. */
const ahead = 1

/** An engine that was replaced says one of these and ends; any other end by itself is wrong. */
const mayEnd = /ibt: another engine (took the lease|\(epoch \d+\))/

export const runKills = async ({ store, kills, seed, withinMs, progress }: Options): Promise<KillRun> => {
  const gateway = await beginGateway('--start', tuesdayMorning, '--cash', '1000000', '--seed', String(seed))
  const close = () => gateway.stop('SIGKILL')
  const world = await openTakeoverWorld(store, { program, names, gateway: async () => ({ ...gateway, close }) }).catch(async (error) => {
    await close()
    throw error
  })
  const run = createRun(world, chanceFrom(`kill ${seed}`), store.kind)
  const end = performance.now() + withinMs
  const wrong: string[] = []
  try {
    await run.prepare()
    while (run.kills() < kills && wrong.length === 0) {
      if (performance.now() > end) throw new Error(`only ${run.kills()} kills within ${withinMs} ms`)
      wrong.push(...(await run.killOne()))
      progress(run.kills())
    }
    if (wrong.length === 0) wrong.push(...(await run.rest()))
  } catch (error) {
    wrong.push((error as Error).message)
  } finally {
    if (wrong.length > 0) wrong.push(...run.story(), `── the gateway\n${gateway.errors().slice(-2_000)}`)
    await world.close()
  }
  return { wrong, kills: run.kills(), counted: run.counted() }
}

const createRun = (world: TakeoverWorld, chance: Chance, kind: Environment['store']['kind']) => {
  const publisher: Publisher = createPublisher(world, chance)
  let running: EngineProcess[] = []
  const ended: EngineProcess[] = []
  const happened: string[] = []
  const counts = new Map<string, number>()
  let kills = 0
  const count = (what: string): void => {
    counts.set(what, (counts.get(what) ?? 0) + 1)
    happened.push(`${(performance.now() / 1_000).toFixed(1)} ${what}`)
  }
  const state = async () => (await world.control('/state')) as unknown as State
  const control = (path: string, body: object) => world.control(path, body)
  const makeTrouble = createTroublemaker(chance, control)

  const begin = (): EngineProcess => {
    const engine = world.begin()
    running.push(engine)
    count('an engine begins')
    return engine
  }
  /** @returns what is wrong with those that ended by themselves */
  const sweep = (): string[] => {
    const gone = running.filter((engine) => !engine.running())
    running = running.filter((engine) => engine.running())
    ended.push(...gone)
    for (const _ of gone) count('an engine that was replaced ends')
    return gone.flatMap((engine) => (mayEnd.test(engine.last()) ? [] : ['an engine ended by itself']))
  }
  const soon = (what: () => boolean | Promise<boolean>, withinMs: number): Promise<boolean> =>
    until('soon', what, withinMs).then(
      () => true,
      () => false, // a gateway in trouble may keep it for longer: then it is killed as it stands
    )
  const received = async (): Promise<number> => Object.values((await state()).received).flat().length

  const tried: Record<Moment, number> = { 'killed as it begins': 0, 'killed at work': 0, 'killed as its order goes out': 0 }
  /** From its begin until it was ready, of the first one. */
  let readyMs = 1_000
  const isReady = (engine: EngineProcess) => engine.hasSaid('the gateway is ready')
  const nextMoment = (engine: EngineProcess): Moment => {
    const possible = moments.filter((each) => each !== 'killed as it begins' || !isReady(engine))
    const rarest = Math.min(...possible.map((each) => tried[each]))
    const moment = chance.pick(possible.filter((each) => tried[each] <= rarest + ahead))
    tried[moment] += 1
    return moment
  }
  /** Until it holds, or not within that time; on Pub/Sub's emulator these commands are asked for again meanwhile. */
  const asking = async (ids: () => Promise<string[]> | string[], holds: () => Promise<boolean>, withinMs: number): Promise<boolean> => {
    const askAgain = async () => publisher.askAllAgain(await ids())
    const again = kind === 'google' ? setInterval(() => void askAgain().catch(() => undefined), askedAgainMs) : undefined
    return soon(holds, withinMs).finally(() => clearInterval(again))
  }
  /** Waits until then. @returns what it has become */
  const moment = async (engine: EngineProcess): Promise<Moment> => {
    const wanted = nextMoment(engine)
    const ready = () => isReady(engine)
    if (wanted === 'killed as it begins') {
      if (chance.happens(0.5)) await publisher.something()
      await soon(ready, chance.whole(0, Math.round(readyMs)))
      return ready() ? 'killed at work' : wanted
    }
    await soon(() => !engine.running() || ready() || engine.hasSaid('another engine holds'), readyWithin[kind])
    if (wanted === 'killed as its order goes out') {
      await publisher.answer(state)
      const before = await received()
      const asked = await publisher.askForOrder()
      const patience = orderWithin[kind] * (counts.has(wanted) ? 1 : firstOrder)
      const came = await asking(
        () => asked,
        async () => (await received()) > before,
        patience,
      )
      await lasting(chance.whole(0, 60))
      return came ? wanted : 'killed at work'
    }
    if (chance.happens(0.7)) await publisher.answer(state)
    for (let commands = chance.whole(1, 3); commands > 0; commands--) await publisher.something()
    await lasting(chance.whole(0, chance.happens(0.5) ? 150 : 1_500))
    return wanted
  }

  return {
    kills: () => kills,
    prepare: async (): Promise<void> => {
      const begun = performance.now()
      await begin().said('the gateway is ready')
      readyMs = performance.now() - begun
      const allocations = names.map((name) => [`strategies.${name.toLowerCase()}.allocation`, 1 / names.length])
      await world.command('configure', { changes: { ...Object.fromEntries(allocations), 'orders.minimumTrade': 0 } })
      await world.command('resume')
    },
    killOne: async (): Promise<string[]> => {
      const wrong = sweep()
      if (running.length === 0) begin()
      if (running.length === 1 && chance.happens(0.35)) {
        begin()
        count('another one waits beside it')
      }
      if (chance.happens(0.5)) count(await makeTrouble())
      const engine = running[0]!
      const what = await moment(engine)
      const byItself = !engine.running()
      await engine.kill()
      if (byItself) return [...wrong, ...sweep()]
      kills += 1
      count(what)
      running = running.filter((each) => each !== engine)
      ended.push(engine)
      const at = await state()
      const planned = new Set(Object.keys((await publisher.follow()).orders))
      if (chance.happens(0.4)) await lasting(chance.whole(100, 1_500))
      return [...wrong, ...earlyOrders(at, planned)]
    },
    /** Nothing goes wrong any more: one engine does what is left, a person answers, and all is compared. */
    rest: async (): Promise<string[]> => {
      await control('/faults', { fault: 'clear' })
      for (const engine of running.slice(1)) await engine.kill()
      running = running.slice(0, 1)
      const engine = running[0]?.running() ? running[0] : begin()
      await engine.said('the gateway is ready')
      for (let round = 0, answered = 1; round < 8 && answered > 0; round++) {
        await world.command('reconcile')
        await lasting(roundMs)
        await world.command('reconcile')
        answered = await publisher.answer(state)
      }
      const lines = async () => (await world.commits()).map((commit) => ({ json: JSON.stringify(commit) }))
      const left = async () => undecided(await lines(), publisher.accepted.keys())
      const done = await asking(
        async () => (await left()).map(idOf),
        async () => (await left()).length === 0,
        restWithin[kind],
      )
      if (!done) return [`not within ${restWithin[kind]} ms after the last trouble:`, ...(await left())]
      await control('/clock', { mode: 'step' })
      await world.command('reconcile')
      const head = async () => (await publisher.follow()).position
      const shown = () => world.data.documents.checkpoint('views')
      if (!(await soon(async () => (await shown())?.position === (await head()), 30_000))) return ['the documents stay behind the journal']
      await engine.end()
      const { code, words } = await engine.ended()
      const seen = await state()
      counts.set('orders at the gateway', await received())
      counts.set('executions', seen.executions.length)
      const variables = { DATA_DIR: world.folder, ...(world.storeVariables as Record<string, string>) }
      const wrong = await violationsOutside(variables, seen, publisher.accepted.keys())
      return code === 0 ? wrong : [`the last engine ended with ${code}: ${words}`, ...wrong]
    },
    counted: (): Record<string, number> => ({
      ...Object.fromEntries([...counts].sort()),
      'commands accepted': publisher.accepted.size,
      'published again': publisher.duplicates(),
    }),
    story: (): string[] => [
      `what happened:\n${happened.slice(-40).join('\n')}`,
      ...[...ended.slice(-3), ...running].map((engine) => `── an engine\n${engine.last()}`),
    ],
  }
}

/** The command of a line of `undecided`. */
const idOf = (line: string): string => line.split(' ')[0]!
