// An official MCP client that does what it is told on stdin, one JSON command a line: SDK 1.x speaks the older era, SDK 2.x the newer.
// Usage: node client.mjs --sdk 1|2 --mcp URL --token TOKEN [--elicit accept|decline|cancel]; with --elicit it declares that it shows links.
// Commands: {"id", "tool", "arguments", "timeout"?, "progress"?}, or "quit". Lines out: {"event":"ready","era"},
// {"event":"asked","params"}, {"event":"progress","id","progress"}, {"id","result"} or {"id","error"}.
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import * as v1 from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import * as v2 from '@modelcontextprotocol/client'

const { values: options } = parseArgs({
  options: { sdk: { type: 'string' }, mcp: { type: 'string' }, token: { type: 'string' }, elicit: { type: 'string' } },
})
const older = options.sdk === '1'
const [Client, Transport] = older ? [v1.Client, TransportV1] : [v2.Client, v2.StreamableHTTPClientTransport]
const capabilities = options.elicit ? { elicitation: { form: {}, url: {} } } : {}
const client = new Client({ name: 'told-client', version: '1.0.0' }, { capabilities, versionNegotiation: { mode: 'auto' } })
if (options.elicit) {
  client.setRequestHandler(older ? ElicitRequestSchema : 'elicitation/create', ({ params }) => {
    say({ event: 'asked', params })
    return { action: options.elicit }
  })
}
client.onerror = () => {}

const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
await client.connect(new Transport(new URL(options.mcp), { requestInit: { headers: { Authorization: `Bearer ${options.token}` } } }))
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
    const result = await (older ? client.callTool(call, undefined, settings) : client.callTool(call, settings))
    say({ id, result })
  } catch (error) {
    say({ id, error: { code: error.code ?? null, message: error.message } })
  }
}

function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}
