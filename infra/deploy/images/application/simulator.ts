/**
 * The simulated gateway where a real one would be: it lives in the present, its clock runs, and each file of the folder SIMULATOR_BARS
 * gives the bars of a symbol (SPY.csv). Without files it has its built-in bars, which end in April 2020: signals then fail as BARS_STALE.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { startGatewaySimulator } from '../../../gateway-sim/simulator.ts'

const whole = (name: string, usual: number): number => {
  const given = process.env[name]?.trim() || String(usual)
  if (!/^\d{1,5}$/.test(given) || Number(given) > 65_535) throw new Error(`${name}: must be a port, got ${JSON.stringify(given)}`)
  return Number(given)
}

const barsIn = (folder: string | undefined): Record<string, string> => {
  if (!folder || !existsSync(folder)) return {}
  const names = readdirSync(folder).filter((name) => /^[A-Z][A-Z0-9.]{0,11}\.csv$/.test(name))
  return Object.fromEntries(names.map((name) => [name.slice(0, -'.csv'.length), join(folder, name)]))
}

const run = async (): Promise<void> => {
  const bars = barsIn(process.env['SIMULATOR_BARS'])
  const simulator = await startGatewaySimulator({
    ...{ port: whole('IB_PORT', 4002), controlPort: whole('SIMULATOR_CONTROL_PORT', 4003) },
    ...{ bars, start: new Date().toISOString() },
  })
  const { port, controlPort } = simulator
  const clock = await fetch(`http://127.0.0.1:${controlPort}/clock`, { method: 'POST', body: JSON.stringify({ mode: 'real', speed: 1 }) })
  if (!clock.ok) throw new Error(`the clock does not run: ${await clock.text()}`)
  process.stdout.write(`${JSON.stringify({ port, controlPort, bars: Object.keys(bars) })}\n`)
  await new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
  await simulator.close()
}

run().catch((error: Error) => {
  process.stderr.write(`simulator: ${error.message}\n`)
  process.exit(1)
})
