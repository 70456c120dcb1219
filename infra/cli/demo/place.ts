/** Where a demo keeps its data: a folder, or a project of its own on Google's emulators; never a real project. */
import { randomUUID } from 'node:crypto'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../../environment.ts'
import { makeFolder } from '../../folder.ts'
import { type EmulatorHosts, startEmulators } from '../../google/emulators.ts'
import { storePath } from '../../store.ts'

export type Place = {
  dataDirectory: string
  store: Environment['store']
  /** Settings of a shell in which the verbs find the data afterwards; undefined when it goes with the demo. */
  kept: string | undefined
  /** Ends what was started for it, and removes what is not kept. */
  leave(): Promise<void>
  /** The same as far as it can be done at once, for a process that ends without waiting. */
  leaveAtOnce(): void
}

export type PlaceOptions = { store: 'embedded' | 'google'; keep?: string | true }

const mode = 'paper'

const temporary = (): string => mkdtempSync(join(tmpdir(), 'ibt-demo-'))

/** @throws Error when there is a store already, or the folder cannot be one */
const keptFolder = (keep: string | true): string => {
  const folder = keep === true ? 'demo-data' : keep
  const file = storePath({ dataDirectory: folder, mode })
  if (existsSync(file)) throw new Error(`--keep: ${file} is there already; choose another folder or remove it`)
  makeFolder('--keep', folder)
  return folder
}

const inFolder = (keep: PlaceOptions['keep']): Place => {
  const dataDirectory = keep === undefined ? temporary() : keptFolder(keep)
  const remove = (): void => {
    if (keep === undefined) rmSync(dataDirectory, { recursive: true, force: true })
  }
  return {
    dataDirectory,
    store: { kind: 'embedded' },
    kept: keep === undefined ? undefined : `DATA_DIR=${dataDirectory}`,
    leave: async () => remove(),
    leaveAtOnce: remove,
  }
}

const emulatorsOf = async (named: EmulatorHosts | undefined): Promise<EmulatorHosts & { end(): Promise<void> }> => {
  if (named !== undefined) return { ...named, end: async () => undefined }
  process.stderr.write("ibt: starting Google's emulators of Pub/Sub and Firestore\n")
  return startEmulators()
}

const onEmulators = async (keep: PlaceOptions['keep'], named: EmulatorHosts | undefined): Promise<Place> => {
  if (keep !== undefined && named === undefined)
    throw new Error(
      "--keep: the demo's own emulators forget everything at their end; start some and set PUBSUB_EMULATOR_HOST and FIRESTORE_EMULATOR_HOST",
    )
  if (typeof keep === 'string') throw new Error('--keep: with --store google there is no folder to name; say only --keep')
  const { pubsub, firestore, end } = await emulatorsOf(named)
  const project = `demo-${randomUUID().slice(0, 8)}`
  const dataDirectory = temporary()
  const remove = (): void => rmSync(dataDirectory, { recursive: true, force: true })
  return {
    dataDirectory,
    store: { kind: 'google', project, database: '(default)', emulators: { pubsub, firestore } },
    kept:
      keep === undefined
        ? undefined
        : `PUBSUB_EMULATOR_HOST=${pubsub} FIRESTORE_EMULATOR_HOST=${firestore} GOOGLE_CLOUD_PROJECT=${project}`,
    leave: async () => {
      await end()
      remove()
    },
    leaveAtOnce: remove,
  }
}

/** @param named the emulators that the environment names, if it does @throws Error in one line that names the argument */
export const openPlace = async ({ store, keep }: PlaceOptions, named: EmulatorHosts | undefined): Promise<Place> =>
  store === 'google' ? onEmulators(keep, named) : inFolder(keep)
