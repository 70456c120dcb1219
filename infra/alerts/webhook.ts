/** Alerts as a chat takes them: JSON in the shape of Slack's incoming webhooks, which others understand too. */
import type { Alert, AlertChannel } from '../../domain/ports/alert-channel.ts'
import { linesOf, subjectOf } from './words.ts'

const patienceMs = 10_000
/** Slack refuses a longer text in one block. */
const longestBlock = 2_900

/** Slack reads these three as its own signs. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
const shortened = (text: string): string => (text.length <= longestBlock ? text : `${text.slice(0, longestBlock)}…`)

export const slackMessage = (mode: string, alerts: readonly Alert[]) => ({
  text: escaped(subjectOf(mode, alerts)),
  blocks: alerts.map((alert) => {
    const [title, ...rest] = linesOf(alert).map(escaped)
    return { type: 'section', text: { type: 'mrkdwn', text: shortened([`*${title}*`, ...rest].join('\n')) } }
  }),
})

/** @param url holds the secret of the chat: it is never in a message of ours */
export const webhookChannel = (url: string, mode: string): AlertChannel => ({
  name: 'webhook',
  send: async (alerts) => {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(slackMessage(mode, alerts)),
      redirect: 'error',
      signal: AbortSignal.timeout(patienceMs),
    }).catch((error: Error) => {
      throw new Error(error.name === 'TimeoutError' ? `no answer within ${patienceMs / 1_000} s` : 'it cannot be reached')
    })
    if (!answer.ok) throw new Error(`it answered ${answer.status}: ${(await answer.text()).slice(0, 200)}`)
    await answer.body?.cancel()
  },
})
