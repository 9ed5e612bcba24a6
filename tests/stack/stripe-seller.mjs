// A double of Stripe, as far as shared payment tokens go, and a shop on the official MPP server (mppx, with the official stripe package)
// that charges by method stripe there. The double makes tokens for a restricted key, the same for the same Idempotency-Key, and lets
// the one seller they name charge them, once, within their limits. /report costs 1.50, /numbered has a number of the shop's, /never
// keeps the credential for itself, /brief too for eight seconds, /forever charges and asks again, /elsewhere names another seller, and
// /raw/CASE asks for what nobody should pay. GET /seen tells what arrived; POST /control {hold | decline | busy: true} bends the double.
// Run: node stripe-seller.mjs; ends with its parent.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { Mppx, stripe } from 'mppx/server'
import Stripe from 'stripe'

const BUYER = 'rk_test_countersign'
const SHOP = { key: 'sk_test_shop', profile: 'profile_test_shop' }
const VERSION = '2026-07-29.preview'
const seen = { minted: [], replayed: 0, refused: [], looks: 0, charges: [], credentials: [] }
let bent = {}
const tokens = new Map()
const answers = new Map()
const now = () => Math.floor(Date.now() / 1000)

class Refusal extends Error {
  constructor(status, type, message, code) {
    super(message)
    Object.assign(this, { status, type, code })
  }
}
const refuse = (...all) => { throw new Refusal(...all) }

/** What a token looks like to whoever asks. */
function shown({ id, created, limits, captured }) {
  const over = captured >= limits.max_amount ? 'consumed' : now() >= limits.expires_at ? 'expired' : null
  return {
    id, object: 'shared_payment.granted_token', created, livemode: false, shared_metadata: {},
    deactivated_at: over && now(), deactivated_reason: over, payment_method_details: { type: 'card' },
    usage_details: { amount_captured: { value: captured, currency: limits.currency } }, usage_limits: limits,
  }
}

function mint(form) {
  const names = ['payment_method', 'usage_limits[currency]', 'usage_limits[max_amount]', 'usage_limits[expires_at]', 'seller_details[network_id]']
  const odd = [...form.keys()].find((name) => !names.includes(name))
  if (odd) refuse(400, 'invalid_request_error', `Received unknown parameter: ${odd}`)
  const [method, currency, most, until, seller] = names.map((name) => form.get(name) ?? refuse(400, 'invalid_request_error', `Missing required param: ${name}`))
  if (method !== 'pm_card_visa') refuse(404, 'invalid_request_error', 'No such PaymentMethod', 'resource_missing')
  if (!(Number(until) > now())) refuse(400, 'invalid_request_error', 'expires_at must be in the future')
  if (bent.decline) refuse(402, 'card_error', 'Your card was declined.', 'card_declined')
  const limits = { currency, max_amount: Number(most), expires_at: Number(until) }
  const token = { id: `spt_test_${tokens.size + 1}`, created: now(), limits, seller, captured: 0 }
  tokens.set(token.id, token)
  seen.minted.push({ ...limits, id: token.id, payment_method: method, network_id: seller })
  return shown(token)
}

function charge(form) {
  const token = tokens.get(form.get('shared_payment_granted_token')) ?? refuse(400, 'invalid_request_error', 'No such token', 'resource_missing')
  const { limits } = token
  if (token.seller !== SHOP.profile) refuse(403, 'invalid_request_error', 'This token was granted to another seller')
  if (now() >= limits.expires_at) refuse(400, 'invalid_request_error', 'This token has expired')
  if (form.get('currency') !== limits.currency || token.captured + Number(form.get('amount')) > limits.max_amount) {
    refuse(400, 'invalid_request_error', 'This is more than the token allows')
  }
  token.captured += Number(form.get('amount'))
  const id = `pi_test_${seen.charges.length + 1}`
  seen.charges.push({ id, token: token.id, amount: Number(form.get('amount')) })
  return { id, object: 'payment_intent', status: 'succeeded' }
}

const key = (request) => {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
  return scheme === 'Basic' ? Buffer.from(value, 'base64').toString().split(':')[0] : value
}

async function api(request, response) {
  const path = request.url.split('?')[0]
  const [, id] = /^\/v1\/shared_payment\/granted_tokens\/(\w+)$/.exec(path) ?? []
  const owner = id || path.includes('/test_helpers/') ? BUYER : SHOP.key
  const body = await text(request)
  try {
    if (key(request) !== owner) refuse(401, 'invalid_request_error', 'Invalid API Key provided')
    if (request.headers['stripe-version'] !== VERSION) refuse(400, 'invalid_request_error', 'Unrecognized request URL')
    if (bent.busy) refuse(429, 'rate_limit_error', 'Too many requests')
    if (id) {
      seen.looks += 1
      return answer(response, 200, shown(tokens.get(id) ?? refuse(404, 'invalid_request_error', 'No such token', 'resource_missing')))
    }
    const once = request.headers['idempotency-key'] ?? refuse(400, 'invalid_request_error', 'The tests want an Idempotency-Key')
    const before = answers.get(owner + once)
    if (before && before.body !== body) refuse(400, 'idempotency_error', 'Keys for idempotent requests can only be used with the same parameters')
    if (before) {
      if (owner === BUYER) seen.replayed += 1
      return answer(response, 200, before.said, { 'idempotent-replayed': 'true' })
    }
    const said = path === '/v1/payment_intents' ? charge(new URLSearchParams(body)) : mint(new URLSearchParams(body))
    answers.set(owner + once, { body, said })
    if (bent.hold && owner === BUYER) return // made, and nobody is told
    return answer(response, 200, said)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { status, type, code, message } = error
    if (type !== 'rate_limit_error') seen.refused.push({ path, message })
    return answer(response, status, { error: { type, code, message } })
  }
}

function answer(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}

const server = createServer(async (request, response) => {
  if (request.url.startsWith('/v1/')) return api(request, response)
  const sent = request.headers.authorization?.replace(/^Payment /, '')
  if (sent) {
    const { challenge, payload, source } = JSON.parse(Buffer.from(sent, 'base64url').toString())
    seen.credentials.push({ page: request.url, payload, source, expires: Math.floor(Date.parse(challenge.expires) / 1000) })
  }
  try {
    if (request.url === '/seen') return await send(response, Response.json(seen))
    if (request.url === '/control') {
      bent = { ...bent, ...JSON.parse(await text(request)) }
      return await send(response, Response.json({}))
    }
    const page = request.url.startsWith('/raw/') ? raw : pages[request.url]
    await page(request, response)
  } catch (error) {
    await send(response, new Response(String(error.message), { status: 500 }))
  }
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address()

const client = new Stripe(SHOP.key, { host: '127.0.0.1', port, protocol: 'http', maxNetworkRetries: 0, telemetry: false })
const till = (networkId, more = {}) => Mppx.create({
  methods: [stripe.charge({ client, networkId, paymentMethodTypes: ['card'], currency: 'usd', decimals: 2, ...more })],
  secretKey: 'only-for-the-tests-of-countersign',
})
const shop = till(SHOP.profile)
const numbered = till(SHOP.profile, { externalId: 'order-7 "blue"' })
const elsewhere = till('profile_test_other')

/** Answers as mppx does; `after` gets the answer of a paid request instead of the buyer. */
async function sell(request, response, from, after, seconds = 200) {
  const expires = new Date(Date.now() + seconds * 1000).toISOString()
  const result = await from.charge({ amount: '1.50', expires, description: `Test goods: ${request.url}` })(asked(request))
  if (result.status === 402) return send(response, result.challenge)
  const goods = Response.json({ path: request.url })
  if (after) return after(goods)
  return send(response, result.withReceipt(goods))
}

const keep = (seconds) => (request, response) => request.headers.authorization
  ? send(response, new Response('oops', { status: 500 }))
  : sell(request, response, shop, undefined, seconds)
const unpaid = ({ url, method }) => ({ url, method, headers: {} })
const pages = {
  '/report': (...both) => sell(...both, shop),
  '/other-report': (...both) => sell(...both, shop),
  '/numbered': (...both) => sell(...both, numbered),
  '/elsewhere': (...both) => sell(...both, elsewhere),
  '/never': keep(200),
  '/brief': keep(8),
  '/forever': (request, response) => sell(request, response, shop, () => sell(unpaid(request), response, shop)),
}

const honest = { amount: '150', currency: 'usd', methodDetails: { networkId: SHOP.profile, paymentMethodTypes: ['card'] } }
const details = (more) => ({ methodDetails: { ...honest.methodDetails, ...more } })
const cases = {
  honest: {},
  below: { amount: '49' },
  nothing: { amount: '0' },
  fraction: { amount: '1.50' },
  huge: { amount: '100000000' },
  currency: { currency: 'xau' },
  upper: { currency: 'USD' },
  nobody: details({ networkId: undefined }),
  spaced: details({ networkId: 'profile test' }),
  two: { recipient: 'profile_test_other' },
  cardless: details({ paymentMethodTypes: ['link'] }),
  typeless: details({ paymentMethodTypes: undefined }),
  reserved: details({ metadata: { externalId: '1' } }),
  endless: {},
  over: {},
}

/** A challenge that no library made. */
function raw(request, response) {
  const name = request.url.split('/').at(-1)
  const coded = Buffer.from(JSON.stringify({ ...honest, ...cases[name] })).toString('base64url')
  const ends = { endless: undefined, over: -1000 }
  const expires = name in ends ? ends[name] && new Date(Date.now() + ends[name]).toISOString() : new Date(Date.now() + 60_000).toISOString()
  const fields = { id: `raw-${name}`, realm: '127.0.0.1', method: 'stripe', intent: 'charge', request: coded, expires }
  const line = Object.entries(fields).filter(([, value]) => value).map(([field, value]) => `${field}="${value}"`).join(', ')
  return send(response, new Response('pay first', { status: 402, headers: { 'www-authenticate': `Payment ${line}` } }))
}

function asked({ url, method, headers }) {
  return new Request(`http://127.0.0.1:${port}${url}`, { method, headers })
}

async function send(response, result) {
  response.writeHead(result.status, [...result.headers].flat())
  response.end(Buffer.from(await result.arrayBuffer()))
}

console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
