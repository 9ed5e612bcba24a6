import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Where the pages were built: what a reviewer of the approval window has to read, and no more. */
test.skipIf(!existsSync('dist/approve.html')).each([
  ['approve', 60],
  // Setting a merchant up is a form of its own, among the tasks of this window.
  ['secret', 64],
])('%s.html loads its own script, at most %i kB of it, and its words', (page, most) => {
  const named = [...readFileSync(`dist/${page}.html`, 'utf8').matchAll(/\/assets\/([^"]+)/g)].map((found) => found[1] ?? '');
  expect(named.every((name) => name.startsWith(page)), String(named)).toBe(true);
  const code = named.filter((name) => name.endsWith('.js') && !name.startsWith(`${page}-words`));
  expect(code).toHaveLength(1);
  expect(statSync(`dist/assets/${code[0]}`).size).toBeLessThanOrEqual(most * 1024);
  expect(readFileSync(`dist/assets/${code[0]}`, 'utf8')).not.toMatch(/import\(/);
});
