/**
 * Makes `sp500-2000-2020.csv` anew: `node infra/gateway-sim/data/regenerate.ts`.
 * Fetches the pinned package into a temporary folder, checks the source file, rewrites it and removes the folder.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const source = {
  package: 'vega-datasets@3.2.1',
  file: 'package/data/sp500-2000.csv',
  sha256: '9409e9342d0657c747324e4cfabce8a8c7f663bc485b95a3378f36b0a160f8c8',
}

const fetchSource = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'sp500-'))
  try {
    const listing = execFileSync('npm', ['pack', '--json', '--pack-destination', folder, source.package], { encoding: 'utf8' })
    const [packed] = JSON.parse(listing) as [{ filename: string }]
    execFileSync('tar', ['-xzf', join(folder, packed.filename), '-C', folder, source.file])
    return readFileSync(join(folder, source.file), 'utf8')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const cents = (price: string): string => Number(price).toFixed(2)

/** Drops the adjusted close (the same as the close for an index) and the digits that single precision added to the cents. */
const rewrite = (text: string): string => {
  const [header, ...rows] = text.trim().split('\n')
  if (header !== 'date,open,high,low,close,adjclose,volume') throw new Error(`unexpected header: ${header}`)
  const lines = rows.map((row) => {
    const [date, open, high, low, close, , volume] = row.split(',')
    return [date, cents(open!), cents(high!), cents(low!), cents(close!), volume].join(',')
  })
  return `${['date,open,high,low,close,volume', ...lines].join('\n')}\n`
}

const text = fetchSource()
const found = createHash('sha256').update(text).digest('hex')
if (found !== source.sha256) throw new Error(`${source.file} of ${source.package} has sha256 ${found}, expected ${source.sha256}`)
writeFileSync(fileURLToPath(new URL('sp500-2000-2020.csv', import.meta.url)), rewrite(text))
