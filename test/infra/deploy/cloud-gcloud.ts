/**
 * The local gcloud as a judge of command lines. It reads every flag and many files before it needs a login, so a wrong one is a usage
 * error, and a right one ends with "no active account". Its configuration is an empty folder and its proxy a port where nobody listens:
 * whatever it is asked, it reaches nothing.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const parser = fileURLToPath(new URL('cloud-gcloud-parser.py', import.meta.url))
const commands = { python: 'basic.python_location', root: 'installation.sdk_root' }

const alone = (configuration: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CLOUDSDK|GOOGLE|BOTO|HTTPS?_PROXY|https?_proxy)/.test(name))),
  CLOUDSDK_CONFIG: configuration,
  CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
  CLOUDSDK_CORE_DISABLE_FILE_LOGGING: '1',
  CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
  CLOUDSDK_CORE_CHECK_GCE_METADATA: '0',
  CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
  CLOUDSDK_PROXY_TYPE: 'http',
  CLOUDSDK_PROXY_ADDRESS: '127.0.0.1',
  CLOUDSDK_PROXY_PORT: '9',
})

const needsLogin = /do not currently have an active account|You must log in|not currently logged in/i

/** A command line that gcloud does not take, and what it says of it. */
export type Wrong = { command: string; says: string }

let places: { python: string; root: string } | undefined
/** Asked once: each start of gcloud takes a second or two. */
const placesOf = (env: NodeJS.ProcessEnv) => {
  if (places !== undefined) return places
  const format = `--format=value[separator="\n"](${Object.values(commands).join(',')})`
  const asked = spawnSync('gcloud', ['info', format], { env, encoding: 'utf8', timeout: 60_000 })
  const [python, root] = asked.stdout.trim().split('\n')
  if (python === undefined || root === undefined) throw new Error(`gcloud info does not say where it lives: ${asked.stderr}`)
  places = { python, root }
  return places
}

/** Where the tools of Google lie on this machine, and the Python that they bring along. */
export const sdk = (): { python: string; root: string } => withItsPython((python, root) => ({ python, root }))

/** gcloud's own Python, with the configuration of nobody. */
const withItsPython = <T>(use: (python: string, root: string, env: NodeJS.ProcessEnv) => T): T => {
  const configuration = mkdtempSync(join(tmpdir(), 'ibt-gcloud-'))
  const env = alone(configuration)
  try {
    const { python, root } = placesOf(env)
    return use(python, root, env)
  } finally {
    rmSync(configuration, { recursive: true, force: true })
  }
}

const uploads = `
import os, sys
root, folder = sys.argv[1:3]
sys.path[:0] = [os.path.join(root, 'lib'), os.path.join(root, 'lib', 'third_party')]
from googlecloudsdk.command_lib.util import gcloudignore
chooser = gcloudignore.GetFileChooserForDir(folder, write_on_disk=False, ignore_file=sys.argv[3] if len(sys.argv) > 3 else None)
print('\\n'.join(sorted(chooser.GetIncludedFiles(folder, include_dirs=False))))
`

const prints = `
import json, os, sys
root, resource, flatten, expression, form = sys.argv[1:6]
sys.path[:0] = [os.path.join(root, 'lib'), os.path.join(root, 'lib', 'third_party')]
from googlecloudsdk.calliope import display_taps
from googlecloudsdk.core.resource import resource_printer
from googlecloudsdk.core.util import peek_iterable
resources = [json.loads(resource)]
path = []
for part in flatten.split('[]'):
    path = path + [name for name in part.split('.') if name]
    resources = peek_iterable.Tapper(resources, display_taps.Flattener(path))
if expression:
    resources = peek_iterable.Tapper(resources, display_taps.Filterer(expression, None))
resource_printer.Print(resources, form)
`

/** What gcloud makes of an answer by the flags `--flatten`, `--filter` and `--format` of a command, a line each. */
export const printedOf = (answer: object, words: readonly string[]): string[] =>
  withItsPython((python, root, env) => {
    const flag = (name: string): string => words.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3) ?? ''
    const given = [JSON.stringify(answer), flag('flatten'), flag('filter'), flag('format')]
    const { status, stdout, stderr } = spawnSync(python, ['-B', '-c', prints, root, ...given], { env, encoding: 'utf8', timeout: 60_000 })
    if (status !== 0) throw new Error(`gcloud's own Python failed: ${stderr.slice(-2_000)}`)
    return stdout.split('\n').filter((line) => line !== '')
  })

/** What of a folder a build would take along. @param ignoreFile as `--ignore-file` names it; left out: what gcloud makes of .gitignore */
export const uploadedFrom = (folder: string, ignoreFile?: string): string[] =>
  withItsPython((python, root, env) => {
    const words = ['-B', '-c', uploads, root, folder, ...(ignoreFile === undefined ? [] : [ignoreFile])]
    const { status, stdout, stderr } = spawnSync(python, words, { env, encoding: 'utf8', timeout: 60_000 })
    if (status !== 0) throw new Error(`gcloud's own Python failed: ${stderr.slice(-2_000)}`)
    return stdout.trim().split('\n')
  })

/**
 * @param lines the words after `gcloud`
 * @returns those that gcloud does not take; commands of a group that this version lacks are among them
 */
export const wrongCommands = (lines: readonly (readonly string[])[]): Wrong[] =>
  withItsPython((python, root, env) => {
    const judged = spawnSync(python, ['-B', parser, root], {
      ...{ env, cwd: env['CLOUDSDK_CONFIG'], input: JSON.stringify(lines), encoding: 'utf8', timeout: 170_000, maxBuffer: 64_000_000 },
    })
    if (judged.status !== 0) throw new Error(`gcloud's own Python failed: ${judged.error?.message ?? judged.stderr.slice(-2_000)}`)
    const answers = JSON.parse(judged.stdout) as { code: number; said: string }[]
    return answers.flatMap(({ code, said }, place) =>
      code === 1 && needsLogin.test(said)
        ? []
        : [{ command: `gcloud ${lines[place]!.join(' ')}`, says: said.trim() || `exit code ${code}` }],
    )
  })
