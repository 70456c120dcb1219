/** `npm run bench`: every figure beside its floor from the same run, as a table. Ratios, since machines differ and are shared. */
import { benchAppend } from './append.ts'
import { benchLatency } from './latency.ts'
import { benchReplay } from './replay.ts'
import { tableOf } from './row.ts'

const rows = []
console.error('replay …')
rows.push(benchReplay())
console.error('durable append …')
rows.push(await benchAppend())
console.error('publish to the order on the socket …')
rows.push(...(await benchLatency()))
console.log(tableOf(rows))
