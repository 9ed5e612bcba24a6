// An official MCP client that does what it is told on stdin, one JSON command a line: SDK 1.x speaks the older era, SDK 2.x the newer.
// Usage: node client.mjs --sdk 1|2 --mcp URL --token TOKEN [--elicit accept|decline|cancel] [--content JSON] [--tasks]; with --elicit it declares that
// it shows links, with --tasks, in SDK 2, that it follows tasks, and does so with the official package for that.
// Commands: {"id", "tool", "arguments", "timeout"?, "progress"?}, or "quit". Lines out: {"event":"ready","era"},
// {"event":"asked","params"}, {"event":"progress","id","progress"}, {"id","result"} or {"id","error"}.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import * as v1 from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import * as v2 from '@modelcontextprotocol/client'
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client'

const { values: options } = parseArgs({
  options: {
    sdk: { type: 'string' }, mcp: { type: 'string' }, token: { type: 'string' }, elicit: { type: 'string' }, content: { type: 'string' },
    tasks: { type: 'boolean' },
  },
})
const older = options.sdk === '1'
const [Client, Transport] = older ? [v1.Client, TransportV1] : [v2.Client, v2.StreamableHTTPClientTransport]
const capabilities = {
  ...(options.elicit && { elicitation: { form: {}, url: {} } }),
  ...(options.tasks && { extensions: { 'io.modelcontextprotocol/tasks': {} } }),
}
const ourselves = { name: 'told-client', version: '1.0.0' }
const Authorization = `Bearer ${options.token}`
const client = new Client(ourselves, { capabilities, versionNegotiation: { mode: 'auto' } })
if (options.elicit) {
  client.setRequestHandler(older ? ElicitRequestSchema : 'elicitation/create', ({ params }) => {
    say({ event: 'asked', params })
    return { action: options.elicit, ...(options.content && { content: JSON.parse(options.content) }) }
  })
}
client.onerror = () => {}

const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
await client.connect(new Transport(new URL(options.mcp), { requestInit: { headers: { Authorization } } }))
const session = options.tasks && createTaskSessionFromClient(client, {
  endpointId: 'countersign',
  rawDispatch,
  v2RequestFraming: { protocolVersion: '2026-07-28', clientInfo: ourselves, clientCapabilities: capabilities },
})
const { tools } = await client.listTools()
say({ event: 'ready', era: older ? 'legacy' : client.getProtocolEra(), tools: tools.map(({ name }) => name) })
createInterface({ input: process.stdin })
  .on('line', (line) => (line === 'quit' ? process.exit(0) : obey(JSON.parse(line))))
  .on('close', () => process.exit(0))

async function obey({ id, tool, arguments: args, timeout = 60_000, progress = false }) {
  const hear = progress && { onprogress: ({ progress }) => say({ event: 'progress', id, progress }), resetTimeoutOnProgress: true }
  try {
    const call = { name: tool, arguments: args }
    const settings = { timeout, ...hear }
    if (session) return say({ id, result: await follow(tool, args) })
    const result = await (older ? client.callTool(call, undefined, settings) : client.callTool(call, settings))
    say({ id, result })
  } catch (error) {
    say({ id, error: { code: error.code ?? null, message: error.message } })
  }
}

async function follow(tool, args) {
  const { outcome } = await (await session.callTool(tool, args)).settle()
  return resultFromTaskOutcome(outcome)
}

// The SDK's own codec knows no tasks: the package leaves it to its host to send a request that may become one.
async function rawDispatch(request) {
  const { method, params } = request
  const name = params.name ?? params.taskId
  const response = await fetch(options.mcp, {
    method: 'POST',
    headers: {
      Authorization, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
      'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, 'Mcp-Name': name,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }),
  })
  const text = await response.text()
  const data = text.split('\n').filter((line) => line.startsWith('data:')).at(-1)
  const { result, error } = JSON.parse(data?.slice(5) ?? text)
  return error ? { kind: 'error', error } : { kind: 'result', result }
}

function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}
