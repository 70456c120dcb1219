/** The journal of paper trading, for whoever has to know what was proven there. */
import { type PaperRecord, paperRecordOf } from '../domain/paper-record.ts'
import type { Environment } from './environment.ts'
import { commitsAt } from './journal-place.ts'

type Where = Pick<Environment, 'dataDirectory' | 'store' | 'paperJournal'>

/** PAPER_JOURNAL; else the same folder, or the database `paper` of the same project. */
export const paperJournalOf = ({ paperJournal, store, dataDirectory }: Where): string =>
  paperJournal ?? (store.kind === 'embedded' ? dataDirectory : `project:${store.project}/paper`)

/** Reads it from its beginning. @throws Error in one line when there is none, or a broken one; StoreUnavailable when it cannot be reached now */
export const readPaperRecord = (where: Where): Promise<PaperRecord> =>
  paperRecordOf(commitsAt(paperJournalOf(where), { mode: 'paper', store: where.store }))
