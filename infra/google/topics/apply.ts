/** Carries out a plan. What cannot be done is named and does not keep the rest from being done. */
import type { Action, Change } from './plan.ts'
import type { Resource, Resources } from './resources.ts'

export type Applied = { created: number; changed: number; deleted: number; left: number; failures: string[] }

/** Google's clients add every attempt to their message; the first line says it. */
export const problemOf = (error: unknown): string => {
  const { message, details } = error as { message?: string; details?: string }
  return ((details || message) ?? String(error)).split(/\s*: Previous errors|\n/)[0]!.trim()
}

const nameOf = ({ kind, name }: Resource): string => `${kind} ${name}`

/** The topics without which it cannot be made. */
const topicsOf = (resource: Resource): (string | null)[] => {
  if (resource.kind === 'subscription') return [resource.fields.topic, resource.fields.deadLetterTopic]
  return resource.kind === 'job' ? [resource.fields.target.replace(/^topic /, '')] : []
}

const fieldsOf = (changes: readonly Change[]): string[] => changes.map(({ field }) => field)

/** @param say one line as soon as something is done, left or failed */
export const apply = async (
  actions: readonly Action[],
  resources: Pick<Resources, 'create' | 'change' | 'remove'>,
  { prune, say }: { prune: boolean; say: (line: string) => void },
): Promise<Applied> => {
  const applied: Applied = { created: 0, changed: 0, deleted: 0, left: 0, failures: [] }
  const missing = new Set<string>()
  const stillRead = new Set<string>()

  const fail = (resource: Resource, problem: string): void => {
    applied.failures.push(`${nameOf(resource)}: ${problem}`)
    say(`failed: ${nameOf(resource)}: ${problem}`)
  }
  const attempt = async (resource: Resource, what: 'created' | 'changed' | 'deleted', work: () => Promise<void>): Promise<void> => {
    try {
      await work()
      applied[what]++
      say(`${what}: ${nameOf(resource)}`)
    } catch (error) {
      if (resource.kind === 'topic' && what === 'created') missing.add(resource.name)
      if (resource.kind === 'subscription' && what === 'deleted') stillRead.add(resource.fields.topic)
      fail(resource, problemOf(error))
    }
  }

  for (const step of actions) {
    const { resource } = step
    if (step.action === 'cannotChange') {
      fail(resource, `${fieldsOf(step.changes).join(', ')} cannot be changed in place: ${step.why}`)
    } else if (step.action === 'extra') {
      if (prune && stillRead.has(resource.name)) fail(resource, 'its subscription could not be deleted')
      else if (prune && step.kept === undefined) await attempt(resource, 'deleted', () => resources.remove(resource))
      else {
        applied.left++
        say(`left: ${nameOf(resource)} is not in topics.yaml; ${step.kept ?? 'deleted only with --prune'}`)
      }
    } else {
      const topic = topicsOf(resource).find((name) => name !== null && missing.has(name))
      if (topic !== undefined) fail(resource, `its topic ${topic} could not be created`)
      else if (step.action === 'create') await attempt(resource, 'created', () => resources.create(resource))
      else await attempt(resource, 'changed', () => resources.change(resource, fieldsOf(step.changes)))
    }
  }
  return applied
}
