/** Verbs that look at an existing store. */
import type { Data } from '../data.ts'
import type { Environment } from '../environment.ts'
import { openExistingData } from '../store.ts'
import { readTopics } from '../topics-file.ts'
import { environment } from './arguments.ts'

/** @throws Error in one line when there is no store */
export const withData = async (look: (data: Data, environment: Environment) => Promise<void>): Promise<void> => {
  const where = environment()
  const data = await openExistingData(where, readTopics())
  try {
    await look(data, where)
  } finally {
    await data.close()
  }
}
