// A server of the newer era with everything the official conformance suite calls by name, on the official 2.x SDK.
// Usage: node modern.mjs; prints `{"url": …}` and ends with its parent.
import {
  acceptedContent, completable, createMcpHandler, createRequestStateCodec, fromJsonSchema, hostHeaderValidationResponse, inputRequired,
  inputResponse, localhostAllowedHostnames, McpServer, ResourceTemplate,
} from '@modelcontextprotocol/server'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { z } from 'zod'
import { addPrompts, addResources, ANSWERS, completions, endWithParent, pause, says, text, user } from './contents.mjs'

const states = createRequestStateCodec({ key: randomBytes(32) })
const form = (name, type = 'string') => inputRequired.elicit({
  message: 'Please fill in', requestedSchema: { type: 'object', properties: { [name]: { type } }, required: [name] },
})
const sample = (says) => inputRequired.createMessage({ messages: [{ role: 'user', content: text(says) }], maxTokens: 50 })
const asks = (inputRequests, requestState) => inputRequired({ inputRequests, ...(requestState && { requestState }) })

function fixtures() {
  const listChanged = true
  const capabilities = { logging: {}, completions: {}, tools: { listChanged }, prompts: { listChanged }, resources: { subscribe: true, listChanged } }
  const server = new McpServer({ name: 'modern-fixtures', version: '1.0.0' }, { capabilities, requestState: { verify: states.verify } })
  const tool = (name, answer, schema) => server.registerTool(name, { description: `Fixture ${name}`, ...(schema && { inputSchema: fromJsonSchema(schema) }) }, answer)

  for (const [name, content] of Object.entries(ANSWERS)) tool(name, () => says(...content))
  tool('test_error_handling', () => { throw new Error('This tool intentionally returns an error for testing') })
  tool('test_tool_with_progress', async ({ mcpReq }) => {
    for (const progress of [0, 50, 100]) {
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken: mcpReq._meta?.progressToken ?? 0, progress, total: 100 } })
      await pause()
    }
    return says(text('done'))
  })
  tool('test_logging_tool', async ({ mcpReq }) => {
    await mcpReq.log('info', 'The tool runs')
    return says(text('logged'))
  })

  // One question, one answer: `key` is the question's name, `answered` reads the answer if there is one.
  const asksOnce = (name, key, question, answered, done) => tool(name, ({ mcpReq }) => {
    const answer = answered(mcpReq.inputResponses, key)
    return answer ? says(text(done(answer))) : asks({ [key]: question })
  })
  const named = (responses, key) => typeof acceptedContent(responses, key)?.name === 'string' && acceptedContent(responses, key).name
  const sampled = (responses, key) => inputResponse(responses, key).result?.content
  asksOnce('test_input_required_result_elicitation', 'user_name', form('name'), named, (name) => `Hello, ${name}!`)
  asksOnce('test_input_required_result_sampling', 'capital_question', sample('What is the capital of France?'), sampled, ({ text }) => text)
  asksOnce('test_input_required_result_list_roots', 'client_roots', inputRequired.listRoots(),
    (responses, key) => inputResponse(responses, key).roots, (roots) => roots.map(({ uri }) => uri).join(' '))
  asksOnce('test_missing_capability', 'sample', sample('Ping.'), sampled, () => 'sampled')
  asksOnce('test_streaming_elicitation', 'answer', form('answer'), acceptedContent, () => 'answered')
  for (const name of ['test_input_required_result_request_state', 'test_input_required_result_tampered_state']) {
    tool(name, async ({ mcpReq }) => {
      const confirmed = mcpReq.requestState()?.tool === name && acceptedContent(mcpReq.inputResponses, 'confirm')
      return confirmed ? says(text('state-ok')) : asks({ confirm: form('ok', 'boolean') }, await states.mint({ tool: name }))
    })
  }
  tool('test_input_required_result_multiple_inputs', async ({ mcpReq }) => {
    const given = mcpReq.requestState() && ['user_name', 'greeting', 'client_roots'].every((key) => mcpReq.inputResponses?.[key])
    if (given) return says(text('all given'))
    return asks({ user_name: form('name'), greeting: sample('Generate a greeting'), client_roots: inputRequired.listRoots() }, await states.mint({ round: 1 }))
  })
  tool('test_input_required_result_multi_round', async ({ mcpReq }) => {
    const round = mcpReq.requestState()?.round ?? 0
    if (round === 2) return says(text('both rounds are over'))
    return asks(round === 0 ? { step1: form('name') } : { step2: form('color') }, await states.mint({ round: round + 1 }))
  })
  tool('test_input_required_result_capabilities', ({ mcpReq }) => {
    const client = mcpReq.envelope?.['io.modelcontextprotocol/clientCapabilities'] ?? {}
    const questions = { ...(client.elicitation && { form: form('value') }), ...(client.sampling && { sample: sample('Say hi.') }) }
    return mcpReq.inputResponses || Object.keys(questions).length === 0 ? says(text('nothing to ask')) : asks(questions)
  })
  tool('test_header_tool', ({ message }) => says(text(message)), {
    type: 'object', properties: { message: { type: 'string', 'x-mcp-header': 'Message' } }, required: ['message'],
  })
  tool('json_schema_2020_12_tool', () => says(text('ok')), {
    $schema: 'https://json-schema.org/draft/2020-12/schema', type: 'object', additionalProperties: false,
    $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { street: { type: 'string' }, city: { type: 'string' } } } },
    properties: {
      name: { type: 'string' }, address: { $ref: '#/$defs/address' }, contactMethod: { type: 'string', enum: ['phone', 'email'] },
      phone: { type: 'string' }, email: { type: 'string' },
    },
    allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
    if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] }, then: { required: ['phone'] }, else: { required: ['email'] },
  })
  tool('test_trigger_tool_change', () => handler.notify.toolsChanged() ?? says(text('changed')))
  tool('test_trigger_prompt_change', () => handler.notify.promptsChanged() ?? says(text('changed')))

  addResources(server, ResourceTemplate)
  addPrompts(server, (shape) => z.object(shape), () => z.string(), () => completable(z.string(), completions))
  server.registerPrompt('test_input_required_result_prompt', { description: 'Asks first' }, ({ mcpReq }) => {
    const context = acceptedContent(mcpReq.inputResponses, 'user_context')?.context
    return context ? user(text(`With ${context}`)) : asks({ user_context: form('context') })
  })
  return server
}

const handler = createMcpHandler(fixtures, { legacy: 'reject' })
const http = createServer(async (request, response) => {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  const chunks = []
  for await (const chunk of request) chunks.push(chunk)
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined
  const url = `http://127.0.0.1${request.url}`
  const asked = new Request(url, { method: request.method, headers: request.headers, body, signal: gone.signal })
  const answer = hostHeaderValidationResponse(asked, localhostAllowedHostnames()) ?? await handler.fetch(asked)
  response.writeHead(answer.status, Object.fromEntries(answer.headers))
  response.flushHeaders()
  if (answer.body) Readable.fromWeb(answer.body).on('error', () => response.destroy()).pipe(response)
  else response.end()
})
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ url: `http://127.0.0.1:${http.address().port}/mcp` })))
endWithParent()
