/**
 * What the Dockerfile of the application puts into its image, as a folder: the files that it copies and .dockerignore lets pass, the
 * packages that production needs and no other, Node, and all of it closed to whoever runs it. No Docker is needed for that.
 */
import { spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../../..')
const dockerfile = fs.readFileSync(join(root, 'infra/deploy/images/application/Dockerfile'), 'utf8')
const isRoot = process.getuid?.() === 0

/** Docker's own rules: the last pattern that meets a path or a folder above it decides. */
const isIgnored = (() => {
  const rules = fs
    .readFileSync(join(root, 'infra/deploy/images/application/Dockerfile.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const pattern = line.replace(/^!/, '')
      const shape = pattern.replace(/[.+^$()|[\]{}]/g, '\\$&').replace(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'))
      return { passes: line.startsWith('!'), shape: new RegExp(`^${shape}(?:/.*)?$`) }
    })
  return (path: string): boolean => rules.findLast(({ shape }) => shape.test(path))?.passes !== true
})()

/** Everything below a path of the project that passes, files alone. */
const filesBelow = (path: string): string[] =>
  fs.statSync(join(root, path)).isDirectory()
    ? fs.readdirSync(join(root, path)).flatMap((name) => filesBelow(join(path, name)))
    : isIgnored(path)
      ? []
      : [path]

/** A second name for the same file, which costs nothing; a copy where that is not possible or others could not read it. */
const share = (from: string, to: string): void => {
  fs.mkdirSync(dirname(to), { recursive: true })
  const { mode } = fs.statSync(from)
  try {
    if ((mode & 0o004) === 0) throw new Error('others cannot read it')
    fs.linkSync(from, to)
  } catch {
    fs.copyFileSync(from, to)
    fs.chmodSync(to, (mode & 0o555) | 0o444)
  }
}

type Locked = { packages: Record<string, { dev?: boolean }> }

/** The folders of `npm ci --omit=dev`, as the lock file tells them. */
const productionPackages = (): string[] => {
  const { packages } = JSON.parse(fs.readFileSync(join(root, 'package-lock.json'), 'utf8')) as Locked
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && fs.existsSync(join(root, path)))
    .map(([path]) => path)
}

const sharePackage = (path: string, application: string): void => {
  const below = (folder: string): void => {
    for (const entry of fs.readdirSync(join(root, folder), { withFileTypes: true })) {
      const place = join(folder, entry.name)
      // What is nested in there is a package of its own in the lock file.
      if (entry.isDirectory() && entry.name !== 'node_modules') below(place)
      else if (entry.isFile()) share(join(root, place), join(application, place))
    }
  }
  below(path)
}

const everythingIn = (folder: string): string[] => fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()

const lastLine = (instruction: string): string => {
  const found = dockerfile.split('\n').findLast((line) => line.startsWith(`${instruction} `))
  if (found === undefined) throw new Error(`the Dockerfile has no ${instruction}`)
  return found.slice(instruction.length + 1)
}
const wordsOf = (instruction: string): string[] => JSON.parse(lastLine(instruction)) as string[]

/** The variables of ENV, over its continued lines. */
const variablesOfImage = (): Record<string, string> => {
  const [, text = ''] = /^ENV ((?:.*\\\n)*.*)$/m.exec(dockerfile) ?? []
  return Object.fromEntries([...text.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [name!, value!.replace(/^"|"$/g, '')]))
}

/** Who runs it: never root. Who is not root anyway stays what he is. */
const [uid, gid] = lastLine('USER').split(':').map(Number) as [number, number]
export const runsAs = isRoot ? { uid, gid } : { uid: process.getuid!(), gid: process.getgid!() }

export const buildTree = () => {
  const path = fs.mkdtempSync(join(tmpdir(), 'ibt-image-'))
  fs.chmodSync(path, 0o755)
  const application = join(path, 'application')
  const own = (name: string): string => {
    const folder = join(path, name)
    fs.mkdirSync(folder, { mode: 0o700 })
    if (isRoot) fs.chownSync(folder, runsAs.uid, runsAs.gid)
    return folder
  }
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names!.split(' '))
  for (const file of new Set(copied.flatMap(filesBelow))) {
    fs.mkdirSync(join(application, dirname(file)), { recursive: true })
    fs.copyFileSync(join(root, file), join(application, file))
    fs.chmodSync(join(application, file), 0o444)
  }
  for (const folder of productionPackages()) sharePackage(folder, application)
  share(process.execPath, join(path, 'bin/node'))

  const data = own('data')
  const environment = { ...variablesOfImage(), PATH: join(path, 'bin'), DATA_DIR: data, TMPDIR: own('tmp') }
  const node = join(path, 'bin/node')

  // As the image does: types are stripped once by the user who will run it; then nobody may write there any more.
  const cache = join(application, 'node_modules/.cache')
  fs.mkdirSync(cache, { mode: 0o700 })
  if (isRoot) fs.chownSync(cache, runsAs.uid, runsAs.gid)
  const first = spawnSync(node, ['infra/cli/ibt.js', '--help'], { cwd: application, env: environment, ...runsAs, encoding: 'utf8' })
  if (first.status !== 0) throw new Error(`ibt --help does not run in the image: ${first.stderr}`)
  const close = (folder: string): void => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) close(join(folder, entry.name))
    if (isRoot) fs.chownSync(folder, 0, 0)
    fs.chmodSync(folder, 0o555)
  }
  close(application)
  const asBuilt = everythingIn(application)

  return {
    path,
    application,
    data,
    environment,
    node,
    /** A folder of whoever runs it, as one that is mounted. */
    own,
    entrypoint: wordsOf('ENTRYPOINT').slice(1),
    command: wordsOf('CMD'),
    has: (name: string): boolean => fs.existsSync(join(application, name)),
    cached: (): string[] => fs.readdirSync(join(cache, 'ibt')),
    /** What is there now and was not when it was built. */
    written: (): string[] => {
      const before = new Set(asBuilt)
      return everythingIn(application).filter((name) => !before.has(name))
    },
    /** Our own code in it, by the path in the project. */
    sources: (): string[] => asBuilt.filter((name) => !name.startsWith('node_modules') && /\.(ts|js)$/.test(name)),
    remove: (): void => {
      const open = (folder: string): void => {
        fs.chmodSync(folder, 0o755)
        for (const entry of fs.readdirSync(folder, { withFileTypes: true })) if (entry.isDirectory()) open(join(folder, entry.name))
      }
      open(application)
      fs.rmSync(path, { recursive: true, force: true })
    },
  }
}
