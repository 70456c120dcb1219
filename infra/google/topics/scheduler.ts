/** Jobs as Cloud Scheduler's own messages have them. It has no labels: a job is known by its name, its target and its attributes. */
import { CloudSchedulerClient, type protos } from '@google-cloud/scheduler'
import { grpc } from 'google-gax'
import { canonical } from '../../../domain/commit.ts'
import type { Found, JobFields, Resource, Resources } from './resources.ts'

type Job = protos.google.cloud.scheduler.v1.IJob

export type SchedulerPlace = {
  project: string
  location: string
  /** `host:port` of a server that speaks the protocol without encryption. */
  emulator?: string
}

/** Of each call, its repetitions included. */
const reading = { timeout: 8_000 }
const writing = { timeout: 30_000 }

export const openScheduler = ({ project, emulator }: SchedulerPlace): CloudSchedulerClient => {
  if (emulator === undefined) return new CloudSchedulerClient({ projectId: project })
  const [, apiEndpoint, port] = /^(.+):(\d+)$/.exec(emulator)!
  return new CloudSchedulerClient({
    projectId: project,
    apiEndpoint: apiEndpoint!,
    port: Number(port),
    sslCreds: grpc.credentials.createInsecure(),
  })
}

// ── Reading ──

const states: Readonly<Record<string, JobFields['state']>> = {
  ENABLED: 'enabled',
  PAUSED: 'paused',
  DISABLED: 'disabled',
  UPDATE_FAILED: 'update failed',
}

const secondsOf = (duration: { seconds?: unknown } | null | undefined): number => Number(duration?.seconds ?? 0)

const targetOf = ({ pubsubTarget, httpTarget, appEngineHttpTarget }: Job, project: string): string => {
  if (pubsubTarget) return `topic ${(pubsubTarget.topicName ?? '').replace(`projects/${project}/topics/`, '')}`
  return httpTarget ? `HTTP ${httpTarget.uri ?? ''}` : `App Engine ${appEngineHttpTarget?.relativeUri ?? ''}`
}

/** A body that is JSON is compared by what it says. */
const bodyOf = ({ pubsubTarget }: Job): string => {
  const text = Buffer.from((pubsubTarget?.data ?? '') as Uint8Array).toString('utf8')
  try {
    return canonical(JSON.parse(text))
  } catch {
    return text
  }
}

const fieldsOf = (job: Job, project: string): JobFields => ({
  target: targetOf(job, project),
  schedule: job.schedule ?? '',
  timeZone: job.timeZone ?? '',
  attributes: canonical(job.pubsubTarget?.attributes ?? {}),
  body: bodyOf(job),
  retries: job.retryConfig?.retryCount ?? 0,
  retriedFor: secondsOf(job.retryConfig?.maxRetryDuration),
  minimumBackOff: secondsOf(job.retryConfig?.minBackoffDuration),
  maximumBackOff: secondsOf(job.retryConfig?.maxBackoffDuration),
  state: states[String(job.state)] ?? 'disabled',
})

const isOurs = (job: Job, name: string, project: string, mode: string): boolean => {
  const { topicName, attributes } = job.pubsubTarget ?? {}
  const targetsOurs = (topicName ?? '').startsWith(`projects/${project}/topics/${mode}-`)
  return name.startsWith(`${mode}-`) && targetsOurs && attributes?.['source'] === 'scheduler' && attributes['job'] !== undefined
}

// ── Writing ──

const jobMessage = (path: string, fields: JobFields, project: string): Job => ({
  name: path,
  description: 'kept by ibt topics, as topics.yaml says',
  schedule: fields.schedule,
  timeZone: fields.timeZone,
  pubsubTarget: {
    topicName: `projects/${project}/topics/${fields.target.replace(/^topic /, '')}`,
    attributes: JSON.parse(fields.attributes) as Record<string, string>,
    data: Buffer.from(fields.body),
  },
  retryConfig: {
    retryCount: fields.retries,
    maxRetryDuration: { seconds: fields.retriedFor },
    minBackoffDuration: { seconds: fields.minimumBackOff },
    maxBackoffDuration: { seconds: fields.maximumBackOff },
    maxDoublings: 3,
  },
})

const maskOf: Readonly<Record<string, string>> = {
  ...{ schedule: 'schedule', timeZone: 'time_zone' },
  ...{ target: 'pubsub_target', attributes: 'pubsub_target', body: 'pubsub_target' },
  ...{ retries: 'retry_config', retriedFor: 'retry_config', minimumBackOff: 'retry_config', maximumBackOff: 'retry_config' },
}
const wholeMask = [...new Set(Object.values(maskOf))]

export const schedulerResources = (
  client: CloudSchedulerClient,
  { project, location, mode }: SchedulerPlace & { mode: string },
): Resources => {
  const parent = `projects/${project}/locations/${location}`
  const pathOf = (name: string): string => `${parent}/jobs/${name}`

  const find = async (): Promise<Found[]> => {
    const [jobs] = await client.listJobs({ parent }, reading)
    return jobs.map((job) => {
      const name = (job.name ?? '').replace(`${parent}/jobs/`, '')
      return { kind: 'job', name, fields: fieldsOf(job, project), ours: isOurs(job, name, project, mode) }
    })
  }

  const create = async (resource: Resource): Promise<void> => {
    if (resource.kind !== 'job') return
    await client.createJob({ parent, job: jobMessage(pathOf(resource.name), resource.fields, project) }, writing)
  }

  /** Resumed last, so that a paused job does not fire as it was. A job whose last update failed is mended by a full one. */
  const change = async (resource: Resource, fields: readonly string[]): Promise<void> => {
    if (resource.kind !== 'job') return
    const name = pathOf(resource.name)
    const state = fields.includes('state') ? states[String((await client.getJob({ name }, reading))[0].state)] : 'enabled'
    const paths = state === 'update failed' ? wholeMask : [...new Set(fields.flatMap((field) => maskOf[field] ?? []))]
    const job = jobMessage(name, resource.fields, project)
    if (paths.length > 0) await client.updateJob({ job, updateMask: { paths } }, writing)
    if (state === 'paused') await client.resumeJob({ name }, writing)
  }

  const remove = async ({ name }: Resource): Promise<void> => {
    await client.deleteJob({ name: pathOf(name) }, writing)
  }

  return { find, create, change, remove }
}
