/** What a person has to know now. `id` names what it is about: the same thing is told once. Times are ISO. */
export type Alert = {
  id: string
  /** `info`: something is well again. */
  severity: 'info' | 'warning' | 'error'
  /** A line. */
  title: string
  text: string
  /** What to do next, as commands where there are some. */
  next: string
  at: string
  /** Of the journal, where it is about one commit. */
  position: number | null
}

/** A way to people: a chat, a mailbox. */
export interface AlertChannel {
  name: string
  /** Resolves when it has taken them all. @throws Error in one line, without addresses or secrets */
  send(alerts: readonly Alert[]): Promise<void>
}
