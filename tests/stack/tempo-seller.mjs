// A Tempo chain of its own (anvil with Tempo's precompiles, chain id 42431) and a shop on the official MPP server (mppx) that
// charges by method tempo there. /split pays two more accounts, /sponsored pays the fee itself, /proof costs a signature only,
// /push takes no signed transaction; /forever settles and asks again with a fresh challenge, /never keeps the credential for
// itself, /expired asks with a price that is over. GET /seen tells what arrived and GET /place where, GET /balance/ADDRESS answers
// in atomic units, POST /control {fund: ADDRESS} | {mine: BLOCKS, seconds} acts on the chain. Run: node tempo-seller.mjs; ends
// with its parent.
import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Mppx, tempo } from 'mppx/server'
import { createTestClient, http, publicActions, walletActions } from 'viem'
import { tempoModerato } from 'viem/chains'
import { Actions } from 'viem/tempo'
import { chainAccount } from './chain.mjs'

const TOKEN = '0x20c0000000000000000000000000000000000000'
const PAY_TO = '0x209693Bc6afc0C5328bA36FaF03C514EF312287C'
const OTHERS = ['0x1111111111111111111111111111111111111111', '0x2222222222222222222222222222222222222222']
const SECONDS = 300

const args = '--network tempo --hardfork t4 --chain-id 42431 --block-time 1 --mixed-mining --slots-in-an-epoch 1 --port 0'.split(' ')
const anvil = spawn(process.execPath, [fileURLToPath(new URL('anvil.mjs', import.meta.url)), ...args], {
  stdio: ['pipe', 'pipe', 'inherit'],
})
const rpc = `http://${await listening(anvil)}`
const client = (account) =>
  createTestClient({ mode: 'anvil', chain: tempoModerato, transport: http(rpc), account, pollingInterval: 20, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)
const chain = client(chainAccount(0))
await chain.mine({ blocks: 1 })

const seen = { credentials: [], paid: 0 }
const till = (more) => {
  const charge = tempo.charge({
    chainId: 42431, currency: TOKEN, recipient: PAY_TO, getClient: () => client(), ...more,
  })
  return Mppx.create({ methods: [charge], secretKey: 'only-for-the-tests-of-countersign' })
}
const shop = till({})
const pull = till({ supportedModes: ['pull'] })
const push = till({ supportedModes: ['push'] })
const sponsor = till({ feePayer: chainAccount(3) })
const splits = [{ recipient: OTHERS[0], amount: '0.002' }, { recipient: OTHERS[1], amount: '0.001', memo: `0x${'ab'.repeat(32)}` }]

/** Answers as mppx does; `after` gets the answer of a paid request instead of the buyer. */
async function sell(request, response, from, terms, after) {
  const expires = new Date(Date.now() + SECONDS * 1000).toISOString()
  const result = await from.charge({ expires, description: `Test goods: ${request.url}`, ...terms })(asked(request))
  if (result.status === 402) return send(response, result.challenge)
  seen.paid += 1
  const goods = Response.json({ path: request.url })
  if (after) return after(goods)
  return send(response, result.withReceipt(goods))
}

const unpaid = ({ url, method }) => ({ url, method, headers: {} })
const pages = {
  '/cheap': (...both) => sell(...both, pull, { amount: '0.01' }),
  '/split': (...both) => sell(...both, shop, { amount: '0.01', splits }),
  '/sponsored': (...both) => sell(...both, sponsor, { amount: '0.01' }),
  '/proof': (...both) => sell(...both, shop, { amount: '0' }),
  '/push': (...both) => sell(...both, push, { amount: '0.01' }),
  '/forever': (request, response) =>
    sell(request, response, shop, { amount: '0.01' }, () => sell(unpaid(request), response, shop, { amount: '0.01' })),
  '/never': (request, response) => request.headers.authorization
    ? send(response, new Response('oops', { status: 500 }))
    : sell(request, response, shop, { amount: '0.01' }),
  '/expired': (...both) => sell(...both, shop, { amount: '0.01', expires: new Date(Date.now() - 1000).toISOString() }),
}

const server = createServer(async (request, response) => {
  if (request.headers.authorization) seen.credentials.push({ page: request.url })
  try {
    if (request.url === '/seen') return await send(response, Response.json(seen))
    if (request.url === '/control') return await send(response, Response.json(await obey(JSON.parse(await body(request)))))
    if (request.url === '/place') return await send(response, Response.json({ rpc, pay_to: PAY_TO, others: OTHERS }))
    const [, account] = /^\/balance\/(0x\w+)$/.exec(request.url) ?? []
    if (account) {
      const { amount } = await Actions.token.getBalance(chain, { account, token: TOKEN })
      return await send(response, Response.json({ balance: String(amount) }))
    }
    await pages[request.url](request, response)
  } catch (error) {
    await send(response, new Response(error.message, { status: 500 }))
  }
})

async function obey({ fund, amount = '100000000', mine, seconds = 0 }) {
  if (fund) await Actions.token.transferSync(chain, { token: TOKEN, to: fund, amount: BigInt(amount) })
  if (seconds > 0) await chain.increaseTime({ seconds })
  if (mine) await chain.mine({ blocks: mine })
  return { ok: true }
}

async function body(request) {
  const parts = []
  for await (const part of request) parts.push(part)
  return Buffer.concat(parts).toString()
}

function asked({ url, method, headers }) {
  return new Request(`http://127.0.0.1:${server.address().port}${url}`, { method, headers })
}

async function send(response, answer) {
  response.writeHead(answer.status, [...answer.headers].flat())
  response.end(Buffer.from(await answer.arrayBuffer()))
}

async function listening(from) {
  for await (const line of createInterface({ input: from.stdout })) {
    const address = /^Listening on (\S+)/.exec(line)?.[1]
    if (!address) continue
    from.stdout.resume() // a full pipe would stop anvil
    return address
  }
  throw new Error('anvil ended before it listened')
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
