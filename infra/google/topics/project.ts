/** The project that the environment names: its topics and subscriptions, and its jobs where Cloud Scheduler can be reached. */
import type { Topics } from '../../../domain/topics.ts'
import type { Environment } from '../../environment.ts'
import { checkCredentials, openConnection } from '../connection.ts'
import { pubsubResources } from './pubsub.ts'
import type { Resource, Resources } from './resources.ts'
import { openScheduler, schedulerResources } from './scheduler.ts'
import { wanted } from './wanted.ts'

export type Project = {
  mode: string
  project: string
  location?: string
  wanted: Resource[]
  resources: Resources
  /** What is not looked at, and why. */
  leftOut?: string
  close(): Promise<void>
}

const noScheduler = "Cloud Scheduler has no emulator, so its jobs are left out (CLOUD_SCHEDULER_EMULATOR_HOST may name one's own)"

/** @throws Error in one line that names the variable that is missing */
export const openProject = (environment: Pick<Environment, 'mode' | 'store' | 'scheduler'>, topics: Topics): Project => {
  const { mode, store, scheduler } = environment
  if (store.kind !== 'google')
    throw new Error('STORE: the embedded store reads topics.yaml by itself; set STORE=google and GOOGLE_CLOUD_PROJECT to the project')
  const { project, emulators } = store
  const emulated = emulators !== undefined
  const withJobs = topics.schedules.length > 0 && (!emulated || scheduler?.emulator !== undefined)
  const location = scheduler?.location
  if (withJobs && location === undefined) throw new Error('GCP_REGION: the jobs of topics.yaml need a region, such as europe-west1')
  const connection = openConnection(store)
  const pubsub = pubsubResources({ pubsub: connection.pubsub, project, mode })
  const place = { mode, project, ...(withJobs && location !== undefined ? { location } : {}) }
  const base = { ...place, wanted: wanted(topics, { ...place, emulated }) }
  if (!withJobs || location === undefined)
    return {
      ...base,
      resources: { ...pubsub, find: () => checkCredentials(connection).then(pubsub.find) },
      close: () => connection.close(),
      ...(emulated ? { leftOut: noScheduler } : {}),
    }
  const at = { project, location, ...(scheduler?.emulator === undefined ? {} : { emulator: scheduler.emulator }) }
  const client = openScheduler(at)
  const jobs = schedulerResources(client, { ...at, mode })
  const of = ({ kind }: Resource): Resources => (kind === 'job' ? jobs : pubsub)
  return {
    ...base,
    resources: {
      find: async () => {
        await checkCredentials(connection)
        return (await Promise.all([pubsub.find(), jobs.find()])).flat()
      },
      create: (resource) => of(resource).create(resource),
      change: (resource, fields) => of(resource).change(resource, fields),
      remove: (resource) => of(resource).remove(resource),
    },
    close: async () => {
      await Promise.allSettled([connection.close(), client.close()])
    },
  }
}
