import { expect } from 'chai'
import { type EventData, event } from '../../domain/events.ts'
import { activityView } from '../../projections/activity.ts'
import { commandsView } from '../../projections/commands.ts'
import { command, documentsOf, started } from './story.ts'

const collected = (more: Partial<EventData<'MarketDataCollected'>> = {}) =>
  event('MarketDataCollected', {
    ...{ conId: 756733, symbol: 'SPY', size: '1 day', whatToShow: 'TRADES', regularHoursOnly: true, asked: '2019-11-20' },
    ...{ from: '2019-11-20', to: '2019-12-31', count: 28, hash: 'abc', added: 28, changed: 0, revisions: [] },
    ...{ gaps: { count: 0, first: [] }, partitions: ['2019-11', '2019-12'] },
    ...more,
  })
const activityOf = (told: ReturnType<typeof collected>) =>
  [...documentsOf(activityView, started, command('collect-market-data', 'b1', told)).values()].at(-1)!

describe('bars that were collected', () => {
  it('show in their command what there is now, in words and in numbers', () => {
    const revised = collected({ changed: 1, revisions: [{ start: '2019-12-02', before: '311.64', after: '311.65' }] })
    const document = documentsOf(commandsView, started, command('collect-market-data', 'b1', revised)).get('commands/b1')!
    expect(document).to.include({
      status: 'completed',
      text: '28 bars of 1 day of SPY (TRADES) from 2019-11-20 to 2019-12-31: 28 new, 1 changed, none missing',
    })
    expect(document['result']).to.deep.include({
      count: 28,
      hash: 'abc',
      revisions: [{ start: '2019-12-02', before: 311.64, after: 311.65 }],
    })
  })

  it('are worth a look when some are missing, or prices no longer fit together', () => {
    expect(activityOf(collected())).to.include({ severity: 'info' })
    const patchy = activityOf(
      collected({ gaps: { count: 5, first: ['2019-11-21', '2019-11-22', '2019-11-25', '2019-11-26', '2019-11-27'] } }),
    )
    expect(patchy).to.include({ severity: 'warning' })
    expect(patchy['text']).to.include('5 missing, first 2019-11-21, 2019-11-22, 2019-11-25')
    const split = activityOf(collected({ warning: 'bars before 2019-11-20 were not asked for' }))
    expect(split).to.include({ severity: 'warning' })
    expect(split['text']).to.include('; bars before 2019-11-20')
    expect(activityOf(collected({ gaps: null }))['text']).to.include('no calendar to judge gaps by')
  })
})
