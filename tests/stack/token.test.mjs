// The token's EIP-3009 rules on the chain: strict window, single-use and cancellable nonces, both signature forms.
// The settlement tests of the app rely on them, so they are checked against the chain and not against our reading.
// Run: node --test
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { parseAbi, parseSignature, walletActions } from 'viem'
import { chainAccount, connect, startChain, TOKEN } from './chain.mjs'

const abi = parseAbi([
  'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  'function transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)',
  'function receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)',
  'function cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)',
  'function authorizationState(address,bytes32) view returns (bool)',
])
const transfer = ['from address', 'to address', 'value uint256', 'validAfter uint256', 'validBefore uint256', 'nonce bytes32']
  .map((field) => field.split(' ')).map(([name, type]) => ({ name, type }))
const types = {
  TransferWithAuthorization: transfer,
  ReceiveWithAuthorization: transfer,
  CancelAuthorization: [{ name: 'authorizer', type: 'address' }, { name: 'nonce', type: 'bytes32' }],
}
const domain = { name: 'USDC', version: '2', chainId: 84532, verifyingContract: TOKEN }
const payer = chainAccount(5)
const payee = chainAccount(6)

let chain, client, now
let nonces = 0
before(async () => {
  chain = await startChain()
  client = connect(chain.rpc, payee).extend(walletActions)
  await chain.mint(payer.address, '10')
  now = Number((await client.getBlock()).timestamp)
})
after(() => chain.stop())

test('a signed transfer moves the money once, in either signature form', async () => {
  const first = order()
  await send('transferWithAuthorization', first, await sign('TransferWithAuthorization', first))
  await assert.rejects(
    send('transferWithAuthorization', first, await sign('TransferWithAuthorization', first)),
    /used or canceled/,
  )
  const second = order()
  await send('transferWithAuthorization', second, [await typed('TransferWithAuthorization', second)])
  assert.equal(await chain.balance(payee.address), 2_000_000n)
  assert.equal(await used(first), true)
})

test('the window is open strictly between its ends', async () => {
  for (const [validAfter, validBefore, opens] of [[2000, 2010, 2001], [3000, 3010, 3009]]) {
    const within = order({ validAfter: now + validAfter, validBefore: now + validBefore })
    const signature = await sign('TransferWithAuthorization', within)
    const at = async (second) => {
      await client.setNextBlockTimestamp({ timestamp: BigInt(now + second) })
      const hash = await send('transferWithAuthorization', within, signature, { gas: 200_000n })
      return (await client.waitForTransactionReceipt({ hash })).status
    }
    if (opens === validAfter + 1) assert.equal(await at(validAfter), 'reverted')
    assert.equal(await at(opens), 'success')
  }
  const late = order({ validBefore: now + 4000 })
  await client.setNextBlockTimestamp({ timestamp: BigInt(now + 4000) })
  const hash = await send('transferWithAuthorization', late, await sign('TransferWithAuthorization', late), { gas: 200_000n })
  assert.equal((await client.waitForTransactionReceipt({ hash })).status, 'reverted')
  assert.equal(await used(late), false)
})

test('a cancelled authorization can no longer be used', async () => {
  const wanted = order()
  const cancel = await sign('CancelAuthorization', { authorizer: wanted.from, nonce: wanted.nonce })
  await write('cancelAuthorization', [wanted.from, wanted.nonce, ...cancel])
  assert.equal(await used(wanted), true)
  await assert.rejects(
    send('transferWithAuthorization', wanted, await sign('TransferWithAuthorization', wanted)),
    /used or canceled/,
  )
})

test('only the payee may receive with an authorization', async () => {
  const forOther = order({ to: chainAccount(7).address })
  await assert.rejects(
    send('receiveWithAuthorization', forOther, await sign('ReceiveWithAuthorization', forOther)),
    /must be the payee/,
  )
  const ours = order()
  await send('receiveWithAuthorization', ours, await sign('ReceiveWithAuthorization', ours))
  assert.equal(await used(ours), true)
})

test('a signature over another amount is invalid', async () => {
  const signed = order()
  const signature = await sign('TransferWithAuthorization', signed)
  await assert.rejects(send('transferWithAuthorization', { ...signed, value: 1n }, signature), /invalid signature/)
})

function order(change) {
  const nonce = `0x${(++nonces).toString(16).padStart(64, '0')}`
  return { from: payer.address, to: payee.address, value: 1_000_000n, validAfter: 0, validBefore: now + 100_000, nonce, ...change }
}
const typed = (primaryType, message) => payer.signTypedData({ domain, types, primaryType, message })
async function sign(primaryType, message) {
  const { v, r, s } = parseSignature(await typed(primaryType, message))
  return [Number(v), r, s]
}
const write = async (functionName, args, more) => {
  const hash = await client.writeContract({ address: TOKEN, abi, functionName, args, ...more })
  await client.waitForTransactionReceipt({ hash })
  return hash
}
const send = (functionName, { from, to, value, validAfter, validBefore, nonce }, signature, more) =>
  write(functionName, [from, to, value, BigInt(validAfter), BigInt(validBefore), nonce, ...signature], more)
const used = ({ from, nonce }) =>
  client.readContract({ address: TOKEN, abi, functionName: 'authorizationState', args: [from, nonce] })
