// A paid MCP server on the official MPP server (mppx) and the official MCP SDK: charges by method evm, settled on the local chain.
// Some tools misbehave once they have the credential: `refuses` and `softly` take the money and say no, `rejects` and `garbles` say
// no, `dies` takes it and hangs up. `marked` names its price in a result, `pages` wants a page opened. A resource and a prompt cost
// money too. Run: node mpp-mcp-seller.mjs --rpc URL --pay-to ADDRESS; `POST /control {dearer}` changes it, `GET /seen` tells what arrived.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import {
  CallToolRequestSchema, GetPromptRequestSchema, isInitializeRequest, ListPromptsRequestSchema, ListResourcesRequestSchema,
  ListToolsRequestSchema, McpError, ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import express from 'express'
import { Errors } from 'mppx'
import { Mppx, Transport } from 'mppx/server'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { openTill } from './mpp-till.mjs'

const { values: options } = parseArgs({ options: { rpc: { type: 'string' }, 'pay-to': { type: 'string' } } })
const till = openTill(options.rpc, options['pay-to'])
const seen = { deliveries: 0, credentials: [], settled: till.settled, meta: [] }
const now = { dearer: false }

/** A shop over MCP; the method's own transport is that of HTTP. */
const shop = (differently) => {
  const transport = Transport.mcpSdk()
  const methods = [{ ...till.charge(differently), transport }]
  return Mppx.create({ methods, realm: 'paid-tools', secretKey: 'only-for-the-tests-of-countersign', transport })
}
const honest = shop()
const refusing = shop({
  settle: async (paid) => {
    await till.settle(paid)
    throw new Errors.VerificationFailedError({ reason: 'it was too late' })
  },
})
const says = (error) => shop({ settle: async () => { throw error } })
const rejecting = says(new Errors.VerificationFailedError({ reason: 'it is not liked' }))
const garbling = says(new Errors.InvalidPayloadError({ reason: 'it cannot be read' }))

const tools = {
  free: ({ about }, extra) => {
    seen.meta.push(Object.keys(extra._meta ?? {}))
    return text(`free: ${about}`)
  },
  cheap: (given, extra) => sell('cheap', given, extra, honest, now.dearer ? '0.05' : '0.03'),
  report: (given, extra) => sell('report', given, extra, honest, '4.20'),
  refuses: (given, extra) => sell('refuses', given, extra, refusing, '0.01'),
  rejects: (given, extra) => sell('rejects', given, extra, rejecting, '0.01'),
  garbles: (given, extra) => sell('garbles', given, extra, garbling, '0.01'),
  softly: async (given, extra) => {
    // As the SDK's high-level server tells of every error but one.
    try {
      return await sell('softly', given, extra, refusing, '0.01')
    } catch (error) {
      if (error.code === -32042) throw error
      return { ...text(error.message), isError: true }
    }
  },
  dies: async (given, extra) => {
    await sell('dies', given, extra, honest, '0.01')
    for (const socket of sockets) socket.destroy()
    return new Promise(() => {})
  },
  marked: async (given, extra) => {
    try {
      return await sell('marked', given, extra, honest, '0.02')
    } catch ({ data }) {
      return { ...text('It costs money.'), isError: true, _meta: { 'org.paymentauth/payment-required': data } }
    }
  },
  pages: () => {
    throw new McpError(-32042, 'Log in first', { elicitations: [{ mode: 'url', elicitationId: 'e1', url: 'https://shop.example/open', message: 'Log in.' }] })
  },
}

const text = (says) => ({ content: [{ type: 'text', text: says }] })

async function sell(tool, { about }, extra, from, amount) {
  const credential = extra._meta?.['org.paymentauth/credential']
  if (credential) seen.credentials.push({ tool, challenge: credential.challenge?.id, nonce: credential.payload?.nonce })
  const result = await from.charge({ amount, description: `The tool ${tool}` })(extra)
  if (result.status === 402) throw result.challenge
  seen.deliveries += 1
  return result.withReceipt(text(`${tool}: ${about}, delivery ${seen.deliveries}`))
}

function seller() {
  const server = new Server({ name: 'paid-tools', version: '1.0.0' }, { capabilities: { tools: {}, resources: {}, prompts: {} } })
  const inputSchema = { type: 'object', properties: { about: { type: 'string' } } }
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: Object.keys(tools).map((name) => ({ name, description: `The tool ${name}.`, inputSchema })) }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => tools[params.name](params.arguments ?? {}, extra))
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [{ uri: 'facts://paid', name: 'paid' }] }))
  server.setRequestHandler(ReadResourceRequestSchema, (_request, extra) => sell('resource', {}, extra, honest, '0.01'))
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: [{ name: 'paid' }] }))
  server.setRequestHandler(GetPromptRequestSchema, async (_request, extra) => {
    try {
      return await sell('prompt', {}, extra, honest, '0.01')
    } catch ({ data }) {
      return { messages: [], _meta: { 'org.paymentauth/payment-required': data } }
    }
  })
  return server
}

const sockets = new Set()
const app = express().use(express.json({ limit: '1mb' }))
const sessions = new Map()
app.all('/mcp', async (request, response) => {
  let transport = sessions.get(request.headers['mcp-session-id'])
  if (!transport && isInitializeRequest(request.body)) {
    transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) })
    await seller().connect(transport)
  }
  if (!transport) return response.status(request.headers['mcp-session-id'] ? 404 : 400).json({ jsonrpc: '2.0', id: request.body?.id ?? null, error: { code: -32600, message: 'no session' } })
  await transport.handleRequest(request, response, request.body)
})
app.post('/control', (request, response) => response.json(Object.assign(now, request.body)))
app.get('/seen', (_request, response) => response.json(seen))
const server = createServer(app).listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ event: 'ready', url: `http://127.0.0.1:${server.address().port}` }))
})
server.on('connection', (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
})
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
