/** What the routes stand on. */

import type { Clock } from '../../domain/ports/clock.ts'
import type { Strategy } from '../../domain/strategy.ts'
import type { Topics } from '../../domain/topics.ts'
import type { Life, Log } from '../../projections/follower.ts'
import type { Data } from '../data.ts'
import type { Environment } from '../environment.ts'
import type { SessionView } from '../ib/session.ts'

export type HttpContext = Pick<Data, 'journal' | 'documents' | 'bus' | 'lease'> & {
  where: Pick<Environment, 'mode' | 'dataDirectory' | 'store'>
  topics: Topics
  strategies: Readonly<Record<string, Strategy>>
  clock: Clock
  log: Log
  /** Whether the events are published to readers outside; where nobody reads them, nothing can lag. */
  relayed: boolean
  /** Of the engine of this very process, where there is one. */
  session?: () => SessionView
  /** Those who follow the journal in this very process, where they do; `undefined`: nobody does that here, and nobody has to. */
  followers?: Record<'projections' | 'handEdits', Life> & Record<'relay' | 'alerts', Life | undefined>
  /** Aborted when the server is to stop: whoever waits is answered as it stands. */
  leaving: AbortSignal
}
