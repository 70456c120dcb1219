import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { errors, exportSPKI, importJWK, jwtVerify, UnsecuredJWT } from 'jose'
import { isRefusal } from '../../../domain/errors.ts'
import { createIdentity, googleIssuer, type Identity } from '../../../infra/http/identity.ts'
import { KeysUnavailable, keysFrom } from '../../../infra/http/keys.ts'
import { beginIssuer, inSeconds, type Signer, signerWith, tokenOf } from './issuer.ts'

const audience = 'https://trading.example.org'
type Claims = Record<string, unknown>

describe('who a token names', function () {
  this.timeout(180_000)
  const folder = mkdtempSync(join(tmpdir(), 'ibt-keys-'))
  const keyFile = join(folder, 'keys.json')
  let google: Awaited<ReturnType<typeof beginIssuer>>
  let googleSigner: Signer
  let rsa: Signer
  let curve: Signer
  let edwards: Signer
  let identity: Identity

  const showKeys = (...signers: Signer[]) => writeFileSync(keyFile, JSON.stringify({ keys: signers.map(({ publicJwk }) => publicJwk) }))
  const settings = {
    audience: [audience, 'another'],
    google: { 'anna@example.org': 'admin', 'schedule@project.iam.gserviceaccount.com': 'trader' },
    own: { issuer: 'https://issuer.example.org', keys: keyFile, roleClaim: 'role' },
  } as const
  const ask = async (token: string | undefined): Promise<unknown> => {
    const caller = await identity.identify(token === undefined ? undefined : `Bearer ${token}`)
    if (isRefusal(caller)) return caller.refusal
    const { until: _, ...others } = caller
    return others
  }
  const own = (claims: Claims = {}, signer: Signer = rsa) =>
    tokenOf(signer, { iss: settings.own.issuer, aud: audience, sub: 'robot-7', exp: inSeconds(300), role: 'trader', ...claims })
  const googles = (claims: Claims = {}, signer: Signer = googleSigner) =>
    tokenOf(signer, {
      ...{ iss: googleIssuer, aud: audience, sub: '1094', exp: inSeconds(300), email: 'Anna@example.org', email_verified: true },
      ...claims,
    })

  before(async () => {
    ;[googleSigner, rsa, curve, edwards] = await Promise.all([
      signerWith('g1', 'RS256'),
      signerWith('r1', 'RS256'),
      signerWith('c1', 'ES256'),
      signerWith('e1', 'EdDSA'),
    ])
    google = await beginIssuer([googleSigner])
    showKeys(rsa, curve, edwards)
    identity = createIdentity(settings, { google: google.address })
  })
  after(async () => {
    await google.end()
    rmSync(folder, { recursive: true })
  })

  it('takes an ID token of Google for those on the list, whatever the case of the address', async () => {
    expect(await ask(await googles())).to.deep.equal({ actor: 'anna@example.org', role: 'admin' })
    expect(await ask(await googles({ iss: 'accounts.google.com', email: 'schedule@project.iam.gserviceaccount.com' }))).to.deep.equal({
      actor: 'schedule@project.iam.gserviceaccount.com',
      role: 'trader',
    })
  })

  it('knows nobody who is not on the list, or whose address Google has not verified', async () => {
    for (const claims of [{ email: 'eve@example.org' }, { email_verified: false }, { email: undefined }, { email: '__proto__' }])
      expect(await ask(await googles(claims))).to.equal('CALLER_UNKNOWN')
  })

  it('takes tokens of the own issuer, signed in each of the three ways', async () => {
    for (const signer of [rsa, curve, edwards]) expect(await ask(await own({}, signer))).to.deep.equal({ actor: 'robot-7', role: 'trader' })
    expect(await ask(await own({ aud: ['somebody', 'another'] }))).to.deep.include({ role: 'trader' })
  })

  it('names a caller of the own issuer by an address only where that is verified', async () => {
    expect(await ask(await own({ email: 'anna@example.org' }))).to.deep.include({ actor: 'robot-7' })
    expect(await ask(await own({ email: 'bert@example.org', email_verified: true }))).to.deep.include({ actor: 'bert@example.org' })
  })

  it('takes the highest of several roles, along a path of claims or by a name with dots in it', async () => {
    const roleAt = async (roleClaim: string, claims: Claims) => {
      const caller = await createIdentity({ ...settings, own: { ...settings.own, roleClaim } }, { google: google.address }).identify(
        `Bearer ${await own({ role: undefined, ...claims })}`,
      )
      return isRefusal(caller) ? caller.refusal : caller.role
    }
    expect(await roleAt('realm_access.roles', { realm_access: { roles: ['viewer', 'offline', 'admin', 'trader'] } })).to.equal('admin')
    expect(await roleAt('https://example.org/role', { 'https://example.org/role': 'viewer' })).to.equal('viewer')
    expect(await roleAt('role', { role: 'root' })).to.equal('CALLER_UNKNOWN')
    expect(await roleAt('role', {})).to.equal('CALLER_UNKNOWN')
    expect(await roleAt('constructor.name', {})).to.equal('CALLER_UNKNOWN')
  })

  const refused: [what: string, code: string, token: () => Promise<string | undefined> | string][] = [
    ['no token', 'TOKEN_MISSING', async () => undefined],
    ['what is no token', 'TOKEN_MALFORMED', () => 'abc'],
    ['three parts of nonsense', 'TOKEN_MALFORMED', () => 'a.b.c'],
    ['one that expired, beyond the skew of clocks', 'TOKEN_EXPIRED', () => own({ exp: inSeconds(-90) })],
    ['one that never expires', 'TOKEN_INCOMPLETE', () => own({ exp: undefined })],
    ['one of nobody', 'TOKEN_INCOMPLETE', () => own({ sub: undefined })],
    ['one of tomorrow', 'TOKEN_NOT_YET_VALID', () => own({ nbf: inSeconds(90) })],
    ['one for somebody else', 'TOKEN_AUDIENCE', () => own({ aud: 'https://other.example.org' })],
    ['one for nobody in particular', 'TOKEN_INCOMPLETE', () => own({ aud: undefined })],
    ['one of another issuer', 'TOKEN_ISSUER', () => own({ iss: 'https://evil.example.org' })],
    ['one of no issuer', 'TOKEN_ISSUER', () => own({ iss: undefined })],
    ["one of Google's signed with the own issuer's key", 'TOKEN_KEY_UNKNOWN', () => googles({}, rsa)],
    ["one of the own issuer signed with Google's key", 'TOKEN_KEY_UNKNOWN', () => own({}, googleSigner)],
  ]
  for (const [what, code, token] of refused)
    it(`refuses ${what} as ${code}`, async () => {
      expect(await ask(await token())).to.equal(code)
    })

  it('says until when, which is as long as the token would be taken', async () => {
    const exp = inSeconds(300)
    for (const token of [await own({ exp }), await googles({ exp })])
      expect(await identity.identify(`Bearer ${token}`)).to.deep.include({ until: (exp + 60) * 1_000 })
  })

  it('bears with clocks that differ by less than a minute', async () => {
    expect(await ask(await own({ exp: inSeconds(-30) }))).to.deep.include({ role: 'trader' })
    expect(await ask(await own({ nbf: inSeconds(30) }))).to.deep.include({ role: 'trader' })
  })

  it('refuses a forged signature, changed claims, and a key that has only the name of a known one', async () => {
    const [header, claims, signature] = (await own()).split('.')
    const other = { iss: settings.own.issuer, aud: audience, sub: 'robot-7', exp: inSeconds(300), role: 'admin' }
    const promoted = Buffer.from(JSON.stringify(other)).toString('base64url')
    expect(await ask(`${header}.${promoted}.${signature}`)).to.equal('TOKEN_SIGNATURE')
    expect(await ask(`${header}.${claims}.${signature!.slice(0, -6)}AAAAAA`)).to.equal('TOKEN_SIGNATURE')
    const impostor = await signerWith(rsa.kid, 'RS256')
    expect(await ask(await own({}, impostor))).to.equal('TOKEN_SIGNATURE')
  })

  it('refuses a token that is not signed, and one that is signed with the public key as if it were a secret', async () => {
    const claims = { iss: settings.own.issuer, aud: audience, sub: 'robot-7', exp: inSeconds(300), role: 'admin' }
    expect(await ask(new UnsecuredJWT(claims).encode())).to.equal('TOKEN_ALGORITHM')
    const secret = await exportSPKI((await importJWK(rsa.publicJwk, 'RS256', { extractable: true })) as never)
    for (const key of [secret, secret.trim(), JSON.stringify(rsa.publicJwk)]) {
      const signed = [{ alg: 'HS256', kid: rsa.kid }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.')
      expect(await ask(`${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`)).to.equal('TOKEN_ALGORITHM')
    }
  })

  it('says nothing of the token or of the list in what it refuses', async () => {
    const tokens = [await own({ exp: inSeconds(-900), sub: 'somebody-secret' }), await googles({ email: 'eve@example.org' })]
    for (const token of tokens) {
      const refusal = await identity.identify(`Bearer ${token}`)
      expect(JSON.stringify(refusal)).to.not.match(/eve|anna|somebody-secret|eyJ/)
    }
  })

  it('reads the header as it is written everywhere, and no other scheme', async () => {
    const token = await own()
    for (const header of [`Bearer ${token}`, `bearer   ${token}`, ` BEARER ${token} `])
      expect(await identity.identify(header)).to.deep.include({ role: 'trader' })
    for (const header of [token, `Basic ${token}`, `Bearer ${token} ${token}`, ''])
      expect(await identity.identify(header)).to.deep.include({ refusal: 'TOKEN_MISSING' })
  })

  it("asks for Google's keys once, and not again for each unknown key", async () => {
    const asked = google.asked()
    const strange = await signerWith('g9', 'RS256')
    for (let times = 0; times < 5; times++) expect(await ask(await googles({}, strange))).to.equal('TOKEN_KEY_UNKNOWN')
    expect(await ask(await googles())).to.deep.include({ role: 'admin' })
    expect(google.asked()).to.equal(asked)
  })

  it('reads the file of keys again when it has changed, and says when it is broken', async () => {
    const fresh = await signerWith('r2', 'RS256')
    const touched = (seconds: number) => utimesSync(keyFile, seconds, seconds)
    expect(await ask(await own({}, fresh))).to.equal('TOKEN_KEY_UNKNOWN')
    showKeys(fresh)
    touched(1_000)
    expect(await ask(await own({}, fresh))).to.deep.include({ role: 'trader' })
    expect(await ask(await own())).to.equal('TOKEN_KEY_UNKNOWN')
    writeFileSync(keyFile, '{"keys"')
    touched(2_000)
    expect(await ask(await own({}, fresh))).to.equal('KEYS_UNAVAILABLE')
    showKeys(rsa, curve, edwards)
    touched(3_000)
    expect(await ask(await own())).to.deep.include({ role: 'trader' })
  })

  it('does not begin with a file of keys that is none', () => {
    const at = (keys: string) => () => createIdentity({ ...settings, own: { ...settings.own, keys } })
    expect(at(join(folder, 'nowhere.json'))).to.throw(KeysUnavailable, /nowhere\.json holds no key set/)
  })

  it('cannot tell while the keys cannot be had, and can again when they are there', async () => {
    const issuer = await beginIssuer([googleSigner])
    const away = createIdentity({ audience: [audience], google: settings.google }, { google: issuer.address })
    const header = `Bearer ${await googles()}`
    for (const answer of [500, { no: 'keys' }]) {
      issuer.say(answer)
      expect(await away.identify(header)).to.deep.include({ refusal: 'KEYS_UNAVAILABLE' })
    }
    issuer.say({ keys: [googleSigner.publicJwk] })
    expect(await away.identify(header)).to.deep.include({ role: 'admin' })
    await issuer.end()
  })

  it('goes on with the last keys that it knows while the issuer is away, or nobody could halt', async () => {
    const issuer = await beginIssuer([googleSigner])
    const keys = keysFrom(issuer.address, 0)
    const verified = async (signer: Signer) => (await jwtVerify(await googles({}, signer), keys)).payload.sub
    expect([await verified(googleSigner), await verified(googleSigner), issuer.asked()]).to.deep.equal(['1094', '1094', 2])
    await issuer.end()
    expect(await verified(googleSigner)).to.equal('1094')
    const failed = await verified(await signerWith('g9', 'RS256')).catch((error: Error) => error)
    expect(failed).to.be.instanceOf(errors.JWKSNoMatchingKey)
  })
})
