/** An engine that is killed from outside: nothing in its process is watched or changed. */
import { environmentOfEngine, runFastEngine } from '../infra/fast-engine.ts'

await runFastEngine(environmentOfEngine())
