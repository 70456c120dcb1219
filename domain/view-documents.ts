/**
 * The documents that views may write, and so the only ones that a rebuild may delete.
 * Everything else in the same database (journals, leases, snapshots, checkpoints, notices, what others keep there) is not theirs.
 */
import { checkDocumentPath } from './ports/documents.ts'

/** Patterns of paths, ascending; `*` stands for any one id. */
export const viewDocuments = (mode: 'paper' | 'live'): readonly string[] => [
  'activity/*',
  'commands/*',
  'config/common',
  `config/${mode}`,
  'details/*',
  'executions/*',
  `positions/${mode}`,
  `positions/${mode}/holdings/*`,
  `positions/${mode}/holdings/*/profit/latest`,
  `positions/${mode}/openOrders/*`,
  `positions/${mode}/portfolio/latest`,
  `status/${mode}`,
  'strategies/*',
  'strategies/*/intent/dryRun',
  'strategies/*/intent/latest',
]

const matches = (pattern: readonly string[], path: readonly string[]): boolean =>
  pattern.length === path.length && pattern.every((segment, place) => segment === '*' || segment === path[place])

/** @throws Error for a path that no view of this mode may write */
export const checkViewDocument = (mode: 'paper' | 'live', path: string): string => {
  const segments = checkDocumentPath(path).split('/')
  if (segments[0] === 'checkpoints') throw new Error(`"${path}" is a checkpoint: no view may write it`)
  if (!viewDocuments(mode).some((pattern) => matches(pattern.split('/'), segments)))
    throw new Error(`"${path}" is no document of a view: in ${mode} mode they are ${viewDocuments(mode).join(', ')}`)
  return path
}

/** What was told to people: written beside a checkpoint like views, but no journal gives it, and no rebuild may take it away. */
const noticeCollection = 'notices'
export const noticePath = (id: string): string => `${noticeCollection}/${id}`
export const isNotice = (path: string): boolean => path.startsWith(`${noticeCollection}/`)

/** @throws Error for a path that is neither a document of a view of this mode nor a notice */
export const checkWritable = (mode: 'paper' | 'live', path: string): string =>
  isNotice(path) ? checkDocumentPath(path) : checkViewDocument(mode, path)
