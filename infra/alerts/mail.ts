/** Alerts as a mail, over any SMTP server. */
import { createTransport } from 'nodemailer'
import type { AlertChannel } from '../../domain/ports/alert-channel.ts'
import { linesOf, subjectOf } from './words.ts'

const patienceMs = 10_000

/** `url`: `smtp://user:password@host:587`, or `smtps://` where the line is encrypted from its first byte. */
export type MailSettings = { url: string; from: string; to: readonly string[] }

/** Replies of a server may repeat what it was sent: only its code goes on. */
const problemOf = ({ code, responseCode, name }: Error & { code?: string; responseCode?: number }): string =>
  responseCode === undefined
    ? `the mail server cannot be reached (${code ?? name})`
    : `the mail server said no (${[code, responseCode].filter((part) => part !== undefined).join(' ')})`

export const mailChannel = ({ url, from, to }: MailSettings, mode: string): AlertChannel => ({
  name: 'mail',
  send: async (alerts) => {
    const transport = createTransport({ url, connectionTimeout: patienceMs, greetingTimeout: patienceMs, socketTimeout: patienceMs })
    try {
      await transport.sendMail({
        ...{ from, to: [...to], subject: subjectOf(mode, alerts) },
        text: alerts.map((alert) => linesOf(alert).join('\n')).join('\n\n'),
      })
    } catch (error) {
      throw new Error(problemOf(error as Error), { cause: error })
    } finally {
      transport.close()
    }
  },
})
