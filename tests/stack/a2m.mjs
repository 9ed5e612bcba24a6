// A seller that asks for Alipay's payment by agents (402 with Payment-Needed), and behind it what `alipay-bot.mjs` asks: a double
// of Alipay that opens a trade, lets the buyer confirm it, and then makes the paid request. Its texts are those that the official
// program's guides for agents show. GET|POST /buy/NAME is the seller. POST /bot is Alipay. GET /seen: what arrived.
// POST /control: {"confirm": true} – the buyer confirms all open trades; {"at_once": true} – without being asked; {"bend": {…}}
// changes fields of a price after it was signed; {"cut": true} – the next purchase is begun, and nothing is said about it.
import { createSign, generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const SELLER = '2088000000000001'
const seen = { prices: [], proofs: [], runs: [], trades: {} }
const now = { at_once: false, bend: {}, cut: false }

function needed(name) {
  const said = {
    amount: '1.50', currency: 'CNY', goods_name: `一份天气 ${name}`, out_trade_no: randomUUID(), resource_id: `/buy/${name}`, seller_id: SELLER,
    service_id: 'api_mock_service_id', pay_before: new Date(Date.now() + 240_000).toISOString().replace('Z', '+00:00'),
  }
  const signed = Object.keys(said).sort().map((key) => `${key}=${said[key]}`).join('&')
  const sign = createSign('RSA-SHA256').update(signed, 'utf8').sign(privateKey, 'base64')
  const { goods_name, seller_id, service_id, ...protocol } = { ...said, ...now.bend }
  const price = {
    protocol: { ...protocol, seller_signature: sign, seller_sign_type: 'RSA2', seller_unique_id: seller_id },
    method: { seller_name: '天气店', seller_id, seller_app_id: '2021000000000001', goods_name, seller_unique_id_key: 'seller_id', service_id },
  }
  return Buffer.from(JSON.stringify(price)).toString('base64url')
}

async function sell(request, response, name) {
  const proof = request.headers['payment-proof']
  if (!proof) {
    const price = needed(name)
    seen.prices.push(price)
    return response.writeHead(402, { 'payment-needed': price }).end('{}')
  }
  seen.proofs.push({ method: request.method, proof, body: await text(request) })
  response.end(JSON.stringify({ city: '杭州', about: name }))
}

async function fetched(trade, { url, method, body }) {
  const answer = await fetch(url, { method, body: body || undefined, headers: { 'payment-proof': trade.number } })
  const goods = await answer.text()
  return `\n**交易号**：${trade.number}\n**资源响应状态**：${answer.status}\n**资源响应头**：{}\n**资源响应体**：${goods}\n`
}

/** What the program is told: its words, and the file that it was given. */
async function bot({ words, file }) {
  seen.runs.push(words)
  const word = (name) => words[words.indexOf(name) + 1]
  const body = words.find((one) => one.startsWith('--data='))?.slice('--data='.length)
  const request = { url: word('-r'), method: word('-m'), body }
  if (words[0] === '402-buyer-pay') {
    const { protocol } = JSON.parse(Buffer.from(file, 'base64url').toString())
    const number = `20261127220014${String(seen.runs.length).padStart(18, '0')}`
    const trade = { number, paid: now.at_once, amount: protocol.amount }
    if (Object.values(seen.trades).some((one) => one.out_trade_no === protocol.out_trade_no)) return '{"success":false,"errorCode":"TRADE_HAS_SUCCESS"}'
    seen.trades[number] = { ...trade, out_trade_no: protocol.out_trade_no }
    if (now.cut) return null
    if (trade.paid) return `**✓ 支付成功并获取资源**\n${await fetched(trade, request)}`
    return `**✓ 支付待确认**\n\n**商品名称**：x\n\n**支付金额**：${protocol.amount} CNY\n\n**交易号**：${number}\n\n请 [点击此处](https://cashier.alipay.com/x)\n`
  }
  if (words[0] === '402-query-payment-status') {
    const trade = seen.trades[word('-t')]
    if (!trade?.paid) return '{"success":false,"errorCode":"TRADE_NOT_PAID","errorMsg":"尚未支付"}'
    return `**✓ 查询支付状态成功并获取资源**\n${await fetched(trade, request)}`
  }
  return '{"success":true}'
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://127.0.0.1')
  if (pathname.startsWith('/buy/')) return sell(request, response, pathname.slice(5))
  if (pathname === '/key') return response.end(JSON.stringify({ seller: SELLER, key: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') }))
  if (pathname === '/bot') {
    const said = await bot(JSON.parse(await text(request)))
    return said === null ? undefined : response.end(said)
  }
  if (pathname === '/control') {
    const { confirm, ...change } = JSON.parse(await text(request))
    Object.assign(now, change)
    if (confirm) Object.values(seen.trades).forEach((trade) => { trade.paid = true })
  }
  response.end(JSON.stringify(seen))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
