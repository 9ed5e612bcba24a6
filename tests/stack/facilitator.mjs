// The official facilitator (@x402/core, @x402/evm) behind POST /verify, POST /settle and GET /supported.
// Serves `exact` on Base Sepolia for v2 and v1 and settles with a rich account of the local chain.
// Sends one transaction at a time: parallel ones would race for the account's nonce.
import { x402Facilitator } from '@x402/core/facilitator'
import { toFacilitatorEvmSigner } from '@x402/evm'
import { ExactEvmScheme } from '@x402/evm/exact/facilitator'
import { ExactEvmSchemeV1 } from '@x402/evm/exact/v1/facilitator'
import express from 'express'
import { walletActions } from 'viem'
import { chainAccount, connect, NETWORK } from './chain.mjs'

export function facilitatorApp(rpc) {
  const signer = settlingSigner(rpc)
  const facilitator = new x402Facilitator()
    .register(NETWORK, new ExactEvmScheme(signer))
    .registerV1('base-sepolia', new ExactEvmSchemeV1(signer))

  const app = express()
  app.use(express.json({ limit: '1mb' }))
  app.get('/supported', (_request, response) => response.json(facilitator.getSupported()))
  app.post('/verify', async ({ body }, response) => {
    try {
      response.json(await facilitator.verify(body.paymentPayload, body.paymentRequirements))
    } catch (error) {
      response.status(400).json({ isValid: false, invalidReason: 'unexpected_verify_error', invalidMessage: error.message })
    }
  })
  app.post('/settle', async ({ body }, response) => {
    try {
      response.json(await facilitator.settle(body.paymentPayload, body.paymentRequirements))
    } catch (error) {
      const network = body?.paymentRequirements?.network ?? NETWORK
      response.status(400).json({
        success: false, errorReason: 'unexpected_settle_error', errorMessage: error.message, transaction: '', network,
      })
    }
  })
  return app
}

function settlingSigner(rpc) {
  const account = chainAccount(0)
  const client = connect(rpc, account).extend(walletActions)
  let last = Promise.resolve()
  const inTurn = (send) => (args) => {
    const sent = last.then(() => send(args))
    last = sent.catch(() => {})
    return sent
  }
  return toFacilitatorEvmSigner({
    address: account.address,
    readContract: client.readContract,
    verifyTypedData: client.verifyTypedData,
    waitForTransactionReceipt: client.waitForTransactionReceipt,
    getCode: client.getCode,
    writeContract: inTurn(client.writeContract),
    sendTransaction: inTurn(client.sendTransaction),
  })
}
