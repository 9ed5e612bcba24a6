// Oracle for byte equality: the official client with a fixed clock and fixed randomness.
// Reads JSON lines {version, paymentRequired, privateKey, now, random_hex} from stdin, `now` in seconds.
// Answers each with one JSON line {header_name, header_value, digest}, or {error}; its spend controls are off.
import { realpathSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { x402Client, x402HTTPClient } from '@x402/core/client'
import { encodePaymentRequiredHeader } from '@x402/core/http'
import { registerExactEvmScheme } from '@x402/evm/exact/client'
import { hashTypedData, hexToBytes } from 'viem'
import { privateKeyToAccount } from 'viem/accounts'

/** The header with which the official client would answer `paymentRequired`. */
export async function credential({ version, paymentRequired, privateKey, now, random_hex }) {
  const account = privateKeyToAccount(privateKey)
  let digest
  const signTypedData = (message) => {
    digest = hashTypedData(message)
    return account.signTypedData(message)
  }
  const client = new x402Client()
  registerExactEvmScheme(client, { signer: { address: account.address, signTypedData } })
  client.setSpendControls(false)

  const http = new x402HTTPClient(client)
  const header = version === 1 ? undefined : encodePaymentRequiredHeader(paymentRequired)
  const parsed = http.getPaymentRequiredResponse(
    (name) => (name.toUpperCase() === 'PAYMENT-REQUIRED' ? header : undefined),
    version === 1 ? paymentRequired : {},
  )
  const payload = await frozen(now, random_hex, () => client.createPaymentPayload(parsed))
  const [[header_name, header_value]] = Object.entries(http.encodePaymentSignatureHeader(payload))
  return { header_name, header_value, digest }
}

async function frozen(now, random_hex, work) {
  const bytes = hexToBytes(random_hex.startsWith('0x') ? random_hex : `0x${random_hex}`)
  const clock = Date.now
  let used = 0
  Date.now = () => now * 1000
  crypto.getRandomValues = (array) => {
    if (used + array.length > bytes.length) throw new Error('random_hex is too short')
    array.set(bytes.subarray(used, (used += array.length)))
    return array
  }
  try {
    return await work()
  } finally {
    Date.now = clock
    delete crypto.getRandomValues
  }
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    const answer = await credential(JSON.parse(line)).catch((error) => ({ error: error.message }))
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}
