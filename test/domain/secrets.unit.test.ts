import { expect } from 'chai'
import fc from 'fast-check'
import { hidden, isSecretName, valueWithoutSecrets, withoutSecrets } from '../../domain/secrets.ts'

describe('what must not be written down', () => {
  const texts: [what: string, text: string, becomes: string][] = [
    ['the password in an address', 'smtp://anna:s3cr%40t@mail.example.org:587/ failed', 'smtp://***@mail.example.org:587/ failed'],
    ['a password with an @ in it', 'smtps://robot:a@b@mail.example.org', 'smtps://***@mail.example.org'],
    ['a webhook of Slack', 'POST https://hooks.slack.com/services/T01/B02/abcDEF gave 404', 'POST https://hooks.slack.com/*** gave 404'],
    ['a webhook of Discord', 'to https://discord.com/api/webhooks/12/abc-def ', 'to https://discord.com/api/webhooks/*** '],
    ['a webhook of a server of one’s own', 'https://chat.example.org/hooks/a1b2c3', 'https://chat.example.org/hooks/***'],
    [
      'a signed address',
      'https://storage.googleapis.com/b/o?X-Goog-Signature=abc&x=1',
      'https://storage.googleapis.com/b/o?X-Goog-Signature=***&x=1',
    ],
    ['a token as a parameter', '/events?access_token=abc.def&from=3', '/events?access_token=***&from=3'],
    ['a key as a parameter', 'https://api.example.org/v1?key=abc', 'https://api.example.org/v1?key=***'],
    ['a header', 'authorization: Bearer abcdefgh.x', 'authorization: Bearer ***'],
    ['a header with a password', 'Authorization: Basic YW5uYTpzM2NyM3Q=', 'Authorization: Basic ***'],
    ['a token', 'got eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln instead', 'got *** instead'],
    ['a token that is not signed', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.', '***'],
    ['a private key', 'a -----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- b', 'a *** b'],
    ['an access token of Google', 'Bearer ya29.a0AfH6SMB_x-y', 'Bearer ***'],
    ['a token of Slack', 'xoxb-12-34-abc is revoked', '*** is revoked'],
  ]
  for (const [what, text, becomes] of texts) it(`hides ${what}`, () => expect(withoutSecrets(text)).to.equal(becomes))

  it('leaves alone what is none', () => {
    for (const text of [
      'https://www.googleapis.com/oauth2/v3/certs does not give the keys',
      'the key of the order is 12; monkey=3 is no setting',
      'anna@example.org published halt at 12:30:00@NYSE',
      'ORD1a2b3c.0f3a5c7e9b1d.0 was reported as cancelled',
      '0000e0d5.674a1b2c.01.01',
      'paper.sqlite: disk I/O error (code=10)',
      'http://127.0.0.1:8080/commands/http-1',
    ])
      expect(withoutSecrets(text)).to.equal(text)
  })

  it('hides what is known to be secret wherever it stands', () => {
    expect(withoutSecrets('could not reach https://post.example.org/x/8fj2', ['https://post.example.org/x/8fj2'])).to.equal(
      'could not reach ***',
    )
  })

  it('says the same of a text that it has been through already', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...texts.map(([, text]) => text), 'order ', '?token=', 'https://', '@', ':')), (parts) => {
        const once = withoutSecrets(parts.join(' '))
        expect(withoutSecrets(once)).to.equal(once)
      }),
    )
  })

  it('takes no time over a text that is made to take it', () => {
    const began = performance.now()
    for (const text of [
      'https://'.repeat(8_000),
      `a:${'b:'.repeat(30_000)}`,
      'x-'.repeat(30_000),
      `eyJ${'a.'.repeat(30_000)}`,
      '-----BEGIN '.repeat(6_000),
    ])
      withoutSecrets(text)
    expect(performance.now() - began).to.be.below(2_000)
  })

  it('knows a secret by its name', () => {
    for (const name of [
      'authorization',
      'Authorization',
      'cookie',
      'password',
      'accessToken',
      'id_token',
      'SMTP_URL',
      'ALERT_WEBHOOK_URL',
      'X-Api-Key',
      'clientSecret',
    ])
      expect(isSecretName(name), name).to.equal(true)
    for (const name of [
      'key',
      'tokenised',
      'author',
      'passed',
      'actor',
      'AUTH_JWKS',
      'AUTH_ISSUER',
      'position',
      'url',
      'orderRef',
      'IB_ACCOUNT',
    ])
      expect(isSecretName(name), name).to.equal(false)
  })

  it('goes through all of a value, and leaves numbers and times as they are', () => {
    const at = new Date(0)
    expect(
      valueWithoutSecrets({ attributes: { authorization: 'abc', type: 'halt' }, list: ['Bearer abcdefgh', 1, null], password: '', at }),
    ).to.deep.equal({ attributes: { authorization: hidden, type: 'halt' }, list: ['Bearer ***', 1, null], password: hidden, at })
  })

  it('ends with what refers to itself', () => {
    const round: Record<string, unknown> = {}
    round['round'] = round
    expect(JSON.stringify(valueWithoutSecrets(round))).to.contain(hidden)
  })
})
