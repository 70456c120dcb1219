/** One thread of `npm run world`: lives through the nights it is given, and tells of each. */
import { parentPort, workerData } from 'node:worker_threads'
import { liveThrough } from './live.ts'
import { tallyOf } from './nights.ts'

const { seeds } = workerData as { seeds: string[] }
for (const seed of seeds) {
  const { world, violations } = await liveThrough(seed)
  parentPort?.postMessage({ seed, tally: tallyOf(world), failed: violations[0] })
}
