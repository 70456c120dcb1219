import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { SMTPServer } from 'smtp-server'
import type { Alert } from '../../../domain/ports/alert-channel.ts'
import { mailChannel } from '../../../infra/alerts/mail.ts'

const halted: Alert = {
  ...{ id: 'halt-4.0', severity: 'error', title: 'Trading is halted', text: 'drawdown of 6 %', next: 'ibt publish resume' },
  ...{ at: '2026-11-20T21:00:00.000Z', position: 4 },
}

describe('alerts by mail', () => {
  let server: SMTPServer
  let mails: { from: string; to: string[]; text: string }[]
  let refuses: boolean
  beforeEach(async () => {
    mails = []
    refuses = false
    server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      onAuth: ({ username, password }, _, done) =>
        username === 'anna' && password === 'secret' ? done(null, { user: username }) : done(new Error(`no, not with ${password}`)),
      onRcptTo: (_, __, done) => done(refuses ? new Error('no such mailbox') : null),
      onData: (stream, session, done) => {
        let text = ''
        stream.on('data', (part) => {
          text += part
        })
        stream.on('end', () => {
          const { mailFrom, rcptTo } = session.envelope
          mails.push({ from: mailFrom === false ? '' : mailFrom.address, to: rcptTo.map(({ address }) => address), text })
          done()
        })
      },
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const channel = (password = 'secret') => {
    const { port } = server.server.address() as AddressInfo
    const settings = {
      url: `smtp://anna:${password}@127.0.0.1:${port}`,
      from: 'engine@example.org',
      to: ['anna@example.org', 'bob@example.org'],
    }
    return mailChannel(settings, 'live')
  }
  const problemOf = (sending: Promise<void>): Promise<string> =>
    sending.then(
      () => 'sent',
      (error: Error) => error.message,
    )

  it('is one mail to everybody', async () => {
    await channel().send([halted, { ...halted, id: 'halt-5.0', text: 'again' }])
    expect(mails).to.have.length(1)
    const [{ from, to, text }] = mails as [(typeof mails)[number]]
    expect([from, to]).to.deep.equal(['engine@example.org', ['anna@example.org', 'bob@example.org']])
    expect(text).to.include('Subject: ib-trading live: Trading is halted (and 1 more)')
    for (const line of ['ERROR: Trading is halted', 'drawdown of 6 %', 'again', 'What to do: ibt publish resume'])
      expect(text).to.include(line)
  })

  it('fails where the server says no or is not there, and repeats no password', async () => {
    expect(await problemOf(channel('wrong').send([halted]))).to.equal('the mail server said no (EAUTH 535)')
    refuses = true
    expect(await problemOf(channel().send([halted]))).to.match(/^the mail server said no \(EENVELOPE 5\d\d\)$/)
    const gone = mailChannel({ url: 'smtp://127.0.0.1:1', from: 'a@example.org', to: ['b@example.org'] }, 'live')
    expect(await problemOf(gone.send([halted]))).to.match(/^the mail server cannot be reached \((ESOCKET|ECONNECTION|ECONNREFUSED)\)$/)
    expect(mails).to.deep.equal([])
  })
})
