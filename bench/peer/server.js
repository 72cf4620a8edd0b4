// The OpenID provider that ours is measured beside: oidc-provider, with the same client, claims and key type.
//
// `node server.js PORT [REDIS_URL]`. Without Redis it keeps everything in its own memory, as its default adapter does.
// Codes are made through its models, since nobody is there to log in; from then on every request is a real one. Orders
// come by the line on standard input, as to every measured process, and it ends when that is closed.

import { createHash, randomBytes, generateKeyPairSync } from 'node:crypto'
import readline from 'node:readline'

import Provider from 'oidc-provider'
import Redis from 'ioredis'

const MARK = 'bench: '
const CALLBACK = 'https://portal.example/callback'
const SCOPE = 'openid profile phone'

const [port, redisUrl] = process.argv.slice(2)
const redis = redisUrl === undefined ? undefined : new Redis(redisUrl, { keyPrefix: 'peer:' })

const GROUPED = new Set(['AccessToken', 'AuthorizationCode', 'RefreshToken', 'DeviceCode'])

// The keys and commands of the adapter that oidc-provider documents.
class RedisAdapter {
  constructor (kind) {
    this.kind = kind
  }

  async upsert (id, payload, expiresIn) {
    const key = this.key(id)
    const writing = redis.multi()
    if (this.kind === 'AuthorizationCode') {
      writing.hset(key, { payload: JSON.stringify(payload) })
    } else {
      writing.set(key, JSON.stringify(payload))
    }
    if (expiresIn) writing.expire(key, expiresIn)
    if (GROUPED.has(this.kind) && payload.grantId) {
      const group = `grant:${payload.grantId}`
      writing.rpush(group, key)
      writing.expire(group, Math.max(expiresIn, await redis.ttl(group)))
    }
    await writing.exec()
  }

  async find (id) {
    const key = this.key(id)
    if (this.kind !== 'AuthorizationCode') {
      const text = await redis.get(key)
      return text ? JSON.parse(text) : undefined
    }
    const found = await redis.hgetall(key)
    if (found.payload === undefined) return undefined
    const { payload, ...rest } = found
    return { ...rest, ...JSON.parse(payload) }
  }

  async consume (id) {
    await redis.hset(this.key(id), 'consumed', Math.floor(Date.now() / 1000))
  }

  async destroy (id) {
    await redis.del(this.key(id))
  }

  async revokeByGrantId (grantId) {
    const group = `grant:${grantId}`
    const keys = await redis.lrange(group, 0, -1)
    await redis.del(group, ...keys)
  }

  key (id) {
    return `${this.kind}:${id}`
  }
}

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })

const provider = new Provider(`http://127.0.0.1:${port}`, {
  adapter: redis === undefined ? undefined : RedisAdapter,
  clients: [{
    client_id: 'portal',
    client_secret: 'secret',
    redirect_uris: [CALLBACK],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'client_secret_basic',
    id_token_signed_response_alg: 'ES256',
    subject_type: 'pairwise',
    scope: SCOPE
  }],
  jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] },
  subjectTypes: ['pairwise'],
  pairwiseIdentifier: (ctx, account, client) =>
    createHash('sha256').update(`${client.sectorIdentifier}|${account}`).digest('hex'),
  findAccount: (ctx, account) => ({
    accountId: account,
    claims: () => ({
      sub: account,
      preferred_username: account,
      nickname: '张*',
      phone_number: '+86 15400000000',
      phone_number_verified: true
    })
  }),
  claims: {
    profile: ['preferred_username', 'nickname'],
    phone: ['phone_number', 'phone_number_verified']
  },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  features: { devInteractions: { enabled: false } },
  pkce: { required: () => true },
  ttl: { AccessToken: 3600, AuthorizationCode: 60, IdToken: 600, Grant: 43200 }
})

async function codes (count, challenge) {
  const client = await provider.Client.find('portal')
  const made = []
  for (let number = 0; number < count; number++) {
    const accountId = `member-${number}`
    const grant = new provider.Grant({ accountId, clientId: client.clientId })
    grant.addOIDCScope(SCOPE)
    const code = new provider.AuthorizationCode({
      accountId,
      client,
      grantId: await grant.save(),
      gty: 'authorization_code',
      scope: SCOPE,
      redirectUri: CALLBACK,
      codeChallenge: challenge,
      codeChallengeMethod: 'S256',
      authTime: Math.floor(Date.now() / 1000),
      acr: 'L1',
      amr: ['qr'],
      nonce: 'n'
    })
    made.push(await code.save())
  }
  return made
}

function say (word) {
  process.stdout.write(`${MARK}${word}\n`)
}

const server = provider.listen(Number(port), '127.0.0.1', () => say('ready'))
const orders = readline.createInterface({ input: process.stdin })
orders.on('line', async (line) => {
  const [order, count, challenge] = line.split(' ')
  if (order !== 'codes') throw new Error(order)
  say(JSON.stringify(await codes(Number(count), challenge)))
})
orders.on('close', () => {
  server.closeAllConnections()
  server.close()
  redis?.disconnect()
})
