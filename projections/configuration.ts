/** `config/common`: every setting with its value in force. `config/{mode}`: the trading switch and the account. */
import { configuredStrategies, settingInForce, settings, type Value } from '../domain/configuration.ts'
import type { EventType } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { Document, DocumentWrite } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { applyTo } from './batch.ts'
import { comparableText } from './edit.ts'
import { createReplay, Unprojectable } from './replay.ts'
import { hasAny, type View } from './view.ts'

const configuring: ReadonlySet<EventType> = new Set(['ConfigurationChanged'])
const switching: ReadonlySet<EventType> = new Set(['TradingHalted', 'TradingResumed'])
const connecting: ReadonlySet<EventType> = new Set(['GatewayConnected'])

/** The table's settings, those of every strategy that the configuration names, and the parameters that somebody set. */
const inForce = ({ configuration }: Readonly<Ledger>): Record<string, Value> => {
  const named = Object.keys(settings).flatMap((name) =>
    name.startsWith('strategies.*.') ? configuredStrategies(configuration).map((strategy) => name.replace('*', strategy)) : [name],
  )
  const values = [...named, ...Object.keys(configuration)].map((name) => [name, settingInForce(configuration, name)] as const)
  return Object.fromEntries(values.filter((entry): entry is readonly [string, Value] => entry[1] !== undefined))
}

export const configurationView: View = ({ commit, events, ledger, mode }) => {
  const first = commit.position === 1
  const updated_at = commit.recordedAt
  const writes: DocumentWrite[] = []
  if (first || hasAny(events, configuring)) {
    const changed = Object.keys(ledger.configuration).sort()
    writes.push({ kind: 'set', path: 'config/common', data: { settings: inForce(ledger), changed, updated_at } })
  }
  if (first || hasAny(events, switching)) {
    const { on, reason } = ledger.trading
    writes.push({ kind: 'merge', path: `config/${mode}`, data: { tradingEnabled: on, reason, updated_at } })
  }
  if (first || hasAny(events, connecting)) writes.push({ kind: 'merge', path: `config/${mode}`, data: { account: ledger.account } })
  return writes
}

/** A document as the journal gives it, its comparable text, and the position of the commit that made it what it is. */
export type Expected = { data: Document; text: string; since: number }
/** The documents of this view exactly at a place, by path. @throws Unprojectable when the journal ends before, or has another commit there */
export type ExpectedAt = (place: { position: number; hash: string }) => Promise<ReadonlyMap<string, Expected>>

/** Folds the journal as far as it is asked, and no further; asked for an earlier place it begins again. One question at a time. */
export const createConfigurationFold = (journal: Pick<Journal, 'read'>, mode: 'paper' | 'live'): ExpectedAt => {
  let replay = createReplay([configurationView], mode)
  const documents = new Map<string, Document>()
  const expected = new Map<string, Expected>()
  return async ({ position, hash }) => {
    if (position < replay.position()) {
      replay = createReplay([configurationView], mode)
      documents.clear()
      expected.clear()
    }
    if (position > replay.position())
      for await (const stored of journal.read(replay.position() + 1, position)) {
        const writes = replay.step(stored, false)
        applyTo(documents, writes)
        for (const { path } of writes) {
          const data = documents.get(path)!
          const text = comparableText(data)
          if (expected.get(path)?.text !== text) expected.set(path, { data, text, since: stored.position })
        }
      }
    if (replay.position() < position)
      throw new Unprojectable(
        replay.position() + 1,
        `the documents show position ${position}, but the journal ends at ${replay.position()}`,
      )
    if (position > 0 && replay.hash() !== hash)
      throw new Unprojectable(position, `the documents were made from another journal: ${hash} stands here, not ${replay.hash()}`)
    return new Map(expected)
  }
}
