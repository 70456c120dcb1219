/**
 * A server that speaks Cloud Scheduler's protocol, made from Google's published protos: jobs are kept, checked and answered for as the
 * service documents it. It fires nothing. Without encryption, on a port of 127.0.0.1.
 */
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadSync } from '@grpc/proto-loader'
import { grpc } from 'google-gax'

const packageFolder = (name: string): string => dirname(dirname(dirname(fileURLToPath(import.meta.resolve(name)))))
const includeDirs = ['@google-cloud/scheduler', 'google-gax'].map((name) => join(packageFolder(name), 'build/protos'))

export type StoredJob = {
  name: string
  description: string
  schedule: string
  time_zone: string
  state: 'ENABLED' | 'PAUSED' | 'DISABLED' | 'UPDATE_FAILED'
  pubsub_target?: { topic_name: string; data: Buffer; attributes: Record<string, string> }
  http_target?: { uri: string }
  retry_config?: Record<string, unknown>
}
type Request = {
  parent: string
  name: string
  job: StoredJob
  update_mask: { paths: string[] } | null
  page_size: number
  page_token: string
}

export type SchedulerServer = {
  host: string
  /** By full name; a test may change them behind everybody's back. */
  jobs: Map<string, StoredJob>
  /** Methods that were called, in their order. */
  calls: string[]
  /** The next call of this method fails so. */
  failNext(method: string, code: number, details: string): void
  close(): Promise<void>
}

class Refused extends Error {
  readonly code: number
  constructor(code: number, details: string) {
    super(details)
    this.code = code
  }
}
const { INVALID_ARGUMENT, NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, INTERNAL } = grpc.status

// ── What the service checks ──

const bounds = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [0, 7],
] as const

/** unix-cron: five fields of numbers, ranges, lists and steps. */
const isCron = (schedule: string): boolean => {
  const fields = schedule.trim().split(/\s+/)
  return (
    fields.length === bounds.length &&
    fields.every((field, place) => {
      const [least, most] = bounds[place]!
      return field.split(',').every((part) => {
        const [, from, to, step] = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? []
        if (!/^[\d*]/.test(part) || /[^\d*/-]/.test(part)) return false
        const numbers = [from, to].filter((number) => number !== undefined).map(Number)
        return numbers.every((number) => number >= least && number <= most) && (step === undefined || Number(step) > 0)
      })
    })
  )
}

const isTimeZone = (zone: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone })
    return true
  } catch {
    return false
  }
}

const check = (job: StoredJob): void => {
  const [, project] = /^projects\/([^/]+)\/locations\/[a-z0-9-]+\/jobs\/[A-Za-z0-9_-]{1,500}$/.exec(job.name) ?? []
  if (project === undefined) throw new Refused(INVALID_ARGUMENT, `Job name must be formatted: "${job.name}" is not.`)
  if (!isCron(job.schedule)) throw new Refused(INVALID_ARGUMENT, `Schedule or time zone is invalid: "${job.schedule}".`)
  if (!isTimeZone(job.time_zone || 'UTC')) throw new Refused(INVALID_ARGUMENT, `Schedule or time zone is invalid: "${job.time_zone}".`)
  if (job.description.length > 500) throw new Refused(INVALID_ARGUMENT, 'Description must not contain more than 500 characters.')
  if (!job.pubsub_target && !job.http_target) throw new Refused(INVALID_ARGUMENT, 'Job target must be set.')
  const target = job.pubsub_target
  if (target && !target.topic_name.startsWith(`projects/${project}/topics/`))
    throw new Refused(INVALID_ARGUMENT, 'The topic must be in the same project as the Cloud Scheduler job.')
  if (target && target.data.length === 0 && Object.keys(target.attributes).length === 0)
    throw new Refused(INVALID_ARGUMENT, 'Pubsub message must contain either non-empty data, or at least one attribute.')
  const retries = Number(job.retry_config?.['retry_count'] ?? 0)
  if (retries < 0 || retries > 5) throw new Refused(INVALID_ARGUMENT, 'Retry count must be from 0 to 5.')
}

const defaults = {
  retry_count: 0,
  max_retry_duration: { seconds: 0, nanos: 0 },
  min_backoff_duration: { seconds: 5, nanos: 0 },
  max_backoff_duration: { seconds: 3600, nanos: 0 },
  max_doublings: 5,
}
const changeable = ['description', 'schedule', 'time_zone', 'pubsub_target', 'http_target', 'retry_config', 'attempt_deadline'] as const

// ── The server ──

/** @param longestPage so many jobs at most are answered at once */
export const startSchedulerServer = async ({ longestPage = 500 }: { longestPage?: number } = {}): Promise<SchedulerServer> => {
  const jobs = new Map<string, StoredJob>()
  const calls: string[] = []
  const failures = new Map<string, Refused>()

  const there = (name: string): StoredJob => {
    const job = jobs.get(name)
    if (job === undefined) throw new Refused(NOT_FOUND, `Job not found: ${name}`)
    return job
  }
  const keep = (job: StoredJob): StoredJob => {
    check(job)
    const given = Object.entries(job.retry_config ?? {}).filter(([, value]) => value !== null)
    const kept = { ...job, retry_config: { ...defaults, ...Object.fromEntries(given) } }
    jobs.set(job.name, kept)
    return kept
  }
  const moved = (name: string, from: StoredJob['state'], to: StoredJob['state']): StoredJob => {
    const job = there(name)
    if (job.state !== from) throw new Refused(FAILED_PRECONDITION, `Job must be ${from}, it is ${job.state}: ${name}`)
    return keep({ ...job, state: to })
  }

  const methods: Readonly<Record<string, (request: Request) => object>> = {
    ListJobs: ({ parent, page_size, page_token }) => {
      if (!/^projects\/[^/]+\/locations\/[a-z0-9-]+$/.test(parent)) throw new Refused(INVALID_ARGUMENT, `Invalid parent: "${parent}"`)
      const all = [...jobs.values()].filter(({ name }) => name.startsWith(`${parent}/jobs/`))
      const begin = page_token === '' ? 0 : Number(page_token)
      if (!Number.isInteger(begin)) throw new Refused(INVALID_ARGUMENT, 'Invalid page token.')
      const end = begin + Math.min(page_size || 500, 500, longestPage)
      return { jobs: all.slice(begin, end), next_page_token: end < all.length ? String(end) : '' }
    },
    GetJob: ({ name }) => there(name),
    CreateJob: ({ parent, job }) => {
      if (!job.name.startsWith(`${parent}/jobs/`)) throw new Refused(INVALID_ARGUMENT, 'Job name must begin with its parent.')
      if (jobs.has(job.name)) throw new Refused(ALREADY_EXISTS, `Job already exists: ${job.name}`)
      return keep({ ...job, state: 'ENABLED' })
    },
    UpdateJob: ({ job, update_mask }) => {
      const before = there(job.name)
      const paths = update_mask?.paths ?? []
      const unknown = paths.find((path) => !changeable.some((field) => path === field))
      if (unknown !== undefined) throw new Refused(INVALID_ARGUMENT, `Invalid update mask: "${unknown}"`)
      const fields = paths.length === 0 ? changeable : changeable.filter((field) => paths.includes(field))
      const given = job as unknown as Record<string, unknown>
      const updated = { ...before, ...Object.fromEntries(fields.map((field) => [field, given[field]])) }
      return keep({ ...updated, state: before.state === 'UPDATE_FAILED' ? 'ENABLED' : before.state })
    },
    DeleteJob: ({ name }) => {
      there(name)
      jobs.delete(name)
      return {}
    },
    PauseJob: ({ name }) => moved(name, 'ENABLED', 'PAUSED'),
    ResumeJob: ({ name }) => moved(name, 'PAUSED', 'ENABLED'),
  }

  type Call = { request: Request }
  type Answer = (error: { code: number; details: string } | null, value?: object) => void
  const handlers = Object.fromEntries(
    Object.entries(methods).map(([method, answer]) => [
      method,
      ({ request }: Call, callback: Answer): void => {
        calls.push(method)
        try {
          const failure = failures.get(method)
          failures.delete(method)
          if (failure !== undefined) throw failure
          callback(null, answer(request))
        } catch (error) {
          callback({ code: error instanceof Refused ? error.code : INTERNAL, details: (error as Error).message })
        }
      },
    ]),
  )

  const definition = loadSync('google/cloud/scheduler/v1/cloudscheduler.proto', {
    ...{ includeDirs, keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true },
  })
  const server = new grpc.Server()
  server.addService(
    definition['google.cloud.scheduler.v1.CloudScheduler'] as grpc.ServiceDefinition,
    handlers as grpc.UntypedServiceImplementation,
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)))
  })
  return {
    host: `127.0.0.1:${port}`,
    jobs,
    calls,
    failNext: (method, code, details) => void failures.set(method, new Refused(code, details)),
    close: async () => server.forceShutdown(),
  }
}
