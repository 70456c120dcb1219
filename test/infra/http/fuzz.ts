/** 100,000 random requests and messages in a run; FUZZ sets another total. A request costs four times as much as a message. */
const total = Number(process.env['FUZZ'] ?? 100_000)
export const requestCount = Math.ceil(total / 5)
export const messageCount = total - requestCount
/** Another one each run; a failure says it, and FUZZ_SEED repeats it. */
export const fuzzSeed = Number(process.env['FUZZ_SEED'] ?? Math.trunc(Math.random() * 2 ** 31))
