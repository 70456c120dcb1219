/** A chat that listens on this machine, and a notifier that follows a rig and tells it what a person has to know. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Topics } from '../../domain/topics.ts'
import { webhookChannel } from '../../infra/alerts/webhook.ts'
import { createNotifier } from '../../projections/notifier.ts'
import { until } from '../contract/until.ts'
import { silent } from '../projections/relay-in-hand.ts'
import type { Rig } from '../rig.ts'

export type Chat = {
  /** Each alert as the lines that people read, in the order in which they came. */
  heard: string[][]
  titles(): string[]
  stop(): Promise<void>
}

/** Begins to follow at the head of the rig's journal. @param topics what should run is missed by them */
export const openChat = async ({ composed: { journal, documents, bus }, clock }: Rig, topics: Topics): Promise<Chat> => {
  const heard: string[][] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part) => {
      body += part
    })
    request.on('end', () => {
      const { blocks } = JSON.parse(body) as { blocks: { text: { text: string } }[] }
      heard.push(...blocks.map(({ text }) => text.text.split('\n')))
      response.end('ok')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const channels = [webhookChannel(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, 'paper')]
  const notifier = createNotifier({ journal, documents, bus, topics, log: silent, clock, channels })
  await notifier.start()
  await until('it has looked around', async () => (await documents.checkpoint('alerts')) !== undefined)
  return {
    heard,
    titles: () => heard.map(([title]) => title!),
    stop: async () => {
      await notifier.stop()
      await new Promise<void>((resolve) => void server.close(() => resolve()))
    },
  }
}
