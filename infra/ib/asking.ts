/** Our questions on a line, each by its name, with its deadline, and with what tells the broker that the answer is enough. */
import type { BarSizeSetting, WhatToShow } from '@stoqey/ib'
import {
  type Broker,
  type BrokerQuote,
  BrokerUnavailable,
  type Contract,
  type HistoricalBar,
  type HistoryRequest,
} from '../../domain/ports/broker.ts'
import { contractToAsk } from './contracts.ts'
import { orderFlow, type Sender } from './limiter.ts'
import type { Line } from './line.ts'
import { withIncrements } from './market-rules.ts'
import { liveOrDelayed, priceOf } from './quotes.ts'
import type { AccountRow, PositionRow, SnapshotQuestions } from './snapshot.ts'

export type ContractQuery = Parameters<Broker['contracts']>[0]
type Asking = { sender?: Sender; signal?: AbortSignal | undefined }

/** `formatDate` of IB: times of intraday bars as epoch seconds, which no zone can bend. */
const secondsSince1970 = 2

export const askContracts = async (line: Line, query: ContractQuery, { sender = orderFlow, signal }: Asking = {}): Promise<Contract[]> => {
  const { questions, api, deadlines } = line
  const rows = await questions.ask({
    ...{ kind: 'contracts', name: 'reqContractDetails', numbered: true, deadline: deadlines.question, sender, signal },
    send: (id) => api.reqContractDetails(id, contractToAsk(query)),
  })
  return Promise.all(rows.map((row) => withIncrements(line, row)))
}

/** IB's form of a time in UTC. */
const utcTime = (iso: string): string => `${iso.slice(0, 10).replaceAll('-', '')}-${iso.slice(11, 19)}`

/** IB says that there is nothing by a refusal; up to an earlier end, that is an answer: its history begins later. */
const noData = (error: unknown): boolean =>
  error instanceof BrokerUnavailable && error.code === 162 && /returned no data/i.test(error.message)

export const askBars = async (
  { questions, api, deadlines }: Line,
  { contract, size, duration, whatToShow, regularHoursOnly, end }: HistoryRequest,
  { sender = orderFlow, signal }: Asking = {},
): Promise<HistoricalBar[]> => {
  const asked = contractToAsk(contract)
  const asking = questions.ask({
    ...{ kind: 'bars', name: 'reqHistoricalData', numbered: true, deadline: deadlines.history, sender, signal },
    send: (id) =>
      api.reqHistoricalData(
        ...([id, asked, end === undefined ? '' : utcTime(end), duration, size as BarSizeSetting, whatToShow as WhatToShow] as const),
        ...([regularHoursOnly, secondsSince1970, false] as const),
      ),
    cancel: (id) => api.cancelHistoricalData(id),
  })
  const bars = await (end === undefined
    ? asking
    : asking.catch((error: unknown) => {
        if (noData(error)) return []
        throw error
      }))
  return bars.sort((left, right) => (left.start < right.start ? -1 : 1))
}

export const askTime = async ({ questions, api, deadlines }: Line): Promise<string> => {
  const asked = { kind: 'time', name: 'reqCurrentTime', numbered: false, deadline: deadlines.question } as const
  const [time] = await questions.ask({ ...asked, send: () => api.reqCurrentTime() })
  return time!
}

/** @returns undefined where the broker shows no price or none in time @throws BrokerUnavailable when the line went */
export const askQuote = async (
  { questions, api }: Line,
  contract: HistoryRequest['contract'],
  { now, deadline }: { now: () => number; deadline: number },
): Promise<BrokerQuote | undefined> => {
  try {
    const ticks = await questions.ask({
      ...{ kind: 'quotes', name: `the quote of ${contract.symbol} (reqMktData)`, numbered: true, deadline },
      sender: { use: 'marketData', tenant: 'engine' },
      send: (id) => {
        api.reqMarketDataType(liveOrDelayed)
        api.reqMktData(id, contractToAsk(contract), '', true, false)
      },
      cancel: (id) => api.cancelMktData(id),
    })
    return priceOf(ticks, contract.conId, now())
  } catch (error) {
    if (error instanceof BrokerUnavailable && (error.why === 'refused' || error.why === 'timedOut')) return undefined
    throw error
  }
}

/** @param goesOn whether somebody listens on: then the broker is not told that it is enough */
export const askPositions = ({ questions, api, deadlines }: Line, sender: Sender, goesOn = () => true): Promise<PositionRow[]> =>
  questions.ask({
    ...{ kind: 'positions', name: 'reqPositions', numbered: false, deadline: deadlines.question, sender },
    send: () => api.reqPositions(),
    cancel: () => goesOn() || api.cancelPositions(),
  })

/** A subscription that stands is ended first, so that the whole answer comes again. */
export const askAccountValues = (
  { questions, api, deadlines }: Line,
  account: string,
  sender: Sender,
  goesOn = () => true,
): Promise<AccountRow[]> =>
  questions.ask({
    ...{ kind: 'accountValues', name: 'reqAccountUpdates', numbered: false, deadline: deadlines.question, sender },
    send: () => {
      if (goesOn()) api.reqAccountUpdates(false, account)
      api.reqAccountUpdates(true, account)
    },
    cancel: () => goesOn() || api.reqAccountUpdates(false, account),
  })

/** What must be known before anything is done. Each question finds the line standing: it may have gone since the last answer. */
export const snapshotQuestions = (
  line: Line,
  goesOn: { positions: () => boolean; accountValues: (account: string) => boolean },
): SnapshotQuestions => {
  const { api, questions, commissions, deadlines } = line
  const deadline = deadlines.question
  const standing = async <Answer>(ask: () => Promise<Answer>): Promise<Answer> => {
    line.check()
    return ask()
  }
  return {
    executions: () =>
      standing(() =>
        questions.ask({
          ...{ kind: 'executions', name: 'reqExecutions', numbered: true, deadline },
          send: (id) => api.reqExecutions(id, {}),
        }),
      ),
    openOrders: () =>
      standing(() =>
        questions.ask({
          ...{ kind: 'openOrders', name: 'reqAllOpenOrders', numbered: false, deadline },
          send: () => api.reqAllOpenOrders(),
        }),
      ),
    completedOrders: () =>
      standing(() =>
        questions.ask({
          ...{ kind: 'completedOrders', name: 'reqCompletedOrders', numbered: false, deadline },
          send: () => api.reqCompletedOrders(false),
        }),
      ),
    positions: () => standing(() => askPositions(line, orderFlow, goesOn.positions)),
    accountValues: (account) => standing(() => askAccountValues(line, account, orderFlow, () => goesOn.accountValues(account))),
    commission: (executionId) => commissions.of(executionId),
  }
}
