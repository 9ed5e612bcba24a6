import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { say } from '../src/words/shell';
import { language, speak } from '../src/words/speak.svelte';
import { sayState } from '../src/words/states';
import { clock, day, dayOnly, moment } from '../src/words/when';

const catalogues = readdirSync('messages/en');
const read = (language: string, name: string) => JSON.parse(readFileSync(`messages/${language}/${name}`, 'utf8')) as Record<string, string>;
const holes = (text: string | undefined) => [...(text ?? '').matchAll(/\{\w+\}/g)].map(String).sort();
const code = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((name) => /\.(svelte|ts)$/.test(name) && !name.startsWith('dev/'))
  .map((name) => readFileSync(join('src', name), 'utf8'))
  .join('\n');

afterEach(() => speak('en'));

test('every language has the same catalogues', () => {
  expect(catalogues.length).toBeGreaterThan(3);
  expect(readdirSync('messages/zh-CN')).toEqual(catalogues);
});

test.each(catalogues)('%s says the same keys with the same parts in every language', (name) => {
  const [en, zh] = [read('en', name), read('zh-CN', name)];
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const key of Object.keys(en)) {
    expect(holes(zh[key]), key).toEqual(holes(en[key]));
    expect(zh[key]?.trim() && en[key]?.trim(), key).toBeTruthy();
  }
});

// The core's own words are held against its code by tests of the core.
test.each(catalogues.filter((name) => !['core.json', 'said.json'].includes(name)))('every word of %s is used', (name) => {
  // Some keys are put together from a fixed start: `say(`outcome.${state}`)`.
  const starts = [...code.matchAll(/`([a-z_.]+\.)\$\{/g)].map((found) => found[1] ?? '');
  for (const key of Object.keys(read('en', name))) {
    expect(name === 'states.json' || code.includes(`'${key}'`) || starts.some((start) => key.startsWith(start)), key).toBe(true);
  }
});

test('a language is spoken at once, the one of the system where that is wanted', () => {
  expect(say('shell.resume')).toBe('Resume');
  speak('zh-CN');
  expect([say('shell.resume'), language(), document.documentElement.lang]).toEqual(['恢复', 'zh-CN', 'zh-CN']);
  speak('system');
  expect(language()).toBe(navigator.language.startsWith('zh') ? 'zh-CN' : 'en');
});

test('times follow the language, figures do not, and what is no time is shown as it came', () => {
  expect(dayOnly('2026-05-04')).toBe('4 May');
  expect(moment('just now')).toBe('just now');
  const local = new Date('2026-05-04T14:03:00Z');
  expect(clock('2026-05-04T14:03:00Z')).toBe(`${String(local.getHours()).padStart(2, '0')}:${String(local.getMinutes()).padStart(2, '0')}`);
  speak('zh-CN');
  expect(dayOnly('2026-05-04')).toBe('5月4日');
  expect(day('2026-05-04T12:00:00Z')).toMatch(/^2026年5月[345]日$/);
});

test('a state of the core that has no word yet is shown as it is', () => {
  expect([sayState('completed'), sayState('some_new_state')]).toEqual(['paid', 'some new state']);
});
