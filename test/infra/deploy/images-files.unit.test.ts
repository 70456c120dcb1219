/** What the files of the deployment say, by linters that each are shown to bite, and by the promises that no linter knows. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { expect } from 'chai'
import { validate } from 'dockerfile-utils'
import { parse } from 'yaml'
import { needs, run } from './images-tools.ts'

const root = resolve(import.meta.dirname, '../../..')
const deploy = join(root, 'infra/deploy')
const textOf = (path: string): string => readFileSync(join(deploy, path), 'utf8')
const base = 'images/base/Dockerfile'
const application = 'images/application/Dockerfile'

type Finding = { title: string; line: string }
const dockerfilelint = createRequire(import.meta.url)('dockerfilelint') as { run(rules: string, text: string): Finding[] }

/** It does not know that the name of an option may have a hyphen, and so not --start-period. */
const lint = (text: string): string[] =>
  dockerfilelint
    .run(join(root, 'no-rules-of-our-own'), text.replace(/ --start-period=\w+/g, ''))
    .map(({ title, line }) => `${line}: ${title}`)
const check = (text: string): string[] => validate(text).map(({ range, message }) => `${range.start.line + 1}: ${message}`)

const ours = ['images', 'compose', 'vm']
const files = ours.flatMap((folder) =>
  readdirSync(join(deploy, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((name) => statSync(join(deploy, name)).isFile()),
)
const shellFiles = files.filter((file) => /^#!\/bin\/(ba)?sh/.test(textOf(file)))
const yamlFiles = files.filter((file) => file.endsWith('.yaml') || file.endsWith('.yml'))

describe('Dockerfiles', () => {
  for (const file of [base, application]) {
    it(`${file} passes both linters`, () => {
      expect(lint(textOf(file))).to.deep.equal([])
      expect(check(textOf(file))).to.deep.equal([])
    })
    it(`${file} with an error planted does not`, () => {
      expect(
        lint(
          textOf(file)
            .replace('apt-get install --yes', 'apt-get install')
            .replace(/^FROM (\S+?):\S+/m, 'FROM $1'),
        ),
      ).to.not.be.empty
      expect(check(textOf(file).replace('WORKDIR', 'WORKDIRECTORY'))).to.not.be.empty
      expect(check(textOf(file).replace('--interval=', '--every='))).to.not.be.empty
    })
    it(`${file} ends as a user that is not root, with a fixed version below it`, () => {
      const lines = textOf(file).split('\n')
      expect(lines.filter((line) => line.startsWith('USER')).at(-1)).to.equal('USER 10001:10001')
      const images = lines.flatMap((line) => /^FROM (\S+)/.exec(line)?.[1] ?? [])
      expect(
        images.every((image) => /:\d[\w.]*-slim$/.test(image)),
        images.join(),
      ).to.equal(true)
    })
    it(`${file} has no secret among its arguments and variables`, () => {
      expect(textOf(file)).to.not.match(/^\s*(ARG|ENV)?\s*\w*(PASSWORD|IB_USER|TOKEN|SECRET)\w*=/m)
    })
  }

  it('the gateway demands its checksums: no default, and the build looks before it fetches', () => {
    const text = textOf(base)
    for (const name of ['IB_GATEWAY_SHA256', 'IBC_SHA256']) expect(text).to.match(new RegExp(`^ARG ${name}$`, 'm'))
    expect(text.indexOf('for name in IB_GATEWAY_SHA256 IBC_SHA256')).to.be.within(1, text.indexOf('curl --fail'))
    expect(text).to.include('sha256sum --check --strict')
  })

  it('the application runs on the Node that the tests run on', () => {
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: { node: string } }
    const versions = [...textOf(application).matchAll(/^FROM node:([\d.]+)-slim/gm)].map(([, version]) => version)
    expect(versions).to.deep.equal([devDependencies.node, devDependencies.node])
  })

  it('the application has no package that needs a script to be installed', () => {
    const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; hasInstallScript?: boolean }>
    }
    const scripted = Object.entries(packages).filter(([, entry]) => entry.hasInstallScript === true && entry.dev !== true)
    // protobufjs only prints a hint.
    expect(scripted.map(([name]) => name).filter((name) => !name.endsWith('/protobufjs'))).to.deep.equal([])
  })

  it('every file that is copied is there, and what keeps secrets out of the build comes last', () => {
    const copied = [...textOf(application).matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, names]) => names!.split(' '))
    for (const name of copied) expect(() => statSync(join(root, name)), name).to.not.throw()
    const ignored = textOf('images/application/Dockerfile.dockerignore').trim().split('\n')
    expect(ignored.find((line) => !line.startsWith('#'))).to.equal('*')
    for (const name of copied) expect(ignored).to.include(`!${name}`)
    expect(ignored.indexOf('**/.env')).to.be.above(ignored.lastIndexOf('!infra/deploy/images/application'))
    expect(ignored).to.include('**/secrets')
  })

  it('the application strips its types as the user that it runs as: what Node keeps counts for that user alone', () => {
    const lines = textOf(application).split('\n')
    expect(lines.indexOf('USER 10001:10001')).to.be.within(
      1,
      lines.findIndex((line) => line.startsWith('RUN node infra/cli/ibt.js')),
    )
  })

  it('compose and Cloud Build give the gateway the arguments that its Dockerfile knows, in its versions', () => {
    const known = [...textOf(base).matchAll(/^ARG (\w+)(?:=(.+))?$/gm)].map(([, name, version]) => ({ name: name!, version }))
    const usual = Object.fromEntries(known.map(({ name, version }) => [name, version]))
    const { services } = parse(textOf('compose/docker-compose.yml'), { merge: true }) as {
      services: { gateway: { build: { args: Record<string, string> } } }
    }
    const { steps, substitutions } = parse(textOf('cloud/base.cloudbuild.yaml')) as {
      steps: { args: string[] }[]
      substitutions: Record<string, string>
    }
    const ofCloudBuild = steps.flatMap(({ args }) => args).flatMap((word) => /^--build-arg=(\w+)=(\S+)$/.exec(word)?.slice(1) ?? [])
    const inCloudBuild = Object.fromEntries(
      ofCloudBuild.flatMap((word, place) => (place % 2 === 0 ? [[word, ofCloudBuild[place + 1]!]] : [])),
    )
    for (const given of [services.gateway.build.args, inCloudBuild]) {
      expect(Object.keys(usual)).to.include.members(Object.keys(given))
      expect(Object.keys(given)).to.include.members(known.filter(({ version }) => version === undefined).map(({ name }) => name))
    }
    for (const name of ['IB_GATEWAY_VERSION', 'IBC_VERSION']) {
      expect(services.gateway.build.args[name]).to.equal(`\${${name}:-${usual[name]}}`)
      expect(inCloudBuild[name]).to.equal(`\${_${name}}`)
      expect(substitutions[`_${name}`]).to.equal(usual[name])
    }
  })
})

describe('the page about the images', () => {
  const page = textOf('images/README.md')
  const script = textOf('images/base/start.sh')

  it('names every variable of the gateway with its usual value, and no other', () => {
    const rows = [...page.matchAll(/^\| (`[A-Z_]+`(?:, also `[A-Z_]+`)?) \| ?(.*?) ?\| /gm)]
    const told = rows.flatMap(([, names, usual]) => [...names!.matchAll(/`(\w+)`/g)].map(([, name]) => [name!, usual!] as const))
    const read = [...script.matchAll(/^ {2}\w+=(?:\$\(property \w+ ")?\$\{([A-Z_]+):-(?:\$\()?([^}]*)\}/gm)].map(
      ([, name, usual]) => [name!, usual!] as const,
    )
    expect(read.length).to.be.above(12)
    const secrets = /^readonly secrets=\((.*)\)$/m.exec(script)![1]!.split(' ')
    expect(told.map(([name]) => name)).to.have.members([...read.map(([name]) => name), ...secrets, 'LOG_PATH'])
    const usualOf = Object.fromEntries(told)
    for (const [name, usual] of read) {
      if (name === 'IB_PORT') expect(usualOf[name]).to.equal('`4002`, live `4001`')
      else if (name === 'TWS_VERSION') expect(usualOf[name]).to.equal('the installed one')
      else expect(usualOf[name], name).to.equal(usual === '' ? '' : `\`${usual}\``)
    }
  })

  it('links only to what is there, and names the versions and arguments of the Dockerfile', () => {
    const links = [...page.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link!)
    expect(links).to.not.be.empty
    for (const link of links) expect(() => statSync(join(deploy, 'images', link)), link).to.not.throw()
    const versions = [...textOf(base).matchAll(/^ARG (?:IB_GATEWAY|IBC)_VERSION=(.+)$/gm)].map(([, version]) => version!)
    expect(versions).to.have.length(2)
    for (const version of versions) expect(page).to.contain(`-${version}`)
    for (const [, name] of textOf(base).matchAll(/^ARG (\w+)/gm)) expect(page, name).to.contain(name)
  })
})

describe('shell and YAML', () => {
  it('shellcheck finds nothing, and finds what is planted', async function () {
    needs(this, 'shellcheck')
    expect(shellFiles).to.have.members(['images/base/start.sh', 'images/base/health.sh', 'compose/setup'])
    const clean = await run(
      'shellcheck',
      shellFiles.map((file) => join(deploy, file)),
    )
    expect(clean.out).to.equal('')
    expect(clean.code).to.equal(0)
    for (const file of shellFiles) {
      const planted = await run('shellcheck', ['-'], { input: `${textOf(file)}\nif [ $planted = 1 ]; then rm -rf $planted/*; fi\n` })
      expect(planted.code, file).to.equal(1)
    }
  })

  it('./setup is POSIX sh alone, as macOS and Linux both have it', async function () {
    needs(this, 'shellcheck')
    expect(textOf('compose/setup').split('\n')[0]).to.equal('#!/bin/sh')
    const planted = await run('shellcheck', ['-'], {
      input: textOf('compose/setup').replace('set -eu', 'set -eu\nf() { local one=1; [[ $one ]]; }'),
    })
    expect(planted.out).to.include('SC3010')
    // Flags that only GNU's tools, or only the others, know.
    expect(textOf('compose/setup')).to.not.match(/sed -i|readlink -f|stat -[cf]|date -d|grep -P|mktemp --|base64 -w|cp --|mv -T|sort -V/)
  })

  it('yamllint finds nothing, and finds what is planted', async function () {
    needs(this, 'yamllint')
    // cloud-init wants "#cloud-config" without a space, and lines of a script are as long as they are.
    const rules = '{extends: default, rules: {line-length: {max: 180}, comments: {require-starting-space: false}, document-start: disable}}'
    expect(yamlFiles).to.have.members(['compose/docker-compose.yml', 'vm/cloud-init.yaml'])
    for (const file of yamlFiles) {
      const clean = await run('yamllint', ['-s', '-d', rules, join(deploy, file)])
      expect(clean.out).to.equal('')
      const planted = await run('yamllint', ['-s', '-d', rules, '-'], { input: `${textOf(file)}one: 1\none: 2\n` })
      expect(planted.out, file).to.include('duplication of key "one"')
    }
  })

  it('every script may be executed', () => {
    for (const file of shellFiles) expect(statSync(join(deploy, file)).mode & 0o111, relative(deploy, file)).to.equal(0o111)
  })
})
