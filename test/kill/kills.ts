/** How often is killed, and by which luck. `KILLS` counts over both stores; `KILL_SEED` is another seed. */
import { expect } from 'chai'
import type { Environment } from '../../infra/environment.ts'
import { runKills } from './run.ts'

/** On Google's emulators a kill takes twice as long, and what is left in the end much longer. */
const standard = { embedded: 16, google: 8 }

const asked = (): number | undefined => {
  const { KILLS: given } = process.env
  if (given === undefined) return undefined
  const count = Number(given)
  if (!Number.isInteger(count) || count < 2) throw new Error(`KILLS must be a whole number from 2, not "${given}"`)
  return Math.ceil(count / 2)
}

export const killsOn = (kind: Environment['store']['kind']): number => asked() ?? standard[kind]
/** A kill takes about four seconds, on Google's emulators about eight, on a busy machine twice that. */
export const withinMs = (kind: Environment['store']['kind']): number => killsOn(kind) * 25_000
export const timeoutMs = (kind: Environment['store']['kind']): number => withinMs(kind) + 400_000

export const expectCleanKills = async (store: Environment['store'], file: string): Promise<void> => {
  const { KILL_SEED: seed = '1' } = process.env
  const kills = killsOn(store.kind)
  const run = await runKills({ store, kills, seed, withinMs: withinMs(store.kind) })
  if (process.env['KILLS'] !== undefined) console.error(run.counted)
  expect(run.wrong.join('\n'), `KILLS=${2 * kills} KILL_SEED=${seed} npx mocha ${file}`).to.equal('')
  expect(run.kills).to.equal(kills)
  for (const moment of ['killed as it begins', 'killed at work', 'killed as its order goes out'])
    expect(run.counted[moment] ?? 0, moment).to.be.above(0)
}
