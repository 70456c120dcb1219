/**
 * Every way to say no, in one table. Acknowledge, send back or dead-letter is read off `kind`, never off a text.
 * `http` answers a command that was refused so. What is wrong whatever the state is bad input: BODY_INVALID, and it reaches no topic.
 * `final` ends a command for good (`CommandRefused`, marker taken); `passing` leaves no trace and is tried again until `validFor` ends.
 */
type Kind = 'final' | 'passing'

const table = {
  BODY_INVALID: { kind: 'final', http: 400, text: 'the body of the command is not what it must be' },
  ORDER_PROPERTIES_INVALID: { kind: 'final', http: 409, text: 'the order properties do not go together' },
  EXPIRED: { kind: 'final', http: 409, text: 'the command is older than its validFor' },
  NO_SESSION: { kind: 'final', http: 409, text: 'the exchange has no session today' },
  OTHER_CLOSE: { kind: 'final', http: 409, text: 'the exchange closes at another time today' },
  SESSION_OVER: { kind: 'final', http: 409, text: 'the session is over: nothing is traded before the next one' },
  HALTED: { kind: 'final', http: 409, text: 'trading is halted' },
  SUPERSEDED_BY_HALT: { kind: 'final', http: 409, text: 'a halt was published after this resume' },
  NOT_PROVEN_ON_PAPER: { kind: 'final', http: 409, text: 'live trading wants a record on paper first' },
  SNAPSHOT_MISSING: { kind: 'final', http: 409, text: 'the account was never reconciled' },
  SNAPSHOT_STALE: { kind: 'final', http: 409, text: 'the account snapshot is too old' },
  NET_LIQUIDATION_MISSING: { kind: 'final', http: 409, text: 'the net liquidation is absent or not positive' },
  BASE_CURRENCY_MISSING: { kind: 'final', http: 409, text: 'the broker does not say what the base currency of the account is' },
  DECISION_TOO_LARGE: { kind: 'final', http: 409, text: 'the decision is larger than the journal takes, and nothing of it was done' },
  STRATEGY_UNKNOWN: { kind: 'final', http: 404, text: 'there is no such strategy' },
  ORDER_UNKNOWN: { kind: 'final', http: 404, text: 'there is no such order' },
  ORDER_AT_WORK: { kind: 'final', http: 409, text: 'an order at work takes it away already' },
  ORDER_CLOSED: { kind: 'final', http: 409, text: 'the order has ended' },
  ORDER_NOT_UNRESOLVED: { kind: 'final', http: 409, text: 'only an unresolved order can be resolved by hand' },
  INSTRUMENT_UNKNOWN: { kind: 'final', http: 404, text: 'no such instrument is known here' },
  INSTRUMENT_AMBIGUOUS: { kind: 'final', http: 409, text: 'several contracts are called that' },
  REQUEST_TOO_LARGE: { kind: 'final', http: 409, text: 'that is more than can be asked of the broker at once' },
  BARS_INVALID: { kind: 'final', http: 409, text: 'the broker sent bars that cannot be' },
  CATALOGUE_DAMAGED: { kind: 'final', http: 500, text: 'a file of bars is not what was written' },
  CATALOGUE_REFUSED: { kind: 'final', http: 500, text: 'the place of the bars says no' },
  CATALOGUE_UNREACHABLE: { kind: 'passing', http: 503, text: 'the place of the bars does not answer' },
  NOTHING_TO_EXPLAIN: { kind: 'final', http: 409, text: 'nothing is unexplained in this instrument' },
  EXPLANATION_TOO_LARGE: { kind: 'final', http: 409, text: 'the explanation is larger than what is unexplained' },
  RATIO_MISMATCH: { kind: 'final', http: 409, text: 'the ratio does not explain what the broker holds' },
  UNEXPLAINED_FIRST: { kind: 'final', http: 409, text: 'something is unexplained in this instrument; explain that first' },
  NOT_HELD: { kind: 'final', http: 409, text: 'so much is not held there' },
  CONFIGURATION_INVALID: { kind: 'final', http: 409, text: 'the configuration would not be valid' },
  GATEWAY_NOT_READY: { kind: 'passing', http: 503, text: 'the gateway is not connected, or its account is not yet known' },
  BROKER_TIMED_OUT: { kind: 'passing', http: 503, text: 'the broker did not answer in time' },
  BROKER_REFUSED: { kind: 'final', http: 409, text: 'the broker refused the question' },
  // ── Said at the door, before anything is a command ──
  TOKEN_MISSING: { kind: 'final', http: 401, text: 'a bearer token is needed' },
  TOKEN_MALFORMED: { kind: 'final', http: 401, text: 'the token cannot be read' },
  TOKEN_ALGORITHM: { kind: 'final', http: 401, text: 'the token is not signed in a way that is taken here' },
  TOKEN_ISSUER: { kind: 'final', http: 401, text: 'the issuer of the token is not one of ours' },
  TOKEN_AUDIENCE: { kind: 'final', http: 401, text: 'the token is meant for somebody else' },
  TOKEN_EXPIRED: { kind: 'final', http: 401, text: 'the token has expired' },
  TOKEN_NOT_YET_VALID: { kind: 'final', http: 401, text: 'the token is not valid yet' },
  TOKEN_INCOMPLETE: { kind: 'final', http: 401, text: 'the token lacks what is needed' },
  TOKEN_SIGNATURE: { kind: 'final', http: 401, text: 'the signature of the token is wrong' },
  TOKEN_KEY_UNKNOWN: { kind: 'final', http: 401, text: 'the issuer has no such key' },
  CALLER_UNKNOWN: { kind: 'final', http: 403, text: 'the caller has no role here' },
  ROLE_TOO_LOW: { kind: 'final', http: 403, text: 'the role of the caller does not allow this' },
  FOREIGN_HOST: { kind: 'final', http: 403, text: 'without an issuer of tokens only this machine may ask, by a name of its own' },
  FOREIGN_ORIGIN: { kind: 'final', http: 403, text: 'the request comes from a page of another origin' },
  TOO_MANY_REQUESTS: { kind: 'passing', http: 429, text: 'too many requests; try again later' },
  KEYS_UNAVAILABLE: { kind: 'passing', http: 503, text: 'the keys of the issuer cannot be had now' },
  REQUEST_INVALID: { kind: 'final', http: 400, text: 'the request is not what it must be' },
  JSON_INVALID: { kind: 'final', http: 400, text: 'the body is not JSON' },
  BODY_TOO_LARGE: { kind: 'final', http: 413, text: 'the body is too large' },
  MEDIA_UNSUPPORTED: { kind: 'final', http: 415, text: 'a body must be application/json' },
  COMMAND_UNKNOWN: { kind: 'final', http: 404, text: 'there is no such command' },
  NOTHING_HERE: { kind: 'final', http: 404, text: 'there is nothing here' },
  METHOD_NOT_ALLOWED: { kind: 'final', http: 405, text: 'this is asked in another way' },
  LETTER_AMBIGUOUS: { kind: 'final', http: 409, text: 'the message was given up more than once' },
  LETTER_UNFIT: { kind: 'final', http: 409, text: 'published again, the message would only come back' },
  ALREADY_DECIDED: { kind: 'final', http: 409, text: 'what the message asks for was decided already' },
  KEY_REUSED: { kind: 'final', http: 422, text: 'this Idempotency-Key belongs to another request' },
  STORE_UNAVAILABLE: { kind: 'passing', http: 503, text: 'the store cannot be reached now' },
  TOO_MANY_READERS: { kind: 'passing', http: 503, text: 'too many read the events already' },
} as const satisfies Record<string, { kind: Kind; http: number; text: string }>

export type ErrorCode = keyof typeof table
export const errors: Readonly<Record<ErrorCode, { kind: Kind; http: number; text: string }>> = table

/** A refusal is a value. `text` says what it was about this time. */
export type Refusal = { refusal: ErrorCode; text: string; details?: Record<string, unknown> }
export const refuse = (code: ErrorCode, about?: string, details?: Record<string, unknown>): Refusal => ({
  refusal: code,
  text: about === undefined ? errors[code].text : `${errors[code].text}: ${about}`,
  ...(details === undefined ? {} : { details }),
})
export const isRefusal = (value: unknown): value is Refusal => typeof value === 'object' && value !== null && 'refusal' in value
export const passes = (refusal: Refusal): boolean => errors[refusal.refusal].kind === 'passing'
