/** How often is killed, and by which luck: see README.md beside this file. */
import { expect } from 'chai'
import type { Environment } from '../../infra/environment.ts'
import { moments, runKills } from './run.ts'

type Kind = Environment['store']['kind']

/** On Google's emulators a kill takes twice as long, and what is left in the end much longer. */
const standard = { embedded: 16, google: 8 }
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
export const timeoutMs = (kind: Kind): number => withinMs(kind) + 400_000

export const expectCleanKills = async (store: Environment['store'], file: string): Promise<void> => {
  const kills = killsOn(store.kind)
  const begun = performance.now()
  const say = (text: string): void => {
    const seconds = Math.round((performance.now() - begun) / 1_000)
    if (asked !== undefined) process.stderr.write(`    ${store.kind}, after ${seconds} s: ${text}\n`)
  }
  const progress = (done: number): void => {
    if (done % reportEvery === 0 || done === kills) say(`${done} of ${kills} kills`)
  }
  const run = await runKills({ store, kills, seed, withinMs: withinMs(store.kind), progress })
  say(Object.entries(run.counted).reduce((table, [what, times]) => `${table}\n    ${String(times).padStart(6)} ${what}`, 'what happened'))
  expect(run.wrong.join('\n'), `KILLS=${2 * kills} KILL_SEED=${seed} npx mocha ${file}`).to.equal('')
  expect(run.kills).to.equal(kills)
  for (const moment of moments) expect(run.counted[moment] ?? 0, moment).to.be.above(0)
}
