// A shop on the official MPP server (mppx): charges by method evm, settled on the local chain with an account of its own.
// Some pages settle and then misbehave: /forever asks again with a fresh challenge, /breaks answers 500, /drops hangs up,
// /silent delivers without a receipt, /refuses never settles. /both offers x402 as well. GET /seen tells what arrived. Run: node mpp-seller.mjs --rpc URL --pay-to ADDRESS; ends with its parent.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { parseArgs } from 'node:util'
import { Mppx } from 'mppx/server'
import { openTill } from './mpp-till.mjs'

const { values: options } = parseArgs({ options: { rpc: { type: 'string' }, 'pay-to': { type: 'string' } } })
const till = openTill(options.rpc, options['pay-to'])
const seen = { credentials: [], settled: till.settled }
const charge = till.charge()
const broken = till.charge({ settle: async () => { throw new Error('the chain is busy') } })
const secretKey = 'only-for-the-tests-of-countersign'
const shop = Mppx.create({ methods: [charge], secretKey })
const refusing = Mppx.create({ methods: [broken], secretKey })
const PRICES = { '/cheap': '0.03', '/report': '4.20', '/huge': '75', '/echo': '0.02' }

/** Answers as mppx does; `after` gets the answer of a paid request instead of the buyer. */
async function sell(request, response, shop, amount, after) {
  const result = await shop.charge({ amount, description: `Test goods: ${request.url}` })(asked(request))
  if (result.status === 402) return send(response, result.challenge)
  const goods = Response.json({ path: request.url, delivery: seen.settled.length })
  if (after) return after(goods)
  return send(response, result.withReceipt(goods))
}

const pages = {
  '/free': (_request, response) => send(response, Response.json({ notice: 'no payment needed' })),
  '/seen': (_request, response) => send(response, Response.json(seen)),
  '/both': (request, response) => sell(request, response, shop, '0.01'),
  '/refuses': (request, response) => sell(request, response, refusing, '0.01'),
  '/silent': (request, response) => sell(request, response, shop, '0.01', (goods) => send(response, goods)),
  '/breaks': (request, response) => sell(request, response, shop, '0.01', () => send(response, new Response('oops', { status: 500 }))),
  '/drops': (request, response) => sell(request, response, shop, '0.01', () => response.destroy()),
  '/forever': (request, response) =>
    sell(request, response, shop, '0.01', () => sell({ url: request.url, method: request.method, headers: {} }, response, shop, '0.01')),
}

const server = createServer(async (request, response) => {
  if (request.headers.authorization) seen.credentials.push({ page: request.url })
  const page = pages[request.url] ?? ((...both) => sell(...both, shop, PRICES[request.url] ?? '0.03'))
  try {
    await page(request, response)
  } catch (error) {
    send(response, new Response(error.message, { status: 500 }))
  }
})

function asked({ url, method, headers }) {
  return new Request(`http://127.0.0.1:${server.address().port}${url}`, { method, headers })
}

async function send(response, answer) {
  // x402 is offered on one page only, so that the others can be paid in one way alone.
  const headers = [...answer.headers].filter(([name]) => name !== 'payment-required' || response.req.url === '/both')
  response.writeHead(answer.status, headers)
  response.end(Buffer.from(await answer.arrayBuffer()))
}

server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
