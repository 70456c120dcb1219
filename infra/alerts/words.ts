/** How alerts read, wherever they go. */
import type { Alert } from '../../domain/ports/alert-channel.ts'

/** One line for all of them: `ib-trading paper: Trading is halted (and 2 more)`. */
export const subjectOf = (mode: string, alerts: readonly Alert[]): string => {
  const [first, ...others] = [...alerts].sort((one, other) => Number(other.severity === 'error') - Number(one.severity === 'error'))
  return `ib-trading ${mode}: ${first?.title ?? 'nothing'}${others.length === 0 ? '' : ` (and ${others.length} more)`}`
}

export const linesOf = ({ severity, title, text, next, at, position }: Alert): string[] => [
  `${severity === 'error' ? 'ERROR' : 'Warning'}: ${title}`,
  text,
  `What to do: ${next}`,
  `${at}${position === null ? '' : `, position ${position} of the journal`}`,
]
