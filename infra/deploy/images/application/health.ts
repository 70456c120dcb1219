/**
 * Asks the process beside it whether it is alive, for the health check of a container. Only the process: that a gateway is away is a fact
 * for the journal and no reason to start the engine anew.
 */
const port = process.env['PORT'] || '8080'
try {
  const { ok, status } = await fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(4_000) })
  if (!ok) throw new Error(`it answers ${status}`)
} catch (error) {
  const { message, cause } = error as Error
  process.stderr.write(`not healthy on port ${port}: ${cause instanceof Error ? cause.message : message}\n`)
  process.exitCode = 1
}
