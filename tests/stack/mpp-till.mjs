// What the MPP sellers share: charges by method evm, settled on the local chain with an account of its own.
import { evm } from 'mppx/server'
import { walletActions } from 'viem'
import { chainAccount, connect, TOKEN } from './chain.mjs'

const abi = [{
  type: 'function', name: 'transferWithAuthorization', stateMutability: 'nonpayable', outputs: [],
  inputs: ['address', 'address', 'uint256', 'uint256', 'uint256', 'bytes32', 'bytes'].map((type) => ({ type })),
}]

/** Settles for `payTo`; `settled` names every transaction that moved money. */
export function openTill(rpc, payTo) {
  const account = chainAccount(2)
  const chain = connect(rpc, account).extend(walletActions)
  const settled = []
  let last = Promise.resolve()

  async function settle({ payload: p }) {
    const args = [p.from, p.to, BigInt(p.value), BigInt(p.validAfter), BigInt(p.validBefore), p.nonce, p.signature]
    const sent = last.then(async () => {
      const { request } = await chain.simulateContract({ address: TOKEN, abi, functionName: 'transferWithAuthorization', args, account })
      const hash = await chain.writeContract(request)
      await chain.waitForTransactionReceipt({ hash })
      return hash
    })
    last = sent.catch(() => {})
    const reference = await sent
    settled.push(reference)
    return { reference }
  }

  const charge = (differently = {}) =>
    evm.charge({ chainId: 84532, currency: TOKEN, decimals: 6, recipient: payTo, authorization: { name: 'USDC', version: '2' }, settle, ...differently })
  return { settled, settle, charge }
}
