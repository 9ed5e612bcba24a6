// The oracle against the golden vectors of the protocol notes: key, clock and randomness fixed, digest and signature known.
// If one fails, the installed official client no longer signs what the vectors were taken from.
// Run: node --test
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keccak256, toHex } from 'viem'
import { TOKEN } from './chain.mjs'
import { credential } from './official-client.mjs'

const fixed = {
  privateKey: keccak256(toHex('x402-vector-key')),
  now: 1800000000,
  random_hex: toHex(Uint8Array.from({ length: 32 }, (_, i) => (7 * i + 1) % 256)),
}
const offer = {
  scheme: 'exact',
  network: 'eip155:84532',
  amount: '10000',
  asset: TOKEN,
  payTo: '0x209693Bc6afc0C5328bA36FaF03C514EF312287C',
  maxTimeoutSeconds: 60,
  extra: { name: 'USDC', version: '2' },
}
const resource = { url: 'https://seller.example/report', description: '', mimeType: 'application/json' }
const v2 = (change) => ({ version: 2, paymentRequired: { x402Version: 2, resource, accepts: [{ ...offer, ...change }] }, ...fixed })
const decode = ({ header_value }) => JSON.parse(Buffer.from(header_value, 'base64').toString())

test('v2 exact on Base Sepolia has the known digest and signature', async () => {
  const answer = await credential(v2({}))
  const { payload, accepted } = decode(answer)
  assert.equal(answer.header_name, 'PAYMENT-SIGNATURE')
  assert.equal(answer.digest, '0xf1f4f5b0859aba48d69a01a25a8f41e3bd5c5023cc1e76e631361a387ce5aba8')
  assert.equal(
    payload.signature,
    '0xf281c13b6ddcdf4be1f244f3b44f47fd3069ed789c76fe47c2ddeca9a73da50c634f215836a32b26e6b4a2e9df44492106af9987688af3c4a913a82dccbce7071b',
  )
  assert.equal(payload.authorization.from, '0x5aC24a9D8d42cEc9E381C85E504cB81Ef6819D80')
  assert.equal(payload.authorization.validBefore, '1800000060')
  assert.deepEqual(accepted, offer)
})

test('v2 exact on Base signs under the name of that chain', async () => {
  const { digest } = await credential(v2({
    network: 'eip155:8453',
    asset: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
    extra: { name: 'USD Coin', version: '2' },
  }))
  assert.equal(digest, '0x35888e0eb6cc1d8befd63a5c6db61eb92a7fef6ed415fe224ea7540a3de67354')
})

test('v1 exact opens its window ten minutes back', async () => {
  const { amount, network, ...rest } = offer
  const accepts = [{ ...rest, network: 'base-sepolia', maxAmountRequired: amount, resource: resource.url, description: '', mimeType: '' }]
  const answer = await credential({ version: 1, paymentRequired: { x402Version: 1, accepts }, ...fixed })
  assert.equal(answer.header_name, 'X-PAYMENT')
  assert.equal(answer.digest, '0x9352759ef80f6c1ea7c782966015d4beca06d556475d1cc24bb6f25d5a8a7ef5')
  assert.equal(decode(answer).payload.authorization.validAfter, '1799999400')
})

test('randomness that runs out is an error, not a reused nonce', async () => {
  await assert.rejects(credential({ ...v2({}), random_hex: '0x00' }), /random_hex is too short/)
})
