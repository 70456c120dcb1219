import { Command } from 'commander'
import type { Alert } from '../../domain/ports/alert-channel.ts'
import { isoTime } from '../../domain/ports/clock.ts'
import { alertChannels } from '../alerts/channels.ts'
import { systemClock } from '../clock.ts'
import { environment } from './arguments.ts'
import { printLine } from './output.ts'
import { withData } from './reading.ts'

/** What was told, the oldest first. */
const list = (): Promise<void> =>
  withData(async ({ documents }) => {
    const told = (await documents.list('notices')).map(({ path, data }) => ({ id: path.split('/')[1]!, ...data }) as unknown as Alert)
    for (const alert of told.sort((one, other) => (one.at < other.at ? -1 : 1))) printLine(JSON.stringify(alert))
  })

/** @throws Error when there is no channel, or one of them did not take it */
const test = async (): Promise<void> => {
  const { alerts = {}, mode } = environment()
  const channels = alertChannels(alerts, mode)
  if (channels.length === 0)
    throw new Error('no channel is set: ALERT_WEBHOOK_URL, or ALERT_SMTP_URL and ALERT_MAIL_TO; alerts go to the log alone')
  const at = isoTime(systemClock.now())
  const alert: Alert = {
    ...{ id: `test-${at}`, severity: 'warning', title: 'A test: alerts come through here', text: 'nothing has happened' },
    ...{ next: 'Nothing: somebody ran ibt alerts test', at, position: null },
  }
  const results = await Promise.all(
    channels.map(async (channel) => {
      try {
        await channel.send([alert])
        return { channel: channel.name, sent: true }
      } catch (error) {
        return { channel: channel.name, sent: false, problem: (error as Error).message }
      }
    }),
  )
  for (const result of results) printLine(JSON.stringify(result))
  const failed = results.filter(({ sent }) => !sent)
  if (failed.length > 0) throw new Error(`not sent: ${failed.map(({ channel, problem }) => `${channel} (${problem})`).join(', ')}`)
}

export const alerts = (): Command => {
  const verb = new Command('alerts')
    .description(
      'What people were told: halts, breaches, doubts, runs that failed or never were, signals that went missing, a gateway that is away or back. A line of JSON each.',
    )
    .addHelpText(
      'after',
      `
Where alerts go, beside the log: ALERT_WEBHOOK_URL (JSON in the shape of Slack), ALERT_SMTP_URL with ALERT_MAIL_TO (mail).
Each is told once, with what to do next; what a channel does not take is sent again for a day.

Examples:
  $ npx ibt alerts
  $ ALERT_WEBHOOK_URL=https://hooks.slack.com/services/… npx ibt alerts test`,
    )
    .action(list)
  verb.command('list').description('The same as without a word.').action(list)
  verb.command('test').description('Send a test through every channel that is set.').action(test)
  return verb
}
