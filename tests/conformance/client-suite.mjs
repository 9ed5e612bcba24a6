// The official conformance suite for clients, through a running Countersign: its servers are put behind it, logged in to where a scenario
// is about that, and called at `/mcp/NAME` by an official client of the suite's revision. Whoever answers for Countersign says yes.
// Usage: node client-suite.mjs --program PATH --data-dir DIR --server http://127.0.0.1:PORT --token TOKEN --revision 2025-11-25;
// prints the suite's report.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { startDriver } from './driver.mjs'

// The suite starts all its scenarios at once; so many are driven at once, and the others wait.
const AT_ONCE = 10
const text = { type: 'string' }
const { values: options } = parseArgs({ options: { program: text, 'data-dir': text, server: text, token: text, revision: text } })
const drive = startDriver(options)
const queue = Array.from({ length: AT_ONCE }, () => Promise.resolve())
let turn = 0
const driver = createServer(async (request, response) => {
  const asked = JSON.parse(Buffer.concat(await request.toArray()).toString())
  const place = turn++ % queue.length
  queue[place] = queue[place].then(() => drive(asked)).then(
    () => response.end('done'),
    (error) => response.writeHead(500).end(`${error.stack}\n${error.cause ?? ''}`),
  )
})
await new Promise((listens) => driver.listen(0, '127.0.0.1', listens))

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const command = `${process.execPath} ${here('through.mjs')} http://127.0.0.1:${driver.address().port}`
const words = ['client', '--command', command, '--requirements', options.revision, '--timeout', '300000']
const suite = spawn(here('node_modules/.bin/node'), [here('node_modules/.bin/conformance'), ...words], { stdio: ['ignore', 'inherit', 'inherit'] })
suite.on('close', (status) => process.exit(status))
