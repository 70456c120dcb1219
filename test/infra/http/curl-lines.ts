/**
 * What a user types, as the README shows it, and what he is answered: at least one line for every row of the table of intents.
 * They build on one another, from the first `resume` on. `$ORDER_REF` is the order of ours that is at work.
 */
export type CurlLine = {
  /** The intent that it asks for; absent: a view. */
  intent?: string
  line: string
  status: number
  says: RegExp
}

const at = 'http://localhost:8080'

export const curlLines: readonly CurlLine[] = [
  { line: `curl ${at}/healthz`, status: 200, says: /alive/ },
  { line: `curl ${at}/readyz`, status: 200, says: /"gateway":\{"ok":true/ },
  { line: `curl ${at}/strategies`, status: 200, says: /"spymacdvixy"/ },

  { intent: 'orchestrator', line: `curl -X POST ${at}/orchestrator`, status: 409, says: /HALTED/ },
  { intent: 'resume', line: `curl --json '{"reason": "checked by hand"}' ${at}/resume`, status: 200, says: /"text":"trading is on/ },
  {
    intent: 'configure',
    line: `curl --json '{"changes": {"strategies.dummy.allocation": 0.5}}' ${at}/configure`,
    status: 200,
    says: /"status":"completed"/,
  },
  {
    intent: 'configure',
    line: `curl --json '{"changes": {"exposure.overall": 99}}' ${at}/configure`,
    status: 400,
    says: /BODY_INVALID.*exposure.overall must be a number/,
  },

  { intent: 'dummy', line: `curl --json '{"dryRun": true}' ${at}/dummy`, status: 200, says: /"drawn"/ },
  { intent: 'testsignalgenerator', line: `curl -X POST ${at}/testsignalgenerator`, status: 200, says: /MACD/ },
  { intent: 'spymacdvixy', line: `curl --json '{"dryRun": true}' ${at}/spy_macd_vixy`, status: 200, says: /"dryRun":true/ },
  { intent: 'reconcile', line: `curl ${at}/reconcile`, status: 200, says: /"net_liquidation":/ },
  { intent: 'reconcile', line: `curl -X POST ${at}/reconcile`, status: 200, says: /"net_liquidation":/ },
  { intent: 'summary', line: `curl ${at}/summary`, status: 200, says: /"status":"completed"/ },
  { intent: 'allocation', line: `curl --json '{"dryRun": true}' ${at}/allocation`, status: 200, says: /"status":"completed"/ },
  {
    intent: 'orchestrator',
    line: `curl --json '{"strategies": ["dummy"]}' -H 'Idempotency-Key: first' ${at}/orchestrator`,
    status: 200,
    says: /"id":"http-first".*"status":"completed"/,
  },
  { line: `curl ${at}/documents/executions/http-first`, status: 200, says: /Placed 1 order: BUY \d+ SPY/ },
  { line: `curl ${at}/commands/http-first`, status: 200, says: /"type":"orchestrator"/ },
  { line: `curl ${at}/documents/positions/paper`, status: 200, says: /SPY/ },

  {
    intent: 'configure',
    line: `curl --json '{"changes": {"strategies.dummy.allocation": 0.9}}' ${at}/configure`,
    status: 200,
    says: /"status":"completed"/,
  },
  { intent: 'dummy', line: `curl -X POST -H 'Idempotency-Key: again' ${at}/dummy`, status: 200, says: /drew long/ },
  {
    intent: 'allocation',
    line: `curl --json '{"orderProperties": {"type": "LMT", "limitOffset": -0.04}}' ${at}/allocation`,
    status: 200,
    says: /"status":"completed"/,
  },
  { line: `curl ${at}/documents/positions/paper/openOrders`, status: 200, says: /"action":"BUY"/ },
  {
    intent: 'cancel-order',
    line: `curl --json '{"orderRef": "$ORDER_REF"}' ${at}/cancel-order`,
    status: 200,
    says: /"status":"completed"/,
  },
  { intent: 'cancel-order', line: `curl --json '{"orderRef": "nobody-knows"}' ${at}/cancel-order`, status: 404, says: /ORDER_UNKNOWN/ },
  {
    intent: 'resolve-order',
    line: `curl --json '{"orderRef": "$ORDER_REF", "as": "lost", "reason": "seen by phone"}' ${at}/resolve-order`,
    status: 409,
    says: /ORDER_CLOSED|ORDER_NOT_UNRESOLVED/,
  },
  {
    intent: 'explain',
    line: `curl --json '{"instrument": "SPY", "quantity": "5", "as": "manual"}' ${at}/explain`,
    status: 409,
    says: /NOTHING_TO_EXPLAIN/,
  },
  { intent: 'cash-balancer', line: `curl -X POST ${at}/cash_balancer`, status: 200, says: /"status":"completed"/ },
  {
    intent: 'collect-market-data',
    line: `curl --json '{"instrument": "SPY", "barSize": "1 day", "duration": "1 M", "whatToShow": "TRADES"}' ${at}/collect_market_data`,
    status: 200,
    says: /"status":"completed"/,
  },
  { intent: 'trade-reconciliation', line: `curl -X POST ${at}/trade_reconciliation`, status: 200, says: /"status":"completed"/ },
  { intent: 'risk-check', line: `curl -X POST ${at}/risk-check`, status: 200, says: /"status":"completed"/ },
  { intent: 'eod-check', line: `curl -X POST ${at}/eod-check`, status: 200, says: /"status":"completed"/ },
  { intent: 'halt', line: `curl --json '{"reason": "the news"}' ${at}/halt`, status: 200, says: /"text":"trading is halted: the news/ },
  { intent: 'allocation', line: `curl -X POST ${at}/allocation`, status: 409, says: /HALTED/ },
  { intent: 'close-all', line: `curl --json '{"strategies": ["dummy"]}' ${at}/close_all`, status: 200, says: /"status":"completed"/ },
  { line: `curl ${at}/documents/status/paper`, status: 200, says: /"trading":\{"on":false/ },
  { line: `curl ${at}/documents/activity`, status: 200, says: /the news/ },
  { line: `curl ${at}/metrics`, status: 200, says: /ibt_commands_total\{type="orchestrator",outcome="completed"\} 1/ },
  { line: `curl ${at}/docs/json`, status: 200, says: /"openapi":"3\.1\.0"/ },
  { line: `curl -m 1 -N -H 'Last-Event-ID: 0' ${at}/events`, status: 200, says: /id: 1\.0\nevent: EngineStarted/ },
]
