/**
 * What people do while the demo runs, so that holds and cancels show too: one pauses a strategy for a while, one gets careful in the
 * evening while orders wait for the next open, and asks for a new decision. All of it goes over the bus, like everything else.
 */
import { add, type Decimal, sign } from '../../../domain/decimal.ts'
import { booksIn, type Ledger, openOrders } from '../../../domain/ledger.ts'

export type Scene = {
  /** First session after which it may be played. */
  from: number
  /** Played on the first evening that suits it. */
  suits: (ledger: Readonly<Ledger>) => boolean
  said: string
  commands: readonly { type: string; body: object }[]
}

const always = () => true

/**
 * Orders wait for the next open, towards a position that would be smaller after being careful: they stand in the way of the new decision,
 * which has to cancel them first.
 */
const ordersWouldOppose = (ledger: Readonly<Ledger>): boolean => {
  const working = openOrders(ledger).filter(({ status }) => status === 'working')
  const wanted = (conId: number): Decimal =>
    working.filter((order) => order.conId === conId).reduce((total, { quantity }) => add(total, quantity), booksIn(ledger, conId))
  return working.some(({ conId, quantity }) => sign(wanted(conId)) === sign(quantity))
}

const configure = (changes: object) => ({ type: 'configure', body: { changes } })

/** Shorter demos are left alone. */
const fewestSessions = 8

/** In their order: each waits for the one before it. */
export const scenesFor = (sessions: number): Scene[] => {
  const at = (part: number): number => Math.floor(sessions * part)
  if (sessions < fewestSessions) return []
  return [
    { from: at(0.25), suits: always, said: 'dummy is disabled', commands: [configure({ 'strategies.dummy.enabled': false })] },
    { from: at(0.4), suits: always, said: 'dummy is enabled again', commands: [configure({ 'strategies.dummy.enabled': true })] },
    {
      from: at(0.5),
      suits: ordersWouldOppose,
      said: 'the overall exposure is lowered to 0.3, and allocation decides anew',
      commands: [configure({ 'exposure.overall': 0.3 }), { type: 'allocation', body: {} }],
    },
    { from: at(0.5), suits: always, said: 'the overall exposure is back at 0.9', commands: [configure({ 'exposure.overall': 0.9 })] },
  ]
}
