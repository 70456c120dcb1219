#!/usr/bin/env node
// Plain JavaScript that any Node can read: the rest runs as TypeScript, which older ones cannot.
import module from 'node:module'
import { fileURLToPath } from 'node:url'

const [major, minor] = process.versions.node.split('.').map(Number)
const runsTypeScript = major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

if (runsTypeScript) {
  // Halves the start: what was stripped of its types once is kept beside the packages. Where nothing can be written, nothing is kept.
  module.enableCompileCache?.(fileURLToPath(new URL('../../node_modules/.cache/ibt', import.meta.url)))
  import('./main.ts')
} else {
  console.error(
    `ibt: this is Node ${process.versions.node}, but 22.18 or newer is needed; npm ci brings one along: start it with npx ibt or npm run`,
  )
  process.exitCode = 1
}
