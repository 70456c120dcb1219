/** How alerts read, wherever they go. */
import type { Alert } from '../../domain/ports/alert-channel.ts'

const ranks: readonly Alert['severity'][] = ['error', 'warning', 'info']
const headings = { error: 'ERROR', warning: 'Warning', info: 'Note' } as const satisfies Record<Alert['severity'], string>

/** One line for all of them: `ib-trading paper: Trading is halted (and 2 more)`. */
export const subjectOf = (mode: string, alerts: readonly Alert[]): string => {
  const [first, ...others] = [...alerts].sort((one, other) => ranks.indexOf(one.severity) - ranks.indexOf(other.severity))
  return `ib-trading ${mode}: ${first?.title ?? 'nothing'}${others.length === 0 ? '' : ` (and ${others.length} more)`}`
}

export const linesOf = ({ severity, title, text, next, at, position }: Alert): string[] => [
  `${headings[severity]}: ${title}`,
  text,
  `What to do: ${next}`,
  `${at}${position === null ? '' : `, position ${position} of the journal`}`,
]
