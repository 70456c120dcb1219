/**
 * Who holds the lease, by host and process. One file is shared by the processes of one machine, so a holder that was killed
 * is known to be gone at once, and nobody has to wait for its lease to run out.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'

/** A name for this process that no other process will have. */
export const holderName = (): string => `${hostname()}/${process.pid}/${randomUUID()}`

/** True only when the holder was a process of this machine that certainly no longer runs. */
export const holderIsGone = (holder: string): boolean => {
  const [host, pid] = holder.split('/')
  if (host !== hostname() || !/^\d+$/.test(pid ?? '')) return false
  try {
    process.kill(Number(pid), 0) // sends nothing, only asks
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}
