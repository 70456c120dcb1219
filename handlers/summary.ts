/** `summary`: values, positions, open orders and the fills of the day, as the broker tells them now, each with its book. */

import { SummaryBody } from '../domain/commands.ts'
import { canonical } from '../domain/commit.ts'
import { refuse } from '../domain/errors.ts'
import { event } from '../domain/events.ts'
import { summarize } from '../domain/summary.ts'
import { lookAtAccount, recordLook } from './fresh-look.ts'
import { defineHandler } from './handler.ts'

/** What the events of one summary may take together: a commit holds 900 kB, and its frame needs some. */
const largestSummary = 800_000

export const summary = defineHandler({
  body: SummaryBody,
  needsBroker: true,
  gather: (ports, _command, ledger) => lookAtAccount(ports, ledger),
  decide: (decision) => {
    const { facts } = decision
    if (facts === undefined) return refuse('GATEWAY_NOT_READY')
    const { events, after } = recordLook(decision, facts)
    const room = largestSummary - Buffer.byteLength(canonical(events))
    return [...events, event('AccountSummarized', summarize(after, facts.snapshot, room))]
  },
})
