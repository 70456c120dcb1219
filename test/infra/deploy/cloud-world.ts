/** The scripts of infra/deploy/cloud in a world of their own: a gcloud that only keeps state, an ibt that only says it was called. */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export const root = fileURLToPath(new URL('../../..', import.meta.url)).replace(/\/$/, '')
export const cloud = join(root, 'infra/deploy/cloud')
const fake = fileURLToPath(new URL('cloud-fake-gcloud.sh', import.meta.url))

export const variables = {
  PROJECT_ID: 'my-trading-1',
  GCP_REGION: 'us-east1',
  USER_EMAIL_ACCOUNT: 'anna@example.org',
  REPO_OWNER: 'anna',
  GITHUB_REPO: 'ib-trading',
  IB_GATEWAY_SHA256: 'a'.repeat(64),
  IBC_SHA256: 'b'.repeat(64),
}
export const secrets = { user: 'a-user-of-ib', password: 'p\'a$$w&rd "x"' }

export type Ran = { code: number | null; out: string; errors: string }
export type World = {
  path: string
  /** @param script of infra/deploy/cloud by its name, another by its path; or `-c` and a line of shell as the first of args */
  run(script: string, args?: readonly string[], more?: Readonly<Record<string, string>>, input?: string): Promise<Ran>
  /** Every call of gcloud so far: the words after it. Forgotten by `forget`. */
  calls(): string[][]
  forget(): void
  /** What is there now, by name. */
  state(): Record<string, string>
  /** The files that gcloud was given, which may be gone by now, by their name. */
  file(name: string): string
  scaling(): string | undefined
  /** What ibt was asked to do, with the variables that it saw. */
  ibt(): string[]
  remove(): void
}

export const cloudWorld = (): World => {
  const path = mkdtempSync(join(tmpdir(), 'ibt-cloud-'))
  const at = (...parts: string[]) => join(path, ...parts)
  mkdirSync(at('bin'))
  mkdirSync(at('gcloud', 'state'), { recursive: true })
  copyFileSync(fake, at('bin', 'gcloud'))
  writeFileSync(
    at('bin', 'ibt'),
    '#!/bin/sh\necho "$STORE $TRADING_MODE $GOOGLE_CLOUD_PROJECT $GCP_REGION $FIRESTORE_DATABASE: $*" >> "$FAKE_GCLOUD/ibt"\nexit $IBT_FAILS\n',
  )
  // Of BigQuery nothing is there yet, and whatever is asked for is made.
  writeFileSync(at('bin', 'bq'), '#!/bin/sh\ncase " $* " in *" show "*) echo "BigQuery error: Not found: $*" && exit 2 ;; esac\n')
  for (const name of ['gcloud', 'ibt', 'bq']) chmodSync(at('bin', name), 0o755)
  writeFileSync(at('user'), secrets.user)
  writeFileSync(at('password'), secrets.password)
  const own = { PATH: `${at('bin')}:${process.env['PATH']}`, HOME: path, TMPDIR: path, FAKE_GCLOUD: at('gcloud'), IBT: at('bin', 'ibt') }
  const files = { IB_USER_FILE: at('user'), IB_PASSWORD_FILE: at('password') }
  const calls = at('gcloud', 'calls')
  return {
    path,
    run: async (script, args = [], more = {}, input = '') => {
      const child = spawn('bash', [script === '-c' || script.includes('/') ? script : join(cloud, script), ...args], {
        ...{ cwd: path, env: { ...own, ...files, ...variables, ...more }, timeout: 200_000 },
      })
      let out = ''
      let errors = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        out += text
      })
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text
      })
      child.stdin.on('error', () => undefined).end(input)
      const [code] = (await once(child, 'close')) as [number | null]
      return { code, out, errors }
    },
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trimEnd()
            .split('\n')
            .map((line) => line.split('\x1f').slice(0, -1))
        : [],
    forget: () => rmSync(calls, { force: true }),
    state: () =>
      Object.fromEntries(
        readdirSync(at('gcloud', 'state'))
          .sort()
          .map((name) => [name, readFileSync(at('gcloud', 'state', name), 'utf8')]),
      ),
    file: (name) => at('gcloud', 'files', basename(name)),
    ibt: () => (existsSync(at('gcloud', 'ibt')) ? readFileSync(at('gcloud', 'ibt'), 'utf8').trim().split('\n') : []),
    scaling: () => (existsSync(at('gcloud', 'scaling')) ? readFileSync(at('gcloud', 'scaling'), 'utf8').trim() : undefined),
    remove: () => rmSync(path, { recursive: true, force: true }),
  }
}

/** `gcloud a b --c` → `a b`: what a call does, for messages and for counting. */
export const deed = (call: readonly string[]): string =>
  call
    .filter((word) => !word.startsWith('-'))
    .slice(0, 4)
    .join(' ')

const run = (text: string, env: NodeJS.ProcessEnv): Promise<Ran> =>
  new Promise((resolve) => {
    execFile('bash', ['--norc', '-c', text], { env, timeout: 20_000 }, (error, out, errors) => {
      resolve({ code: error === null ? 0 : 1, out, errors })
    })
  })

/** A template of Cloud Run or of the machine, as the scripts fill it in. @throws Error with what `render` says */
export const rendered = async (path: string, more: Readonly<Record<string, string | undefined>> = {}): Promise<string> => {
  const repository = `${variables.GCP_REGION}-docker.pkg.dev/${variables.PROJECT_ID}/ib-trading`
  const emails = Object.fromEntries(
    ['engine', 'api'].map((name) => [`${name.toUpperCase()}_EMAIL`, `ib-paper-${name}@${variables.PROJECT_ID}.iam.gserviceaccount.com`]),
  )
  const digest = `sha256:${'1'.repeat(64)}`
  const given = {
    ...{ ...variables, ...emails, TRADING_MODE: 'paper', FIRESTORE_DATABASE: 'paper', SECRET_NAME: 'ib-paper', REPO_NAME: 'ib-trading' },
    ...{
      IB_ACCOUNT: 'DU1234567',
      ...{ PAPER_JOURNAL: '', ALERT_WEBHOOK: 'no', ALERT_MAIL_TO: '', ALERT_MAIL_FROM: '' },
      APPLICATION_IMAGE: `${repository}/application@${digest}`,
      BASE_IMAGE: `${repository}/base@${digest}`,
    },
    ...more,
  }
  const names = `. "${cloud}/running.sh"; . "${cloud}/names.sh"; derive_names; render "${path}"`
  const { code, out, errors } = await run(names, { PATH: process.env['PATH'], ...given })
  if (code !== 0) throw new Error(errors)
  return out
}

/** For a suite: makes worlds, and removes them after each test. */
export const worldsOfATest = (): (() => World) => {
  const made: World[] = []
  afterEach(() => {
    for (const world of made.splice(0)) world.remove()
  })
  return () => {
    const world = cloudWorld()
    made.push(world)
    return world
  }
}

export type Step = { id: string; name: string; args?: string[]; env?: string[]; entrypoint?: string }
export type Build = { steps: Step[]; substitutions: Record<string, string>; images?: string[]; [field: string]: unknown }

export const buildOf = (name: string): Build => parse(readFileSync(join(cloud, `${name}.cloudbuild.yaml`), 'utf8')) as Build

/** The script of a step and its environment as Cloud Build makes them: substitutions take their place, and $$ is a $ of the script. */
export const stepOf = (build: string, id: string, given: Readonly<Record<string, string>>) => {
  const { steps, substitutions } = buildOf(build)
  const { args = [], env = [] } = steps.find((step) => step.id === id)!
  const known: Record<string, string> = { ...substitutions, BUILD_ID: 'a-build', PROJECT_ID: 'my-trading-1', ...given }
  const filled = (text: string): string =>
    text.replaceAll(/\$\$|\$\{?([A-Z_]+)\}?/g, (found, name: string | undefined) => {
      if (name === undefined) return '$'
      if (known[name] === undefined) throw new Error(`${build}, ${id}: ${found} is no substitution`)
      return known[name]
    })
  return {
    script: filled(args.at(-1)!),
    env: Object.fromEntries(env.map((line) => filled(line).split(/=(.*)/s).slice(0, 2) as [string, string])),
  }
}
