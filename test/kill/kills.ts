/** How often is killed, and by which luck: see README.md beside this file. */
import { expect } from 'chai'
import type { Environment } from '../../infra/environment.ts'
import { moments, runKills } from './run.ts'

type Kind = Environment['store']['kind']

/** On Google's emulators a kill takes twice as long, and what is left in the end much longer. */
const standard = { embedded: 16, google: 6 }
/**
 * After so many, what is left is finished and all is compared, and another journal begins, at emulators of its own: that of Pub/Sub gets slow
 * by readers that are gone.
 */
const lifetime = { embedded: 50, google: 20 }
const reportEvery = 10

const wholeNumber = (name: 'KILLS' | 'KILL_SEED', least: number): number | undefined => {
  const given = process.env[name]
  if (given === undefined) return undefined
  if (!/^\d{1,9}$/.test(given) || Number(given) < least) throw new Error(`${name} must be a whole number from ${least}, not "${given}"`)
  return Number(given)
}

/** Half of them on each store. */
const asked = wholeNumber('KILLS', 12)
const seed = wholeNumber('KILL_SEED', 0) ?? 1

export const killsOn = (kind: Kind): number => (asked === undefined ? standard[kind] : Math.ceil(asked / 2))
/** A kill takes about four seconds, on Google's emulators about eight; a machine that is busy gets several times that. */
const withinMs = (kind: Kind): number => killsOn(kind) * 25_000
export const timeoutMs = (kind: Kind): number => withinMs(kind) + Math.ceil(killsOn(kind) / lifetime[kind]) * 400_000

/** Where one journal is kept, and the end of what was begun for it alone. */
export type Place = { store: Environment['store']; end(): Promise<void> }

/** @param begin gives the place of the next journal */
export const expectCleanKills = async (kind: Kind, begin: (life: { first: boolean }) => Promise<Place>, file: string): Promise<void> => {
  const kills = killsOn(kind)
  const end = performance.now() + withinMs(kind)
  const begun = performance.now()
  const say = (text: string): void => {
    const seconds = Math.round((performance.now() - begun) / 1_000)
    if (asked !== undefined) process.stderr.write(`    ${kind}, after ${seconds} s: ${text}\n`)
  }
  const counted = new Map<string, number>()
  for (let done = 0, life = 0; done < kills; life++) {
    const before = done
    const progress = (more: number): void => {
      if ((before + more) % reportEvery === 0) say(`${before + more} of ${kills} kills`)
    }
    const some = Math.min(lifetime[kind], kills - done)
    const place = await begin({ first: life === 0 })
    const within = { withinMs: end - performance.now(), progress }
    const run = await runKills({ store: place.store, kills: some, seed: seed + life, ...within }).finally(place.end)
    for (const [what, times] of Object.entries(run.counted)) counted.set(what, (counted.get(what) ?? 0) + times)
    if (run.wrong.length > 0) throw new Error(`KILLS=${2 * some} KILL_SEED=${seed + life} npx mocha ${file}\n${run.wrong.join('\n')}`)
    expect(run.kills).to.equal(some)
    done += some
  }
  say([...counted].sort().reduce((table, [what, times]) => `${table}\n    ${String(times).padStart(6)} ${what}`, 'what happened'))
  for (const moment of moments) expect(counted.get(moment) ?? 0, moment).to.be.above(0)
}
