/** Many nights at once: threads that take every so-manieth night each. */
import { Worker } from 'node:worker_threads'
import type { Violation } from './invariants.ts'
import { emptyTally, type Tally } from './nights.ts'

export type Night = { seed: string; tally: Tally; failed: Violation | undefined }
export type Nights = { histories: number; seed: string; threads: number; planted?: string | undefined }

/** A night takes a tenth of a second; one that takes so long has lost itself in a loop. */
const longestNightMs = 300_000

/** @param own the seeds of one thread. Resolves with its first failure, or with nothing when all were lived through. */
const inOneThread = (own: readonly string[], planted: string | undefined, ended: (night: Night) => void) => {
  const worker = new Worker(new URL('./night-worker.ts', import.meta.url), { workerData: { seeds: own, planted } })
  let lived = 0
  let watch: NodeJS.Timeout | undefined
  const firstFailure = new Promise<Night | undefined>((resolve, reject) => {
    const expectNext = (): void => {
      clearTimeout(watch)
      const lost: Violation = { invariant: 'nothing waits for ever', text: `the night did not end within ${longestNightMs / 1_000} s` }
      watch = setTimeout(() => resolve({ seed: own[lived]!, tally: emptyTally(), failed: lost }), longestNightMs)
    }
    expectNext()
    worker.on('message', (night: Night) => {
      lived += 1
      ended(night)
      if (night.failed !== undefined) resolve(night)
      expectNext()
    })
    worker.on('error', reject)
    worker.on('exit', () => {
      if (lived === own.length) resolve(undefined)
      else reject(new Error(`a thread ended in the night ${own[lived]}`))
    })
  })
  const stop = async (): Promise<void> => {
    clearTimeout(watch)
    await worker.terminate()
  }
  return { firstFailure, stop }
}

/** Resolves with the first night that failed, or with nothing when every one was lived through to its end. */
export const liveThroughAll = async (nights: Nights, ended: (night: Night) => void): Promise<Night | undefined> => {
  const { histories, seed, planted } = nights
  const threads = Math.min(nights.threads, histories)
  const seeds = Array.from({ length: histories }, (_, index) => `${seed}.${index + 1}`)
  const running = Array.from({ length: threads }, (_, thread) =>
    inOneThread(
      seeds.filter((_, index) => index % threads === thread),
      planted,
      ended,
    ),
  )
  const all = running.map(({ firstFailure }) => firstFailure)
  try {
    return await new Promise((resolve, reject) => {
      for (const one of all) one.then((night) => night && resolve(night), reject)
      Promise.all(all).then(() => resolve(undefined), reject)
    })
  } finally {
    await Promise.all(running.map(({ stop }) => stop()))
  }
}
