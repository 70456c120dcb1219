import { expect } from 'chai'
import { holdsOrders, nextRestart } from '../../../infra/ib/nightly-restart.ts'
import { createRestartWatch } from '../../../infra/ib/restart-watch.ts'
import { handClock } from './hand-clock.ts'

const at = (text: string) => Date.parse(text)
/** 23:45 in New York on 20 November 2026 is 04:45 UTC on the 21st. */
const restart = '23:45'
const due = at('2026-11-21T04:45:00Z')
const minute = 60_000

describe('the nightly restart', () => {
  it('is the one whose window we are in, else the next one', () => {
    expect(nextRestart(restart, due - 3 * minute).at).to.equal(due)
    expect(nextRestart(restart, due + 5 * minute - 1).at).to.equal(due)
    expect(nextRestart(restart, due + 5 * minute).at).to.equal(due + 24 * 60 * minute)
    // a window over midnight belongs to the day on which it began
    expect(nextRestart('23:59', at('2026-11-21T05:02:00Z')).at).to.equal(at('2026-11-21T04:59:00Z'))
  })

  it('keeps New York time when the clocks change', () => {
    expect(nextRestart('23:45', at('2026-03-07T12:00:00Z')).at).to.equal(at('2026-03-08T04:45:00Z'))
    expect(nextRestart('23:45', at('2026-03-08T12:00:00Z')).at).to.equal(at('2026-03-09T03:45:00Z'))
  })

  it('holds new orders from two minutes before, for a line that is older than it', () => {
    const planned = nextRestart(restart, due)
    const old = due - 60 * minute
    expect([due - 2 * minute - 1, due - 2 * minute, due, due + 5 * minute].map((now) => holdsOrders(planned, now, old))).to.deep.equal([
      ...[false, true, true, false],
    ])
    expect(holdsOrders(planned, due + minute, due + 30_000)).to.equal(false)
  })

  const watched = (restartAt: string | undefined) => {
    const clock = handClock(due - 60 * minute)
    const said: [minutes: number, held: boolean][] = []
    let since: number | undefined = clock.now()
    const watch = createRestartWatch({
      ...{ clock, restartAt },
      lineSince: () => since,
      changed: (held) => said.push([(clock.now() - due) / minute, held !== undefined]),
    })
    watch.look()
    const line = (from: number | undefined) => {
      since = from
      watch.look()
    }
    return { clock, watch, said, line }
  }

  it('says when orders begin to wait, and when they go again though no restart came', () => {
    const { clock, watch, said } = watched(restart)
    clock.pass(24 * 60 * minute)
    expect(said).to.deep.equal([
      [-2, true],
      [5, false],
    ])
    clock.pass(24 * 60 * minute)
    expect(said).to.have.length(4)
    watch.stop()
    expect(clock.timers.size).to.equal(0)
  })

  it('lets orders go when the gateway is back from its restart', () => {
    const { clock, watch, said, line } = watched(restart)
    clock.pass(59 * minute)
    expect(watch.held()).to.contain('23:45')
    clock.pass(minute + 1000)
    line(undefined)
    clock.pass(70_000)
    line(clock.now())
    expect(said.map(([, held]) => held)).to.deep.equal([true, false])
    expect(watch.held()).to.equal(undefined)
    expect(watch.near()).to.equal(true)
  })

  it('holds nothing where the time is not known', () => {
    const { clock, watch, said } = watched(undefined)
    clock.pass(48 * 60 * minute)
    expect([said, watch.held(), watch.near(), clock.timers.size]).to.deep.equal([[], undefined, false, 0])
  })
})
