/** Emulators forget everything at their end: topics and subscriptions are made anew at the start of a process. */
import type { PubSub } from '@google-cloud/pubsub'
import type { Topics } from '../../../domain/topics.ts'
import { plan } from './plan.ts'
import { pubsubResources } from './pubsub.ts'
import type { Resource } from './resources.ts'
import { wanted } from './wanted.ts'

const alreadyExists = 6

/**
 * Creates what is missing of the topics and subscriptions of topics.yaml, and changes nothing that is there; jobs are not touched.
 * Several processes may do this at once. @throws the error of Google's client
 */
export const ensureTopics = async ({
  pubsub,
  topics,
  mode,
  project,
}: {
  pubsub: PubSub
  topics: Topics
  mode: string
  project: string
}): Promise<void> => {
  const resources = pubsubResources({ pubsub, project, mode })
  const actions = plan(wanted(topics, { mode, emulated: pubsub.isEmulator }), await resources.find())
  const create = (kind: Resource['kind']) =>
    Promise.all(
      actions.map(async ({ action, resource }) => {
        if (action !== 'create' || resource.kind !== kind) return
        await resources.create(resource).catch((error: Error & { code?: number }) => {
          if (error.code !== alreadyExists) throw error
        })
      }),
    )
  await create('topic')
  await create('subscription')
}
