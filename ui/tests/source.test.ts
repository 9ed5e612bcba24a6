import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((name) => /\.(svelte|ts)$/.test(name));
const text = (name: string) => readFileSync(join('src', name), 'utf8');
const code = files.filter((name) => !name.startsWith('dev/') && !name.startsWith('ipc/bindings/'));

test('there is something to look at', () => {
  expect(code).toContain('pages/Approve.svelte');
});

test('no page makes markup of text or carries inline style', () => {
  for (const name of code) expect(text(name), name).not.toMatch(/\{@html|innerHTML|insertAdjacent|document\.write|style[=:]|<style/);
});

test('only ipc/ talks to the core, and nothing to the network', () => {
  for (const name of code) {
    expect(text(name), name).not.toMatch(/fetch\(|XMLHttpRequest|WebSocket|https?:|localStorage|sessionStorage|indexedDB/);
    if (!name.startsWith('ipc/')) expect(text(name), name).not.toMatch(/@tauri-apps|__TAURI|invoke\(/);
  }
});

test('no page imports the mock', () => {
  for (const name of code) expect(text(name), name).not.toMatch(/dev\/(mock|scenes|activity|limits|people|secret|settings)/);
});

test('no sum of money is computed or parsed in a page', () => {
  for (const name of code) expect(text(name), name).not.toMatch(/parseFloat|parseInt|BigInt|toFixed|\bNumber\(/);
});

test.each([
  ['approve.ts', 20],
  ['secret.ts', 15],
])('%s builds on nothing of the main window', (entry, least) => {
  const seen = new Set<string>();
  const walk = (name: string) => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, target] of text(name).matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)|import '(\.[^']+)'/g)) {
      const found = [target, `${target}.ts`, `${target}/index.ts`].map((one) => join(dirname(name), one ?? '')).find((one) => files.includes(one));
      if (found) walk(found);
    }
  };
  walk(entry);
  expect(seen.size).toBeGreaterThan(least);
  expect([...seen].filter((name) => /Shell|chart|table|main\.ts|words\/shell|pages\/index/i.test(name))).toEqual([]);
});
