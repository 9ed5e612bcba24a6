// A double of Alipay's gateway with an order book and two RSA pairs of its own, made of the rules that Alipay publishes. Every request
// is checked by those rules, and once more: the official SDK (alipay-sdk) has to sign the same fields with the same bytes.
// POST or GET /gateway.do is the gateway. GET /notice?out_trade_no=…&total_amount=…: a notice that such an order was paid, as posted. GET /keys: the app's private key and the gateway's public one. GET /seen: what arrived.
// --keys FOLDER writes the two keys into files as well. POST /control: {"buy": out_trade_no} pays an opened order; {"fault", "method"?, "times"?} bends answers. Run: node alipay-gateway.mjs
import { createSign, createVerify, generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
// The SDK does not export the function that signs.
import { sign as sdkSign } from './node_modules/alipay-sdk/dist/esm/util.js'

const APP = '2021000000000001'
const FAR = 15 * 60 * 1000
const [app, alipay, stranger] = [1, 2, 3].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }))
const bare = (key, type) => key.export({ type, format: 'der' }).toString('base64')
const trades = new Map()
const { values: options } = parseArgs({ options: { keys: { type: 'string' } } })
const keys = { app_id: APP, app: bare(app.privateKey, 'pkcs1'), alipay: bare(alipay.publicKey, 'spki') }
for (const name of options.keys ? ['app', 'alipay'] : []) writeFileSync(join(options.keys, name), keys[name], { mode: 0o600 })
const seen = { requests: [], refunds: [] }
let faults = []
let number = 0

const fen = (yuan) => {
  if (!/^(0|[1-9]\d*)\.\d\d$/.test(yuan)) throw new Error(`not a sum: ${yuan}`)
  return BigInt(yuan.replace('.', ''))
}
const yuan = (sum) => `${sum / 100n}.${String(sum % 100n).padStart(2, '0')}`
const failed = (sub_code, code = '40004') => ({ code, msg: 'Business Failed', sub_code, sub_msg: '业务失败' })
const done = (fields) => ({ code: '10000', msg: 'Success', ...fields })

const methods = {
  'alipay.trade.query'({ out_trade_no }) {
    const trade = trades.get(out_trade_no)
    if (!trade) return failed('ACQ.TRADE_NOT_EXIST')
    return done({
      out_trade_no, trade_no: trade.trade_no, trade_status: trade.status, total_amount: yuan(trade.amount), buyer_logon_id: '买家***"sign"',
    })
  },
  'alipay.trade.refund'({ out_trade_no, refund_amount, out_request_no }, fault) {
    const trade = trades.get(out_trade_no)
    if (!trade) return failed('ACQ.TRADE_NOT_EXIST')
    if (trade.status !== 'TRADE_SUCCESS') return failed('ACQ.TRADE_HAS_FINISHED')
    const answer = { out_trade_no, trade_no: trade.trade_no, refund_fee: refund_amount }
    if (trade.refunds.has(out_request_no)) return done({ ...answer, fund_change: 'N' })
    const sum = [...trade.refunds.values()].reduce((all, one) => all + one, fen(refund_amount))
    if (sum > trade.amount) return failed('ACQ.REASON_TRADE_REFUND_FEE_ERR')
    trade.refunds.set(out_request_no, fen(refund_amount))
    seen.refunds.push({ out_trade_no, out_request_no, refund_amount })
    return done({ ...answer, fund_change: fault === 'no-change' ? 'N' : 'Y' })
  },
  'alipay.trade.fastpay.refund.query'({ out_trade_no, out_request_no }, fault) {
    const trade = trades.get(out_trade_no)
    if (!trade) return failed('ACQ.TRADE_NOT_EXIST')
    const amount = trade.refunds.get(out_request_no)
    if (amount === undefined || fault === 'not-yet') return done({})
    const answer = { out_trade_no, out_request_no, trade_no: trade.trade_no, total_amount: yuan(trade.amount) }
    return done({ ...answer, refund_amount: yuan(amount), refund_status: 'REFUND_SUCCESS' })
  },
}

/** What the gateway's own rules say of a request: none if they hold. */
function complaint(given) {
  for (const name of ['app_id', 'method', 'charset', 'sign_type', 'timestamp', 'version', 'sign']) {
    if (!given[name]) return `isv.missing-${name}`
  }
  const signed = Object.entries(given).filter(([name, value]) => name !== 'sign' && value !== '')
  const joined = signed.sort(([a], [b]) => (a < b ? -1 : 1)).map((pair) => pair.join('=')).join('&')
  if (!createVerify('RSA-SHA256').update(joined, 'utf8').verify(app.publicKey, given.sign, 'base64')) return 'isv.invalid-signature'
  if (given.app_id !== APP) return 'isv.invalid-app-id'
  const at = Date.parse(`${given.timestamp.replace(' ', 'T')}+08:00`)
  return Math.abs(Date.now() - at) < FAR ? null : 'isv.invalid-timestamp'
}

/** Whether the official SDK signs the same fields with the same bytes. */
function sdkAgrees({ sign, method, biz_content, app_id, ...others }) {
  const config = {
    appId: app_id, charset: 'utf-8', version: '1.0', signType: 'RSA2', privateKey: app.privateKey.export({ type: 'pkcs1', format: 'pem' }),
  }
  return sdkSign(method, { ...others, bizContent: JSON.parse(biz_content) }, config).sign === sign
}

function take(method) {
  const found = faults.find((fault) => !fault.method || fault.method === method)
  if (found && --found.times === 0) faults = faults.filter((fault) => fault !== found)
  return found?.fault
}

const signed = (object, key = alipay.privateKey) => createSign('RSA-SHA256').update(object, 'utf8').sign(key, 'base64')

function answer(method, object, fault) {
  const name = `${method.replaceAll('.', '_')}_response`
  const bytes = JSON.stringify(object).replaceAll('/', '\\/')
  const said = (inner, sign) => `{"${name}":${inner},"sign":"${sign}"}`
  switch (fault) {
    case 'tampered': return said(bytes.replace('Success', 'Succes5').replace('Failed', 'Fai1ed'), signed(bytes))
    case 'missing-sign': return `{"${name}":${bytes}}`
    case 'other-key': return said(bytes, signed(bytes, stranger.privateKey))
    case 'error-response': return '{"error_response":{"code":"20000","msg":"Service Currently Unavailable","sub_code":"isp.unknow-error"}}'
    case 'twice': return `{"${name}":${bytes},"${name}":${bytes},"sign":"${signed(bytes)}"}`
    case 'trailing': return `${said(bytes, signed(bytes))} x`
    case 'big': return said(bytes, signed(bytes)).padEnd(2 * 1024 * 1024)
    case 'odd': {
      const odd = JSON.stringify({ ...object, msg: 'a\\/b }"sign":"x" 中文' }).replaceAll('/', '\\/')
      return `{ "${name}" : ${odd} , "alipay_cert_sn":"c", "sign" : "${signed(odd)}" }`
    }
    default: return said(bytes, signed(bytes))
  }
}

async function gateway(request, response, url) {
  const body = new URLSearchParams(await text(request))
  const given = Object.fromEntries([...url.searchParams, ...body])
  const wrong = complaint(given)
  const content = JSON.parse(given.biz_content ?? '{}')
  seen.requests.push({ method: given.method, wrong, sdk: wrong === null && sdkAgrees(given), content, sign: given.sign })
  response.setHeader('content-type', 'application/json;charset=utf-8')
  if (wrong) return response.end(answer(given.method ?? 'error', failed(wrong, '40002')))
  if (given.method.endsWith('.pay')) return open(content, response)
  const fault = take(given.method)
  if (fault === '502') return response.writeHead(502).end('bad gateway')
  if (fault === '20000') return response.end(answer(given.method, failed('isp.unknow-error', '20000')))
  if (fault?.startsWith('ACQ.')) return response.end(answer(given.method, failed(fault)))
  const object = methods[given.method](content, fault)
  if (fault === 'cut') return response.destroy()
  response.end(answer(given.method, object, fault))
}

/** What Alipay posts to a merchant's server: signed without `sign_type`, with what is empty. */
function notice(about) {
  const fields = { app_id: APP, charset: 'utf-8', notify_id: 'n1', notify_type: 'trade_status_sync', trade_no: '1', trade_status: 'TRADE_SUCCESS', passback_params: '', ...about }
  const joined = Object.keys(fields).sort().map((name) => `${name}=${fields[name]}`).join('&')
  return new URLSearchParams({ ...fields, sign_type: 'RSA2', sign: signed(joined) }).toString()
}

/** A buyer opens a page: only now does the gateway know of the order. */
function open({ out_trade_no, total_amount, subject }, response) {
  const trade = trades.get(out_trade_no)
  if (trade && trade.amount !== fen(total_amount)) return response.end('CONTEXT_INCONSISTENT')
  const fresh = { trade_no: `20261121220014${String((number += 1)).padStart(14, '0')}`, status: 'WAIT_BUYER_PAY', refunds: new Map() }
  trades.set(out_trade_no, trade ?? { ...fresh, amount: fen(total_amount), subject })
  response.end(`cashier: ${subject} ${total_amount}`)
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1')
  if (url.pathname === '/gateway.do') return gateway(request, response, url)
  if (url.pathname === '/keys') {
    return response.end(JSON.stringify(keys))
  }
  if (url.pathname === '/notice') return response.end(notice(Object.fromEntries(url.searchParams)))
  if (url.pathname === '/control') {
    const { buy, fault, method, times = 1 } = JSON.parse(await text(request))
    if (buy) trades.get(buy).status = 'TRADE_SUCCESS'
    if (fault) faults.push({ fault, method, times })
  }
  const book = [...trades].map(([out_trade_no, { amount, status, subject }]) => ({ out_trade_no, amount: yuan(amount), status, subject }))
  response.end(JSON.stringify({ ...seen, book }))
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
console.log(JSON.stringify({ url: `http://127.0.0.1:${server.address().port}` }))
const parent = process.ppid
setInterval(() => process.ppid === parent || process.exit(0), 500).unref()
