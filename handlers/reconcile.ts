/** `reconcile`: what does the broker really hold? And the same question at the end of a pipeline, as the proof of what it did. */
import { ReconcileBody } from '../domain/commands.ts'
import { refuse } from '../domain/errors.ts'
import { reconcile as decideOn } from '../domain/reconcile.ts'
import { defineHandler, type Handler } from './handler.ts'

export const reconcile = defineHandler({
  body: ReconcileBody,
  needsBroker: true,
  gather: async ({ broker }, _command, ledger) => {
    const { position: asked, account } = ledger
    return account === null ? undefined : { asked, snapshot: await broker.snapshot(account) }
  },
  decide: ({ ledger, facts, now, engine }) =>
    facts === undefined
      ? refuse('GATEWAY_NOT_READY')
      : decideOn(ledger, { ...facts, said: engine.said, notHandedOver: engine.notHandedOver }, now),
})

/** A step only: nobody publishes it. */
export const proof: Handler = { ...reconcile, asksOnly: true }
