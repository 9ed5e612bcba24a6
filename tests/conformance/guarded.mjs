// An MCP server on the official SDK behind a certified authorization server (oidc-provider), which lets the person `ann` in at once.
// Usage: node guarded.mjs; prints `{"url": …}` and ends with its parent. Tools: `whoami` wants the scope `read`, `change` the scope `write`.
// POST /control {"expired"} ends every access token, {"over"} every grant, {"moved"} names another authorization server; GET /seen tells
// what arrived.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { InvalidTokenError } from '@modelcontextprotocol/sdk/server/auth/errors.js'
import { requireBearerAuth } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js'
import express from 'express'
import { Provider } from 'oidc-provider'

// Only one line is read from stdout.
console.info = console.error
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()

const app = express()
app.use(express.json())
const url = await listen(app)
const resource = `${url}/mcp`
const seen = { authorization: new Set(), grants: [], registered: 0 }
const dead = new Set()
let server = await authorizationServer()

app.get('/.well-known/oauth-protected-resource/mcp', (_, response) => {
  response.json({ resource, authorization_servers: [server.issuer], scopes_supported: ['read', 'write'] })
})
app.get('/seen', (_, response) => response.json({ ...seen, authorization: [...seen.authorization] }))
app.post('/control', async ({ body }, response) => {
  if (body.expired || body.over) seen.authorization.forEach((header) => dead.add(header))
  if (body.over || body.moved) server = body.moved ? await authorizationServer() : server.closed()
  response.end()
})

const resourceMetadataUrl = `${url}/.well-known/oauth-protected-resource/mcp`
const guard = requireBearerAuth({ verifier: { verifyAccessToken }, requiredScopes: ['read'], resourceMetadataUrl })
app.post('/mcp', note, guard, wider, async (request, response) => {
  const mcp = new McpServer({ name: 'guarded', version: '1.0.0' })
  mcp.registerTool('whoami', { description: 'Who is logged in' }, ({ authInfo }) => says(`${authInfo.extra.sub}: ${authInfo.scopes.join(' ')}`))
  mcp.registerTool('change', { description: 'Changes something' }, () => says('changed'))
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined })
  response.on('close', () => transport.close())
  await mcp.connect(transport)
  await transport.handleRequest(request, response, request.body)
})
console.log(JSON.stringify({ url }))

function note(request, _, next) {
  if (request.headers.authorization) seen.authorization.add(request.headers.authorization)
  next()
}

function wider(request, response, next) {
  const { method, params } = request.body
  if (method !== 'tools/call' || params.name !== 'change' || request.auth.scopes.includes('write')) return next()
  const challenge = `Bearer error="insufficient_scope", scope="write", resource_metadata="${resourceMetadataUrl}"`
  response.status(403).set('WWW-Authenticate', challenge).json({ error: 'insufficient_scope' })
}

async function verifyAccessToken(token) {
  const found = dead.has(`Bearer ${token}`) ? undefined : await server.provider.AccessToken.find(token)
  if (!found?.isValid || found.aud !== resource) throw new InvalidTokenError('not a token for this server')
  return { token, clientId: found.clientId, scopes: found.scope.split(' '), expiresAt: found.exp, extra: { sub: found.accountId } }
}

async function authorizationServer() {
  const at = express()
  const issuer = await listen(at)
  const provider = new Provider(issuer, {
    cookies: { keys: ['only for tests'] },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: 'read write', audience: resource, accessTokenFormat: 'opaque' }),
      },
    },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    issueRefreshToken: () => true,
    pkce: { required: () => true },
    rotateRefreshToken: true,
    scopes: ['openid', 'offline_access', 'read', 'write'],
  })
  let open = true
  provider.on('grant.success', ({ oidc }) => seen.grants.push(oidc.params.grant_type))
  provider.on('registration_create.success', () => { seen.registered += 1 })
  at.use((request, response, next) => (open || request.path !== '/token' ? next() : response.status(400).json({ error: 'invalid_grant' })))
  at.get('/interaction/:uid', (request, response, next) => agree(provider, request, response).catch(next))
  at.use(provider.callback())
  const own = { issuer, provider, closed: () => ((open = false), own) }
  return own
}

// Ann is logged in and agrees to everything.
async function agree(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response)
  if (prompt.name === 'login') return provider.interactionFinished(request, response, { login: { accountId: 'ann' } })
  const grant = grantId ? await provider.Grant.find(grantId) : new provider.Grant({ accountId: session.accountId, clientId: params.client_id })
  if (prompt.details.missingOIDCScope) grant.addOIDCScope(prompt.details.missingOIDCScope.join(' '))
  for (const [indicator, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) grant.addResourceScope(indicator, scopes.join(' '))
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } }, { mergeWithLastSubmission: true })
}

function listen(app) {
  return new Promise((ready) => {
    const server = app.listen(0, '127.0.0.1', () => ready(`http://127.0.0.1:${server.address().port}`))
  })
}

function says(text) {
  return { content: [{ type: 'text', text }] }
}
