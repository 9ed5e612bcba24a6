// The world itself: official clients buy from both sellers on the local chain, and nothing outlives its parent.
// One world serves all tests of this file.
// Run: node --test
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createPublicClient, http, keccak256, parseUnits, toHex } from 'viem'
import { credential } from './official-client.mjs'

const PAYER = '0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80'
const KEY = keccak256(toHex('x402-vector-key'))
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const flow = async (...args) =>
  JSON.parse((await promisify(execFile)(process.execPath, [here('official-flow.mjs'), '--key', KEY, ...args])).stdout)

let world
before(async () => { world = await startWorld(`${PAYER}=100`) })
after(async () => world.quit())

test('the official client buys from the v2 seller and the balance moves', async () => {
  const before = await world.balance(PAYER)
  const { status } = await flow(`${world.seller}/cheap`, '2')
  assert.equal(status, 200)
  assert.equal(before - (await world.balance(PAYER)), 60_000n)
})

test('the official client buys from the v1 seller and the balance moves', async () => {
  const before = await world.balance(world.pay_to)
  await flow(`${world.seller_v1}/v1/cheap`)
  assert.equal((await world.balance(world.pay_to)) - before, 30_000n)
})

test('parallel purchases all settle, each once', async () => {
  const answers = await Promise.all(Array.from({ length: 12 }, () => pay('/echo', 'POST', { hello: 'world' })))
  assert.deepEqual(answers.map(({ status }) => status), Array(12).fill(200))
  assert.equal(new Set(answers.map(({ body }) => body.delivery)).size, 12)
  assert.deepEqual(answers[0].body.body, { hello: 'world' })
})

test('a credential that was used already is refused with its reason', async () => {
  const { headers } = await pay('/cheap')
  const again = await fetch(`${world.seller}/cheap`, { headers })
  assert.equal(again.status, 402)
  const refusal = JSON.parse(Buffer.from(again.headers.get('PAYMENT-REQUIRED'), 'base64'))
  assert.equal(refusal.error, 'invalid_exact_evm_nonce_already_used')
})

test('a payer without the money is refused before anything is delivered', async () => {
  const { status, error } = await pay('/huge', 'GET', undefined, keccak256(toHex('a poor key')))
  assert.deepEqual([status, error], [402, 'invalid_exact_evm_insufficient_balance'])
})

test('mining moves the block number and the clock of the chain', async () => {
  const first = await world.ask({ cmd: 'mine', blocks: 1 })
  const second = await world.ask({ cmd: 'mine', blocks: 65, seconds: 5 })
  assert.equal(second.block, first.block + 65)
  assert.ok(second.timestamp >= first.timestamp + 5)
})

test('a command it does not know is answered, not fatal', async () => {
  assert.equal((await world.ask({ cmd: 'dance' })).ok, false)
  assert.equal((await world.ask({ cmd: 'mint', address: PAYER, amount: '1.5' })).ok, true)
})

test('no chain is left behind when the world is killed', { skip: process.platform === 'win32' }, async () => {
  const doomed = await startWorld()
  doomed.process.kill('SIGKILL')
  const answers = () => createPublicClient({ transport: http(doomed.rpc, { retryCount: 0 }) }).getChainId().then(() => true, () => false)
  const deadline = Date.now() + 10_000
  while (await answers()) assert.ok(Date.now() < deadline, 'anvil still answers')
})

async function pay(path, method = 'GET', body, privateKey = KEY) {
  const init = { method, ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) }
  const offer = await fetch(`${world.seller}${path}`, init)
  const paymentRequired = JSON.parse(Buffer.from(offer.headers.get('PAYMENT-REQUIRED'), 'base64'))
  const { header_name, header_value } = await credential({
    version: 2, paymentRequired, privateKey, now: Math.floor(Date.now() / 1000),
    random_hex: toHex(crypto.getRandomValues(new Uint8Array(32))),
  })
  const headers = { ...init.headers, [header_name]: header_value }
  const answer = await fetch(`${world.seller}${path}`, { ...init, headers })
  const refusal = answer.headers.get('PAYMENT-REQUIRED')
  const error = refusal && JSON.parse(Buffer.from(refusal, 'base64')).error
  return { status: answer.status, error, headers, body: await answer.json() }
}

async function startWorld(...funds) {
  const args = funds.flatMap((fund) => ['--fund', fund])
  const child = spawn(process.execPath, [here('world.mjs'), ...args], { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const read = async () => JSON.parse((await lines.next()).value)
  const ready = await read()
  const ask = (command) => {
    child.stdin.write(`${JSON.stringify(command)}\n`)
    return read()
  }
  const balance = async (address) => parseUnits((await ask({ cmd: 'balance', address })).balance, 6)
  const quit = async () => {
    child.stdin.write('{"cmd":"quit"}\n')
    await once(child, 'exit')
  }
  return { ...ready, process: child, ask, balance, quit }
}
