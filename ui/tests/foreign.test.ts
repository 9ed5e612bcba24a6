// @vitest-environment node
/** Five hundred hostile strings in every field of the approval window that is not ours, as Chromium lays it out. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ApprovalView } from '../src/ipc/types';
import { Chromium, installed } from './chromium';
import { foreign } from './foreign';
import { Pages } from './pages';

const there = installed();
if (!there) console.log('skipped: there is no chromium; `cargo xtask test` installs it');
let pages: Pages;
let chromium: Chromium;

beforeAll(async () => {
  if (!there) return;
  pages = await Pages.built();
  chromium = new Chromium();
}, 120_000);

afterAll(async () => {
  await chromium?.end();
  pages?.end();
});

/** Every field whose words come from an agent, a seller, or a program's path. */
const everywhere = (text: string): Partial<ApprovalView> => ({
  agent: text,
  program: { id: 'program.bound_by', parts: { path: text, parent: text } },
  agent_says: text,
  seller_says: text,
  resource: text,
  pay_from: text,
});

/** In the page: shows each view and says what is elsewhere than with harmless words, or more than text. */
async function look(views: Partial<ApprovalView>[], plain: Partial<ApprovalView>): Promise<string[]> {
  const shown = window as unknown as { view: (change: Partial<ApprovalView>) => ApprovalView; tell: (frame: object) => void; owned?: unknown };
  const rows = ['payee-origin', 'payee-address', 'amount-fiat', 'amount-asset', 'warning-list', 'approve-button', 'deny-button'];
  // In a window too small for all of it the buttons come last and are scrolled to; in any other they stand still.
  const scrolled = document.documentElement.scrollHeight > innerHeight;
  const laid = async (change: Partial<ApprovalView>) => {
    shown.tell({ kind: 'question', view: shown.view(change) });
    await Promise.resolve();
    const at = (name: string) => {
      const element = document.querySelector(`[data-testid=${name}]`);
      const { x, y, width, height } = element?.getBoundingClientRect() ?? new DOMRect();
      const top = scrolled && name.endsWith('button') ? 0 : y;
      return `${name} ${[x, top, width, height].map((n) => n.toFixed(1)).join(' ')} ${element?.textContent ?? 'is gone'}`;
    };
    return [...rows.map(at), `${document.querySelectorAll('*').length} elements`, `width ${document.documentElement.scrollWidth}`];
  };
  const usual = await laid(plain);
  const found: string[] = [];
  for (const [n, change] of views.entries()) {
    const now = await laid(change);
    now.forEach((line, at) => line !== usual[at] && found.push(`${n}: ${line} was ${usual[at]}`));
  }
  if (document.title.includes('owned') || shown.owned !== undefined) found.push('something ran');
  return found;
}

test('there are at least five hundred', () => expect(foreign.length).toBeGreaterThanOrEqual(500));

test.skipIf(!there).each([
  [460, 720],
  [320, 700],
])(
  'at %i pixels no string in any field runs, moves the payee or the amount, or takes a warning or a button away',
  async (width, height) => {
    const page = await chromium.page();
    await page.look(width, height, 'light');
    await page.send('Page.navigate', { url: `${pages.origin}approve.html?scene=question&lang=en` });
    await page.until(`document.querySelector('[data-testid=approve-button]')`);
    await page.run('window.alert = () => { window.owned = 1 }');
    const found = await page.run<string[]>(`(${look.toString()})(${JSON.stringify(foreign.map(everywhere))}, ${JSON.stringify(everywhere('report'))})`);
    expect(found).toEqual([]);
    expect(await page.run('location.href')).toContain('approve.html');
  },
  300_000,
);
