/** `npm run bench -- gateway`: the session and the engine at the simulated gateway. */
import { benchMemory } from './gateway-memory.ts'
import { benchOrders } from './gateway-orders.ts'
import { benchLatency } from './latency.ts'
import { tableOf } from './row.ts'

export const benchGateway = async (): Promise<string> => {
  const rows = []
  console.error('orders through the session …')
  rows.push(...(await benchOrders()))
  console.error('publish to the order on the socket …')
  rows.push(...(await benchLatency()))
  console.error('six months of market time …')
  rows.push(...(await benchMemory()))
  return tableOf(rows)
}
