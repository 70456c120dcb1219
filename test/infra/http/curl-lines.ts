/**
 * What a user types, as the README shows it, and what he is answered: at least one line for every row of the table of intents.
 * They build on one another, from the first `resume` on. `$ORDER_REF` is the order of ours that is at work.
 */
export type CurlLine = {
  /** The intent that it asks for; absent: a view. */
  intent?: string
  line: string
  status: number
  /** Of the body, with its fields in the order of their names: what came of it, not only that something did. */
  says: RegExp | readonly RegExp[]
}

/** With this cash in the account; 5,000 EUR are more than may stay. */
export const cashOfTheLines = { USD: 100_000, EUR: 5_000 }

const at = 'http://localhost:8080'

export const curlLines: readonly CurlLine[] = [
  { line: `curl ${at}/healthz`, status: 200, says: /alive/ },
  {
    line: `curl ${at}/readyz`,
    status: 200,
    says: ['store', 'bus', 'engine', 'gateway'].map((part) => new RegExp(`"${part}":\\{[^}]*"ok":true`)),
  },
  { line: `curl ${at}/strategies`, status: 200, says: /"spymacdvixy"/ },

  { intent: 'orchestrator', line: `curl -X POST ${at}/orchestrator`, status: 409, says: /"code":"HALTED".*until the first resume/ },
  { intent: 'resume', line: `curl --json '{"reason": "checked by hand"}' ${at}/resume`, status: 200, says: /"text":"trading is on/ },
  {
    intent: 'configure',
    line: `curl --json '{"changes": {"strategies.dummy.allocation": 0.5}}' ${at}/configure`,
    status: 200,
    says: /"strategies.dummy.allocation":\{"from":0,"to":0.5\}.*"status":"completed"/,
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
  { intent: 'reconcile', line: `curl -X POST ${at}/reconcile`, status: 200, says: /books, manual and the broker agree/ },
  {
    intent: 'summary',
    line: `curl ${at}/summary`,
    status: 200,
    says: [/"open_orders":\[\],"positions":\[\]/, /"currency":"USD","key":"NetLiquidation","value":"10\d{4}/],
  },
  {
    intent: 'allocation',
    line: `curl --json '{"dryRun": true}' ${at}/allocation`,
    status: 200,
    says: /"status":"completed".*dry run: decided, nothing ordered/,
  },
  {
    intent: 'orchestrator',
    line: `curl --json '{"strategies": ["dummy"]}' -H 'Idempotency-Key: first' ${at}/orchestrator`,
    status: 200,
    says: /"id":"http-first".*"status":"completed"/,
  },
  { line: `curl ${at}/documents/executions/http-first`, status: 200, says: /Placed 1 order: BUY \d+ SPY/ },
  { line: `curl ${at}/commands/http-first`, status: 200, says: /"type":"orchestrator"/ },
  {
    line: `curl ${at}/documents/positions/paper`,
    status: 200,
    says: /"books":\{"dummy":(\d+)\}.*"symbol":"SPY","total":\1,"unexplained":0/,
  },

  {
    intent: 'configure',
    line: `curl --json '{"changes": {"strategies.dummy.allocation": 0.9}}' ${at}/configure`,
    status: 200,
    says: /"strategies.dummy.allocation":\{"from":0.5,"to":0.9\}/,
  },
  { intent: 'dummy', line: `curl -X POST -H 'Idempotency-Key: again' ${at}/dummy`, status: 200, says: /drew long/ },
  {
    intent: 'allocation',
    line: `curl --json '{"orderProperties": {"type": "LMT", "limitOffset": -0.04}}' ${at}/allocation`,
    status: 200,
    says: /"status":"completed".*"text":"1 order at the broker"/,
  },
  {
    intent: 'summary',
    line: `curl ${at}/summary`,
    status: 200,
    says: [
      /"fills":\[\{[^[\]]*"holders":\{"dummy":(\d+)\}[^[\]]*"quantity":\1,"symbol":"SPY"\}\]/,
      /"open_orders":\[\{[^[\]]*"holders":\{"dummy":(\d+)\}[^[\]]*"quantity":\1,[^[\]]*"symbol":"SPY"\}\]/,
      /"positions":\[\{[^[\]]*"holders":\{"dummy":(\d+)\}[^[\]]*"quantity":\1,[^[\]]*"symbol":"SPY"[^[\]]*\}\]/,
    ],
  },
  { line: `curl ${at}/documents/positions/paper/openOrders`, status: 200, says: /"action":"BUY"/ },
  {
    intent: 'cancel-order',
    line: `curl --json '{"orderRef": "$ORDER_REF"}' ${at}/cancel-order`,
    status: 200,
    says: /"cancel":"requested".*"status":"completed"/,
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
  {
    intent: 'cash-balancer',
    line: `curl -X POST ${at}/cash_balancer`,
    status: 200,
    says: /"cash":5000,"code":"CONVERTED".*"pair":"EUR.USD","quantity":-5000.*"text":"sells 5000 EUR.USD"/,
  },
  {
    intent: 'collect-market-data',
    line: `curl --json '{"instrument": "SPY", "barSize": "1 day", "duration": "1 M", "whatToShow": "TRADES"}' ${at}/collect_market_data`,
    status: 200,
    says: /"added":([1-9]\d*),.*"changed":0,.*"count":\1,.*"gaps":\{"count":0/,
  },
  {
    intent: 'collect-market-data',
    line: `curl --json '{"instrument": "SPY", "barSize": "1 day", "duration": "1 M", "whatToShow": "TRADES"}' ${at}/collect_market_data`,
    status: 200,
    says: /"added":0,.*"changed":0,.*"count":[1-9]\d*,/,
  },
  {
    intent: 'cash-balancer',
    line: `curl -X POST ${at}/cash_balancer`,
    status: 200,
    says: /"conversions":\[\],.*"text":"no cash to bring back"/,
  },
  {
    intent: 'trade-reconciliation',
    line: `curl -X POST ${at}/trade_reconciliation`,
    status: 200,
    says: /"differences":\[\],.*"executions":2,"not_ours":0,.*orders and books agree/,
  },
  {
    intent: 'risk-check',
    line: `curl -X POST ${at}/risk-check`,
    status: 200,
    says: [
      /"drawdown":0\.\d+,"from":\d+\.?\d*,"limit":0\.05,[^}]*"rule":"dailyDrawdown","scope":"account"/,
      /"drawdown":0\.\d+,"from":\d+\.?\d*,"limit":0\.2,[^}]*"rule":"peakDrawdown","scope":"account"/,
      /"rule":"dailyDrawdown","scope":"dummy"/,
      /"stuck":\[\],"text":"within all limits"/,
    ],
  },
  { intent: 'eod-check', line: `curl -X POST ${at}/eod-check`, status: 200, says: /"text":"2020-02-04 closed: profit -\d/ },
  { intent: 'halt', line: `curl --json '{"reason": "the news"}' ${at}/halt`, status: 200, says: /"text":"trading is halted: the news/ },
  { intent: 'allocation', line: `curl -X POST ${at}/allocation`, status: 409, says: /HALTED/ },
  {
    intent: 'close-all',
    line: `curl --json '{"strategies": ["dummy"]}' ${at}/close_all`,
    status: 200,
    says: /"status":"completed".*"text":"flat, by 1 order, as the reconcile of .* shows"/,
  },
  { line: `curl ${at}/documents/positions/paper/holdings/dummy`, status: 200, says: /^\{\}$/ },
  {
    line: `curl ${at}/documents/positions/paper`,
    status: 200,
    says: [/"cash":\{"EUR":0,"USD":10\d{4}/, /"gross_position_value":0,"instruments":\[\]/],
  },
  {
    intent: 'close-all',
    line: `curl --json '{"strategies": ["dummy"]}' ${at}/close_all`,
    status: 200,
    says: /"changed":false,"text":"already flat"/,
  },
  { line: `curl ${at}/documents/status/paper`, status: 200, says: /"trading":\{"on":false/ },
  { line: `curl ${at}/documents/activity`, status: 200, says: /the news/ },
  { line: `curl ${at}/dead-letters`, status: 200, says: /^\[\]$/ },
  { line: `curl ${at}/metrics`, status: 200, says: /ibt_commands_total\{type="orchestrator",outcome="completed"\} 1/ },
  { line: `curl ${at}/docs/json`, status: 200, says: /"openapi":"3\.1\.0"/ },
  { line: `curl -m 1 -N -H 'Last-Event-ID: 0' ${at}/events`, status: 200, says: /id: 1\.0\nevent: EngineStarted/ },
]
