// One scenario of the official client suite, driven through a running Countersign: the suite's server is put behind it, logged in to where
// the scenario is about that, and called at `/mcp/NAME` by an official client of the suite's revision.
// Usage, by the suite: node through.mjs PROGRAM DATA_DIR SERVER TOKEN URL-OF-THE-SUITE'S-SERVER; whoever answers for Countersign says yes.
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import * as v1 from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import * as v2 from '@modelcontextprotocol/client'

const [program, dir, server, token, upstream] = process.argv.slice(2)
const scenario = process.env.MCP_CONFORMANCE_SCENARIO
const context = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? '{}')
const older = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION < '2026-07-28'
const name = `c-${randomBytes(6).toString('hex')}`
const countersign = (...words) => [program, ['--data-dir', dir, ...words]]
// Most logins one scenario may need; a person would have given up by then.
const LOGINS = 3

await promisify(execFile)(...countersign('gateway', 'add', name, upstream))
try {
  await drive()
} finally {
  await promisify(execFile)(...countersign('gateway', 'remove', name))
}
process.exit(0)

async function drive() {
  for (let logins = 0; ; logins += 1) {
    const client = await connect().catch((error) => error)
    const asked = client instanceof Error ? client : await calls(client).catch((error) => error)
    if (!asked) return
    if (!asked.message.includes('countersign gateway login') || logins === LOGINS) throw asked
    await logIn()
  }
}

async function connect() {
  const [Client, Transport] = older ? [v1.Client, TransportV1] : [v2.Client, v2.StreamableHTTPClientTransport]
  const capabilities = { elicitation: { form: { applyDefaults: true } } }
  const client = new Client({ name: 'driver', version: '1.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } })
  client.setRequestHandler(older ? ElicitRequestSchema : 'elicitation/create', () => ({ action: 'accept', content: {} }))
  const requestInit = { headers: { Authorization: `Bearer ${token}` } }
  await client.connect(new Transport(new URL(`${server}/mcp/${name}`), { requestInit }))
  return client
}

async function calls(client) {
  const { tools } = await client.listTools()
  // After its server has moved, the next request shows that the login has to move too.
  if (scenario === 'auth/authorization-server-migration') await client.listTools()
  if (scenario === 'json-schema-ref-no-deref') return
  const known = client.getServerCapabilities() ?? {}
  if (known.resources && scenario === 'http-standard-headers') {
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
  }
  if (known.prompts && scenario === 'http-standard-headers') {
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
  }
  const wanted = context.toolCalls ?? tools.filter(own).map((tool) => ({ name: tool.name, arguments: fitting(tool.inputSchema) }))
  await Promise.all(wanted.map((call) => client.callTool(call)))
  await client.close()
}

function own(tool) {
  return !tool.name.endsWith('get_payment')
}

function fitting({ properties = {}, required = [] }) {
  const values = { number: 2, integer: 2, string: 'test', boolean: true }
  return Object.fromEntries(required.map((name) => [name, values[properties[name]?.type] ?? null]))
}

// The person's browser: it opens the page, and follows it back to where Countersign listens.
async function logIn() {
  const known = ['--client-metadata', 'https://conformance-test.local/client-metadata.json']
  if (context.client_id) {
    const file = join(dir, `${name}.secret`)
    writeFileSync(file, context.client_secret)
    known.splice(0, 2, '--client-id', context.client_id, '--client-secret-file', file)
  }
  const verb = spawn(...countersign('gateway', 'login', name, ...known), { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH: process.env.PATH } })
  const said = []
  createInterface({ input: verb.stderr }).on('line', (line) => {
    said.push(line)
    if (line.startsWith('http')) fetch(line).then((page) => page.text()).catch(() => verb.kill())
  })
  const status = await new Promise((end) => verb.on('close', end))
  if (status !== 0) throw new Error(`the login ended with ${status}: ${said.join(' ')}`)
}
