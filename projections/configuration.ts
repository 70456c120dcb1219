/** `config/common`: every setting with its value in force. `config/{mode}`: the trading switch and the account. */
import type { StoredCommit } from '../domain/commit.ts'
import { configuredStrategies, settingInForce, settings, type Value } from '../domain/configuration.ts'
import type { EventType } from '../domain/events.ts'
import { initialLedger, type Ledger } from '../domain/ledger.ts'
import type { Document, DocumentWrite } from '../domain/ports/documents.ts'
import type { Journal } from '../domain/ports/journal.ts'
import { restoreLedger, type SnapshotSource, snapshotOf } from '../domain/snapshot.ts'
import { foldSound } from '../domain/verify.ts'
import { comparableText, digestOf } from './edit.ts'
import { Unprojectable } from './replay.ts'
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

/** Both documents, whole, as the state gives them. */
const documentsOf = (ledger: Readonly<Ledger>) => {
  const { trading, account, changedBy } = ledger
  const inForceNow = inForce(ledger)
  return {
    common: {
      settings: inForceNow,
      settings_sha256: digestOf(inForceNow),
      changed: Object.keys(ledger.configuration).sort(),
      updated_at: changedBy.configuration.recordedAt,
    },
    ofMode: { tradingEnabled: trading.on, reason: trading.reason, account, updated_at: changedBy.trading.recordedAt },
  }
}

export const configurationView: View = ({ commit, events, ledger, mode }) => {
  const first = commit.position === 1
  const writes: DocumentWrite[] = []
  if (first || hasAny(events, configuring)) writes.push({ kind: 'set', path: 'config/common', data: documentsOf(ledger).common })
  if (!first && !hasAny(events, switching) && !hasAny(events, connecting)) return writes
  // Only what the events concern: beside it a person may just have switched trading off, and nobody has looked yet.
  const { account, ...switched } = documentsOf(ledger).ofMode
  if (first || hasAny(events, switching)) writes.push({ kind: 'merge', path: `config/${mode}`, data: switched })
  if (first || hasAny(events, connecting)) writes.push({ kind: 'merge', path: `config/${mode}`, data: { account } })
  return writes
}

/** A document as the journal gives it, its comparable text, and the position of the commit that made it what it is. */
export type Expected = { data: Document; text: string; since: number }
/** The documents of this view exactly at a place, by path. @throws Unprojectable when the journal ends before, or has another commit there */
export type ExpectedAt = (place: { position: number; hash: string }) => Promise<ReadonlyMap<string, Expected>>

const expected = (data: Document, since: number): Expected => ({ data, text: comparableText(data), since })

const expectedIn = (ledger: Readonly<Ledger>, mode: 'paper' | 'live'): Map<string, Expected> => {
  const { common, ofMode } = documentsOf(ledger)
  const { configuration, trading, account } = ledger.changedBy
  return new Map([
    ['config/common', expected(common, configuration.position)],
    [`config/${mode}`, expected(ofMode, Math.max(trading.position, account.position))],
  ])
}

/** Who has folded so many commits keeps the state for those who start after it: they would fold the very same ones. */
const worthKeeping = 500

/**
 * Folds the journal as far as it is asked, and no further, from a snapshot where there is one; asked for an earlier place it begins again.
 * In a process that starts it is the first to fold: where it had far to go it leaves a snapshot, of a chain that it has checked.
 * One question at a time.
 */
export const createConfigurationFold = (
  journal: Pick<Journal, 'head' | 'read'>,
  mode: 'paper' | 'live',
  snapshots?: SnapshotSource,
): ExpectedAt => {
  let ledger = initialLedger()
  return async ({ position, hash }) => {
    if (position < ledger.position) ledger = initialLedger()
    if (ledger.position === 0 && snapshots !== undefined)
      ledger = (await restoreLedger({ snapshots, journal, atMost: position, ignored: () => undefined })) ?? initialLedger()
    const from = ledger.position
    if (position > from) for await (const stored of journal.read(from + 1, position)) foldOrSay(ledger, stored)
    if (ledger.position < position)
      throw new Unprojectable(ledger.position + 1, `the documents show position ${position}, but the journal ends at ${ledger.position}`)
    if (position > 0 && ledger.hash !== hash)
      throw new Unprojectable(position, `the documents were made from another journal: ${hash} stands here, not ${ledger.hash}`)
    if (snapshots !== undefined && position - from >= worthKeeping)
      await snapshots.store.save(snapshotOf(ledger, snapshots.version)).catch(() => undefined) // it only saves time
    return position === 0 ? new Map() : expectedIn(ledger, mode)
  }
}

const foldOrSay = (ledger: Ledger, stored: StoredCommit): void => {
  try {
    foldSound(ledger, stored)
  } catch (error) {
    throw new Unprojectable(stored.position, (error as Error).message, { cause: error })
  }
}
