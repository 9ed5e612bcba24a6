// A shopping agent on the official MCP client: it lists Countersign's tools, then buys /cheap, /report and /huge with `fetch`.
// Usage: node agent.mjs --mcp URL --token TOKEN --seller URL [--run ID] [--json]
// Narrates on stdout; with --json prints one line {url, status, code?, payment_id?, body?} per purchase instead. Exit 1 if one never ended.
import { parseArgs } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const PLAN = [
  { path: '/cheap', reason: 'A fact for the newsletter', aim: 'a fact for $0.03; that should be within my allowance' },
  { path: '/report', reason: 'The quarterly figures you asked for', aim: 'a report for $4.20; somebody may have to agree' },
  { path: '/huge', reason: 'Maybe the whole archive is useful', aim: 'an archive for $75.00; I expect to be refused' },
]
const WAIT_SECONDS = 20
const POLLS = 20

const { values: options } = parseArgs({
  options: {
    mcp: { type: 'string' }, token: { type: 'string' }, seller: { type: 'string' },
    run: { type: 'string', default: `run-${Date.now()}` }, json: { type: 'boolean', default: false },
  },
})
for (const name of ['mcp', 'token', 'seller']) {
  if (options[name]) continue
  console.error(`agent: --${name} is missing`)
  process.exit(2)
}
const tell = (sentence) => options.json || console.log(`agent: ${sentence}`)

const client = new Client({ name: 'shopping-agent', version: '1.0.0' })
try {
  process.exitCode = (await shop()) ? 0 : 1
} catch (error) {
  console.error(`agent: ${error.message}`)
  process.exitCode = 1
} finally {
  await client.close()
}

async function shop() {
  await client.connect(new StreamableHTTPClientTransport(new URL(options.mcp), {
    requestInit: { headers: { Authorization: `Bearer ${options.token}` } },
  }))
  const { tools } = await client.listTools()
  tell(`connected to ${client.getServerVersion()?.name}; it offers ${tools.map((tool) => tool.name).join(', ')}.`)

  let allEnded = true
  for (const step of PLAN) {
    const url = new URL(step.path, options.seller).href
    tell(`I want ${step.aim} (${url}).`)
    const outcome = await buy(url, step.reason)
    if (outcome.status === 'pending_approval') allEnded = false
    tell(describe(outcome))
    if (options.json) console.log(JSON.stringify(summary(url, outcome)))
  }
  return allEnded
}

async function buy(url, reason) {
  const idempotency_key = `${options.run}-${new URL(url).pathname.slice(1)}`
  let outcome = await call('fetch', { url, reason, idempotency_key, wait_seconds: WAIT_SECONDS })
  for (let poll = 0; outcome.status === 'pending_approval' && poll < POLLS; poll++) {
    if (poll === 0) tell(`payment ${outcome.payment.id} waits for a person; I keep asking how it stands.`)
    outcome = await call('get_payment', { payment_id: outcome.payment.id, wait_seconds: WAIT_SECONDS })
  }
  return outcome
}

async function call(name, args) {
  const result = await client.callTool({ name, arguments: args }, undefined, { timeout: 180_000 })
  if (result.structuredContent) return result.structuredContent
  const said = result.content?.map((part) => part.text).filter(Boolean).join(' ')
  throw new Error(`tool ${name} gave no structured result: ${said}`)
}

function describe({ status, payment, response, code, next }) {
  const price = payment && `${payment.amount.amount} ${payment.amount.symbol}`
  switch (status) {
    case 'completed': return `paid ${price} and got: ${response?.body ?? '(no body)'}`
    case 'not_required': return `it was free: ${response?.body ?? '(no body)'}`
    case 'denied': return `refused (${code}). ${next ?? ''}`
    case 'expired': return `nobody answered in time (${code}). ${next ?? ''}`
    case 'pending_approval': return `still waiting for a person; I give up on ${payment.id}.`
    default: return `ended as ${status}${code ? ` (${code})` : ''}. ${next ?? ''}`
  }
}

function summary(url, { status, code, payment, response }) {
  return { url, status, code, payment_id: payment?.id, body: response?.body }
}
