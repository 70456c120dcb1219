#!/usr/bin/env node
// Plain JavaScript that any Node can read: the rest runs as TypeScript, which older ones cannot.
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
const runsTypeScript = major >= 24 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

if (runsTypeScript) {
  module.enableCompileCache?.() // halves the start: what was stripped of its types once is kept in the system's temporary folder
  import('./main.ts')
} else {
  console.error(
    `ibt: this is Node ${process.versions.node}, but 22.18 or newer is needed; npm ci brings one along: start it with npx ibt or npm run`,
  )
  process.exitCode = 1
}
