// The official conformance suite against a running Countersign: every scenario that a server without the suite's own fixtures can pass.
// Usage: node suite.mjs --server http://127.0.0.1:PORT --token TOKEN; prints one line a scenario, and the report of each that fails.
// The suite needs Node 22, which comes with the packages here; this file itself runs on Node 20.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { startProxy } from './proxy.mjs'

// The four checks in baseline.yml want a diagnostic tool that only a test server has.
const SCENARIOS = {
  '2025-11-25': [
    'server-initialize', 'ping', 'tools-list', 'server-sse-multiple-streams', 'dns-rebinding-protection', 'server-session-lifecycle',
    'resources-list', 'prompts-list',
  ],
  '2026-07-28': [
    'tools-list', 'server-sse-multiple-streams', 'dns-rebinding-protection', 'server-stateless', 'http-header-validation', 'caching',
    'resources-list', 'prompts-list', 'sep-2164-resource-not-found', 'input-required-result-unsupported-methods',
    'input-required-result-validate-input',
  ],
}
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const { values: options } = parseArgs({ options: { server: { type: 'string' }, token: { type: 'string' } } })

const proxy = await startProxy(options.server, options.token)
const folder = mkdtempSync(join(tmpdir(), 'conformance-'))
const queue = Object.entries(SCENARIOS).flatMap(([version, names]) => names.map((name) => ({ version, name })))
let failed = 0
await Promise.all(Array.from({ length: availableParallelism() }, work))
rmSync(folder, { recursive: true })
proxy.stop()
process.exit(failed === 0 ? 0 : 1)

async function work() {
  for (let next = queue.shift(); next; next = queue.shift()) await run(next)
}

async function run({ version, name }) {
  const words = ['--url', `${proxy.url}/mcp`, '--scenario', name, '--spec-version', version, '-o', join(folder, `${version}-${name}`)]
  if (name === 'server-stateless') words.push('--expected-failures', here('baseline.yml'))
  try {
    await promisify(execFile)(here('node_modules/.bin/node'), [here('node_modules/.bin/conformance'), 'server', ...words])
    console.log(`ok     ${version} ${name}`)
  } catch (error) {
    failed += 1
    console.log(`FAILED ${version} ${name}\n${error.stdout ?? ''}${error.stderr ?? error}`)
  }
}
