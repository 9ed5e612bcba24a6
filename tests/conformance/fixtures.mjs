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

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=='
const SOUND = 'UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA='
const text = (text) => ({ type: 'text', text })
const image = { type: 'image', data: PIXEL, mimeType: 'image/png' }
const embedded = (uri) => ({ type: 'resource', resource: { uri, mimeType: 'text/plain', text: 'An embedded resource.' } })
const says = (...content) => ({ content })
const user = (...parts) => ({ messages: parts.map((content) => ({ role: 'user', content })) })

function fixtures() {
  const capabilities = { logging: {}, completions: {}, resources: { subscribe: true, listChanged: true } }
  const server = new McpServer({ name: 'conformance-fixtures', version: '1.0.0' }, { capabilities })
  const tool = (name, answer, inputSchema = {}) => server.registerTool(name, { description: `Fixture ${name}`, inputSchema }, answer)

  tool('test_simple_text', () => says(text('This is a simple text response for testing.')))
  tool('test_image_content', () => says(image))
  tool('test_audio_content', () => says({ type: 'audio', data: SOUND, mimeType: 'audio/wav' }))
  tool('test_embedded_resource', () => says(embedded('test://embedded-resource')))
  tool('test_multiple_content_types', () => says(text('Multiple content types test:'), image, embedded('test://mixed-content-resource')))
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

  const resource = (name, uri, contents) => server.registerResource(name, uri, { mimeType: contents.mimeType }, () => ({ contents: [{ uri, ...contents }] }))
  resource('static-text', 'test://static-text', { mimeType: 'text/plain', text: 'This is the content of the static text resource.' })
  resource('static-binary', 'test://static-binary', { mimeType: 'image/png', blob: PIXEL })
  resource('watched', 'test://watched-resource', { mimeType: 'text/plain', text: 'Watched.' })
  server.registerResource('template', new ResourceTemplate('test://template/{id}/data', { list: undefined }), { mimeType: 'application/json' },
    (uri, { id }) => ({ contents: [{ uri: uri.href, mimeType: 'application/json', text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${id}` }) }] }))
  for (const schema of [SubscribeRequestSchema, UnsubscribeRequestSchema, SetLevelRequestSchema]) server.server.setRequestHandler(schema, () => ({}))

  const word = () => completable(z.string(), (start) => ['paris', 'park', 'party'].filter((word) => word.startsWith(start)))
  server.registerPrompt('test_simple_prompt', { description: 'Simple' }, () => user(text('This is a simple prompt for testing.')))
  server.registerPrompt('test_prompt_with_arguments', { description: 'With arguments', argsSchema: { arg1: word(), arg2: word() } },
    ({ arg1, arg2 }) => user(text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`)))
  server.registerPrompt('test_prompt_with_embedded_resource', { description: 'With a resource', argsSchema: { resourceUri: z.string() } },
    ({ resourceUri }) => user(embedded(resourceUri), text('Please process the embedded resource above.')))
  server.registerPrompt('test_prompt_with_image', { description: 'With an image' }, () => user(image, text('Please analyze the image above.')))
  return server
}

const pause = () => new Promise((done) => setTimeout(done, 50))
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
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
