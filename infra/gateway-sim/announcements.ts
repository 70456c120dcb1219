/** What the control port announces to the simulated broker beside orders and faults: dividends, splits, permissions. */
import * as t from 'io-ts'
import { decode } from '../../domain/decode.ts'
import type { Broker } from './broker.ts'
import type { CorporateAction } from './corporate-actions.ts'
import type { Listing } from './listing.ts'
import { permissions } from './permissions.ts'

/** One line that names what is wrong, or what was done. */
export type Announced = { problem: string } | { done: object }

const Dividend = t.type({ symbol: t.string, kind: t.literal('dividend'), exDate: t.string, payDate: t.string, amount: t.number })
const Split = t.intersection([
  t.type({ symbol: t.string, kind: t.literal('split'), date: t.string, ratio: t.number }),
  t.partial({ inBars: t.boolean }),
])
const fields = {
  dividend: ['symbol', 'kind', 'exDate', 'payDate', 'amount'],
  split: ['symbol', 'kind', 'date', 'ratio', 'inBars'],
}
const Kind = t.type({ symbol: t.string, kind: t.keyof({ dividend: null, split: null }, 'dividend or split') })

const isDate = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))

/** `kind` dividend with `exDate`, `payDate` and `amount` a share, or split with `date` and `ratio` shares for one. */
export const announceAction = (body: unknown, broker: Broker): Announced => {
  const head = decode(Kind, body)
  if (!head.ok) return { problem: head.problem }
  const { symbol, kind } = head.value
  const extra = Object.keys(body as object).find((name) => !fields[kind].includes(name))
  if (extra !== undefined) return { problem: `${extra}: a ${kind} has ${fields[kind].join(', ')}` }
  const listing = broker.universe.traded(symbol)
  if (!listing) return { problem: `symbol: there is no contract ${JSON.stringify(symbol)}` }
  const action = kind === 'dividend' ? dividendOf(body, listing) : splitOf(body, listing)
  if ('problem' in action) return action
  const problem = broker.actions.announce(action)
  return problem === undefined ? { done: {} } : { problem }
}

const dividendOf = (body: unknown, listing: Listing): CorporateAction | { problem: string } => {
  const decoded = decode(Dividend, body)
  if (!decoded.ok) return { problem: decoded.problem }
  const { exDate, payDate, amount } = decoded.value
  if (!isDate(exDate)) return { problem: `exDate: ${JSON.stringify(exDate)} is no date` }
  if (!isDate(payDate)) return { problem: `payDate: ${JSON.stringify(payDate)} is no date` }
  if (!(amount > 0)) return { problem: `amount: expected a number above 0, got ${amount}` }
  return { kind: 'dividend', listing, exDate, payDate, amount }
}

const splitOf = (body: unknown, listing: Listing): CorporateAction | { problem: string } => {
  const decoded = decode(Split, body)
  if (!decoded.ok) return { problem: decoded.problem }
  const { date, ratio, inBars = false } = decoded.value
  if (!isDate(date)) return { problem: `date: ${JSON.stringify(date)} is no date` }
  if (!(ratio > 0 && ratio !== 1)) return { problem: `ratio: expected a number above 0 other than 1, got ${ratio}` }
  return { kind: 'split', listing, date, ratio, inBars }
}

const Permitted = t.strict({
  symbol: t.string,
  marketData: t.keyof({ live: null, delayed: null, none: null }, `one of ${permissions.join(', ')}`),
})

/** From the next request on; streams that are running go on as they are. */
export const announcePermission = (body: unknown, broker: Broker): Announced => {
  const decoded = decode(Permitted, body)
  if (!decoded.ok) return { problem: decoded.problem }
  const { symbol, marketData } = decoded.value
  const listing = broker.universe.traded(symbol)
  if (!listing) return { problem: `symbol: there is no contract ${JSON.stringify(symbol)}` }
  broker.permissions.set(listing.series, marketData)
  return { done: Object.fromEntries(broker.permissions) }
}
