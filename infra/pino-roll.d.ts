/** The package has no types of its own. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events'

  type Rolling = EventEmitter & { write(line: string): boolean; end(): void; fd: number }
  const roll: (options: {
    file: string
    frequency: 'daily'
    dateFormat: string
    mkdir: boolean
    sync: boolean
    limit: { count: number; removeOtherLogFiles: boolean }
  }) => Promise<Rolling>
  export default roll
}
