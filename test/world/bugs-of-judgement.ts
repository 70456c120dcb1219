/** Planted bugs of what is believed of the broker, and of what a command may do. */
import type { BrokerSnapshot } from '../../domain/ports/broker.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { changing } from './changed-deliveries.ts'
import type { PlantedBug } from './planted-bug.ts'

/** About as long as a snapshot takes. */
const patienceMs = 90

type Line = { wanted: string; target: string; book: string }

export const bugsOfJudgement: readonly PlantedBug[] = [
  {
    name: 'takes an answer that is late for an empty one',
    caughtBy: 'what is unexplained was never heard of',
    plant: () => ({
      broker: (broker, { clock }, process) => {
        let last: BrokerSnapshot | undefined
        const nothing = { executions: [], openOrders: [], completedOrders: [], positions: [] }
        return {
          ...broker,
          snapshot: (account) =>
            new Promise((resolve, reject) => {
              process.clock.after(patienceMs, () => last && resolve({ ...last, ...nothing, takenAt: isoTime(clock.now()) }))
              broker.snapshot(account).then((taken) => {
                last = taken
                resolve(taken)
              }, reject)
            }),
        }
      },
    }),
  },
  {
    name: 'believes a cancel as soon as it is sent',
    caughtBy: 'no order against a working one',
    plant: () => ({
      broker: (broker) => {
        const cancelled = new Set<number>()
        let listener: Parameters<typeof broker.start>[0] = () => undefined
        return {
          ...broker,
          start: (heard) => {
            listener = heard
            broker.start(heard)
          },
          cancel: (orderId) => {
            broker.cancel(orderId)
            cancelled.add(orderId)
            listener({ kind: 'orderMessage', orderId, code: 202, text: 'Order Canceled', meaning: 'cancelled' })
          },
          snapshot: async (account) => {
            const taken = await broker.snapshot(account)
            const gone = taken.openOrders.filter(({ orderId }) => cancelled.has(orderId))
            const ended = gone.map(({ orderRef = '', permId, contract, filled }) => ({
              ...{ orderRef, permId, account, contract: contract!, filled, status: 'Cancelled', completedStatus: 'Cancelled' },
              completedTime: taken.takenAt,
            }))
            const openOrders = taken.openOrders.filter(({ orderId }) => !cancelled.has(orderId))
            return { ...taken, openOrders, completedOrders: [...taken.completedOrders, ...ended] }
          },
        }
      },
    }),
  },
  {
    name: 'takes a correction for another execution',
    caughtBy: 'every execution is in the books once',
    plant: () => ({
      broker: (broker) => ({
        ...broker,
        start: (listener) =>
          broker.start((report) => {
            if (report.kind !== 'execution') return listener(report)
            const executionId = report.execution.executionId.replace(/\.(\d+)$/, '-$1.01')
            listener({ ...report, execution: { ...report.execution, executionId } })
          }),
      }),
    }),
  },
  {
    name: 'adds up the positions of several accounts',
    caughtBy: 'what is unexplained was never heard of',
    plant: () => ({
      broker: (broker) => ({
        ...broker,
        snapshot: async (account) => {
          const taken = await broker.snapshot(account)
          return { ...taken, positions: taken.positions.map((each) => ({ ...each, quantity: String(Number(each.quantity) + 7) })) }
        },
      }),
    }),
  },
  {
    name: 'forgets that it was asked for a trial',
    caughtBy: 'a dry run moves nothing',
    plant: () => ({
      bus: (bus) =>
        changing(bus, ({ data }) => {
          if (!data.includes('"dryRun":true')) return {}
          return { data: JSON.stringify({ ...JSON.parse(data), dryRun: false }) }
        }),
    }),
  },
  {
    name: 'counts the age of a command from its delivery',
    caughtBy: 'what comes too late does nothing',
    plant: () => ({ bus: (bus, { clock }) => changing(bus, () => ({ publishedAt: isoTime(clock.now()) })) }),
  },
  {
    name: 'keeps what a limit allows, where less was wanted',
    caughtBy: 'no limit stops an exit',
    plant: () => ({
      journal: (journal) => ({
        ...journal,
        append: (commit) => {
          const events = commit.events.flatMap((each) => {
            const data = each.data as { targets?: Line[]; reduces?: boolean }
            if (each.type === 'OrderPlanned' && data.reduces === true) return []
            if (each.type !== 'AllocationDecided') return [each]
            const targets = data.targets!.map((line) => ({ ...line, target: line.book }))
            return [{ ...each, data: { ...data, targets } }]
          })
          return journal.append({ ...commit, events })
        },
      }),
    }),
  },
]
