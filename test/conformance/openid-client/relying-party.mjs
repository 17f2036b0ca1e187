// A relying party made of openid-client and jose, driven by node_test.go: the first line of standard input says what it is,
// each line that it writes asks for what only a person's browser can do, and the next line it reads is what became of that.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import * as client from 'openid-client'
import * as jose from 'jose'

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const read = async () => JSON.parse((await lines.next()).value)
const browser = async (request) => {
  process.stdout.write(`${JSON.stringify(request)}\n`)
  return read()
}

const party = await read()
const issuer = new URL(party.issuer)

const discover = (authentication, metadata = {}) =>
  client.discovery(issuer, party.clientID, metadata, authentication ?? client.ClientSecretBasic(party.clientSecret))

// request makes the parameters of an authorization request, and what the answer is checked with.
async function request(more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier()
  const expectedState = client.randomState()
  const expectedNonce = client.randomNonce()
  return {
    checks: { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true },
    parameters: {
      redirect_uri: party.redirectURI,
      scope: 'openid profile email offline_access',
      prompt: 'consent',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...more,
    },
  }
}

async function login(config, more, options) {
  const { parameters, checks } = await request(more)
  const { callback } = await browser({ open: client.buildAuthorizationUrl(config, parameters).href })
  return client.authorizationCodeGrant(config, new URL(callback), checks, tokenParameters(more), options)
}

const tokenParameters = (more) => (more?.resource ? { resource: more.resource } : undefined)

async function verifyAccessToken(config, token, audience) {
  const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri))
  const { payload } = await jose.jwtVerify(token, keys, {
    issuer: party.issuer, audience, typ: 'at+jwt', requiredClaims: ['iss', 'exp', 'aud', 'sub', 'client_id', 'iat', 'jti'],
  })
  assert.equal(payload.client_id, party.clientID)
  return payload
}

const scenarios = {
  async 'code, refresh, introspection, revocation, end session'() {
    const config = await discover()
    assert.equal(config.serverMetadata().supportsPKCE(), true)
    const tokens = await login(config)
    const { sub } = tokens.claims()
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, sub)).email, party.email)
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true)

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
    await client.fetchUserInfo(config, refreshed.access_token, sub)
    await client.tokenRevocation(config, refreshed.refresh_token ?? tokens.refresh_token)
    assert.equal((await client.tokenIntrospection(config, refreshed.access_token)).active, false)
    await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' })

    const state = client.randomState()
    const end = client.buildEndSessionUrl(config, {
      id_token_hint: tokens.id_token, post_logout_redirect_uri: party.postLogoutRedirectURI, state,
    })
    const { callback } = await browser({ leave: end.href })
    assert.equal(callback, `${party.postLogoutRedirectURI}?state=${state}`)
  },

  async 'form_post'() {
    const config = await discover(client.ClientSecretPost(party.clientSecret))
    const { parameters, checks } = await request({ response_mode: 'form_post' })
    const { callback, posted } = await browser({ open: client.buildAuthorizationUrl(config, parameters).href })
    assert.equal(callback, party.redirectURI)
    const answer = new Request(callback, {
      method: 'POST', body: posted, headers: { 'content-type': 'application/x-www-form-urlencoded' },
    })
    const tokens = await client.authorizationCodeGrant(config, answer, checks)
    await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)
  },

  async 'max_age and an error'() {
    const config = await discover()
    const { parameters, checks } = await request({ max_age: '3600' })
    const { callback } = await browser({ open: client.buildAuthorizationUrl(config, parameters).href })
    await client.authorizationCodeGrant(config, new URL(callback), { ...checks, maxAge: 3600 })

    const failing = await request({ prompt: 'none', max_age: '0' })
    const refused = await browser({ open: client.buildAuthorizationUrl(config, failing.parameters).href })
    await assert.rejects(client.authorizationCodeGrant(config, new URL(refused.callback), failing.checks), { error: 'login_required' })
  },

  async 'PAR'() {
    const config = await discover()
    const { parameters, checks } = await request()
    const target = await client.buildAuthorizationUrlWithPAR(config, parameters)
    assert.deepEqual([...target.searchParams.keys()].sort(), ['client_id', 'request_uri'])
    const { callback } = await browser({ open: target.href })
    await client.authorizationCodeGrant(config, new URL(callback), checks)
  },

  async 'DPoP'() {
    const config = await discover()
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
    const { parameters, checks } = await request()
    const target = await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP })
    const { callback } = await browser({ open: target.href })
    const tokens = await client.authorizationCodeGrant(config, new URL(callback), checks, undefined, { DPoP })
    assert.equal(tokens.token_type, 'dpop')
    const { sub } = tokens.claims()
    await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
    await client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP })
    await assert.rejects(client.fetchUserInfo(config, refreshed.access_token, sub))
  },

  async 'private_key_jwt'() {
    const key = await jose.importJWK(party.privateKey, party.privateKey.alg)
    const config = await discover(client.PrivateKeyJwt({ key, kid: party.privateKey.kid }))
    const tokens = await login(config)
    await client.refreshTokenGrant(config, tokens.refresh_token)
    await client.clientCredentialsGrant(config, { scope: 'read' })
    await client.tokenRevocation(config, tokens.access_token)
  },

  async 'client_credentials, JWT access token'() {
    const config = await discover()
    const tokens = await client.clientCredentialsGrant(config, { scope: 'read', resource: party.resource })
    const payload = await verifyAccessToken(config, tokens.access_token, party.resource)
    assert.equal(payload.scope, 'read')
    assert.equal((await client.tokenIntrospection(config, tokens.access_token)).active, true)
  },

  async 'code, JWT access token'() {
    const config = await discover()
    const tokens = await login(config, { resource: party.resource })
    const payload = await verifyAccessToken(config, tokens.access_token, party.resource)
    assert.equal(payload.sub, tokens.claims().sub)
  },

  async 'device'() {
    const config = await discover(client.None())
    const begun = await client.initiateDeviceAuthorization(config, { scope: 'openid email' })
    await browser({ device: begun.verification_uri_complete ?? begun.verification_uri, userCode: begun.user_code })
    const tokens = await client.pollDeviceAuthorizationGrant(config, begun)
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).email, party.email)
  },

  async 'signed userinfo, ES256'() {
    const config = await discover(undefined, { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' })
    client.enableNonRepudiationChecks(config)
    const tokens = await login(config)
    assert.equal((await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub)).email, party.email)
  },
}

const scenario = scenarios[party.scenario]
assert.ok(scenario, `there is no scenario ${party.scenario}`)
try {
  await scenario()
} catch (error) {
  const { code, error: answer, error_description: description, cause } = error
  console.error(JSON.stringify({ code, answer, description, cause: cause?.parameters?.toString?.() ?? cause?.message ?? cause }))
  throw error
}
process.exit(0)
