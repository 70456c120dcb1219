/**
 * The version of the code that folds, from its sources: whoever changes what a fold gives cannot forget to change it.
 * A harmless edit changes it too, and costs one replay from position 1.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const domain = fileURLToPath(new URL('../domain', import.meta.url))

/** sha256 in hex over the names and contents of all sources in a folder, subfolders included. Takes a few milliseconds. */
export const foldVersion = (folder = domain): string => {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
  const hash = createHash('sha256')
  for (const name of names.map((name) => name.split(sep).join('/')).sort()) {
    const text = readFileSync(join(folder, name))
    hash.update(`${name}\n${text.length}\n`).update(text)
  }
  return hash.digest('hex')
}
