// The manifest that `cargo xtask bundle` packs for Claude Desktop, judged by the official packer's own validator.
// Run: node --test
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const manifest = JSON.parse(readFileSync(here('../../xtask/mcpb/manifest.json'), 'utf8'))

/** What `mcpb validate` says about a folder with this manifest and our icon. */
function judged(manifest) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-mcpb-'))
  try {
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
    copyFileSync(here('../../icons/icon.png'), join(folder, 'icon.png'))
    const cli = here('node_modules/@anthropic-ai/mcpb/dist/cli/cli.js')
    const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'validate', folder], { encoding: 'utf8' })
    return { valid: status === 0, said: stdout + stderr }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('the official validator accepts the manifest of the bundle', () => {
  const { valid, said } = judged(manifest)
  assert.ok(valid, said)
})

test('the official validator would notice a manifest that is wrong', () => {
  const { valid } = judged({ ...manifest, server: { ...manifest.server, type: 'shell' } })
  assert.ok(!valid)
})
