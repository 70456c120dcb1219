import type { Invariant } from './invariants.ts'
import type { Patches } from './world.ts'

/** `plant`: anew for each world. `name` completes "an engine that …". */
export type PlantedBug = { name: string; caughtBy: Invariant; plant: () => Patches }
