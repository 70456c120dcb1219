/** What an outsider has before him when all is over: the world, the journal as text, and holdings added up from it. */
import type { Holdings, Told } from './journal-text.ts'
import type { World } from './world.ts'

export type Witness = { world: World; told: readonly Told[]; holdings: Holdings }
/** What is wrong, a line each. */
export type Check = (witness: Witness) => string[] | Promise<string[]>

export const ofType = (told: readonly Told[], type: string): Told[] => told.filter((event) => event.type === type)
