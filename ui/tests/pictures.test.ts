// @vitest-environment node
/** Every page and both windows in both themes and languages, as Chromium draws them: photographed, and looked over by axe with its colours. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Chromium, installed } from './chromium';
import type { Page } from './chromium';
import { Pages } from './pages';

type View = { name: string; page: string; scene: string; shows: string; size?: readonly [number, number]; then?: string };

const main = (name: string, hash: string, shows: string, scene = 'running', size?: readonly [number, number]): View => ({ name, page: `index.html?scene=${scene}`, scene: hash, shows, ...(size && { size }) });
const ask = (scene: string): View => ({ name: `approval-${scene}`, page: `approve.html?scene=${scene}`, scene: '', shows: '[data-testid=approval-window] h1', size: [460, 720] });
const secret = (task: string): View => ({ name: `secret-${task}`, page: `secret.html?scene=${task}`, scene: '', shows: '[data-testid=act]', size: [520, 640] });

/** Chooses to remember the answer until a date. */
const untilADate = `{ const select = document.querySelector('[data-testid=remember-select]'); select.value = 'until'; select.dispatchEvent(new Event('change', { bubbles: true })) }`;

const views: View[] = [
  main('first', '', '[data-testid=start]', 'first'),
  main('activity', 'activity', '.lines li'),
  main('activity-empty', 'activity', 'main h1', 'empty'),
  main('payment', 'activity/pay_1', '[data-testid=make-rule]'),
  main('limits', 'limits', '[data-testid=preset-careful]'),
  main('agents', 'agents', '[data-testid=connect-add]'),
  main('wallets', 'wallets', '[data-testid=kept]'),
  main('merchant', 'wallets', '[data-testid=merchant-key]', 'running&merchant'),
  { ...main('page', 'activity/pay_1', '[data-testid=page-link]', 'running&page'), then: `document.querySelector('[data-testid=page-code]').click()` },
  main('settings', 'settings', '[data-testid=finding-swap]'),
  main('limits-narrow', 'limits', '[data-testid=preset-careful]', 'running', [320, 700]),
  main('activity-narrow', 'activity', '.lines li', 'running', [320, 700]),
  main('settings-narrow', 'settings', '[data-testid=finding-swap]', 'running', [320, 700]),
  ask('question'),
  ask('first'),
  ask('over'),
  ask('novalue'),
  { ...ask('question'), name: 'approval-until', then: untilADate },
  ask('change'),
  ask('settled'),
  ask('failed'),
  secret('create'),
  secret('import'),
  secret('merchant'),
];

const axe = readFileSync('node_modules/axe-core/axe.min.js', 'utf8');
const folder = '../target/screenshots';
const there = installed();
if (!there) console.log('skipped: there is no chromium; `cargo xtask test` installs it');
let pages: Pages;

beforeAll(async () => {
  if (!there) return;
  pages = await Pages.built();
  mkdirSync(folder, { recursive: true });
}, 120_000);

afterAll(() => pages?.end());

/** What axe finds serious, of all its rules or of some. Without a frame of its own it looks at nothing else's. */
const serious = (only: string) => `axe.run(document, { resultTypes: ['violations'], iframes: false, ${only} }).then(({ violations }) =>
  violations.filter(({ impact }) => ['serious', 'critical'].includes(impact)).map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html).join(' ').slice(0, 600)))`;
/** Colours differ by theme, and nothing else does. */
const themes = { light: serious(''), dark: serious("runOnly: ['color-contrast']") };
const drawn = 'document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))';

async function look(page: Page, { name, page: at, scene, shows, size = [1080, 1300], then = '' }: View, language: string): Promise<string[]> {
  await page.look(...size, 'light');
  await page.send('Page.navigate', { url: 'about:blank' });
  await page.send('Page.navigate', { url: `${pages.origin}${at}&lang=${language}#${scene}` });
  await page.until(`document.querySelector(${JSON.stringify(shows)}) && document.documentElement.lang === ${JSON.stringify(language)}`);
  await page.run(`${then};${axe}`);
  const found: string[] = [];
  for (const [theme, rules] of Object.entries(themes)) {
    await page.look(...size, theme);
    await page.run(drawn);
    writeFileSync(`${folder}/${name}-${theme}-${language}.png`, await page.picture());
    found.push(...(await page.run<string[]>(rules)).map((one) => `${theme}: ${one}`));
  }
  if (await page.run<boolean>('document.documentElement.scrollWidth > document.documentElement.clientWidth')) found.push('it is wider than its window');
  return found.map((one) => `${name}, ${language}, ${one}`);
}

test.skipIf(!there).concurrent.each(['en', 'zh-CN'])(
  'in %s, every page is photographed in both themes, and axe finds nothing serious',
  async (language) => {
    const chromium = new Chromium();
    try {
      const page = await chromium.page();
      const found: string[] = [];
      for (const view of views) found.push(...(await look(page, view, language)));
      expect(found).toEqual([]);
    } finally {
      await chromium.end();
    }
  },
  300_000,
);
