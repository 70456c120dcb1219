/**
 * What IB's message codes mean to us: one table. Source: IB's list of API message codes and reports of users.
 * A code that is not in it never passes silently: about an order it counts as a warning (the order may well live),
 * about a question as its refusal, else as a notice; and it is always logged.
 */
import type { BrokerReport } from '../../domain/ports/broker.ts'

export type OrderMeaning = Extract<BrokerReport, { kind: 'orderMessage' }>['meaning']

/**
 * `info`: all is well. `warning`: worth a notice, ends nothing (a refused change leaves the order as it was). `rejected`: the order, or the question, is refused.
 * `cancelled`: the order has ended. `cancelRefused`: the wish to cancel is refused, the order is not touched.
 * `linkDown`, `linkUp`: between gateway and IB. `session`: this connection is of no use any more.
 */
export type CodeMeaning = 'info' | 'warning' | 'rejected' | OrderMeaning | 'linkDown' | 'linkUp' | 'session'

export const clientIdInUse = 326
export const unreachable = 502
export const unknownContract = 200
export const decodingFailed = 505

const table: Readonly<Record<CodeMeaning, Readonly<Record<number, string>>>> = {
  info: {
    2100: 'account data unsubscribed, as we ask after each snapshot',
    2104: 'market data farm connected',
    2106: 'historical data farm connected',
    2107: 'historical data farm idle, available on demand',
    2108: 'market data farm idle, available on demand',
    2119: 'market data farm connecting',
    2158: 'security definition farm connected',
  },
  warning: {
    100: 'more than 50 messages in a second',
    101: 'too many market data lines',
    104: 'a filled order cannot be modified',
    105: 'the modified order does not match the original',
    134: 'modifying the order failed',
    162: 'historical data: refused, cancelled or pacing violation',
    165: 'historical data: query message',
    300: 'no such ticker id',
    310: 'no such depth id',
    316: 'market depth halted',
    317: 'market depth reset',
    327: 'only client 0 may bind orders that were placed by hand',
    329: 'the order cannot be changed to that type',
    354: 'market data not subscribed',
    366: 'no such historical data query',
    399: 'order message, such as: it waits for the open',
    404: 'order held while shares are located for a short sale',
    420: 'real-time data refused: not permitted, or the account trades in another session',
    440: 'an algo cannot be modified',
    492: 'the scanner shows less than was asked for',
    1300: 'socket port changed',
    2101: 'account data not subscribed',
    2103: 'market data farm broken',
    2105: 'historical data farm broken',
    2109: 'outside regular hours is ignored for this order',
    2137: 'cross side warning',
    2157: 'security definition farm broken',
    2174: 'time without a zone',
    2176: 'fractional sizes are rounded for this client',
    10090: 'part of the market data is not subscribed',
    10167: 'delayed market data is shown',
    10168: 'market data is not subscribed, and delayed data is not enabled',
    10197: 'no market data during a competing session',
    10225: 'real-time bars ended by a bust: to be subscribed anew',
    10339: 'a continuous future has no end of history but now',
    10349: 'time in force was set by an order preset',
  },
  rejected: {
    103: 'duplicate order id',
    106: 'order id cannot be transmitted',
    107: 'an incomplete order cannot be transmitted',
    109: 'price is out of the range of the order defaults',
    110: 'price is not on the minimum tick',
    111: 'time in force does not go with the order type',
    113: 'time in force should be DAY',
    116: 'order cannot be transmitted to a dead exchange',
    131: 'sweep to fill and display size do not go with the security',
    132: 'order cannot be transmitted without a clearing account',
    133: 'submitting the order failed',
    140: 'the size should be an integer',
    141: 'the price should be a number',
    144: 'order size does not match the allocation',
    145: 'an entry field does not validate',
    146: 'the trigger method is not valid',
    152: 'the hidden attribute does not go with the order',
    154: 'order cannot be transmitted for a halted security',
    160: 'the size cannot be zero',
    163: 'price violates the percentage constraint',
    200: 'no security definition',
    201: 'order rejected',
    203: 'the security is not available or allowed for this account',
    320: 'the request cannot be read',
    321: 'the request does not validate',
    322: 'the request cannot be processed',
    325: 'discretionary amounts do not go with the order',
    334: 'good till date is not valid',
    337: 'good after time is not valid',
    355: 'order size does not conform to the market rule',
    383: 'order size is over the limit of the precautionary settings',
    387: 'order type is not supported for the exchange and security',
    388: 'order size is smaller than the minimum',
    412: 'the contract is not available for trading',
    434: 'order size cannot be zero',
    435: 'an account must be named',
    436: 'an allocation must be named',
    439: 'no such algo',
    441: 'algo attributes do not validate',
    442: 'the algo is not allowed for the order',
    443: 'unknown algo attribute',
    460: 'no trading permission',
    503: 'the gateway is too old for what is asked',
    10006: 'the parent order is missing',
    10242: 'fractional sizes cannot be used here',
    10243: 'fractional sizes cannot be ordered through the API',
    10244: 'a cash quantity cannot be used for this order',
    10268: 'the EtradeOnly attribute is not supported',
    10269: 'the firm quote attribute is not supported',
    10311: 'direct routing is held back by the precautionary settings',
  },
  cancelled: { 202: 'order cancelled' },
  cancelRefused: {
    135: 'no order with this id',
    136: 'order cannot be cancelled',
    161: 'order is not in a state to be cancelled',
    10147: 'order to be cancelled is not found',
    10148: 'order to be cancelled cannot be cancelled',
    10149: 'order to be cancelled cannot be cancelled',
  },
  linkDown: { 1100: 'connection between gateway and IB lost', 2110: 'connection between gateway and server broken' },
  linkUp: { 1101: 'connection to IB restored, subscriptions lost', 1102: 'connection to IB restored' },
  session: {
    326: 'client id already in use',
    502: 'the gateway cannot be reached',
    504: 'not connected',
    506: 'unsupported protocol version',
    507: 'bad message length',
  },
}

const meanings = new Map<number, CodeMeaning>()
for (const meaning of Object.keys(table) as CodeMeaning[])
  for (const code of Object.keys(table[meaning])) meanings.set(Number(code), meaning)

export const known = (code: number): boolean => meanings.has(code)

/** @returns undefined for a code that is not in the table */
export const meaningOf = (code: number): CodeMeaning | undefined => meanings.get(code)

/** What a code says about one order. Only what surely ends an order is called an end; all else warns. */
export const aboutOrder = (code: number): OrderMeaning => {
  const meaning = meanings.get(code)
  return meaning === 'rejected' || meaning === 'cancelled' || meaning === 'cancelRefused' ? meaning : 'warning'
}

/** What is done about a code, by what it means. */
export const done: Readonly<Record<CodeMeaning, string>> = {
  info: 'noted for debugging',
  warning: 'told; about an order it ends nothing; a question it names is refused, unless it is answered all the same',
  rejected: 'the order is asked for and closed when the broker confirms its end; a question is refused',
  cancelled: 'the order is asked for and closed after its executions were checked',
  cancelRefused: 'the order is asked for; the wish to cancel stands',
  linkDown: 'nothing more is sent; what is being answered does not count',
  linkUp: 'all is asked anew before anything is sent; subscriptions too where they were lost',
  session: 'the connection is given up and a fresh one built',
}

/** One line of the table. An unknown code has no text of ours. */
export const explain = (code: number): { meaning: CodeMeaning; text: string; done: string } | undefined => {
  const meaning = meanings.get(code)
  return meaning === undefined ? undefined : { meaning, text: table[meaning][code]!, done: done[meaning] }
}

/** What IB says of our own cancel, once the answer was complete or no longer wanted. */
const afterCancel = new Set([162, 300, 310, 366])
export const followsCancel = (code: number): boolean => afterCancel.has(code)

/** Warnings about a question which all the same will be answered. Everything else that names a question refuses it. */
const answeredAnyway = new Set([165, 492, 2174, 2176, 10090, 10167])
export const refusesQuestion = (code: number): boolean => !answeredAnyway.has(code) && meanings.get(code) !== 'info'
