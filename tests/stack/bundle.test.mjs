// What `cargo xtask bundle` packs for Claude Desktop, unpacked and judged by the official packer.
// Run: node --test
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'countersign-mcpb-'))
after(() => rmSync(folder, { recursive: true }))

function run(program, ...args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: here('../..'), encoding: 'utf8' })
  return { ok: status === 0, said: `${stdout}${stderr}${error ?? ''}` }
}

const mcpb = (...args) => run(process.execPath, here('node_modules/@anthropic-ai/mcpb/dist/cli/cli.js'), ...args)

test('the official packer opens the bundle and accepts its manifest', () => {
  const program = join(folder, 'program')
  writeFileSync(program, 'the program')
  const cargo = process.env.CARGO ?? 'cargo'
  const packed = run(cargo, 'xtask', 'bundle', '--program', program, '--into', join(folder, 'packed'))
  assert.ok(packed.ok, packed.said)
  const [bundle, ...others] = readdirSync(join(folder, 'packed'))
  assert.deepEqual(others, [])

  const opened = join(folder, 'opened')
  const unpacked = mcpb('unpack', join(folder, 'packed', bundle), opened)
  assert.ok(unpacked.ok, unpacked.said)
  const judged = mcpb('validate', opened)
  assert.ok(judged.ok, judged.said)

  const { version, server, compatibility } = JSON.parse(readFileSync(join(opened, 'manifest.json'), 'utf8'))
  assert.ok(bundle.startsWith(`countersign-${version}-`), `${bundle} is of ${version}`)
  assert.deepEqual(compatibility.platforms, [process.platform])
  const started = server.mcp_config.command.replace('${__dirname}', opened)
  assert.equal(readFileSync(started, 'utf8'), 'the program')
  if (process.platform !== 'win32') assert.equal(statSync(started).mode & 0o777, 0o755)
})

test('the official validator would notice a manifest that is wrong', () => {
  const manifest = JSON.parse(readFileSync(here('../../xtask/mcpb/manifest.json'), 'utf8'))
  copyFileSync(here('../../icons/icon.png'), join(folder, 'icon.png'))
  const judged = (server) => {
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...manifest, server }))
    return mcpb('validate', folder)
  }
  assert.ok(judged(manifest.server).ok)
  assert.ok(!judged({ ...manifest.server, type: 'shell' }).ok)
})
