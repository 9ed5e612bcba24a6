import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
  for (const name of code) expect(text(name), name).not.toMatch(/dev\/(mock|scenes)/);
});

test('no sum of money is computed or parsed in a page', () => {
  for (const name of code) expect(text(name), name).not.toMatch(/parseFloat|parseInt|BigInt|toFixed|\bNumber\(/);
});

test('every word is used and every used word exists', () => {
  const words = Object.keys(JSON.parse(readFileSync('messages/en.json', 'utf8')) as Record<string, string>);
  const all = code.map(text).join('\n');
  const built = [/^outcome\./, /^home\.(running|paused|view_only|locked|lost)/, /^status\./];
  for (const word of words) expect(all.includes(`'${word}'`) || built.some((one) => one.test(word)), word).toBe(true);
});
