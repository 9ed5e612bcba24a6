// An agent on the official MCP SDK that buys one page with Countersign's tools.
//
// It calls `fetch` under a key of its own, and follows `pending_approval` with `get_payment` until the person has decided.
//
//   COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… node dist/agent.js URL KEY

import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client'

interface Outcome {
  status: string
  payment: { id: string } | null
  response?: { body?: string }
  next?: string
}

const [url, key] = process.argv.slice(2)
const countersign = new Client({ name: 'example-agent', version: '1.0.0' })
await countersign.connect(new StreamableHTTPClientTransport(new URL('/mcp', process.env.COUNTERSIGN_URL), {
  requestInit: { headers: { Authorization: `Bearer ${process.env.COUNTERSIGN_TOKEN}` } },
}))

try {
  let outcome = await call('fetch', { url, idempotency_key: key, reason: 'The example asked for it' })
  while (outcome.status === 'pending_approval') {
    console.error('waiting for your approval in Countersign')
    outcome = await call('get_payment', { payment_id: outcome.payment?.id })
  }
  if (!['completed', 'not_required'].includes(outcome.status)) throw new Error(`${outcome.status}: ${outcome.next ?? ''}`)
  console.log(outcome.response?.body)
} finally {
  await countersign.close()
}

async function call(name: string, args: Record<string, unknown>): Promise<Outcome> {
  const result = await countersign.callTool({ name, arguments: args })
  if (result.isError) throw new Error(JSON.stringify(result.content))
  return result.structuredContent as Outcome
}
