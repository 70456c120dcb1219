/**
 * `npm run world -- --histories 10000 --seed 7`: lives through many nights and says what they met. The first that breaks a promise ends the
 * run, with its story, a shorter one that fails alike, and the line that repeats it.
 */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { Presets, SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { allFaults } from './faults.ts'
import { crashPoints } from './history.ts'
import type { Violation } from './invariants.ts'
import { liveThrough } from './live.ts'
import { addTally, emptyTally, storyOf, type Tally } from './nights.ts'

type Options = { histories: number; seed: string; threads: number; night?: string }
type Night = { seed: string; tally: Tally; failed: Violation | undefined }

/** Fewer nights need not have met everything. */
const enoughForEverything = 2_000

const wholeAbove0 = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0')
  return value
}
const readOptions = (): Options =>
  new Command('npm run world --')
    .option('--histories <number>', 'how many nights', wholeAbove0, enoughForEverything)
    .option('--seed <text>', 'the seed of them all: night 12 of the seed 7 is 7.12', '1')
    .option('--threads <number>', 'how many at once', wholeAbove0, availableParallelism())
    .option('--night <seed>', 'tells the story of one night, and of a shorter one where it fails')
    .parse()
    .opts()

/** The threads take every so-manieth night each. Resolves with the first failure, or when all are over. */
const liveThroughAll = ({ histories, seed, threads }: Options, ended: (night: Night) => void): Promise<Night | undefined> => {
  const seeds = Array.from({ length: histories }, (_, index) => `${seed}.${index + 1}`)
  const workers = Array.from({ length: Math.min(threads, histories) }, (_, thread) => {
    const own = seeds.filter((_, index) => index % threads === thread)
    return new Worker(new URL('./night-worker.ts', import.meta.url), { workerData: { seeds: own } })
  })
  const each = workers.map(
    (worker) =>
      new Promise<Night | undefined>((resolve, reject) => {
        worker.on('message', (night: Night) => {
          ended(night)
          if (night.failed !== undefined) resolve(night)
        })
        worker.on('error', reject)
        worker.on('exit', () => resolve(undefined))
      }),
  )
  const firstFailure = new Promise<Night | undefined>((resolve, reject) => {
    for (const one of each) one.then((night) => night && resolve(night), reject)
    Promise.all(each).then(() => resolve(undefined), reject)
  })
  return firstFailure.finally(() => Promise.all(workers.map((worker) => worker.terminate())))
}

const table = (title: string, names: readonly string[], counts: Readonly<Record<string, number>>): string[] => [
  title,
  ...names.map((name) => `  ${String(counts[name] ?? 0).padStart(8)}  ${name}`),
]

const tellOne = async (seed: string): Promise<number> => {
  console.log(await storyOf(seed))
  return (await liveThrough(seed)).violations.length === 0 ? 0 : 1
}

const run = async (options: Options): Promise<number> => {
  const began = performance.now()
  const tally = emptyTally()
  const bar = new SingleBar({ format: '{bar} {value}/{total} nights, {eta_formatted} left', noTTYOutput: false }, Presets.shades_classic)
  bar.start(options.histories, 0)
  const failed = await liveThroughAll(options, (night) => {
    addTally(tally, night.tally)
    bar.increment()
  })
  bar.stop()
  if (failed !== undefined) {
    console.log(await storyOf(failed.seed))
    console.error(`${failed.failed!.invariant}: ${failed.failed!.text}`)
    return 1
  }
  console.log(table('faults', allFaults, tally.faults).join('\n'))
  console.log(table('ends of a process', crashPoints, tally.crashes).join('\n'))
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(
    `${options.histories} nights of the seed ${options.seed} kept every promise: ${tally.orders} orders, ${tally.commits} commits, ${seconds} s`,
  )
  const missing = [...allFaults.filter((name) => !tally.faults[name]), ...crashPoints.filter((name) => !tally.crashes[name])]
  if (missing.length === 0 || options.histories < enoughForEverything) return 0
  console.error(`never met: ${missing.join('; ')}`)
  return 1
}

const options = readOptions()
process.exitCode = options.night === undefined ? await run(options) : await tellOne(options.night)
