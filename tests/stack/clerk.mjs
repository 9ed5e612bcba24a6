// A clerk on the official MCP client, under the names of Alipay's own server: makes a page, sees it paid, and asks for two refunds.
// Usage: node clerk.mjs --mcp URL --token TOKEN --gateway URL, the last the double's own address, for the buyer's part.
// Narrates on stdout; the last line is the double's order book. Exit 1 if a question never ended.
import { parseArgs } from 'node:util'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const text = { type: 'string' }
const { values: options } = parseArgs({ options: { mcp: text, token: text, gateway: text } })
const POLLS = 20
const say = (sentence) => console.log(`clerk: ${sentence}`)
const client = new Client({ name: 'clerk', version: '1.0.0' })
const headers = { Authorization: `Bearer ${options.token}` }

async function call(name, args) {
  const result = await client.callTool({ name, arguments: args }, undefined, { timeout: 180_000 })
  if (result.isError) throw new Error(result.content[0].text)
  return result.structuredContent
}

async function refund(refundAmount, outRequestNo, refundReason) {
  say(`I give back CNY ${refundAmount} under the number ${outRequestNo}: ${refundReason}. Somebody has to agree.`)
  let outcome = await call('refund-alipay-payment', { outTradeNo: 'ORDER-1', refundAmount, outRequestNo, refundReason })
  for (let poll = 0; outcome.status === 'pending_approval' && poll < POLLS; poll++) {
    outcome = await call('get_payment', { payment_id: outcome.payment.id, wait_seconds: 20 })
  }
  say(`that is ${outcome.status}${outcome.refundResult ? `, Alipay says ${outcome.refundResult}` : ''}.`)
  const { refundStatus = 'nothing of it' } = await call('query-alipay-refund', { outTradeNo: 'ORDER-1', outRequestNo })
  say(`Alipay knows ${refundStatus}.`)
  return outcome.status !== 'pending_approval'
}

try {
  await client.connect(new StreamableHTTPClientTransport(new URL(options.mcp), { requestInit: { headers } }))
  const order = { outTradeNo: 'ORDER-1', totalAmount: 30, orderTitle: 'A sheet of stamps 一套邮票' }
  const { paymentLink } = await call('create-web-page-alipay-payment', order)
  say(`made a page for CNY 30.00 at ${new URL(paymentLink).origin}; it moves nobody's money by itself.`)
  say(`Alipay says ${(await call('query-alipay-payment', { outTradeNo: 'ORDER-1' })).tradeStatus}.`)
  await fetch(paymentLink)
  await fetch(`${options.gateway}/control`, { method: 'POST', body: JSON.stringify({ buy: 'ORDER-1' }) })
  console.log('buyer: opened the page and paid.')
  say(`Alipay says ${(await call('query-alipay-payment', { outTradeNo: 'ORDER-1' })).tradeStatus}.`)
  const ended = [await refund(12.5, 'REFUND-1', 'one stamp is torn'), await refund(17.5, 'REFUND-2', 'the buyer wants it all back')]
  console.log(JSON.stringify((await (await fetch(`${options.gateway}/seen`)).json()).refunds))
  process.exitCode = ended.every(Boolean) ? 0 : 1
} catch (error) {
  console.error(`clerk: ${error.message}`)
  process.exitCode = 1
} finally {
  await client.close()
}
