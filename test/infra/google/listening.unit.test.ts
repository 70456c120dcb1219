import { expect } from 'chai'
import { keepListening } from '../../../infra/google/listening.ts'

describe('a listener that is kept', () => {
  type Genuine = { heard: () => void; failed: () => void; ended: boolean }
  let genuine: Genuine[]
  let timer: { milliseconds: number; run: () => void } | undefined
  let told: number
  let stop: () => void
  const clock = {
    after: (milliseconds: number, run: () => void) => {
      const own = { milliseconds, run }
      timer = own
      return () => {
        if (timer === own) timer = undefined
      }
    },
  }
  const fire = () => {
    const due = timer!
    timer = undefined
    due.run()
  }
  beforeEach(() => {
    genuine = []
    told = 0
    stop = keepListening(
      (heard, failed) => {
        const own = { heard, failed, ended: false }
        genuine.push(own)
        return () => {
          own.ended = true
        }
      },
      clock,
      () => {
        told += 1
      },
    )
  })

  it('begins anew when it failed, later each time, and tells what it hears', () => {
    const waits: number[] = []
    for (let round = 0; round < 4; round++) {
      genuine.at(-1)!.failed()
      waits.push(timer!.milliseconds)
      fire()
    }
    expect(waits).to.deep.equal([100, 200, 400, 800])
    genuine.at(-1)!.heard()
    expect([told, genuine.length]).to.deep.equal([1, 5])
    genuine.at(-1)!.failed()
    expect(timer!.milliseconds, 'it had worked in between').to.equal(100)
  })

  it('is replaced after five minutes in which nothing was heard', () => {
    expect(timer!.milliseconds).to.equal(300_000)
    fire()
    expect([genuine.length, genuine[0]!.ended]).to.deep.equal([2, true])
    genuine[1]!.heard()
    expect(told).to.equal(1)
  })

  it('hears nothing of one that was replaced', () => {
    fire()
    genuine[0]!.heard()
    genuine[0]!.failed()
    expect([told, timer!.milliseconds]).to.deep.equal([0, 300_000])
  })

  it('ends, with the genuine one and the timer, and says nothing afterwards', () => {
    stop()
    genuine[0]!.heard()
    genuine[0]!.failed()
    expect([told, genuine[0]!.ended, timer]).to.deep.equal([0, true, undefined])
  })
})
