/**
 * Who asks the engine for something, from outside: commands by luck, twice under one id, again later; and a person who answers
 * for what the engine found.
 */
import { fold } from '../../domain/fold.ts'
import { initialLedger, type Ledger } from '../../domain/ledger.ts'
import type { State } from '../handlers/nights/night.ts'
import type { TakeoverWorld } from '../infra/takeover-world.ts'
import type { Chance } from '../world/chance.ts'

export const names = ['Trend', 'Hedge']
const wishes = ['0', '20', '40', '60', '-30', 'neutral', 'throw']

type Asked = { type: string; body: object }

export type Publisher = ReturnType<typeof createPublisher>

export const createPublisher = (world: TakeoverWorld, chance: Chance) => {
  /** Of every message that the bus took. */
  const accepted = new Map<string, Asked>()
  const ledger: Ledger = initialLedger()
  let duplicates = 0
  let count = 0

  const send = async (id: string, { type, body }: Asked): Promise<void> => {
    await world.publish(type, id, body)
    accepted.set(id, { type, body })
  }
  /** @returns its id */
  const ask = async (type: string, body: object = {}): Promise<string> => {
    const id = `${type}:${++count}`
    await send(id, { type, body })
    if (!chance.happens(0.4)) return id
    const copies = chance.whole(1, 2)
    duplicates += copies
    await Promise.all(Array.from({ length: copies }, () => send(id, { type, body })))
    return id
  }
  const askAgain = async (): Promise<void> => {
    if (accepted.size === 0) return
    const [id, asked] = chance.pick([...accepted])
    duplicates += 1
    await send(id, asked)
  }
  let wanted = 0
  /** A run that has something to order, unless the instrument is blocked. @returns what was asked for */
  const askForOrder = async (): Promise<string[]> => {
    wanted = 10 + ((wanted + 20) % 80) // 30, 60, 10, 40 …: none of the last ones, whichever of them came about
    const changes = { 'strategies.trend.parameters.wants': String(wanted), 'strategies.hedge.parameters.wants': '0' }
    return [await ask('configure', { changes }), await ask('orchestrator')]
  }
  /** The state as the journal gives it now. */
  const follow = async (): Promise<Readonly<Ledger>> => {
    for await (const stored of world.data.journal.read(ledger.position + 1)) fold(ledger, stored)
    return ledger
  }

  return {
    accepted,
    duplicates: () => duplicates,
    ...{ follow, ask, askForOrder },
    /** A wish and a run for it, or something else. */
    something: async (): Promise<unknown> => {
      if (chance.happens(0.4)) await askAgain()
      switch (chance.pick(['order', 'run', 'run', 'run', 'allocation', 'reconcile', 'summary', 'cancel', 'halt'] as const)) {
        case 'order':
          return askForOrder()
        case 'run': {
          const changes = names.map((name) => [`strategies.${name.toLowerCase()}.parameters.wants`, chance.pick(wishes)])
          await ask('configure', { changes: Object.fromEntries(changes) })
          return ask('orchestrator')
        }
        case 'allocation':
          return ask('allocation')
        case 'reconcile':
          return ask('reconcile')
        case 'summary':
          return ask('summary')
        case 'cancel': {
          const order = Object.values((await follow()).orders).find(({ status }) => status === 'working')
          return order === undefined ? undefined : ask('cancel-order', { orderRef: order.orderRef })
        }
        case 'halt':
          return ask('halt', { reason: 'a bad feeling' })
      }
    },
    /** Differences go to `manual`, an order of which the gateway shows nothing is lost, and trading goes on. @returns how much was answered */
    answer: async (state: () => Promise<State>): Promise<number> => {
      const { discrepancies, orders, trading } = await follow()
      const shown = new Set((await state()).orders.map(({ orderRef }) => orderRef))
      const found = Object.entries(discrepancies)
      for (const [instrument, { quantity }] of found) await ask('explain', { instrument: Number(instrument), quantity, as: 'manual' })
      const gone = Object.values(orders).filter(({ status, orderRef }) => status === 'unresolved' && !shown.has(orderRef))
      for (const { orderRef } of gone)
        await ask('resolve-order', { orderRef, as: 'lost', reason: 'the window of the gateway shows nothing' })
      if (!trading.on) await ask('resume')
      return found.length + gone.length
    },
    /** Only for a bus that may keep a message from whoever reads: asking again is asking once. */
    askAllAgain: async (ids: readonly string[]): Promise<void> => {
      for (const id of ids) await send(id, accepted.get(id)!)
    },
  }
}
