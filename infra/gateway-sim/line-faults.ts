/** What goes wrong on the line: connections, logins, the way of the bytes, the line to IB and its farms, limits. */
import * as t from 'io-ts'
import { counted, endAfter, type FaultTarget, fault, lasting, oneOf, port, positive, type Row, whole, withNames } from './fault-row.ts'
import * as messages from './messages.ts'
import { dropMoments, type Farm, farms } from './misbehaviour.ts'

/** The codes of IB for a farm that is gone, there again, or asleep until somebody asks. */
const farmCodes: Readonly<Record<Farm, { name: string; what: string; down: number; up: number; idle?: number }>> = {
  marketData: { name: 'usfarm', what: 'Market data farm connection', down: 2103, up: 2104, idle: 2108 },
  history: { name: 'ushmds', what: 'HMDS data farm connection', down: 2105, up: 2106, idle: 2107 },
  definitions: { name: 'secdefnj', what: 'Sec-def data farm connection', down: 2157, up: 2158 },
}

const notify = ({ server }: FaultTarget, code: number, text: string): void => server.tell(messages.error(-1, code, text))

/** 1102, or 1101. */
export const linkUp = (target: FaultTarget, dataLost = false): void => {
  endAfter(target, 'linkDown', undefined, () => undefined)
  target.server.misbehaviour.linkDown = false
  const text = 'Connectivity between IB and Trader Workstation has been restored'
  if (dataLost) target.server.loseSubscriptions('marketData', 'bars')
  if (dataLost) notify(target, 1101, `${text} - data lost.`)
  else notify(target, 1102, `${text} - data maintained.`)
}

/** 2104, 2106 or 2158. */
export const farmUp = (target: FaultTarget, farm: Farm, name?: string, dataLost = false): void => {
  endAfter(target, `farm ${farm}`, undefined, () => undefined)
  target.server.misbehaviour.farmsDown = withNames(target.server.misbehaviour.farmsDown, [farm], false)
  if (dataLost && farm !== 'definitions') target.server.loseSubscriptions(farm === 'history' ? 'bars' : farm)
  const { up, what, name: usual } = farmCodes[farm]
  notify(target, up, `${what} is OK:${name ?? usual}`)
}

const connectionFaults: Readonly<Record<string, Row>> = {
  dropConnections: fault(
    'Breaks the connection (RST) of one client or of all: now; as the next order comes, which is lost with it; instead of or after the next report of an order; instead of or after the next execution, without its commission.',
    { when: oneOf(['now', ...dropMoments]) },
    { clientId: whole },
    ({ when, clientId }, { server }) => {
      if (when === 'now') server.drop(clientId)
      else server.misbehaviour.drop = { when, ...(clientId === undefined ? {} : { clientId }) }
    },
  ),
  halfOpen: lasting(
    'The line is dead, the socket open: nothing is sent, nothing read, not even that the client has gone. Off: both sides go on with what was kept.',
    {},
    { clientId: whole },
    (on, { clientId }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.halfOpen = clientId === undefined ? {} : { clientId }
      else delete misbehaviour.halfOpen
    },
  ),
  frames: lasting(
    'How bytes leave: one by one, cut into pieces by the seed, or many messages joined in one segment; with a pause of machine time between.',
    { style: oneOf(['bytes', 'pieces', 'joined']) },
    { pauseMs: positive, clientId: whole },
    (on, { style, pauseMs = 0, clientId }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.frames = { style, pauseMs, ...(clientId === undefined ? {} : { clientId }) }
      else delete misbehaviour.frames
    },
  ),
  refuseConnections: lasting('While on, new connections are taken and broken at once (ECONNRESET).', {}, {}, (on, _, { server }) => {
    server.misbehaviour.refuseConnections = on
  }),
  closePort: lasting('While on, nobody listens at the API port (ECONNREFUSED); connections stay.', {}, {}, (on, _, { server }) => {
    server.misbehaviour.portClosed = on
    if (on) server.closePort()
    else server.openPort()
  }),
  restart: lasting(
    'The nightly restart: all connections break (RST) and nobody listens until it is off. With rollBack, nextValidId forgets so many ids.',
    {},
    { rollBack: whole },
    (on, { rollBack = 0 }, { broker, server }) => {
      server.misbehaviour.portClosed = on
      if (!on) return server.openPort()
      server.drop()
      server.closePort()
      broker.book.rollBackOrderIds(rollBack)
    },
  ),
  portReset: fault(
    '1300: all connections end, and the API listens at another port, which is answered (the same one with port 0 not given).',
    {},
    { port },
    async ({ port: wanted }, target) => {
      const { server } = target
      if (wanted !== undefined) server.openPort(wanted)
      await server.flushed()
      const text = 'TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port'
      notify(target, 1300, `${text} - ${server.port()}`)
      server.closeConnections()
      return { port: server.port() }
    },
  ),
  clientIdInUse: lasting(
    'That client id counts as in use, though nobody holds it: 326, and the connection is closed.',
    { clientId: whole },
    {},
    (on, { clientId }, { server: { misbehaviour } }) => {
      misbehaviour.idsInUse = withNames(misbehaviour.idsInUse, [clientId], on)
    },
  ),
  holdLogin: lasting(
    'Logins wait, as for a second factor: the version is answered, but neither accounts nor (with before orderId only) nextValidId come.',
    {},
    { before: oneOf(['accounts', 'orderId']) },
    (on, { before = 'accounts' }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.holdLogin = before
      else delete misbehaviour.holdLogin
    },
  ),
  managedAccounts: lasting(
    'Other accounts are told than the one there is.',
    { accounts: t.array(t.string) },
    {},
    (on, { accounts }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.managedAccounts = accounts
      else delete misbehaviour.managedAccounts
    },
  ),
}

const linkFaults: Readonly<Record<string, Row>> = {
  linkDown: fault(
    'The line to IB breaks (1100 or 2110): the market goes on, but nothing is told, requests stay unanswered and orders are rejected. With seconds it comes back, as linkUp does.',
    {},
    { code: t.union([t.literal(1100), t.literal(2110)], '1100 or 2110'), seconds: positive, dataLost: t.boolean },
    ({ code = 1100, seconds, dataLost }, target) => {
      target.server.tell(messages.linkLost(code))
      target.server.misbehaviour.linkDown = true
      endAfter(target, 'linkDown', seconds, () => linkUp(target, dataLost))
    },
  ),
  linkUp: fault(
    'The line is back: 1102, or with dataLost 1101 and subscriptions to market data are gone. What happened meanwhile is not told again.',
    {},
    { dataLost: t.boolean },
    ({ dataLost }, target) => linkUp(target, dataLost),
  ),
  farmDown: fault(
    'A data farm is gone (2103, 2105, 2157): no ticks; or historical requests, or contract details, stay unanswered. With seconds it comes back.',
    { farm: oneOf(farms) },
    { name: t.string, seconds: positive, dataLost: t.boolean },
    ({ farm, name, seconds, dataLost }, target) => {
      const { down, what, name: usual } = farmCodes[farm]
      notify(target, down, `${what} is broken:${name ?? usual}`)
      target.server.misbehaviour.farmsDown = withNames(target.server.misbehaviour.farmsDown, [farm], true)
      endAfter(target, `farm ${farm}`, seconds, () => farmUp(target, farm, name, dataLost))
    },
  ),
  farmUp: fault(
    'A data farm is there again (2104, 2106, 2158); with dataLost subscriptions to market data are gone without a word.',
    { farm: oneOf(farms) },
    { name: t.string, dataLost: t.boolean },
    ({ farm, name, dataLost }, target) => farmUp(target, farm, name, dataLost),
  ),
  farmIdle: fault(
    'Tells that a data farm is inactive and will be there upon demand (2108, 2107); nothing else changes.',
    { farm: oneOf(['marketData', 'history']) },
    { name: t.string },
    ({ farm, name }, target) => {
      const { idle, what, name: usual } = farmCodes[farm]
      notify(target, idle!, `${what} is inactive but should be available upon demand.${name ?? usual}`)
    },
  ),
  notice: fault(
    'Sends an error message of any code: a notice with id -1, the default, else about that request or order; count times.',
    { code: whole, text: t.string },
    { id: t.Integer, count: counted, clientId: whole, advanced: t.UnknownRecord },
    ({ code, text, id = -1, count = 1, clientId, advanced }, { server }) => {
      const message = messages.error(id, code, text, advanced === undefined ? '' : JSON.stringify(advanced))
      for (let sent = 0; sent < count; sent++) server.tell(message, clientId)
    },
  ),
}

const limitFaults: Readonly<Record<string, Row>> = {
  messageLimit: lasting(
    'More messages a second (50) than that get error 100; with the last of so many warnings (3) the connection ends. Seconds of the machine, or of the market.',
    {},
    { perSecond: counted, warnings: counted, clock: oneOf(['machine', 'market']) },
    (on, { perSecond = 50, warnings = 3, clock = 'machine' }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.messageLimit = { perSecond, warnings, clock }
      else delete misbehaviour.messageLimit
    },
  ),
  historyLimits: lasting(
    'Historical requests are paced by the time of the market: the same within 15 s, six of a kind within 2 s, more than 60 in ten minutes get 162.',
    {},
    {},
    (on, _, { server }) => {
      server.misbehaviour.historyLimits = on
    },
  ),
  openHistories: lasting(
    'A client may have so many historical requests (50) open at once, those without an answer and bars that are kept up to date; a further one gets 322.',
    {},
    { most: counted },
    (on, { most = 50 }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.openHistories = most
      else delete misbehaviour.openHistories
    },
  ),
  marketDataLines: lasting(
    'A client may have so many subscriptions to market data at once; a further one gets 101.',
    {},
    { lines: counted },
    (on, { lines = 100 }, { server: { misbehaviour } }) => {
      if (on) misbehaviour.marketDataLines = lines
      else delete misbehaviour.marketDataLines
    },
  ),
}

export const lineFaults: Readonly<Record<string, Row>> = { ...connectionFaults, ...linkFaults, ...limitFaults }
