/** Which market data the account may see: everything live, unless a script takes it away. */
import type { Listing } from './listing.ts'
import type { Rejection } from './rejections.ts'

export const permissions = ['live', 'delayed', 'none'] as const
export type Permission = (typeof permissions)[number]

/** By series; what is not in it is live. */
export type Permissions = Map<string, Permission>

export const permissionFor = (given: Permissions, { series }: Listing): Permission => given.get(series) ?? 'live'

export const notSubscribed = ({ symbol, primaryExchange }: Listing, permission: Permission): Rejection => {
  const delayed = permission === 'delayed' ? 'Delayed market data is available.' : ''
  return { code: 354, text: `Requested market data is not subscribed.${delayed}${symbol} ${primaryExchange}/TOP/ALL` }
}

export const shownDelayed: Rejection = { code: 10167, text: 'Requested market data is not subscribed. Displaying delayed market data.' }

const historyError = 'Historical Market Data Service error message:'
export const noHistoryPermission = ({ primaryExchange, secType }: Listing): Rejection => ({
  code: 162,
  text: `${historyError}No market data permissions for ${primaryExchange} ${secType}`,
})
export const noHistory = (reason: string): Rejection => ({ code: 162, text: `${historyError}${reason}` })
