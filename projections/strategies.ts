/**
 * `strategies/{id}`: what is configured for it. One that was never configured shows there once it spoke.
 * `strategies/{id}/intent/latest`: what it said last, and the standing targets in force. A dry run's word goes to `intent/dryRun`.
 */

import { indicativeQuantity } from '../domain/commander/indicative.ts'
import { proposedDelta } from '../domain/commander/proposed-delta.ts'
import { type Configuration, parametersOf, settingInForce, settings, strategySettingOf, type Value } from '../domain/configuration.ts'
import type { DomainEvent, EventData } from '../domain/events.ts'
import type { Ledger, Signal } from '../domain/ledger.ts'
import type { Document, DocumentWrite, Json } from '../domain/ports/documents.ts'
import { numberOr, symbolOf, type View, type ViewInput } from './view.ts'

export const intentPath = (strategy: string, dryRun: boolean): string => `strategies/${strategy}/intent/${dryRun ? 'dryRun' : 'latest'}`

// ── The strategy itself ──

const configured = ({ configuration }: Readonly<Ledger>, strategy: string): Document => ({
  name: strategy,
  enabled: strategySettingOf(configuration, strategy, 'enabled'),
  capital_allocation: strategySettingOf(configuration, strategy, 'allocation'),
  risk_parameters: {
    max_gross_exposure: strategySettingOf(configuration, strategy, 'limits.gross'),
    max_single_position_exposure: strategySettingOf(configuration, strategy, 'limits.singleName'),
    max_positions: strategySettingOf(configuration, strategy, 'limits.positions'),
  },
  parameters: parametersOf(configuration, strategy),
  // As `configure` writes them, by the same names.
  settings: settingsOf(configuration, strategy),
})

const settingsOf = (configuration: Configuration, strategy: string): Record<string, Value> => {
  const prefix = 'strategies.*.'
  const names = Object.keys(settings).flatMap((name) =>
    name.startsWith(prefix) && !name.endsWith('.*') ? [name.slice(prefix.length)] : [],
  )
  const values = names.map((name) => [name, settingInForce(configuration, `strategies.${strategy}.${name}`)] as const)
  return Object.fromEntries(values.filter((entry): entry is readonly [string, Value] => entry[1] !== undefined))
}

const strategyWrite = ({ commit, ledger }: ViewInput, strategy: string): DocumentWrite => ({
  kind: 'merge',
  path: `strategies/${strategy}`,
  data: { ...configured(ledger, strategy), updated_at: commit.recordedAt },
})

const isConfigured = ({ configuration }: Readonly<Ledger>, strategy: string): boolean =>
  Object.keys(configuration).some((name) => name.startsWith(`strategies.${strategy}.`))

const configuredNow = (event: DomainEvent): string[] =>
  event.type === 'ConfigurationChanged'
    ? Object.keys(event.data.changes).flatMap((name) => (name.startsWith('strategies.') ? [name.split('.')[1]!] : []))
    : []

// ── What it said ──

const standingOf = (ledger: Readonly<Ledger>, strategy: string): Json =>
  Object.entries(ledger.standing[strategy] ?? {}).map(([conId, { quantity, signal, factor }]) => ({
    conId: Number(conId),
    symbol: symbolOf(ledger, conId),
    quantity: Number(quantity),
    set_by: signal,
    factor: Number(factor),
  }))

const targetOf = (
  ledger: Readonly<Ledger>,
  signal: EventData<'SignalGenerated'>,
  target: EventData<'SignalGenerated'>['targets'][number],
) => {
  const instrument = ledger.instruments[target.conId]
  const price = signal.prices.find(({ conId }) => conId === target.conId)
  return {
    symbol: target.symbol,
    secType: instrument?.secType ?? null,
    exchange: instrument?.exchange ?? null,
    currency: instrument?.currency ?? null,
    weight: numberOr(target.weight, null),
    quantity: numberOr(target.quantity ?? indicativeQuantity(ledger, signal, target), null),
    quantity_is: target.quantity === undefined ? 'indicative' : 'exact',
    price: numberOr(price?.value, null),
    price_at: price?.at ?? null,
    contract_details: {
      conId: target.conId,
      multiplier: numberOr(instrument?.multiplier, null),
      sizeStep: numberOr(instrument?.sizeStep, null),
      minTick: numberOr(instrument?.minTick, null),
    },
  }
}

/** Its own idea of what is missing, beside which the commander's difference stands in the execution. */
const proposedBy = (ledger: Readonly<Ledger>, signal: Signal): Json =>
  proposedDelta(ledger, signal).map(({ conId, symbol, target, holding, delta }) => ({
    conId,
    symbol,
    target: numberOr(target, null),
    holding: Number(holding),
    delta: numberOr(delta, null),
  }))

const spoken = ({ commit, ledger }: ViewInput, signal: EventData<'SignalGenerated'>): Document => ({
  updated_at: commit.recordedAt,
  position: commit.position,
  status: signal.kind === 'neutral' ? 'neutral' : 'success',
  error_code: null,
  error_message: null,
  metadata: { reason: signal.reason, indicators: { ...signal.indicators }, parameters: (signal.parameters ?? null) as Json },
  target_positions: signal.targets.map((target) => targetOf(ledger, signal, target)),
  proposed_delta: proposedBy(ledger, { ...signal, position: commit.position, at: commit.recordedAt }),
  bars: signal.bars.map((bars) => ({ ...bars })),
  last_session: signal.lastSession,
  fresh_until: signal.freshUntil,
})

const failed = ({ commit }: ViewInput, failure: EventData<'SignalFailed'>): Document => ({
  updated_at: commit.recordedAt,
  position: commit.position,
  status: 'error',
  error_code: failure.code,
  error_message: failure.text,
  metadata: { reason: null, indicators: {}, parameters: null },
  target_positions: [],
  proposed_delta: [],
  bars: [],
  last_session: null,
  fresh_until: null,
})

const intentWrites = (input: ViewInput, event: DomainEvent): DocumentWrite[] => {
  const { ledger } = input
  if (event.type === 'StandingTargetsSet') {
    const { strategy } = event.data
    return [{ kind: 'merge', path: intentPath(strategy, false), data: { standing_targets: standingOf(ledger, strategy) } }]
  }
  if (event.type !== 'SignalGenerated' && event.type !== 'SignalFailed') return []
  const { strategy, dryRun } = event.data
  const said = event.type === 'SignalGenerated' ? spoken(input, event.data) : failed(input, event.data)
  if (dryRun) return [{ kind: 'set', path: intentPath(strategy, true), data: said }]
  const latest: DocumentWrite = {
    kind: 'set',
    path: intentPath(strategy, false),
    data: { ...said, standing_targets: standingOf(ledger, strategy) },
  }
  return isConfigured(ledger, strategy) ? [latest] : [latest, strategyWrite(input, strategy)]
}

export const strategiesView: View = (input) => [
  ...[...new Set(input.events.flatMap(configuredNow))].map((strategy) => strategyWrite(input, strategy)),
  ...input.events.flatMap((event) => intentWrites(input, event)),
]
