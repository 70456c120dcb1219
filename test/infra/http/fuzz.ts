/** 100,000 random requests and messages in a run; FUZZ sets another total. A request costs four times as much as a message. */
const total = Number(process.env['FUZZ'] ?? 100_000)
export const requestCount = Math.ceil(total / 5)
export const messageCount = total - requestCount
/** The same ones in every run, so that one that fails, fails again; FUZZ_SEED sets others: a number, or `random` (a failure says it). */
const { FUZZ_SEED = '20200101' } = process.env
export const fuzzSeed = FUZZ_SEED === 'random' ? Math.trunc(Math.random() * 2 ** 31) : Number(FUZZ_SEED)
