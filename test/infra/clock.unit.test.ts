import { expect } from 'chai'
import { machineTime, simulatedClock, systemClock } from '../../infra/clock.ts'
import { until } from '../contract/until.ts'

const start = Date.parse('2026-11-20T21:00:00Z')

describe('the simulated clock', () => {
  it('stands still until it is moved', async () => {
    const clock = simulatedClock(start)
    let fired = false
    clock.at(start + 1, () => {
      fired = true
    })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([clock.now(), fired]).to.deep.equal([start, false])
    await clock.moveTo(start + 1)
    expect([clock.now(), fired]).to.deep.equal([start + 1, true])
  })

  it('fires by time, then by registration, and shows each its own time', async () => {
    const clock = simulatedClock(start)
    const fired: [string, number][] = []
    const note = (name: string, time: number) => clock.at(start + time, () => fired.push([name, clock.now() - start]))
    note('c', 20)
    note('a', 10)
    note('d', 20)
    note('b', 10)
    note('later', 31)
    await clock.moveTo(start + 30)
    expect(fired).to.deep.equal([
      ['a', 10],
      ['b', 10],
      ['c', 20],
      ['d', 20],
    ])
    expect(clock.now()).to.equal(start + 30)
    expect(clock.nextTimerAt()).to.equal(start + 31)
  })

  it('fires on its way what was set on its way', async () => {
    const clock = simulatedClock(start)
    const fired: number[] = []
    const again = () => {
      fired.push(clock.now() - start)
      clock.at(clock.now() + 10, again)
    }
    clock.at(start + 10, again)
    await clock.moveTo(start + 35)
    expect(fired).to.deep.equal([10, 20, 30])
    expect(clock.nextTimerAt()).to.equal(start + 40)
  })

  it('waits after each timer until all is settled', async () => {
    const clock = simulatedClock(start)
    const log: string[] = []
    for (const name of ['a', 'b']) clock.at(start + 1, () => log.push(name))
    await clock.moveTo(start + 1, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      log.push('settled')
    })
    expect(log).to.deep.equal(['a', 'settled', 'b', 'settled'])
  })

  it('never goes back', async () => {
    const clock = simulatedClock(start)
    await clock.moveTo(start - 1)
    expect(clock.now()).to.equal(start)
  })

  it('lets moves that overlap follow one another', async () => {
    const clock = simulatedClock(start)
    const fired: number[] = []
    for (const time of [10, 20, 30]) clock.at(start + time, () => fired.push(clock.now() - start))
    await Promise.all([clock.moveTo(start + 25), clock.moveTo(start + 15), clock.moveTo(start + 30)])
    expect(fired).to.deep.equal([10, 20, 30])
    expect(clock.now()).to.equal(start + 30)
  })

  it('fires what is due at once without being moved, but not before the caller is done', async () => {
    const clock = simulatedClock(start)
    const log: string[] = []
    clock.at(start, () => log.push('due'))
    clock.at(start - 1, () => log.push('overdue'))
    log.push('caller')
    await until('both fired', () => log.length === 3)
    expect(log).to.deep.equal(['caller', 'overdue', 'due'])
    expect(clock.now()).to.equal(start)
  })

  it('forgets what was called off', async () => {
    const clock = simulatedClock(start)
    const callOff = clock.at(start + 10, () => expect.fail('was called off'))
    const dueCallOff = clock.at(start, () => expect.fail('was called off'))
    callOff()
    dueCallOff()
    expect(clock.nextTimerAt()).to.equal(undefined)
    await clock.moveTo(start + 20)
  })

  it('passes on the error of a timer, and can be moved on', async () => {
    const clock = simulatedClock(start)
    clock.at(start + 10, () => {
      throw new Error('broken timer')
    })
    const failed = await clock.moveTo(start + 20).catch((error: unknown) => (error as Error).message)
    expect(failed).to.equal('broken timer')
    await clock.moveTo(start + 30)
    expect(clock.now()).to.equal(start + 30)
  })

  it('shows a new time without firing, until it is moved', async () => {
    const clock = simulatedClock(start)
    const log: [string, number][] = []
    clock.at(start + 10, () => log.push(['due', clock.now() - start]))
    clock.setNow(start + 20)
    clock.at(start, () => log.push(['overdue', clock.now() - start]))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([clock.now() - start, log]).to.deep.equal([20, []])
    await clock.moveTo(start + 20)
    expect(log).to.deep.equal([
      ['overdue', 20],
      ['due', 20],
    ])
    clock.setNow(start)
    expect(clock.now() - start).to.equal(20)
  })

  it('leaves machine time alone', async () => {
    const clock = simulatedClock(start)
    const before = clock.monotonic()
    await clock.moveTo(start + 86_400_000)
    let fired = false
    clock.after(5, () => {
      fired = true
    })
    await until('machine time goes by', () => fired)
    expect(clock.monotonic() - before).to.be.within(4, 10_000)
  })
})

describe('the system clock', () => {
  it('runs at the time, not before', async () => {
    const due = Date.now() + 30
    let firedAt = 0
    systemClock.at(due, () => {
      firedAt = systemClock.now()
    })
    await until('it fired', () => firedAt > 0)
    expect(firedAt).to.be.at.least(due)
  })

  it('runs what is overdue at once', async () => {
    let fired = false
    systemClock.at(Date.now() - 1_000, () => {
      fired = true
    })
    await until('it fired', () => fired)
  })

  it('keeps appointments that are further away than a timer can say', async () => {
    let fired = false
    const callOff = systemClock.at(Date.now() + 60 * 86_400_000, () => {
      fired = true
    })
    await new Promise((resolve) => setTimeout(resolve, 30))
    callOff()
    expect(fired).to.equal(false)
  })

  it('calls off', async () => {
    const calls: string[] = []
    systemClock.at(Date.now() + 10, () => calls.push('at'))()
    systemClock.after(10, () => calls.push('after'))()
    systemClock.after(30, () => calls.push('last'))
    await until('the last one ran', () => calls.includes('last'))
    expect(calls).to.deep.equal(['last'])
  })
})

describe('machine time', () => {
  let steady: number
  let wall: number
  let time: () => number
  const both = (milliseconds: number): void => {
    steady += milliseconds
    wall += milliseconds
  }
  beforeEach(() => {
    steady = 1_000.25
    wall = start
    time = machineTime(
      () => steady,
      () => wall,
    )
  })

  it('goes with the steady clock, also where the wall clock counts in whole milliseconds', () => {
    const began = time()
    for (let step = 1; step <= 10_000; step++) {
      steady += 0.1
      wall = start + Math.floor(step / 10)
      time()
    }
    expect(time() - began).to.be.closeTo(1_000, 0.001)
  })

  it('counts the time for which the machine was suspended', () => {
    const began = time()
    both(10_000)
    wall += 40_000
    expect(time() - began).to.equal(50_000)
    both(10_000)
    expect(time() - began).to.equal(60_000)
  })

  it('counts many short suspensions', () => {
    const began = time()
    for (let nap = 0; nap < 100; nap++) {
      both(100)
      wall += 400
      time()
    }
    expect(time() - began).to.be.within(49_500, 50_000)
  })

  it('neither goes back nor stands still when the wall clock is set', () => {
    const began = time()
    wall += 3_600_000
    expect(time() - began).to.equal(3_600_000)
    wall -= 7_200_000
    expect(time() - began).to.equal(3_600_000)
    both(1_000)
    expect(time() - began).to.equal(3_601_000)
    wall += 5_000 // suspended, after all that
    expect(time() - began).to.equal(3_606_000)
  })
})
