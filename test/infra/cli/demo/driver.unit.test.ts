import { expect } from 'chai'
import { createDriver } from '../../../../infra/cli/demo/driver.ts'
import { simulatedClock } from '../../../../infra/clock.ts'

const minute = 60_000

/** A process of which everything is written down, and a gateway that acts every ten minutes. */
const world = () => {
  const clock = simulatedClock(0)
  const log: string[] = []
  let position = 0
  let busy = 0
  let dueAt: number | undefined
  const note = (what: string) => log.push(`${clock.now() / minute} ${what}`)
  const announceStop: ((reason: Error) => void)[] = []
  const composed = {
    broker: {
      currentTime: async () => {
        note('asked')
        return ''
      },
    },
    bus: { nextDueAt: async () => dueAt },
    engine: {
      ready: () => true,
      ledger: {
        get position() {
          return position
        },
      },
    },
    idle: async () => {
      busy = Math.max(0, busy - 1)
      return busy === 0
    },
    stopped: new Promise<Error>((resolve) => announceStop.push(resolve)),
  }
  const gateway = {
    moveTo: async (time: number) => {
      if (time % (10 * minute) === 0 && time > 0 && !log.includes(`${time / minute} market`)) note('market')
      return (Math.floor(time / (10 * minute)) + 1) * 10 * minute
    },
  }
  const driver = createDriver({ clock, gateway, composed: composed as never })
  return {
    clock,
    log,
    driver,
    composed,
    note,
    work: (turns: number) => {
      busy = turns
    },
    commit: () => {
      position += 1
    },
    dueOnBusAt: (time: number | undefined) => {
      dueAt = time
    },
    stop: (reason: Error) => announceStop[0]!(reason),
  }
}

describe('the driver of market time', () => {
  it('lets the market come first, then what it caused, then the timers of that time', async () => {
    const { clock, log, driver, note } = world()
    await driver.connected()
    log.length = 0
    clock.at(10 * minute, () => note('timer'))
    await driver.runTo(10 * minute)
    const firsts = log.filter((line, place) => log.indexOf(line) === place)
    expect(firsts).to.deep.equal(['10 market', '10 asked', '10 timer'])
  })

  it('stops at each timer, market event and delivery on the way, in the order of time', async () => {
    const { clock, driver, dueOnBusAt, composed } = world()
    await driver.connected()
    const times = new Set<number>()
    const { idle } = composed
    composed.idle = async () => {
      times.add(clock.now() / minute)
      if (clock.now() >= 13 * minute) dueOnBusAt(undefined)
      return idle()
    }
    clock.at(3 * minute, () => {})
    clock.at(17 * minute, () => clock.at(18 * minute, () => {}))
    dueOnBusAt(13 * minute)
    await driver.runTo(25 * minute)
    expect([...times]).to.deep.equal([3, 10, 13, 17, 18, 20, 25])
    expect(clock.now()).to.equal(25 * minute)
  })

  it('does not move on while anything is under way', async () => {
    const { clock, driver, work, note, log } = world()
    await driver.connected()
    clock.at(minute, () => {
      note('first')
      work(30)
    })
    clock.at(minute, () => note('second'))
    log.length = 0
    await driver.runTo(minute)
    const between = log.slice(log.indexOf('1 first') + 1, log.indexOf('1 second'))
    expect(between).to.deep.equal(['1 asked'])
  })

  it('asks again when something new came of it before the answer', async () => {
    const { driver, composed, commit, log } = world()
    let answers = 0
    composed.broker.currentTime = async () => {
      answers += 1
      if (answers <= 2) commit()
      return ''
    }
    await driver.settled()
    expect([answers, log]).to.deep.equal([3, []])
  })

  it('says so when the engine has stopped', async () => {
    const { driver, stop } = world()
    stop(new Error('another engine took the lease'))
    const failed = await driver.runTo(minute).catch((error: Error) => error.message)
    expect(failed).to.equal('the engine stopped: another engine took the lease')
  })
})
