// The outside world of the tests and the demo: a local chain, the official facilitator and two official sellers.
// Usage: node world.mjs [--fund ADDRESS=AMOUNT]… [--port-rpc N]; prints one ready line, then answers JSON commands from stdin.
// Ends itself and anvil on "quit", closed stdin, SIGTERM, SIGINT, SIGHUP or when its parent is gone.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { NETWORK, startChain, TOKEN, whole } from './chain.mjs'
import { facilitatorApp } from './facilitator.mjs'
import { sellerApp, sellerV1App } from './sellers.mjs'

const PAY_TO = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'

const { values: options } = parseArgs({
  options: { fund: { type: 'string', multiple: true, default: [] }, 'port-rpc': { type: 'string', default: '0' } },
})
let chain
let ending = false
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => end(0))
const parent = process.ppid
setInterval(() => process.ppid === parent || end(0), 500).unref()

let turn = open().catch((error) => {
  console.error(error)
  return end(1)
})
createInterface({ input: process.stdin })
  .on('line', (line) => { turn = turn.then(() => answer(line)) })
  .on('close', () => { turn = turn.then(() => end(0)) })

async function open() {
  chain = await startChain({ port: Number(options['port-rpc']) })
  chain.process.on('exit', () => end(1))
  for (const order of options.fund) {
    const [address, amount] = order.split('=')
    await chain.mint(address, amount)
  }
  const facilitator = await serve(facilitatorApp(chain.rpc))
  const seller = await serve(sellerApp(facilitator, PAY_TO))
  const sellerV1 = await serve(sellerV1App(facilitator, PAY_TO))
  say({
    event: 'ready', rpc: chain.rpc, facilitator, seller, seller_v1: sellerV1, token: TOKEN, pay_to: PAY_TO, network: NETWORK,
  })
}

async function serve(app) {
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${server.address().port}`
}

async function answer(line) {
  if (line.trim() === '') return
  try {
    say({ ok: true, ...(await obey(JSON.parse(line))) })
  } catch (error) {
    say({ ok: false, error: error.shortMessage ?? error.message })
  }
}

async function obey({ cmd, address, amount, blocks, seconds }) {
  switch (cmd) {
    case 'mint': return { cmd, address, balance: whole(await chain.mint(address, amount)) }
    case 'balance': return { cmd, address, balance: whole(await chain.balance(address)) }
    case 'mine': return { cmd, ...(await chain.mine(blocks, seconds)) }
    case 'quit': return end(0)
    default: throw new Error(`unknown cmd ${JSON.stringify(cmd)}`)
  }
}

async function end(code) {
  if (ending) return
  ending = true
  await chain?.stop()
  process.exit(code)
}

function say(object) {
  process.stdout.write(`${JSON.stringify(object)}\n`)
}
