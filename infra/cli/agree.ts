import { Command } from 'commander'
import { type Agreement, agreementOf } from '../../domain/commander/agreement.ts'
import type { Commit, StoredCommit } from '../../domain/commit.ts'
import { toNumber } from '../../domain/decimal.ts'
import { type EventData, fromStored } from '../../domain/events.ts'
import { fold } from '../../domain/fold.ts'
import { initialLedger } from '../../domain/ledger.ts'
import { printJson } from './output.ts'
import { withData } from './reading.ts'

/** The decision of the execution in this commit, if there is one. */
const decisionIn = (stored: StoredCommit, execution: string): EventData<'AllocationDecided'> | undefined => {
  const { cause, events } = JSON.parse(stored.json) as Commit
  if (cause.kind !== 'command' || (cause.pipeline ?? cause.id) !== execution) return undefined
  const found = fromStored(events).find(({ type }) => type === 'AllocationDecided')
  return found?.data as EventData<'AllocationDecided'> | undefined
}

const shown = ({ proposed, decided, inFlight, ...line }: Agreement) => ({
  ...line,
  proposed_delta: proposed === null ? null : toNumber(proposed),
  decided_difference: toNumber(decided),
  in_flight: toNumber(inFlight),
})

export const agree = (): Command =>
  new Command('agree')
    .description("Print each strategy's own difference beside the commander's, and why they differ; exit 1 when one does.")
    .argument('<execution>', 'the id of the command that asked for the decision, as in executions/{id}')
    .addHelpText(
      'after',
      `
The last decision of an execution is looked at. What was on its way already counts as decided.

Examples:
  $ npx ibt agree my-allocation
  $ npx ibt agree my-allocation | jq '.lines[] | select(.agree | not) | .why'`,
    )
    .action((execution: string) =>
      withData(async ({ journal }) => {
        const ledger = initialLedger()
        let lines: Agreement[] | undefined
        for await (const stored of journal.read(1)) {
          const decision = decisionIn(stored, execution)
          if (decision !== undefined) lines = agreementOf(ledger, decision, execution)
          fold(ledger, stored)
        }
        if (lines === undefined) throw new Error(`no decision was made for "${execution}"`)
        const differing = lines.filter((line) => !line.agree)
        printJson({ execution, agree: differing.length === 0, lines: lines.map(shown) })
        const named = differing.map(({ strategy, symbol }) => `${strategy} in ${symbol}`).join(', ')
        if (differing.length > 0) throw new Error(`${differing.length} of ${lines.length} differ: ${named}`)
      }),
    )
