/**
 * `npm run world -- --histories 10000 --seed 7`: lives through many nights and says what they met. The first that breaks a promise ends the
 * run, with its story, a shorter one that fails alike, and the line that repeats it.
 */
import { availableParallelism } from 'node:os'
import { Presets, SingleBar } from 'cli-progress'
import { Command, InvalidArgumentError } from 'commander'
import { allFaults } from './faults.ts'
import { crashPoints } from './history.ts'
import { liveThrough } from './live.ts'
import { liveThroughAll, type Nights } from './night-threads.ts'
import { addTally, emptyTally, neverMet, rerun, storyOf, tableOf } from './nights.ts'
import { plantedBugs, plantedNamed } from './planted-bugs.ts'

type Options = Nights & { night?: string }

/** Fewer nights need not have met everything. */
const enoughForEverything = 2_000

const wholeAbove0 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number above 0')
  return value
}
const someText = (text: string): string => {
  if (text.trim() === '') throw new InvalidArgumentError('expected a text that is not empty')
  return text
}
const knownBug = (text: string): string => {
  try {
    return plantedNamed(text).name
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message)
  }
}
const readOptions = (): Options =>
  new Command('npm run world --')
    .description('Lives through many nights of the whole engine in a simulated world, and checks every promise after each.')
    .option('--histories <number>', 'how many nights', wholeAbove0, enoughForEverything)
    .option('--seed <text>', 'the seed of them all: night 12 of the seed 7 is 7.12', someText, '1')
    .option('--threads <number>', 'how many at once', wholeAbove0, availableParallelism())
    .option('--night <seed>', 'tells the story of one night, and of a shorter one where it fails', someText)
    .option('--planted <words>', 'with a bug planted that is named so, to see how it is caught', knownBug)
    .addHelpText(
      'after',
      [
        '',
        'Ends with 0 when every promise was kept, and with 1 when one was broken or when, in',
        `${enoughForEverything} nights or more, a fault or an end of a process was never met.`,
        '',
        'Bugs to plant:',
        ...plantedBugs.map(({ name }) => `  an engine that ${name}`),
      ].join('\n'),
    )
    .allowExcessArguments(false)
    .parse()
    .opts()

const patchesOf = (planted: string | undefined) => (planted === undefined ? undefined : plantedNamed(planted).plant)

const tellOne = async (seed: string, planted: string | undefined): Promise<number> => {
  console.log(await storyOf(seed, patchesOf(planted)))
  const patches = patchesOf(planted)?.()
  return (await liveThrough(seed, patches === undefined ? {} : { patches })).violations.length === 0 ? 0 : 1
}

const run = async (options: Options): Promise<number> => {
  const { histories, seed, planted } = options
  const began = performance.now()
  const tally = emptyTally()
  const bar = new SingleBar({ format: '{bar} {value}/{total} nights, {eta_formatted} left', noTTYOutput: false }, Presets.shades_classic)
  bar.start(histories, 0)
  const failed = await liveThroughAll(options, (night) => {
    addTally(tally, night.tally)
    bar.increment()
  }).finally(() => bar.stop())
  if (failed?.failed !== undefined) {
    // Said first, since the story takes a while, and last, where the eye falls.
    const repeated = `to see it again: ${rerun(failed.seed, planted)}`
    console.error(`${failed.failed.invariant}: ${failed.failed.text}\n${repeated}`)
    console.log(await storyOf(failed.seed, patchesOf(planted)))
    console.error(repeated)
    return 1
  }
  console.log([...tableOf('faults', allFaults, tally.faults), ...tableOf('ends of a process', crashPoints, tally.crashes)].join('\n'))
  const seconds = ((performance.now() - began) / 1_000).toFixed(0)
  console.log(`${histories} nights of the seed ${seed} kept every promise: ${tally.orders} orders, ${tally.commits} commits, ${seconds} s`)
  const missing = neverMet(tally)
  if (missing.length === 0) return 0
  const few = histories < enoughForEverything
  console.error(`never met${few ? ' in so few nights' : ''}: ${missing.join('; ')}`)
  return few ? 0 : 1
}

const options = readOptions()
try {
  process.exitCode = options.night === undefined ? await run(options) : await tellOne(options.night, options.planted)
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
}
