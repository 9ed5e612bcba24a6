// An existing x402 program whose key moved out of its process: three lines changed, the rest did not.
//
//   COUNTERSIGN_URL=http://127.0.0.1:7402 COUNTERSIGN_TOKEN=… node dist/buy.js URL KEY

// Before: import { wrapFetchWithPayment, x402Client } from '@x402/fetch'
import { wrapFetchWithCountersign } from './countersign-fetch.js'

const [url = '', key = ''] = process.argv.slice(2)

// Before: const client = new x402Client(); registerExactEvmScheme(client, { signer: privateKeyToAccount(process.env.PRIVATE_KEY) })
const purse = { url: process.env.COUNTERSIGN_URL ?? '', token: process.env.COUNTERSIGN_TOKEN ?? '' }
// Before: const fetchWithPayment = wrapFetchWithPayment(fetch, client)
const fetchWithPayment = wrapFetchWithCountersign(fetch, purse)

const response = await fetchWithPayment(url, { headers: { 'Idempotency-Key': key } })
if (!response.ok) throw new Error(`${url} answered ${response.status}`)
console.log(await response.text())
