import { expect } from 'chai'
import { averageVolumeOf } from '../../domain/average-volume.ts'
import { startsIn } from '../../domain/bar-times.ts'
import { sessionOn, sessions } from '../../domain/calendar.ts'
import type { Bar } from '../../domain/strategy.ts'

const bar = (start: string, volume: number): Bar => ({ start, open: 1, high: 1, low: 1, close: 1, volume })
const daily = (from: string, to: string, volume: (day: number) => number) =>
  sessions(from, to).map(({ date }, day) => bar(date, volume(day)))
const halfHours = (date: string, volume: number) =>
  startsIn(sessionOn(date)!, '30 mins').map((start) => bar(new Date(start).toISOString(), volume))

describe('the average volume of a day', () => {
  it('is that of the last twenty days, rounded down', () => {
    const bars = daily('2024-01-02', '2024-03-01', (day) => day)
    const last = bars.slice(-20).reduce((total, { volume }) => total + volume, 0) / 20
    expect(averageVolumeOf(bars, '1 day')).to.equal(String(Math.floor(last)))
  })

  it('is that of fewer days where there are no more', () => {
    expect(
      averageVolumeOf(
        daily('2024-01-02', '2024-01-03', () => 500),
        '1 day',
      ),
    ).to.equal('500')
  })

  it('of shorter bars counts whole days alone, short ones too', () => {
    const bars = [...halfHours('2024-01-04', 100).slice(3), ...halfHours('2024-01-05', 200), ...halfHours('2024-01-08', 10).slice(0, 4)]
    expect(averageVolumeOf(bars, '30 mins')).to.equal('2600')
    expect(averageVolumeOf(halfHours('2024-07-03', 100), '30 mins')).to.equal('700')
  })

  it('is not known where no bar has a volume, or there is none', () => {
    expect(
      averageVolumeOf(
        daily('2024-01-02', '2024-01-31', () => 0),
        '1 day',
      ),
    ).to.equal(undefined)
    expect(averageVolumeOf([], '1 day')).to.equal(undefined)
    expect(averageVolumeOf(halfHours('2024-01-04', 100).slice(1), '30 mins')).to.equal(undefined)
  })
})
