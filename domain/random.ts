/** Numbers that look random and are determined by a text: the id of a command, a seed and a date. */
import { createHash } from 'node:crypto'

/**
 * A generator of numbers in [0, 1), the same ones for the same text, on every machine.
 * Doty-Humphrey's sfc32 (small fast counting generator, 128 bits of state, period at least 2^32; it passes PractRand), seeded with
 * the first 96 bits of the text's sha256. Each number has 32 random bits. Not for secrets.
 */
export const randomFrom = (text: string): (() => number) => {
  const digest = createHash('sha256').update(text, 'utf8').digest()
  let [a, b, c] = [digest.readInt32BE(0), digest.readInt32BE(4), digest.readInt32BE(8)]
  let counter = 1
  const next = (): number => {
    const output = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (((c << 21) | (c >>> 11)) + output) | 0
    return (output >>> 0) / 2 ** 32
  }
  for (let round = 0; round < 12; round += 1) next() // the first outputs still show the seed
  return next
}
