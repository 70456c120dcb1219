import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { Alert } from '../../../domain/ports/alert-channel.ts'
import { webhookChannel } from '../../../infra/alerts/webhook.ts'

const halted: Alert = {
  ...{ id: 'halt-4.0', severity: 'error', title: 'Trading is halted', text: 'SPY <20% & falling>', next: 'ibt publish resume' },
  ...{ at: '2026-11-20T21:00:00.000Z', position: 4 },
}
const missing: Alert = { ...halted, id: 'signal-x', severity: 'warning', title: 'No signal of x', position: null }

describe('alerts to a chat', () => {
  let server: Server
  let heard: { method: string; type: string; body: unknown }[]
  let answer: { status: number; body: string; headers?: Record<string, string> } | undefined
  let url: string
  beforeEach(async () => {
    heard = []
    answer = { status: 200, body: 'ok' }
    server = createServer((request, response) => {
      let text = ''
      request.on('data', (part) => {
        text += part
      })
      request.on('end', () => {
        heard.push({ method: request.method!, type: request.headers['content-type']!, body: JSON.parse(text) })
        if (answer === undefined) request.socket.destroy()
        else response.writeHead(answer.status, answer.headers).end(answer.body)
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/T0/B0/secret`
  })
  afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const problemOf = (alerts: readonly Alert[]): Promise<string> =>
    webhookChannel(url, 'paper')
      .send(alerts)
      .then(
        () => 'sent',
        (error: Error) => error.message,
      )

  it('is one message for all of them, in the shape of Slack, the worst one first', async () => {
    await webhookChannel(url, 'paper').send([missing, halted])
    expect(heard).to.deep.equal([
      {
        method: 'POST',
        type: 'application/json',
        body: {
          text: 'ib-trading paper: Trading is halted (and 1 more)',
          blocks: [
            {
              type: 'section',
              text: {
                type: 'mrkdwn',
                text: '*Warning: No signal of x*\nSPY &lt;20% &amp; falling&gt;\nWhat to do: ibt publish resume\n2026-11-20T21:00:00.000Z',
              },
            },
            {
              type: 'section',
              text: {
                type: 'mrkdwn',
                text: '*ERROR: Trading is halted*\nSPY &lt;20% &amp; falling&gt;\nWhat to do: ibt publish resume\n2026-11-20T21:00:00.000Z, position 4 of the journal',
              },
            },
          ],
        },
      },
    ])
  })

  it('cuts what a chat would not take', async () => {
    await webhookChannel(url, 'paper').send([{ ...halted, text: 'x'.repeat(10_000) }])
    const { blocks } = heard[0]!.body as { blocks: { text: { text: string } }[] }
    expect(blocks[0]!.text.text).to.have.length(2_901)
  })

  it('fails, with what the chat said and never with its address', async () => {
    answer = { status: 403, body: 'invalid_token' }
    expect(await problemOf([halted])).to.equal('it answered 403: invalid_token')
    answer = undefined
    expect(await problemOf([halted])).to.equal('it cannot be reached')
    answer = { status: 302, body: '', headers: { location: 'http://127.0.0.1:1/elsewhere' } }
    expect(await problemOf([halted])).to.equal('it cannot be reached')
  })
})
