/** `config/common`: every setting with its value in force. `config/{mode}`: the trading switch and the account. */
import { configuredStrategies, settingInForce, settings, type Value } from '../domain/configuration.ts'
import type { EventType } from '../domain/events.ts'
import type { Ledger } from '../domain/ledger.ts'
import type { DocumentWrite } from '../domain/ports/documents.ts'
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
