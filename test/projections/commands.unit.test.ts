import { expect } from 'chai'
import { event } from '../../domain/events.ts'
import { activityView } from '../../projections/activity.ts'
import { commandsView } from '../../projections/commands.ts'
import { statusView } from '../../projections/status.ts'
import {
  at,
  broker,
  changed,
  closed,
  command,
  connected,
  decision,
  documentsOf,
  engine,
  filled,
  pathsOfLast,
  pipelineEnded,
  pipelineStarted,
  placed,
  planned,
  SPY,
  signal,
  snapshot,
  started,
  step,
  type Told,
  wished,
} from './story.ts'

const refused = (code: string) => event('CommandRefused', { code, text: 'not now', details: { age: 200 } })
const documentOf = (id: string, ...told: Told[]) => documentsOf(commandsView, ...told).get(`commands/${id}`)!

describe('the view of the commands', () => {
  it('shows who asked for what and what came of it', () => {
    const done = event('CommandCompleted', { result: { text: 'trading was on already', changed: false } })
    expect(documentOf('c1', started, command('resume', 'c1', done))).to.deep.equal({
      type: 'resume',
      source: 'http',
      actor: 'desk',
      correlationId: null,
      job: null,
      publishedAt: at(0),
      position: 2,
      decided_at: at(2),
      updated_at: at(2),
      ended_at: at(2),
      status: 'completed',
      code: null,
      text: 'trading was on already',
      result: { text: 'trading was on already', changed: false },
      steps: [],
    })
  })

  it('tells refusal and failure with their codes', () => {
    expect(documentOf('c1', started, command('allocation', 'c1', refused('SNAPSHOT_STALE')))).to.deep.include({
      status: 'refused',
      code: 'SNAPSHOT_STALE',
      text: 'not now',
      result: { age: 200 },
    })
    const failed = event('SignalFailed', { strategy: 'dummy', dryRun: true, code: 'BARS_STALE', text: 'old bars' })
    expect(documentOf('c1', started, command('dummy', 'c1', failed))).to.include({ status: 'failed', code: 'BARS_STALE', text: 'old bars' })
  })

  it('lets a no among several events decide', () => {
    const failed = event('CommandFailed', { code: 'GATHER_FAILED', text: 'no answer' })
    expect(documentOf('c1', started, command('reconcile', 'c1', snapshot(), failed))).to.include({
      status: 'failed',
      code: 'GATHER_FAILED',
    })
  })

  it('gives a signal and a reconcile as results', () => {
    expect(documentOf('c1', started, command('dummy', 'c1', signal('dummy')))['result']).to.deep.include({
      document: 'strategies/dummy/intent/latest',
      kind: 'targets',
      targets: [{ ...SPY, weight: 0.5, quantity: null }],
    })
    expect(documentOf('c1', started, command('reconcile', 'c1', snapshot()))['result']).to.deep.include({
      document: 'positions/paper/portfolio/latest',
      net_liquidation: 100000,
      differences: 0,
    })
    expect(documentOf('c1', started, command('shadow', 'c1', changed({ freshMinutes: 10 }))), 'of what has no words').to.deep.include({
      status: 'completed',
      result: { events: ['ConfigurationChanged'] },
    })
  })

  it('keeps a pipeline accepted until it ends, with its steps', () => {
    const begun = [started, command('orchestrator', 'p1', pipelineStarted('p1'))]
    expect(documentOf('p1', ...begun)).to.deep.include({ status: 'accepted', ended_at: null, steps: [] })
    const stale = event('SignalFailed', { strategy: 'dummy', dryRun: false, code: 'BARS_STALE', text: 'old bars' })
    const told = [...begun, step('p1', 'dummy', 'dummy', stale), step('p1', 'reconcile', 'reconcile', snapshot())]
    const steps = [
      { id: 'p1:dummy', position: 3, outcome: 'failed', code: 'BARS_STALE' },
      { id: 'p1:reconcile', position: 4, outcome: 'done', code: null },
    ]
    expect(documentOf('p1', ...told)).to.deep.include({ status: 'accepted', steps, updated_at: at(4) })
    expect([...documentsOf(commandsView, ...told).keys()]).to.deep.equal(['commands/p1'])
    const ended = [...told, step('p1', 'end', 'orchestrator', pipelineEnded('p1', 'partial_success', 'one signal failed'))]
    expect(documentOf('p1', ...ended)).to.deep.include({
      type: 'orchestrator',
      status: 'partial_success',
      text: 'one signal failed',
      steps,
      position: 2,
      ended_position: 5,
      ended_at: at(5),
      result: { document: 'executions/p1', outcome: 'partial_success' },
    })
  })

  it('makes no document of what the broker or the engine does', () => {
    expect(documentsOf(commandsView, started, connected, engine('withdrawn', closed('r1', 'withdrawn'))).size).to.equal(0)
  })
})

const activityOf = (...told: Told[]) => documentsOf(activityView, ...told).get(`activity/${String(told.length).padStart(12, '0')}`)

describe('the view of the activity', () => {
  it('has a line for every command, with who asked', () => {
    expect(activityOf(started, command('resume', 'c1', event('TradingResumed', { reason: 'checked' })))).to.deep.equal({
      at: at(2),
      position: 2,
      kind: 'command',
      severity: 'info',
      text: 'resume (http, desk): trading resumed: checked',
      lines: [{ severity: 'info', text: 'trading resumed: checked' }],
      command: 'c1',
      id: 'c1',
      type: 'resume',
      source: 'http',
      actor: 'desk',
      correlationId: null,
    })
  })

  it('has a line even for a command of which there is nothing to say', () => {
    const quiet = event('CommandCompleted', { result: {} })
    expect(activityOf(started, command('summary', 'c1', quiet))).to.include({ kind: 'command', text: 'summary (http, desk): done' })
  })

  it('calls a refusal one, and sorts by the worst line', () => {
    expect(activityOf(started, command('allocation', 'c1', refused('HALTED')))).to.include({ kind: 'refusal', severity: 'warning' })
    const differing = snapshot({ differences: [{ ...SPY, reported: '10', expected: '0', unexplained: '10' }] })
    const blocked = event('DiscrepancyFound', { ...SPY, kind: 'position', quantity: '10', text: 'seen twice' })
    expect(activityOf(started, command('reconcile', 'c1', differing, blocked))).to.deep.include({
      kind: 'alert',
      severity: 'error',
      lines: [
        { severity: 'info', text: 'reconciled: positions 0, open orders 0' },
        { severity: 'warning', text: '10 SPY unexplained' },
        { severity: 'error', text: 'SPY is blocked: seen twice' },
      ],
    })
  })

  it('leaves out the steps of a pipeline that went well and show elsewhere, not those that went badly', () => {
    expect(activityOf(started, step('d', 'dummy', 'dummy', signal('dummy')))).to.equal(undefined)
    expect(activityOf(started, step('d', 'reconcile', 'reconcile', snapshot()))).to.equal(undefined)
    expect(activityOf(started, command('dummy', 'c1', signal('dummy')))).to.include({ kind: 'command' })
    const differing = snapshot({ differences: [{ ...SPY, reported: '10', expected: '0', unexplained: '10' }] })
    expect(activityOf(started, step('d', 'reconcile', 'reconcile', differing))).to.include({ kind: 'alert', severity: 'warning' })
    expect(activityOf(started, step('d', 'allocation', 'allocation-round', decision({})))).to.include({ kind: 'command', command: 'd' })
  })

  it('alerts what the broker did badly and is silent on what went its way', () => {
    const told = [started, command('allocation', 'a', planned('r1'))]
    expect(activityOf(...told, broker(closed('r1', 'rejected')))).to.include({
      kind: 'alert',
      severity: 'error',
      text: 'order r1 (BUY 20 SPY) rejected, 0 filled: it was rejected',
      command: null,
    })
    expect(activityOf(...told, broker(placed('r1')))).to.equal(undefined)
    expect(activityOf(...told, broker(filled('r1', 'e1.01', '20'), closed('r1', 'filled', '20')))).to.equal(undefined)
    expect(activityOf(...told, broker(event('GatewayLost', { reason: 'closed' })))).to.include({ kind: 'alert', severity: 'warning' })
  })

  it('shows a decision with its notes, but not without end', () => {
    const notes = Array.from({ length: 30 }, (_, number) => ({ code: 'RESIDUAL', text: `rest ${number}`, strategy: 'dummy' }))
    const shown = activityOf(started, command('allocation', 'a', decision({ notes, orders: [wished('r1', '20')] })))!
    const lines = shown['lines'] as readonly { text: string }[]
    expect(lines[0]!.text).to.equal('allocation decides: BUY 20 SPY')
    expect(lines[1]!.text).to.equal('RESIDUAL (dummy): rest 0')
    expect(lines).to.have.length(22)
    expect(lines.at(-1)!.text).to.equal('and 10 more notes')
  })
})

describe('the view of the status', () => {
  const statusOf = (...told: Told[]) => documentsOf(statusView, ...told).get('status/paper')!

  it('shows line, switch, account and the last command', () => {
    const told = [started, connected, command('reconcile', 'c1', snapshot())]
    expect(statusOf(...told)).to.deep.equal({
      updated_at: at(3),
      mode: 'paper',
      epoch: 1,
      account: 'DU1',
      gateway: { connected: true, since: at(2), reason: null, phase: 'ready' },
      trading: { on: false, reason: 'trading is off until the first resume' },
      last_reconcile: { position: 3, at: '2026-11-20T20:59:00.000Z', net_liquidation: 100000 },
      pipelines: [],
      open_orders: 0,
      unresolved_orders: [],
      blocked_instruments: [],
      breaches: [],
      day_closed: null,
      last_command: { id: 'c1', type: 'reconcile', position: 3, at: at(3) },
    })
    const lost = broker(event('GatewayLost', { reason: 'the socket closed' }))
    expect(statusOf(...told, lost)).to.deep.include({
      gateway: { connected: false, since: at(4), reason: 'the socket closed', phase: 'down' },
      last_command: { id: 'c1', type: 'reconcile', position: 3, at: at(3) },
    })
  })

  it('shows what is under way and what is in doubt', () => {
    const begun = [
      started,
      command('allocation', 'alloc-1', pipelineStarted('alloc-1')),
      step('alloc-1', 'allocation', 'allocation-round', decision(), planned('r1')),
    ]
    expect(statusOf(...begun)).to.deep.include({
      pipelines: [{ id: 'alloc-1', type: 'allocation', started_at: at(2), valid_until: at(30), ends_by: at(40), rounds: 1 }],
      open_orders: 1,
    })
    const unresolved = broker(event('OrderUnresolved', { orderRef: 'r1', conId: SPY.conId, text: 'gone' }))
    expect(statusOf(...begun, unresolved)).to.deep.include({
      unresolved_orders: [{ orderRef: 'r1', orderId: 1, symbol: 'SPY', missing_since: null }],
      blocked_instruments: [{ conId: SPY.conId, symbol: null, reason: 'order r1 is unresolved' }],
    })
    const found = [...begun, unresolved, broker(placed('r1'))]
    expect(statusOf(...found)).to.deep.include({ unresolved_orders: [], blocked_instruments: [] })
    const ended = step('alloc-1', 'end', 'allocation', pipelineEnded('alloc-1', 'completed'))
    expect(statusOf(...found, ended)).to.deep.include({
      unresolved_orders: [],
      blocked_instruments: [],
      pipelines: [],
    })
  })

  it('is not written again for fills and commissions', () => {
    const told = [started, command('allocation', 'a', planned('r1'))]
    expect(pathsOfLast(statusView, ...told, broker(filled('r1', 'e1.01', '5')))).to.deep.equal([])
    const commission = event('CommissionReported', { executionId: 'e1.01', commission: '1', currency: 'USD' })
    expect(pathsOfLast(statusView, ...told, broker(commission))).to.deep.equal([])
  })
})
