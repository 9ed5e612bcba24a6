// Every scored scenario of one revision of the official suite, through `/mcp/NAME` of a running Countersign.
// Usage: node behind.mjs --server http://127.0.0.1:PORT --token TOKEN --name NAME --revision 2025-11-25; prints the suite's summary.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Worker, isMainThread, workerData } from 'node:worker_threads'
import { startProxy } from './proxy.mjs'

const text = { type: 'string' }
const { values: options } = parseArgs({ options: { server: text, token: text, name: text, revision: text } })
if (isMainThread) {
  // The suite is waited for in a thread of its own, so that the proxy goes on.
  const proxy = await startProxy(options.server, options.token)
  new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: proxy.url }).on('message', ({ out, status }) => {
    console.log(out)
    proxy.stop()
    process.exit(status)
  })
} else {
  const { parentPort } = await import('node:worker_threads')
  const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
  const bin = (name) => fileURLToPath(new URL(`node_modules/.bin/${name}`, import.meta.url))
  const words = ['server', '--url', `${workerData}/mcp/${options.name}`, '--requirements', options.revision, '-o', folder]
  const { stdout, stderr, status } = spawnSync(bin('node'), [bin('conformance'), ...words], { encoding: 'utf8', maxBuffer: 1 << 26 })
  rmSync(folder, { recursive: true })
  parentPort.postMessage({ out: `${stdout}${stderr}`, status })
}
