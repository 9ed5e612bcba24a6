// Drives one scenario of the official client suite through a running Countersign.
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

// Most logins for one scenario; a person would have given up by then.
const LOGINS = 3

export function startDriver({ program, 'data-dir': dir, server, token }) {
  const countersign = (...words) => [program, ['--data-dir', dir, ...words]]

  return async function drive({ scenario, upstream, version, context }) {
    const name = `c-${randomBytes(6).toString('hex')}`
    await promisify(execFile)(...countersign('gateway', 'add', name, upstream))
    try {
      for (let logins = 0; ; logins += 1) {
        const failed = await once({ scenario, version, context, name }).then(() => undefined, (error) => error)
        if (!failed) return
        if (!failed.message.includes('countersign gateway login') || logins === LOGINS) throw failed
        await logIn(name, context)
      }
    } finally {
      await promisify(execFile)(...countersign('gateway', 'remove', name))
    }
  }

  async function once({ scenario, version, context, name }) {
    const older = version < '2026-07-28'
    const [Client, Transport] = older ? [v1.Client, TransportV1] : [v2.Client, v2.StreamableHTTPClientTransport]
    const capabilities = { elicitation: { form: { applyDefaults: true } } }
    const client = new Client({ name: 'driver', version: '1.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } })
    client.setRequestHandler(older ? ElicitRequestSchema : 'elicitation/create', () => ({ action: 'accept', content: {} }))
    const requestInit = { headers: { Authorization: `Bearer ${token}` } }
    await client.connect(new Transport(new URL(`${server}/mcp/${name}`), { requestInit }))
    await calls(client, scenario, context).finally(() => client.close())
  }

  // The person's browser: it opens the page, and follows it back to where Countersign listens.
  async function logIn(name, { client_id, client_secret }) {
    const known = ['--client-metadata', 'https://conformance-test.local/client-metadata.json']
    if (client_id) {
      const file = join(dir, `${name}.secret`)
      writeFileSync(file, client_secret ?? '')
      known.splice(0, 2, '--client-id', client_id, '--client-secret-file', file)
    }
    const env = { PATH: process.env.PATH }
    const verb = spawn(...countersign('gateway', 'login', name, ...known), { stdio: ['ignore', 'ignore', 'pipe'], env })
    const said = []
    createInterface({ input: verb.stderr }).on('line', (line) => {
      said.push(line)
      if (line.startsWith('http')) fetch(line).then((page) => page.text()).catch(() => verb.kill())
    })
    const status = await new Promise((end) => verb.on('close', end))
    if (status !== 0) throw new Error(`the login ended with ${status}: ${said.join(' ')}`)
  }
}

async function calls(client, scenario, context) {
  const { tools } = await client.listTools()
  // After its server has moved, the next request shows that the login has to move too.
  if (scenario === 'auth/authorization-server-migration') await client.listTools()
  if (scenario === 'json-schema-ref-no-deref') return
  if (scenario === 'http-standard-headers') {
    for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
    for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
  }
  const own = tools.filter((tool) => !tool.name.endsWith('get_payment'))
  const wanted = context.toolCalls ?? own.map((tool) => ({ name: tool.name, arguments: fitting(tool.inputSchema) }))
  const ended = await Promise.allSettled(wanted.map((call) => client.callTool(call)))
  const failed = ended.find(({ status }) => status === 'rejected')
  if (failed) throw failed.reason
}

function fitting({ properties = {}, required = [] }) {
  const values = { number: 2, integer: 2, string: 'test', boolean: true }
  return Object.fromEntries(required.map((name) => [name, values[properties[name]?.type] ?? null]))
}
