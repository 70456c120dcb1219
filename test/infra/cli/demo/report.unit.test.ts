import { expect } from 'chai'
import type { Cause, Commit } from '../../../../domain/commit.ts'
import { type DomainEvent, event, toStored } from '../../../../domain/events.ts'
import { closingReport, dayLine, worstDrawdown } from '../../../../infra/cli/demo/report.ts'
import { emptyStory, tell } from '../../../../infra/cli/demo/story.ts'
import { closed, command, filled, ledgerOf, neutral, ordered, SPY, snapshot, VIXY, wants } from '../../../given.ts'
import { decision } from '../../../projections/story.ts'

const plain = (symbol: string) => symbol
const equity = (...values: number[]) => values.map((value, day) => ({ date: `day ${day}`, value }))
const commit = (cause: Cause, ...events: DomainEvent[]): Commit => ({
  position: 1,
  epoch: 1,
  recordedAt: '2024-01-09T21:05:00.000Z',
  cause,
  events: toStored(events, '2024-01-09T21:05:00.000Z'),
  previousHash: '',
})
const broker: Cause = { kind: 'broker', report: 'test' }

describe('the worst drawdown', () => {
  it('is the deepest fall from a peak before it', () => {
    expect(worstDrawdown(equity(100, 120, 90, 110, 130, 104))).to.deep.equal({ fraction: 0.25, from: 'day 1', to: 'day 2' })
  })
  it('is nothing while it only rises', () => {
    expect(worstDrawdown(equity(1, 2, 3))?.fraction).to.equal(0)
    expect(worstDrawdown([])).to.equal(undefined)
  })
})

describe('the story of a day', () => {
  const commits = [
    commit(broker, filled('abc-1', SPY, 'e1', { trend: '10', noise: '0' })),
    commit(broker, closed('abc-1', 'filled', '10')),
    commit(
      command('s1', 'trend'),
      wants('trend', [
        { instrument: SPY, weight: '-1' },
        { instrument: VIXY, weight: '0' },
      ]),
    ),
    commit(command('s2', 'noise'), neutral('noise')),
    commit(command('r1', 'reconcile'), snapshot()),
    commit(command('a1', 'allocation'), ordered('abc-2', SPY, { trend: '-10', noise: '-2' })),
  ]

  it('is one line', () => {
    const line = dayLine(tell(emptyStory(), '2024-01-09', commits, plain))
    expect(line).to.match(/^2024-01-09 /)
    expect(line).to.contain('1 fill ').and.contain('trend short SPY, out of VIXY · noise neutral').and.contain('orders: SELL 12 SPY')
  })

  it('says why nothing was ordered, where the decision held something back', () => {
    const note = { code: 'LIMIT_DRAWDOWN', text: 'more was lost than is allowed', strategy: 'trend' }
    const lineOf = (...notes: (typeof note)[]) =>
      dayLine(tell(emptyStory(), '2024-01-09', [commit(command('a1', 'allocation'), decision({ notes }))], plain))
    expect(lineOf(note, note)).to.match(/orders: none \(LIMIT_DRAWDOWN\)$/)
    const fromPeak = { ...note, numbers: { rule: 'peakDrawdown' } }
    expect(lineOf(fromPeak), 'with what to do').to.match(/orders: none \(LIMIT_DRAWDOWN: risk-check with resetPeaks lifts it\)$/)
    expect(lineOf()).to.match(/orders: none$/)
  })

  it('adds up over days, and counts a fill for a book only when it got something', () => {
    const story = emptyStory()
    tell(story, '2024-01-09', commits, plain)
    tell(story, '2024-01-10', commits, plain)
    expect(story).to.deep.include({ commits: 12, events: 12, signals: { targets: 2, neutral: 2 }, orders: { filled: 2, planned: 2 } })
    expect(story.books).to.deep.equal({ trend: { orders: 2, fills: 2 }, noise: { orders: 2, fills: 0 } })
    expect(story.equity.map(({ date }) => date)).to.deep.equal(['2024-01-09', '2024-01-10'])
  })

  it('counts notes by code and strategy', () => {
    const story = emptyStory()
    const notes = [
      { code: 'SIGNAL_FAILED', text: 'the latest signal failed: the book is held (BARS_STALE: old)', strategy: 'trend' },
      { code: 'SIGNAL_FAILED', text: 'the latest signal failed: the book is held (BARS_STALE: older)', strategy: 'noise' },
    ]
    const decided = event('AllocationDecided', {
      ...{ dryRun: false, round: 1, signals: {}, configuration: 1, exposure: '0.9', instruments: [], strategies: [], targets: [] },
      ...{ snapshot: { position: 1, takenAt: '', netLiquidation: '1', currency: 'USD' }, orders: [], cancels: [], notes },
    })
    tell(story, '2024-01-09', [commit(command('a1', 'allocation'), decided)], plain)
    expect(story.notes).to.deep.equal({
      SIGNAL_FAILED: { text: 'the latest signal failed: the book is held', count: 2, byStrategy: { trend: 1, noise: 1 } },
    })
    const text = closingReport({ ledger: ledgerOf(), story, proofs: [], nameOf: plain })
    expect(text).to.contain('2 × SIGNAL_FAILED: the latest signal failed: the book is held (trend 1, noise 1)')
  })
})

describe('the closing report', () => {
  it('shows proofs that fail as such', () => {
    const proofs = [
      { name: 'journal', holds: true, found: 'verified' },
      { name: 'state', holds: false, found: 'it differs' },
    ]
    const text = closingReport({ ledger: ledgerOf(), story: emptyStory(), proofs, nameOf: plain })
    expect(text).to.contain('✓ journal: verified').and.contain('✗ FAILED state: it differs')
  })
})
