/** The age of the snapshot: the account decides nothing when it was looked at too long ago. */
import { settingOf } from '../configuration.ts'
import { type Refusal, refuse } from '../errors.ts'
import type { Ledger, Snapshot } from '../ledger.ts'
import type { AllocationRequest } from './request.ts'

/** A refusal when the snapshot is older than the request, or else the configuration, allows. A time that cannot be read is not young. */
export const snapshotTooOld = (
  { takenAt }: Pick<Snapshot, 'takenAt'>,
  { configuration }: Readonly<Ledger>,
  { freshMinutes }: Pick<AllocationRequest, 'freshMinutes'>,
  now: number,
): Refusal | undefined => {
  const allowed = freshMinutes ?? settingOf(configuration, 'freshMinutes')
  const minutes = (now - Date.parse(takenAt)) / 60_000
  if (minutes <= allowed) return undefined
  const details = { takenAt, freshMinutes: allowed }
  return refuse('SNAPSHOT_STALE', `taken at ${takenAt}, ${allowed} minutes are allowed`, details)
}
