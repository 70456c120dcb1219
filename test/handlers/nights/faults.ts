/** What goes wrong, each with how it ends and with the words by which a person learns of it. */
import { EventName, IBApi } from '@stoqey/ib'
import { until } from '../../contract/until.ts'
import { minute, type Night } from './night.ts'
import { messages } from './wire.ts'

export type Fault = {
  name: string
  begin(night: Night): Promise<unknown>
  /** The process knows; a step that holds it up waits for that. */
  noticed?(night: Night): boolean
  end?(night: Night): Promise<unknown>
  /** Said in the journal or in the log where the fault took effect at this step; undefined where nothing is to be said. */
  tells?(step: string): RegExp | undefined
  /** Signed shares of SPY that come to the account with no order of ours. */
  brings?: number
  /** Milliseconds of market time; three minutes by default. */
  lasts?: number
}

const hour = 60 * minute

const gone = (night: Night): boolean => night.life().broker.state().phase !== 'ready'
const arm = (body: object) => (night: Night) => night.fault(body)
const onOff = (body: object) => ({ begin: arm(body), end: arm({ ...body, on: false }) })
const always = (text: RegExp) => () => text
/** Of faults of a line: before the connect there is none, and what is told is what meets the next one. */
const ofTheLine = (text: RegExp, ofTheNext?: RegExp) => (step: string) => (step === 'before the connect' ? ofTheNext : text)
/** Of faults that meet an order on its way: told only at the steps that come before it is there. */
const beforeTheOrder = (text: RegExp) => (step: string) =>
  /connect|gather|reconcile|plan and hand-over/.test(step) && !/^an order/.test(step) ? text : undefined

const intruders = new WeakMap<Night, IBApi>()

// ── What the wire makes of the gateway's words ──

const { orderStatus, error, openOrder, nextValidId, execution, bars, openEnd, executionsEnd, commission, completedEnd } = messages.toClient
const about = [orderStatus, openOrder, execution, commission]
const is = ([number]: readonly string[], ...wanted: readonly number[]): boolean => wanted.includes(Number(number))

/** @param change of the fields of each message, made anew for each night */
const altered = (name: string, change: () => (fields: string[]) => string[][], more: Partial<Fault> = {}): Fault => ({
  name,
  begin: async ({ wire }) => wire.alter(change()),
  end: async ({ wire }) => wire.alter(undefined),
  ...more,
})
const without =
  (...numbers: readonly number[]) =>
  () =>
  (fields: string[]) =>
    is(fields, ...numbers) ? [] : [fields]
const withField = (number: number, place: number, text: string) => () => (fields: string[]) =>
  is(fields, number) ? [fields.map((field, at) => (at === place ? text : field))] : [fields]

/** Executions that are told on their own accord wait for their commission; those that were asked for come as they are. */
const commissionFirst = () => {
  const held: string[][] = []
  return (fields: string[]): string[][] => {
    if (is(fields, execution) && fields[1] === '-1') {
      held.push(fields)
      return []
    }
    return is(fields, commission) ? [fields, ...held.splice(0)] : [fields]
  }
}

const pacingViolation = 'Historical Market Data Service error message:Historical data request pacing violation'

const onTheWire: readonly Fault[] = [
  altered('every word about orders comes twice', () => (fields) => (is(fields, ...about) ? [fields, fields] : [fields])),
  altered('commissions come before their executions', commissionFirst),
  altered('commissions never come', without(commission)),
  altered('commissions are 1.79e308', withField(commission, 3, '1.7976931348623157E308')),
  altered('executions come, statuses and open orders do not', without(orderStatus, openOrder)),
  altered(
    'statuses come, executions are only told when asked for',
    () => (fields) => (is(fields, execution) && fields[1] === '-1' ? [] : [fields]),
  ),
  altered('every status says Cancelled', withField(orderStatus, 2, 'Cancelled')),
  altered('every status says Inactive', withField(orderStatus, 2, 'Inactive')),
  altered('every status says Filled', withField(orderStatus, 2, 'Filled')),
  altered('errors about orders are lost', () => (fields) => (is(fields, error) && fields[2] !== '-1' ? [] : [fields])),
  altered('end markers are missing', without(openEnd, executionsEnd, completedEnd)),
  altered(
    'history is refused for its pacing (162)',
    () => (fields) => (is(fields, bars) ? [[String(error), '2', fields[1]!, '162', pacingViolation, '']] : [fields]),
    { tells: (step) => (/before the connect|gathers/.test(step) ? /pacing violation/ : undefined) },
  ),
  {
    name: 'what the gateway says comes byte by byte',
    begin: async ({ wire }) => wire.fragment(true),
    end: async ({ wire }) => wire.fragment(false),
  },
  {
    name: 'the line breaks, and the next valid id goes back to 1',
    begin: async (night) => {
      night.wire.alter(withField(nextValidId, 2, '1')())
      await night.fault({ fault: 'dropConnections', when: 'now' })
    },
    noticed: gone,
    end: async ({ wire }) => wire.alter(undefined),
  },
  {
    name: 'the line breaks, and somebody else has the client id for minutes (326)',
    begin: async (night) => {
      night.wire.freeze(true)
      await night.fault({ fault: 'dropConnections', when: 'now' })
      await until('the client id is free', async () => (await night.state()).connections.length === 0)
      const intruder = new IBApi({ host: '127.0.0.1', port: night.gatewayPort, clientId: 17, maxReqPerSec: 1_000 })
      intruders.set(night, intruder)
      intruder.on(EventName.error, () => undefined)
      let there = false
      intruder.once(EventName.nextValidId, () => {
        there = true
      })
      intruder.connect()
      await until('somebody else is there', () => there, 1_000).catch(() => undefined) // another fault may keep everybody away
      night.wire.freeze(false)
    },
    noticed: gone,
    end: async (night) => intruders.get(night)?.disconnect(),
    tells: always(/326/),
  },
]

const questions = ['reqExecutions', 'reqAllOpenOrders', 'reqCompletedOrders', 'reqPositions', 'reqAccountUpdates']

export const faults: readonly Fault[] = [
  {
    name: 'the line breaks',
    begin: arm({ fault: 'dropConnections', when: 'now' }),
    noticed: gone,
    tells: ofTheLine(/gateway is gone|lost/),
  },
  {
    name: 'the line breaks and the gateway is away for minutes',
    begin: async (night) => {
      await night.fault({ fault: 'refuseConnections', on: true })
      await night.fault({ fault: 'dropConnections', when: 'now' })
    },
    noticed: gone,
    end: arm({ fault: 'refuseConnections', on: false }),
    tells: ofTheLine(/gateway is gone|lost/, /no connection: the gateway closed/),
  },
  {
    name: 'the gateway restarts for the night, and has forgotten the last order ids',
    ...onOff({ fault: 'restart', rollBack: 2, on: true }),
    noticed: gone,
    tells: ofTheLine(/gateway is gone|lost/, /no connection: the gateway closed/),
  },
  {
    name: 'the line breaks, and the login waits for a second factor',
    begin: async (night) => {
      await night.fault({ fault: 'holdLogin', on: true })
      await night.fault({ fault: 'dropConnections', when: 'now' })
    },
    noticed: gone,
    end: arm({ fault: 'holdLogin', on: false }),
    tells: always(/not logged in/),
  },
  {
    name: 'the gateway takes four messages a second, and breaks the line at the fifth (100)',
    ...onOff({ fault: 'messageLimit', perSecond: 4, warnings: 1, clock: 'market', on: true }),
    noticed: gone,
    // A machine that stalls loses the line to its heartbeat first, and its messages come too slowly for the limit.
    tells: always(/Max rate of messages|heartbeat .* was not answered/),
  },
  { name: 'the line breaks as the next order comes', begin: arm({ fault: 'dropConnections', when: 'onOrder' }) },
  { name: 'the line breaks instead of the next execution', begin: arm({ fault: 'dropConnections', when: 'beforeFill' }) },
  { name: 'the line breaks after the next execution, without its commission', begin: arm({ fault: 'dropConnections', when: 'afterFill' }) },
  { name: 'the line breaks instead of the next report', begin: arm({ fault: 'dropConnections', when: 'beforeAck' }) },
  { name: 'the line breaks after the next report', begin: arm({ fault: 'dropConnections', when: 'afterAck' }) },
  {
    name: 'the line is half open, and what lay on it arrives late',
    begin: async ({ wire }) => wire.freeze(true),
    noticed: gone,
    end: async ({ wire }) => wire.freeze(false),
    tells: ofTheLine(/heartbeat|does not answer|lost|silent/, /no complete handshake/),
  },
  {
    name: 'IB is lost (1100) and comes back with its data (1102)',
    begin: arm({ fault: 'linkDown' }),
    noticed: gone,
    end: arm({ fault: 'linkUp' }),
    tells: always(/1100|did not answer/),
  },
  {
    name: 'IB is lost (1100) and comes back without its data (1101)',
    begin: arm({ fault: 'linkDown' }),
    noticed: gone,
    end: arm({ fault: 'linkUp', dataLost: true }),
    tells: always(/1100|did not answer/),
  },
  {
    name: 'IB is lost (2110) and comes back with its data (1102)',
    begin: arm({ fault: 'linkDown', code: 2110 }),
    noticed: gone,
    end: arm({ fault: 'linkUp' }),
    tells: always(/2110|did not answer/),
  },
  {
    name: 'the line breaks while IB is lost: whoever connects is told 2110',
    begin: async (night) => {
      await night.fault({ fault: 'linkDown' })
      await night.fault({ fault: 'dropConnections', when: 'now' })
    },
    noticed: gone,
    end: arm({ fault: 'linkUp' }),
    tells: always(/2110/),
  },
  { name: 'the next order is swallowed', begin: arm({ fault: 'swallowOrder' }), tells: beforeTheOrder(/named by no answer of the broker/) },
  {
    name: 'the next order is swallowed, and the line breaks after it',
    begin: arm({ fault: 'swallowOrder' }),
    end: arm({ fault: 'dropConnections', when: 'now' }),
    tells: beforeTheOrder(/named by no answer of the broker/),
  },
  {
    name: 'the next order is rejected (201)',
    begin: arm({ fault: 'rejectNext', code: 201, text: 'Order rejected - reason: insufficient margin' }),
    tells: beforeTheOrder(/insufficient margin/),
  },
  {
    name: 'the next order names no known contract (200)',
    begin: arm({ fault: 'rejectNext', code: 200, text: 'No security definition has been found for the request' }),
    tells: beforeTheOrder(/No security definition/),
  },
  { name: 'the API is read-only (321)', ...onOff({ fault: 'readOnly', on: true }), tells: beforeTheOrder(/read-only/i) },
  {
    name: 'there is no permission to trade it (460)',
    ...onOff({ fault: 'noPermission', symbol: 'SPY', on: true }),
    tells: beforeTheOrder(/permission/),
  },
  { name: 'executions come late', ...onOff({ fault: 'lateExecutions', on: true }) },
  { name: 'the next order is filled in part', begin: arm({ fault: 'partialFill', quantity: 30 }) },
  ...questions.map((name): Fault => ({ name: `${name} is not answered`, ...onOff({ fault: 'hangRequests', messages: [name], on: true }) })),
  {
    name: 'contract details and bars are not answered',
    ...onOff({ fault: 'hangRequests', messages: ['reqContractDetails', 'reqHistoricalData'], on: true }),
  },
  { name: 'cancels vanish', ...onOff({ fault: 'hangRequests', messages: ['cancelOrder'], on: true }) },
  ...onTheWire,
  { name: 'cancels are kept until the order has traded', ...onOff({ fault: 'cancelStays', on: true }), lasts: 18 * hour },
  { name: 'the next order is told as cancelled (202), and fills all the same', begin: arm({ fault: 'cancelledButFilled' }) },
  { name: 'no list is said to be complete for minutes', ...onOff({ fault: 'endMarkers', when: 'late', on: true }) },
  { name: 'cancels are kept for a while', ...onOff({ fault: 'cancelStays', on: true }) },
  {
    name: 'somebody sells by hand against the book',
    begin: arm({ fault: 'handTrade', symbol: 'SPY', quantity: -10 }),
    brings: -10,
  },
  {
    name: 'somebody orders by hand in the window of the gateway',
    begin: (night) => night.order({ symbol: 'SPY', action: 'BUY', quantity: 5 }),
    brings: 5,
  },
  {
    name: 'another account of the login trades, holds and orders, under the ref of our order where there is one',
    begin: async (night) => {
      const [order] = (await night.state()).orders.filter(({ orderRef }) => orderRef !== '').slice(-1)
      const ours = order === undefined ? {} : { orderRef: order.orderRef, orderId: order.orderId }
      const theirs = { account: 'DU7654321', symbol: 'SPY' }
      await night.fault({ fault: 'handTrade', ...theirs, quantity: -7, price: 320, clientId: 17, ...ours })
      await night.fault({ fault: 'position', ...theirs, quantity: 70, price: 320 })
      await night.order({
        ...theirs,
        action: 'BUY',
        quantity: 5,
        orderType: 'LMT',
        lmtPrice: 100,
        ...(order && { orderRef: order.orderRef }),
      })
    },
  },
  {
    name: 'shares arrive without an execution',
    begin: arm({ fault: 'position', symbol: 'SPY', quantity: 5 }),
    brings: 5,
    tells: (step) => (/connect|gather|reconcile/.test(step) ? undefined : /5 unexplained/), // what nobody of ours ever named is manual
  },
  {
    name: 'an execution is corrected in the evening',
    begin: async () => undefined,
    end: async (night) => {
      const [execution] = (await night.state()).executions.filter(({ orderRef }) => orderRef !== '')
      if (execution !== undefined) await night.fault({ fault: 'correctExecution', execId: execution.execId, price: 333 })
    },
  },
  {
    name: 'trading is halted',
    begin: (night) => night.publish('halt', { reason: 'a bad feeling' }),
    noticed: (night) => !night.life().engine.ledger.trading.on,
    end: (night) => night.publish('resume', {}),
    tells: always(/a bad feeling/),
  },
  {
    name: 'the engine is told to end, and another begins',
    begin: async (night) => void night.end(),
    noticed: (night) => night.life().ended,
    end: (night) => night.begin(),
  },
  {
    name: 'the engine is killed (SIGKILL), and another begins',
    begin: async (night) => night.kill(),
    noticed: (night) => night.life().ended,
    end: (night) => night.begin(),
  },
  {
    name: 'the journal cannot be written, and another engine begins',
    begin: async (night) => night.breakJournal(true),
    end: async (night) => {
      night.breakJournal(false)
      await night.begin()
    },
  },
]

export const usuallyLasts = 3 * minute
