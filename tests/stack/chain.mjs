// The local chain: anvil as Base Sepolia (chain id 84532) with our EIP-3009 token at the real USDC address.
// startChain() resolves when the token is in place; mint, balance and mine act on it; stop() ends anvil.
// Amounts are decimal strings in whole tokens ("12.50"); the chain lives in memory only.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createTestClient, formatUnits, getAddress, http, parseUnits, publicActions, walletActions } from 'viem'
import { mnemonicToAccount } from 'viem/accounts'
import { baseSepolia } from 'viem/chains'

export const NETWORK = 'eip155:84532'
export const TOKEN = '0x036CbD53842c5426634e7929541eC2318f3dCF7e'
const MULTICALL = '0xcA11bde05977b3631167028862bE2a173976CA11'
const MNEMONIC = 'test test test test test test test test test test test junk'

/** Account `index` of anvil's public test mnemonic, rich in test ether: 0 settles, 1 mints. */
export const chainAccount = (index) => mnemonicToAccount(MNEMONIC, { addressIndex: index })

export async function startChain({ port = 0 } = {}) {
  const anvil = spawn(process.execPath, [here('anvil.mjs'), '--chain-id', '84532', '--port', String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: process.platform !== 'win32',
  })
  anvil.stdin.on('error', () => {})
  const stop = async () => {
    anvil.stdin.end()
    if (anvil.exitCode === null) await once(anvil, 'exit')
  }
  const rpc = `http://${await listening(anvil)}`
  const client = connect(rpc).extend(walletActions)
  const { Token, Multicall } = compile()
  await client.setCode({ address: TOKEN, bytecode: Token.code })
  await client.setCode({ address: MULTICALL, bytecode: Multicall.code })

  const token = { address: TOKEN, abi: Token.abi }
  const balance = async (address) =>
    client.readContract({ ...token, functionName: 'balanceOf', args: [getAddress(address)] })
  const mint = async (address, amount) => {
    const value = parseUnits(amount, 6)
    const hash = await client.writeContract({
      ...token, functionName: 'mint', args: [getAddress(address), value], account: chainAccount(1),
    })
    await client.waitForTransactionReceipt({ hash })
    return balance(address)
  }
  const mine = async (blocks = 1, seconds = 0) => {
    if (seconds > 0) await client.increaseTime({ seconds })
    await client.mine({ blocks })
    const block = await client.getBlock()
    return { block: Number(block.number), timestamp: Number(block.timestamp) }
  }
  return { rpc, process: anvil, balance, mint, mine, stop }
}

/** A viem client for the chain that notices mined blocks at once. */
export const connect = (rpc, account) =>
  createTestClient({ mode: 'anvil', chain: baseSepolia, transport: http(rpc), account, pollingInterval: 20, cacheTime: 0 })
    .extend(publicActions)

export const whole = (atomic) => formatUnits(atomic, 6)

async function listening(anvil) {
  const lines = createInterface({ input: anvil.stdout })
  for await (const line of lines) {
    const address = /^Listening on (\S+)/.exec(line)?.[1]
    if (!address) continue
    anvil.stdout.resume() // a full pipe would stop anvil
    return address
  }
  throw new Error('anvil ended before it listened')
}

function compile() {
  const solc = createRequire(import.meta.url)('solc')
  const input = {
    language: 'Solidity',
    sources: { 'token.sol': { content: readFileSync(here('token.sol'), 'utf8') } },
    settings: {
      optimizer: { enabled: true },
      outputSelection: { '*': { '*': ['abi', 'evm.deployedBytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input)))
  const errors = (output.errors ?? []).filter((entry) => entry.severity === 'error')
  if (errors.length > 0) throw new Error(errors.map((entry) => entry.formattedMessage).join('\n'))
  const contracts = Object.entries(output.contracts['token.sol'])
  return Object.fromEntries(
    contracts.map(([name, { abi, evm }]) => [name, { abi, code: `0x${evm.deployedBytecode.object}` }]),
  )
}

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
