/** The files of the builds and of Cloud Run, by what Google has published of their shape; and the shell around them, by its linter. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { parse, stringify } from 'yaml'
import { type Build, buildOf, cloud, rendered, root } from './cloud-world.ts'
import { needs, run } from './images-tools.ts'
import { shapeOf } from './proto-shape.ts'

const textOf = (name: string): string => readFileSync(join(cloud, name), 'utf8')

describe('the files of Cloud Build', () => {
  const problemsOf = shapeOf('@google-cloud/cloudbuild', 'google.devtools.cloudbuild.v1.Build')
  const names = ['application', 'base']

  /** Cloud Build refuses what is used and not declared, and what is declared and not used. */
  const substitutionProblems = (text: string): string[] => {
    const { substitutions, ...rest } = parse(text) as Build
    const used = new Set([...stringify(rest, { lineWidth: 0 }).matchAll(/(?<!\$)\$\{?([A-Z_][A-Z0-9_]*)\}?/g)].map(([, name]) => name!))
    const declared = new Set(Object.keys(substitutions))
    const own = ['PROJECT_ID', 'BUILD_ID']
    return [
      ...[...used].filter((name) => !declared.has(name) && !own.includes(name)).map((name) => `${name} is not declared`),
      ...[...declared].filter((name) => !used.has(name)).map((name) => `${name} is not used`),
    ]
  }
  const given = (name: string): string[] => {
    const echoed = new RegExp(`^${name}_substitutions\\(\\) \\{\\n +echo "(.*)"$`, 'm').exec(textOf('set-up.sh'))![1]!
    return [...echoed.matchAll(/(?:^\^;\^|;)(_[A-Z0-9_]+)=/g)].map(([, each]) => each!)
  }

  for (const name of names) {
    it(`${name} fits what is published of a build`, () => {
      expect(problemsOf(buildOf(name))).to.deep.equal([])
    })
    it(`${name} with an error planted does not`, () => {
      const change = (from: RegExp, to: string): string[] => {
        const text = textOf(`${name}.cloudbuild.yaml`)
        expect(text).to.match(from)
        return problemsOf(parse(text.replace(from, to)))
      }
      expect(change(/^steps:/m, 'step:')).to.deep.equal(['step: Build has no such field'])
      expect(change(/args:/, 'arguments:')).to.deep.equal(['steps[0].arguments: BuildStep has no such field'])
      expect(change(/CLOUD_LOGGING_ONLY/, 'CLOUD_LOGS_ONLY').join()).to.contain('options.logging: "CLOUD_LOGS_ONLY"')
      expect(change(/timeout: \d+s/, 'timeout: 90m').join()).to.contain('timeout: "90m"')
      expect(change(/_GCP_REGION: us-east1/, '_GCP_REGION: {of: us-east1}').join()).to.contain('substitutions._GCP_REGION')
    })
    it(`${name} declares what it uses, and the set-up gives exactly that`, () => {
      const text = textOf(`${name}.cloudbuild.yaml`)
      expect(substitutionProblems(text)).to.deep.equal([])
      expect(given(name)).to.have.members(Object.keys(buildOf(name).substitutions))
      expect(substitutionProblems(text.replace('  _GCP_REGION: us-east1\n', '  _REGION: us-east1\n'))).to.deep.equal([
        '_GCP_REGION is not declared',
        '_REGION is not used',
      ])
    })
  }

  it('installs, tests, builds, pushes and rolls out, in this order, on the Node that the tests run on', () => {
    const { steps } = buildOf('application')
    expect(steps.map(({ id }) => id)).to.deep.equal(['install', 'test', 'image', 'push', 'roll-out'])
    const { devDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { devDependencies: { node: string } }
    for (const { name } of steps.slice(0, 2)) expect(name).to.equal(`node:${devDependencies.node}`)
  })

  it('names its tools by their version, but for the one that Cloud Build keeps up to date itself', () => {
    for (const name of names)
      for (const step of buildOf(name).steps) expect(step.name).to.match(/^gcr\.io\/cloud-builders\/docker$|:\d+\.\d+\.\d+(-slim)?$/)
  })
})

// ── Cloud Run ──

type Fields = Record<string, unknown>
type Manifest = {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: Fields; annotations: Record<string, string> }
  spec: {
    template: { metadata?: { annotations: Record<string, string> }; spec: Fields }
    traffic?: { latestRevision?: boolean; percent: number }[]
  }
}

type Variable = { name: string; value?: string; valueFrom?: { secretKeyRef: { name: string; key: string } } }

/** As the second version of the API has it, whose messages are published: the rest of the fields have the same names in both. */
const asSecondVersion = ({ kind, metadata, spec: { template, ...spec } }: Manifest): Fields => {
  const { serviceAccountName, containerConcurrency, timeoutSeconds, volumes, ...rest } = template.spec
  const secrets = (volumes as { name: string; secret: { secretName: string; items: { key: string; path: string }[] } }[] | undefined)?.map(
    ({ name, secret: { secretName, items, ...more }, ...others }) => ({
      ...{ name, ...others },
      secret: { secret: secretName, items: items.map(({ key, ...item }) => ({ version: key, ...item })), ...more },
    }),
  )
  const variable = ({ valueFrom, ...own }: Variable): Fields => {
    if (valueFrom === undefined) return own
    const { name: secret, key: version, ...more } = valueFrom.secretKeyRef
    return { ...own, valueSource: { secretKeyRef: { secret, version, ...more } } }
  }
  const containers = (rest['containers'] as { env: Variable[] }[]).map((one) => ({ ...one, env: one.env.map(variable) }))
  const annotations = { ...metadata.annotations, ...template.metadata?.annotations }
  const inner = {
    ...{ ...rest, containers, serviceAccount: serviceAccountName },
    ...(secrets === undefined ? {} : { volumes: secrets }),
    ...(containerConcurrency === undefined ? {} : { maxInstanceRequestConcurrency: containerConcurrency }),
    ...(timeoutSeconds === undefined ? {} : { timeout: `${timeoutSeconds}s` }),
  }
  const known: Record<string, (value: string) => Fields> = {
    'run.googleapis.com/launch-stage': (value) => ({ launchStage: value }),
    'run.googleapis.com/manualInstanceCount': (value) => ({ scaling: { manualInstanceCount: Number(value) } }),
    'run.googleapis.com/scalingMode': (value) => (value === 'manual' ? {} : { scalingMode: value }),
    'run.googleapis.com/ingress': (value) => ({ ingress: `INGRESS_TRAFFIC_${value.toUpperCase()}` }),
    'run.googleapis.com/custom-audiences': (value) => ({ customAudiences: JSON.parse(value) as string[] }),
    'autoscaling.knative.dev/minScale': (value) => ({ minScale: Number(value) }),
    'autoscaling.knative.dev/maxScale': (value) => ({ maxScale: Number(value) }),
  }
  const { minScale, maxScale, ...outer } = Object.assign(
    {},
    ...Object.entries(annotations).map(([name, value]) => known[name]?.(value) ?? { [name]: value }),
  ) as Fields
  const scaling = kind === 'Service' ? { scaling: { minInstanceCount: minScale, maxInstanceCount: maxScale } } : {}
  const traffic = spec.traffic?.map(({ latestRevision, ...target }) => ({
    ...(latestRevision ? { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST' } : {}),
    ...target,
  }))
  return { ...outer, ...spec, ...(traffic === undefined ? {} : { traffic }), template: { ...inner, ...scaling } }
}

describe('the manifests of Cloud Run', () => {
  const problemsOf = (text: string): string[] => {
    const manifest = parse(text) as Manifest
    return shapeOf('@google-cloud/run', `google.cloud.run.v2.${manifest.kind}`)(asSecondVersion(manifest))
  }
  const manifests = readdirSync(cloud).filter((name) => /^kind: (Service|WorkerPool)$/m.test(textOf(name)))

  it('are three', () => {
    expect(manifests).to.have.members(['api.yaml', 'engine-with-gateway.yaml', 'engine-with-simulator.yaml'])
  })

  for (const name of ['api.yaml', 'engine-with-gateway.yaml', 'engine-with-simulator.yaml']) {
    it(`${name} fits what is published of Cloud Run`, async () => {
      for (const more of [
        {},
        { ALERT_WEBHOOK: 'yes', ALERT_MAIL_TO: 'anna@example.org,ben@example.org', ALERT_MAIL_FROM: 'ib@example.org' },
      ])
        expect(problemsOf(await rendered(join(cloud, name), more))).to.deep.equal([])
    })
    it(`${name} with an error planted does not`, async () => {
      const text = await rendered(join(cloud, name))
      const change = (from: RegExp, to: string): string[] => {
        expect(text).to.match(from)
        return problemsOf(text.replace(from, to))
      }
      expect(change(/ args:/, ' arguments:').join()).to.contain('template.containers[0].arguments: Container has no such field')
      expect(change(/memory: 512Mi\}/, 'memory: {of: 512Mi}}').join()).to.contain('template.containers[0].resources.limits.memory')
      expect(change(/value: google\}/, 'valu: google}').join()).to.contain('template.containers[0].env[1].valu')
      expect(change(/serviceAccountName:/, 'serviceAccount_:').join()).to.contain('serviceAccount_')
      expect(change(/^ {4}run\.googleapis\.com\/(\w)/m, '    run.googleapis.com/x$1').join()).to.contain('has no such field')
    })
  }

  it('have one engine, whose count is set by hand, and no secret in a variable', async () => {
    for (const name of ['engine-with-gateway.yaml', 'engine-with-simulator.yaml']) {
      const { metadata, spec } = parse(await rendered(join(cloud, name))) as Manifest
      expect(metadata.annotations).to.include({
        'run.googleapis.com/scalingMode': 'manual',
        'run.googleapis.com/manualInstanceCount': '1',
      })
      const containers = spec.template.spec['containers'] as {
        name: string
        env: { name: string; value: string }[]
        volumeMounts?: unknown
      }[]
      for (const { env } of containers) expect(env.filter(({ name: each }) => /^IB_(USER|USERNAME|PASSWORD)$/.test(each))).to.deep.equal([])
      expect(containers.filter(({ volumeMounts }) => volumeMounts !== undefined).map((each) => each.name)).to.deep.equal(
        name === 'engine-with-gateway.yaml' ? ['gateway'] : [],
      )
    }
  })

  it('name a variable that is not set instead of leaving its place empty', async () => {
    const problem = await rendered(join(cloud, 'api.yaml'), { API_EMAIL: undefined }).catch((error: Error) => error.message)
    expect(problem).to.match(/api\.yaml: the variable API_EMAIL is not set/)
  })
})

describe('shell and YAML of infra/deploy/cloud', () => {
  const scripts = readdirSync(cloud).filter((name) => name.endsWith('.sh'))

  it('passes shellcheck, which would find a planted error', async function () {
    this.timeout(180_000)
    needs(this, 'shellcheck')
    const ours = scripts.map((name) => join(cloud, name))
    const { code, out } = await run(
      'shellcheck',
      ['--external-sources', `--source-path=${cloud}`, ...ours, join(cloud, '../deployment_vars.sh')],
      { withinMs: 50_000 },
    )
    expect(code, out).to.equal(0)
    const planted = textOf('roll-out.sh').replace('rm -rf "$workplace"', 'rm -rf $workplace')
    const found = await run('shellcheck', ['--external-sources', `--source-path=${cloud}`, '-'], { input: planted })
    expect([found.code, found.out.includes('SC2086')]).to.deep.equal([1, true])
  })

  it('so do the scripts beside it that begin with the same', async function () {
    this.timeout(180_000)
    needs(this, 'shellcheck')
    const beside = ['archive/set-up.sh', 'observability/apply.sh'].map((name) => join(cloud, '..', name))
    for (const file of beside) expect(readFileSync(file, 'utf8')).to.contain('cloud/begin.sh')
    const { code, out } = await run('shellcheck', ['--external-sources', `--source-path=${cloud}`, ...beside], { withinMs: 50_000 })
    expect(code, out).to.equal(0)
  })

  it('passes yamllint, which would find a planted error', async function () {
    needs(this, 'yamllint')
    const rules = 'extends: relaxed\nrules: {line-length: disable}'
    const files = readdirSync(cloud).filter((name) => name.endsWith('.yaml'))
    const { code, out } = await run('yamllint', ['--strict', '-d', rules, ...files.map((name) => join(cloud, name))])
    expect(code, out).to.equal(0)
    const found = await run('yamllint', ['--strict', '-d', rules, '-'], { input: `${textOf('api.yaml')}kind: Service\n` })
    expect([found.code === 0, found.out.includes('key-duplicates')]).to.deep.equal([false, true])
  })
})
