import { expect } from 'chai'
import type { Clock } from '../../domain/ports/clock.ts'
import type { Lease } from '../../domain/ports/lease.ts'
import { holdLease, type LeaseTimes } from '../../handlers/lease-holder.ts'

const second = 1_000
const silent = { info: () => {}, warn: () => {}, error: () => {} }

/** Machine time that moves only when it is told to. */
const machineClock = () => {
  let now = 0
  const timers = new Set<{ time: number; run: () => void }>()
  const due = () => [...timers].filter(({ time }) => time <= now).sort((one, other) => one.time - other.time)[0]
  const clock: Clock = {
    now: () => 0,
    at: () => () => {},
    monotonic: () => now,
    after: (milliseconds, run) => {
      const timer = { time: now + milliseconds, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
  }
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  const pass = async (milliseconds: number): Promise<void> => {
    const end = now + milliseconds
    for (;;) {
      await turn()
      const next = [...timers].sort((one, other) => one.time - other.time)[0]
      if (next === undefined || next.time > end) break
      now = Math.max(now, next.time)
      const timer = due()!
      timers.delete(timer)
      timer.run()
    }
    now = Math.max(now, end)
    await turn()
  }
  /** As of a process that was frozen: time goes by and no timer runs. */
  const freeze = (milliseconds: number) => {
    now += milliseconds
  }
  return { clock, pass, freeze, waiting: () => timers.size }
}

describe('the holder of the lease', () => {
  let machine: ReturnType<typeof machineClock>
  let answers: { acquire: Lease['acquire']; renew: Lease['renew'] }
  let released: number[]
  let lost: number
  const hold = (times?: LeaseTimes) =>
    holdLease({
      ...(times && { times }),
      lease: {
        acquire: (...given) => answers.acquire(...given),
        renew: (...given) => answers.renew(...given),
        release: async (epoch) => void released.push(epoch),
      },
      ...{ clock: machine.clock, log: silent, holder: 'test', lost: () => lost++ },
    })
  beforeEach(() => {
    machine = machineClock()
    answers = { acquire: async () => ({ epoch: 3 }), renew: async () => true }
    released = []
    lost = 0
  })

  it('is sure of it for 40 seconds from the start of the last renewal that worked, and not longer', async () => {
    const holder = await hold()
    expect(holder.epoch).to.equal(3)
    machine.freeze(40 * second - 1)
    expect(holder.valid()).to.equal(true)
    machine.freeze(1)
    expect(holder.valid()).to.equal(false)
  })

  it('renews it every 15 seconds, and stays sure', async () => {
    const renewed: number[] = []
    answers.renew = async () => {
      renewed.push(machine.clock.monotonic())
      return true
    }
    const holder = await hold()
    await machine.pass(61 * second)
    expect(renewed).to.deep.equal([15, 30, 45, 60].map((time) => time * second))
    expect(holder.valid()).to.equal(true)
  })

  it('counts from before the question, since the store may have counted from then', async () => {
    answers.renew = async () => {
      machine.freeze(30 * second)
      return true
    }
    const holder = await hold()
    await machine.pass(15 * second)
    expect(machine.clock.monotonic(), 'asked at 15 s, answered at 45 s').to.equal(45 * second)
    expect(holder.valid()).to.equal(true)
    machine.freeze(10 * second)
    expect(holder.valid(), 'forty seconds after the question').to.equal(false)
  })

  it('tries on when the store does not answer, is no longer sure when that lasts, and is again when it answers', async () => {
    let away = true
    answers.renew = async () => {
      if (away) throw new Error('the store is away')
      return true
    }
    const holder = await hold()
    await machine.pass(41 * second)
    expect(holder.valid()).to.equal(false)
    away = false
    await machine.pass(5 * second)
    expect([holder.valid(), lost]).to.deep.equal([true, 0])
  })

  it('asks again three seconds after a renewal that failed, and then every 15 seconds', async () => {
    const asked: number[] = []
    answers.renew = async () => {
      asked.push(machine.clock.monotonic() / second)
      if (asked.length < 3) throw new Error('the store is away')
      return true
    }
    await hold()
    await machine.pass(40 * second)
    expect(asked).to.deep.equal([15, 18, 21, 36])
  })

  it('does not wait for a renewal that hangs, and takes its answer all the same when it comes', async () => {
    let answer = (_held: boolean): void => {}
    let asked = 0
    answers.renew = () => {
      asked += 1
      return asked === 1
        ? new Promise((resolve) => {
            answer = resolve
          })
        : Promise.reject(new Error('the store is away'))
    }
    const holder = await hold()
    await machine.pass(27 * second)
    expect(asked, 'at 15 s').to.equal(1)
    await machine.pass(1 * second)
    expect(asked, 'and at 28 s, ten of waiting and three of patience later').to.equal(2)
    await machine.pass(13 * second)
    expect(holder.valid(), 'at 41 s').to.equal(false)
    answer(true)
    await machine.pass(0)
    expect(holder.valid()).to.equal(true)
    machine.freeze(14 * second)
    expect(holder.valid(), 'at 55 s, forty after the question that was answered').to.equal(false)
    expect(machine.waiting(), 'one more question is to come, not two').to.equal(1)
  })

  it('hears from a renewal that hung that the lease is lost', async () => {
    let answer = (_held: boolean): void => {}
    answers.renew = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    await hold()
    await machine.pass(26 * second)
    answer(false)
    await machine.pass(60 * second)
    expect([lost, machine.waiting()]).to.deep.equal([1, 0])
  })

  it('keeps other times where it is given them', async () => {
    let renewed = 0
    answers.renew = async () => {
      renewed += 1
      return true
    }
    const holder = await hold({ ttlMs: 3_000, renewalMs: 1_000, marginMs: 500 })
    await machine.pass(2_500)
    expect(renewed).to.equal(2)
    machine.freeze(1_999)
    expect(holder.valid()).to.equal(true)
    machine.freeze(1)
    expect(holder.valid()).to.equal(false)
  })

  it('says at once that it is lost when another holds it, and asks no more', async () => {
    answers.renew = async () => false
    await hold()
    await machine.pass(15 * second)
    expect([lost, machine.waiting()]).to.deep.equal([1, 0])
  })

  it('waits for one that another holds, and counts from the question that got it', async () => {
    const asked: number[] = []
    answers.acquire = async () => {
      asked.push(machine.clock.monotonic())
      if (asked.length < 3) return { heldFor: 20 * second }
      machine.freeze(4 * second)
      return { epoch: 4 }
    }
    const holding = hold()
    await machine.pass(12 * second)
    const holder = await holding
    expect(asked, 'it may be given back sooner').to.deep.equal([0, 5 * second, 10 * second])
    expect([holder.epoch, holder.valid()]).to.deep.equal([4, true])
    machine.freeze(50 * second - machine.clock.monotonic())
    expect(holder.valid(), 'forty seconds after ten').to.equal(false)
  })

  it('gives it back once, and is sure of nothing afterwards', async () => {
    const holder = await hold()
    await holder.release()
    expect([released, holder.valid(), machine.waiting()]).to.deep.equal([[3], false, 0])
  })
})
