/** The ways to people that the environment names. */
import type { AlertChannel } from '../../domain/ports/alert-channel.ts'
import { type MailSettings, mailChannel } from './mail.ts'
import { webhookChannel } from './webhook.ts'

export type AlertSettings = { webhook?: string; mail?: MailSettings }

export const alertChannels = ({ webhook, mail }: AlertSettings, mode: string): AlertChannel[] => [
  ...(webhook === undefined ? [] : [webhookChannel(webhook, mode)]),
  ...(mail === undefined ? [] : [mailChannel(mail, mode)]),
]
