import { existsSync, readFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';

/** Where the pages were built: what a reviewer of the approval window has to read, and no more. */
test.skipIf(!existsSync('dist/approve.html')).each(['approve', 'secret'])('%s.html loads its own script, at most 60 kB of it, and its words', (page) => {
  const named = [...readFileSync(`dist/${page}.html`, 'utf8').matchAll(/\/assets\/([^"]+)/g)].map((found) => found[1] ?? '');
  expect(named.every((name) => name.startsWith(page)), String(named)).toBe(true);
  const code = named.filter((name) => name.endsWith('.js') && !name.startsWith(`${page}-words`));
  expect(code).toHaveLength(1);
  expect(statSync(`dist/assets/${code[0]}`).size).toBeLessThanOrEqual(60 * 1024);
  expect(readFileSync(`dist/assets/${code[0]}`, 'utf8')).not.toMatch(/import\(/);
});
