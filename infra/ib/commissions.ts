/**
 * Commissions of one connection. IB names only the execution, so whose money it is says the execution: a commission that comes first waits
 * for it. Each reconcile brings those of the day again; told is what is new. The memory is bounded: what was forgotten is told once more,
 * and whoever hears it knows it already.
 */
import type { CommissionReport } from '../../domain/ports/broker.ts'

export type Commissions = {
  /** An execution was heard of. @returns its commission, if that has come before it */
  executed(executionId: string, account: string): CommissionReport | undefined
  /** @returns what is to be told now: nothing when it is known, or before its execution */
  heard(report: CommissionReport): CommissionReport | undefined
  of(executionId: string): CommissionReport | undefined
}

/** More than a busy day has. */
const usuallyRemembered = 20_000

/** The latest so many by key. */
const bounded = <Value>(most: number) => {
  const entries = new Map<string, Value>()
  return {
    get: (key: string): Value | undefined => entries.get(key),
    set: (key: string, value: Value): void => {
      entries.delete(key)
      entries.set(key, value)
      if (entries.size > most) entries.delete(entries.keys().next().value!)
    },
  }
}

const same = (one: CommissionReport | undefined, another: CommissionReport): boolean =>
  one?.commission === another.commission && one.realizedProfit === another.realizedProfit

export const createCommissions = (most = usuallyRemembered): Commissions => {
  const accounts = bounded<string>(most)
  const reports = bounded<CommissionReport>(most)
  return {
    executed: (executionId, account) => {
      const isNew = accounts.get(executionId) === undefined
      accounts.set(executionId, account)
      const waiting = isNew ? reports.get(executionId) : undefined
      if (waiting === undefined) return undefined
      const told = { ...waiting, account }
      reports.set(executionId, told)
      return told
    },
    heard: (report) => {
      const { executionId } = report
      const account = accounts.get(executionId)
      const known = same(reports.get(executionId), report)
      const told = account === undefined ? report : { ...report, account }
      reports.set(executionId, told)
      return known || account === undefined ? undefined : told
    },
    of: reports.get,
  }
}
