// A server with everything the official conformance suite calls by name, on the official 1.x SDK: what `/mcp/NAME` is measured in front of.
// Usage: node fixtures.mjs; prints `{"url": …}` and ends with its parent.
import { McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js'
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js'
import { completable } from '@modelcontextprotocol/sdk/server/completable.js'
import {
  CreateMessageResultSchema, ElicitResultSchema, isInitializeRequest, SetLevelRequestSchema, SubscribeRequestSchema, UnsubscribeRequestSchema,
} from '@modelcontextprotocol/sdk/types.js'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { z } from 'zod'
import { addPrompts, addResources, ANSWERS, completions, endWithParent, pause, says, text } from './contents.mjs'

function fixtures() {
  const capabilities = { logging: {}, completions: {}, resources: { subscribe: true, listChanged: true } }
  const server = new McpServer({ name: 'conformance-fixtures', version: '1.0.0' }, { capabilities })
  const tool = (name, answer, inputSchema = {}) => server.registerTool(name, { description: `Fixture ${name}`, inputSchema }, answer)

  for (const [name, content] of Object.entries(ANSWERS)) tool(name, () => says(...content))
  tool('test_error_handling', () => { throw new Error('This tool intentionally returns an error for testing') })
  tool('test_tool_with_logging', async (_, { sendNotification }) => {
    for (const data of ['Tool execution started', 'Tool processing data', 'Tool execution completed']) {
      await sendNotification({ method: 'notifications/message', params: { level: 'info', data } })
      await pause()
    }
    return says(text('logged'))
  })
  tool('test_tool_with_progress', async (_, { sendNotification, _meta }) => {
    for (const progress of [0, 50, 100]) {
      await sendNotification({ method: 'notifications/progress', params: { progressToken: _meta?.progressToken ?? 0, progress, total: 100 } })
      await pause()
    }
    return says(text('done'))
  })
  tool('test_sampling', async ({ prompt }, { sendRequest }) => {
    const params = { messages: [{ role: 'user', content: text(prompt) }], maxTokens: 100 }
    const sampled = await sendRequest({ method: 'sampling/createMessage', params }, CreateMessageResultSchema)
    return says(text(`LLM response: ${sampled.content.text}`))
  }, { prompt: z.string() })
  const asks = (name, properties, required, inputSchema) => tool(name, async (given, { sendRequest }) => {
    const params = { message: given?.message ?? 'Please fill in', requestedSchema: { type: 'object', properties, required } }
    const { action, content } = await sendRequest({ method: 'elicitation/create', params }, ElicitResultSchema)
    return says(text(`Elicitation completed: action=${action}, content=${JSON.stringify(content ?? {})}`))
  }, inputSchema)
  asks('test_elicitation', { response: { type: 'string', description: 'A response' } }, ['response'], { message: z.string() })
  asks('test_elicitation_sep1034_defaults', {
    name: { type: 'string', default: 'John Doe' }, age: { type: 'integer', default: 30 }, score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' }, verified: { type: 'boolean', default: true },
  }, [])
  const options = ['option1', 'option2', 'option3']
  const titled = [['value1', 'First Option'], ['value2', 'Second Option'], ['value3', 'Third Option']].map(([value, title]) => ({ const: value, title }))
  asks('test_elicitation_sep1330_enums', {
    untitledSingle: { type: 'string', enum: options }, titledSingle: { type: 'string', oneOf: titled },
    legacyEnum: { type: 'string', enum: ['opt1', 'opt2', 'opt3'], enumNames: ['Option One', 'Option Two', 'Option Three'] },
    untitledMulti: { type: 'array', items: { type: 'string', enum: options } }, titledMulti: { type: 'array', items: { anyOf: titled } },
  }, [])

  addResources(server, ResourceTemplate)
  for (const schema of [SubscribeRequestSchema, UnsubscribeRequestSchema, SetLevelRequestSchema]) server.server.setRequestHandler(schema, () => ({}))
  addPrompts(server, (shape) => shape, () => z.string(), () => completable(z.string(), completions))
  return server
}

const sessions = new Map()
const http = createServer(async (request, response) => {
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = chunks.length > 0 ? JSON.parse(Buffer.concat(chunks)) : undefined
  const id = request.headers['mcp-session-id']
  let transport = sessions.get(id)
  if (!transport && isInitializeRequest(body)) {
    transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport) })
    await fixtures().connect(transport)
  }
  if (transport) return transport.handleRequest(request, response, body)
  const error = { code: -32000, message: 'no session' }
  response.writeHead(id ? 404 : 400, { 'content-type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: body?.id ?? null, error }))
})
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${http.address().port}/mcp` })))
endWithParent()
