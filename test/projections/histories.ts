/** Random but possible histories for properties: any mix of what commands, broker and engine may say. */
import fc from 'fast-check'
import { event } from '../../domain/events.ts'
import {
  broker,
  changed,
  closed,
  command,
  connected,
  decision,
  filled,
  pipelineEnded,
  pipelineStarted,
  placed,
  planned,
  resolved,
  SPY,
  signal,
  snapshot,
  started,
  step,
  type Told,
  VIXY,
} from './story.ts'

const strategy = fc.constantFrom('dummy', 'other')
const pipeline = fc.constantFrom('p1', 'p2')
const ref = fc.constantFrom('r1', 'r2', 'r3')
const instrument = fc.constantFrom(SPY, VIXY)
const quantity = fc
  .integer({ min: -50, max: 50 })
  .filter((number) => number !== 0)
  .map(String)
const how = fc.constantFrom('filled' as const, 'cancelled' as const, 'lost' as const, 'expired' as const)

const said = (type: string, ...events: Told['events']): Told => command(type, 'c', ...events)

/** One commit of any kind. Some name what does not exist: that must change nothing. */
export const anyCommit: fc.Arbitrary<Told> = fc.oneof(
  fc.tuple(strategy, fc.boolean()).map(([id, dryRun]) => said(id, resolved(SPY), signal(id, { dryRun }))),
  strategy.map((id) => said(id, event('SignalFailed', { strategy: id, dryRun: false, code: 'BARS_STALE', text: 'old' }))),
  fc
    .tuple(strategy, fc.double({ min: 0, max: 0.5, noNaN: true }))
    .map(([id, to]) => said('configure', changed({ [`strategies.${id}.allocation`]: to }))),
  fc
    .tuple(strategy, instrument, quantity)
    .map(([id, what, number]) =>
      said('allocation', event('StandingTargetsSet', { strategy: id, signal: 1, factor: '0.5', targets: [{ ...what, quantity: number }] })),
    ),
  pipeline.map((id) => command('allocation', id, pipelineStarted(id))),
  pipeline.map((id) => step(id, 'allocation', 'allocation-round', decision())),
  pipeline.map((id) => step(id, 'end', 'allocation', pipelineEnded(id, 'partial_success'))),
  fc
    .tuple(ref, pipeline, strategy, instrument, quantity)
    .map(([orderRef, decided, id, what, number]) =>
      step(
        decided,
        'plan',
        'allocation-round',
        planned(orderRef, { ...what, decision: decided, quantity: number, shares: [{ strategy: id, quantity: number }] }),
      ),
    ),
  ref.map((orderRef) => broker(placed(orderRef))),
  fc
    .tuple(ref, fc.integer({ min: 1, max: 9 }), fc.constantFrom('01', '02'), strategy, instrument, quantity)
    .map(([orderRef, execution, revision, id, what, number]) =>
      broker(filled(orderRef, `e${execution}.${revision}`, number, { ...what, shares: [{ strategy: id, quantity: number }] })),
    ),
  fc
    .integer({ min: 1, max: 9 })
    .map((execution) => broker(event('CommissionReported', { executionId: `e${execution}.01`, commission: '1', currency: 'USD' }))),
  fc.tuple(ref, how).map(([orderRef, end]) => broker(closed(orderRef, end))),
  ref.map((orderRef) => broker(event('OrderUnresolved', { orderRef, conId: SPY.conId, text: 'gone' }))),
  fc
    .tuple(instrument, quantity)
    .map(([what, number]) =>
      said('reconcile', snapshot({ asked: 0, differences: [{ ...what, reported: number, expected: '0', unexplained: number }] })),
    ),
  fc.constant(said('reconcile', snapshot())),
  fc.tuple(instrument, quantity).map(([what, number]) =>
    said(
      'allocation',
      event('PositionsCrossed', {
        ...what,
        price: '10',
        priceAt: '2026-11-20T21:00:00.000Z',
        moves: [{ strategy: 'dummy', quantity: number }],
      }),
    ),
  ),
  fc.constantFrom(said('resume', event('TradingResumed', { reason: 'go' })), broker(event('GatewayLost', { reason: 'closed' })), connected),
)

/** Each with an id of its own, as a journal would have it; pipelines keep theirs, so that their steps find them. */
export const anyHistory = (maxLength: number): fc.Arbitrary<Told[]> =>
  fc.array(anyCommit, { maxLength }).map((told) => [
    started,
    connected,
    ...told.map((each, index): Told => {
      const { cause } = each
      const isPipeline = each.events.some(({ type }) => type === 'PipelineStarted')
      return cause.kind !== 'command' || isPipeline ? each : { ...each, cause: { ...cause, id: `${cause.id}${index}` } }
    }),
  ])
