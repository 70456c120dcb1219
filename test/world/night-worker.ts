/** One thread of `npm run world`: lives through the nights it is given, and tells of each. */
import { parentPort, workerData } from 'node:worker_threads'
import { liveThrough } from './live.ts'
import { tallyOf } from './nights.ts'
import { plantedNamed } from './planted-bugs.ts'

const { seeds, planted } = workerData as { seeds: string[]; planted: string | undefined }
for (const seed of seeds) {
  const { world, violations } = await liveThrough(seed, planted === undefined ? {} : { patches: plantedNamed(planted).plant() })
  parentPort?.postMessage({ seed, tally: tallyOf(world), failed: violations[0] })
}
