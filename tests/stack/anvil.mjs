// Runs the anvil binary as `node anvil.mjs ANVIL-ARGUMENTS`; its output goes to our stdout.
// Ends anvil when stdin closes or a signal comes, so a killed parent (even by SIGKILL) never leaves a chain behind.
// Used by chain.mjs only.
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

const anvil = spawn(binary(), process.argv.slice(2), { stdio: ['ignore', 'inherit', 'inherit'] })
anvil.on('error', (error) => {
  console.error(`anvil: ${error.message}`)
  process.exit(1)
})
anvil.on('exit', (code) => process.exit(code ?? 0))
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => anvil.kill('SIGKILL'))
process.stdin.on('end', () => anvil.kill('SIGKILL')).on('error', () => anvil.kill('SIGKILL')).resume()

// The package's own launcher is one more process in between; the platform package is what it would start.
function binary() {
  const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch]
  const name = process.platform === 'win32' ? 'anvil.exe' : 'anvil'
  try {
    return require.resolve(`@foundry-rs/anvil-${process.platform}-${arch}/bin/${name}`)
  } catch {
    console.error(`anvil: no package for ${process.platform}-${process.arch}; run "npm ci" in tests/stack`)
    process.exit(1)
  }
}
