// The official MCP client over stdio, told what to do line by line: it starts COMMAND as any client would, with next to no environment.
// Usage: node stdio-client.mjs COMMAND ARGUMENTS…
// Says {"ready": SERVER} once connected; then answers each line of stdin with one of stdout, in order:
//   {"tools": true} → {"tools": [NAME…]}      {"call": TOOL, "arguments": {…}} → {"result": {…}} or {"error": {code, message}}
import { createInterface } from 'node:readline'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'

const [command, ...args] = process.argv.slice(2)
const client = new Client({ name: 'stdio-client', version: '1.0.0' })
const say = (value) => console.log(JSON.stringify(value))

await client.connect(new StdioClientTransport({ command, args, stderr: 'inherit' }))
say({ ready: client.getServerVersion() })
for await (const line of createInterface({ input: process.stdin })) {
  say(await answer(JSON.parse(line)).catch(({ code, message }) => ({ error: { code, message } })))
}
await client.close()

async function answer(told) {
  if (told.tools) return { tools: (await client.listTools()).tools.map((tool) => tool.name) }
  return { result: await client.callTool({ name: told.call, arguments: told.arguments }) }
}
