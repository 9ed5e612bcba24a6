// The official client's own flow, measured: what the bench compares Countersign with. One process, one JSON line at the end.
// Usage: node official-flow.mjs --key HEX URL [N]          → {url, purchases, status, ns: [per purchase…]}
//        node official-flow.mjs --key HEX --sign-only N    → {credentials, ns, per_second}; the 402 object (v2) comes on stdin
import { text } from 'node:stream/consumers'
import { parseArgs } from 'node:util'
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { wrapFetchWithPayment, x402Client, x402HTTPClient } from '@x402/fetch'
import { privateKeyToAccount } from 'viem/accounts'

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { key: { type: 'string' }, 'sign-only': { type: 'string' } },
})
const client = new x402Client()
registerExactEvmScheme(client, { signer: privateKeyToAccount(options.key) })
client.setSpendControls(false)

const result = options['sign-only'] === undefined
  ? await buy(positionals[0], Number(positionals[1] ?? 1))
  : await sign(JSON.parse(await text(process.stdin)), Number(options['sign-only']))
process.stdout.write(`${JSON.stringify(result)}\n`)

async function buy(url, purchases) {
  const pay = wrapFetchWithPayment(fetch, client)
  const ns = []
  let status
  for (let i = 0; i < purchases; i++) {
    const start = process.hrtime.bigint()
    const response = await pay(url)
    await response.arrayBuffer()
    ns.push(Number(process.hrtime.bigint() - start))
    status = response.status
    if (!response.ok) throw new Error(`purchase ${i + 1} of ${url} answered ${status}`)
  }
  return { url, purchases, status, ns }
}

async function sign(paymentRequired, credentials) {
  const http = new x402HTTPClient(client)
  const one = async () => http.encodePaymentSignatureHeader(await client.createPaymentPayload(paymentRequired))
  for (let i = 0; i < Math.min(50, credentials); i++) await one() // compiled code, not cold start, is compared
  const start = process.hrtime.bigint()
  for (let i = 0; i < credentials; i++) await one()
  const ns = Number(process.hrtime.bigint() - start)
  return { credentials, ns, per_second: Math.round(credentials / (ns / 1e9)) }
}
