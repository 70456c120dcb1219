/** An engine for tests that freeze it: every message to the gateway and every write to the store is a step before which it may stop. */
import { environmentOfEngine, runFastEngine } from './fast-engine.ts'
import { watchGateway } from './takeover-effects.ts'

const where = environmentOfEngine()
watchGateway(where.gateway.port)
await runFastEngine(where)
