import { fireEvent, render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { line, overview, page, story } from '../src/dev/activity';
import { hostile } from '../src/dev/scenes';
import type { ActivityFilter } from '../src/ipc/types';
import Activity from '../src/pages/Activity.svelte';
import { anything, lastDay } from '../src/parts/activity/filter';
import { Lines, PAGE } from '../src/parts/activity/lines.svelte';
import { plain } from '../src/parts/host';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

const soon = { timeout: 10_000 };
let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => speak('en'));

const calls = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);
const asked = () => calls('activity_list').at(-1)?.['filter'] as ActivityFilter;
const open = (at = '') => render(Activity, { at });

async function findings() {
  document.title = 'Countersign';
  document.documentElement.lang ||= 'en';
  const found = await axe.run(document, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false }, 'page-has-heading-one': { enabled: false } } });
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
}

describe('states', () => {
  test.each(['en', 'zh-CN'] as const)('with payments, in %s: sums, chart, ranking and list are drawn and axe finds nothing', async (language) => {
    speak(language);
    open();
    expect((await screen.findByTestId('spent-today')).textContent).toBe('12.40 USD');
    expect(screen.getByTestId('spent-month').textContent).toBe('1,250.42 USD');
    expect(screen.getByTestId('chart').querySelectorAll('rect.ground')).toHaveLength(30);
    await vi.waitFor(() => expect(screen.getByTestId('activity-list').children.length).toBeGreaterThan(5), soon);
    expect(await findings()).toEqual([]);
  });

  test('without payments it says how to come by one, and axe finds nothing', async () => {
    host.answers['activity_overview'] = () => overview({ has_real: false, has_test: false });
    open();
    expect((await screen.findByTestId('activity-empty')).textContent).toContain('countersign agent add NAME');
    expect(await findings()).toEqual([]);
  });

  test('while nothing is known yet it says so', async () => {
    host.answers['activity_overview'] = () => new Promise(() => undefined);
    open();
    expect(await screen.findByTestId('loading')).toBeTruthy();
    expect(await findings()).toEqual([]);
  });

  test('what cannot be read is said, and can be tried again', async () => {
    host.answers['activity_overview'] = () => Promise.reject({ kind: 'failed', message: 'disk full' });
    open();
    expect((await screen.findByRole('alert')).textContent).toContain('disk full');
    expect(await findings()).toEqual([]);
    host.answers['activity_overview'] = () => overview();
    await fireEvent.click(screen.getByText('Try again'));
    expect(await screen.findByTestId('spent-today')).toBeTruthy();
  });

  test('a ledger that is still being read says how much is left', async () => {
    host.answers['activity_overview'] = () => overview({ behind: 4120 });
    open();
    expect(await screen.findByText(/4120 entries to go/)).toBeTruthy();
  });

  test('where there is nothing but play money, that is what is shown', async () => {
    host.answers['activity_overview'] = () => overview({ has_real: false });
    open();
    await vi.waitFor(() => expect(asked().test).toBe(true), soon);
    expect(screen.getByTestId('play-money').getAttribute('aria-pressed')).toBe('true');
  });
});

describe('filters', () => {
  test('what is chosen is asked for at once, what is typed after a moment, and clearing forgets all but the money', async () => {
    open();
    await fireEvent.change(await screen.findByTestId('filter-agent'), { target: { value: 'researcher' } });
    await vi.waitFor(() => expect(asked().agent).toBe('researcher'), soon);
    await fireEvent.input(screen.getByTestId('search'), { target: { value: 'weather' } });
    await vi.waitFor(() => expect(asked()).toMatchObject({ agent: 'researcher', text: 'weather' }), soon);
    await fireEvent.click(screen.getByTestId('play-money'));
    await vi.waitFor(() => expect(asked().test).toBe(true), soon);
    await fireEvent.click(screen.getByTestId('filter-clear'));
    await vi.waitFor(() => expect(asked()).toEqual({ ...anything, test: true }), soon);
  });

  test('a payee of the ranking filters the list, and a bar its days', async () => {
    open();
    await fireEvent.click((await screen.findByTestId('ranking')).querySelector('button') as HTMLElement);
    await vi.waitFor(() => expect(asked().payee).toBe('https://api.example.com'), soon);
    await fireEvent.click(screen.getByTestId('chart').querySelectorAll('g')[2] as SVGGElement);
    await vi.waitFor(() => expect(asked()).toMatchObject({ from: '2026-04-07', to: '2026-04-07' }), soon);
  });

  test('nothing that fits is said', async () => {
    host.answers['activity_list'] = () => ({ payments: [], next: null });
    open();
    expect(await screen.findByTestId('list-none')).toBeTruthy();
  });

  test('a slash goes to the search', async () => {
    open();
    const search = await screen.findByTestId('search');
    await fireEvent.keyDown(window, { key: '/' });
    expect(document.activeElement).toBe(search);
  });

  test('a bar ends with its day, its Sunday or its month', () => {
    expect([lastDay('2026-05-04', 'days'), lastDay('2026-04-27', 'weeks'), lastDay('2026-02-01', 'months'), lastDay('2025-12-01', 'months')])
      .toEqual(['2026-05-04', '2026-05-03', '2026-02-28', '2025-12-31']);
  });
});

describe('a list of a million payments', () => {
  const million = (args: Record<string, unknown>) => page(1_000_000, args['filter'] as ActivityFilter, args['cursor'] as string | null);

  test('holds few pages however far one scrolls, and reads dropped ones again', async () => {
    host.answers['activity_list'] = million;
    const lines = new Lines(() => anything);
    await lines.begin();
    for (let at = 0; at < 60; at += 1) {
      lines.need(at * PAGE, at * PAGE + 20);
      lines.need(at * PAGE, (at + 1) * PAGE);
      await vi.waitFor(() => expect(lines.at(at * PAGE)?.id).toBe(line(at * PAGE).id), soon);
    }
    expect(lines.held).toBeLessThanOrEqual(9);
    expect(lines.at(0)).toBeUndefined();
    lines.need(0, 20);
    await vi.waitFor(() => expect(lines.at(3)?.id).toBe(line(3).id), soon);
  });

  test('draws only what is in view', async () => {
    host.answers['activity_list'] = million;
    open();
    await vi.waitFor(() => expect(screen.getByTestId('activity-list').children.length).toBeGreaterThan(5), soon);
    expect(screen.getByTestId('activity-list').children.length).toBeLessThan(60);
  });

  test('an answer to a filter that was left is not shown', async () => {
    let late: (page: unknown) => void = () => undefined;
    host.answers['activity_list'] = () => new Promise((answer) => (late = answer));
    const lines = new Lines(() => anything);
    const first = lines.begin();
    const answerFirst = late;
    host.answers['activity_list'] = () => ({ payments: [line(7)], next: null });
    await lines.begin();
    answerFirst({ payments: [line(1)], next: null });
    await first;
    expect([lines.count, lines.at(0)?.id]).toEqual([1, line(7).id]);
  });
});

describe('one payment', () => {
  test.each(['en', 'zh-CN'] as const)('tells its story in %s, and axe finds nothing', async (language) => {
    speak(language);
    open('pay_00000000');
    const shown = await screen.findByTestId('payment');
    expect([...screen.getByTestId('steps').children].map((step) => (step as HTMLElement).dataset['kind'])).toEqual(story().steps.map((step) => step.kind));
    expect(shown.textContent).toContain('basescan.org');
    expect(calls('activity_payment')).toEqual([{ id: 'pay_00000000' }]);
    expect(await findings()).toEqual([]);
  });

  test.each(hostile)('foreign text is text and nothing else: %s', async (text) => {
    host.answers['activity_payment'] = () =>
      story({ agent_says: text, seller_says: text, resource: text, receipt: [[text, text]], line: { ...story().line, payee: text, agent: text }, transaction: text, explorer: null });
    open('pay_00000000');
    const shown = await screen.findByTestId('payment');
    expect(shown.querySelector('img, script, iframe')).toBeNull();
    expect(shown.querySelector('blockquote')?.textContent).toBe(text);
    expect(screen.getByTestId('payment-value').textContent).toBe('4.20 USD');
  });

  test('closing goes back to the list', async () => {
    location.hash = '#activity/pay_00000000';
    open('pay_00000000');
    await screen.findByTestId('payment');
    await fireEvent.click(screen.getByRole('button', { name: 'Close' }));
    expect(location.hash).toBe('#activity');
  });
});

describe('export', () => {
  test('writes what is shown, or a year, and says where; axe finds nothing', async () => {
    host.answers['activity_export'] = () => ({ path: '/home/me/Downloads/x.csv', count: '12' });
    open();
    await fireEvent.change(await screen.findByTestId('filter-agent'), { target: { value: 'researcher' } });
    await fireEvent.click(screen.getByTestId('export'));
    await fireEvent.click(screen.getByTestId('export-go'));
    expect((await screen.findByTestId('export-done')).parentElement?.textContent).toContain('/home/me/Downloads/x.csv');
    await fireEvent.change(screen.getByTestId('export-what'), { target: { value: 'year' } });
    await fireEvent.change(screen.getByTestId('export-form'), { target: { value: 'json' } });
    await fireEvent.click(screen.getByTestId('export-go'));
    await vi.waitFor(() => expect(calls('activity_export')).toHaveLength(2), soon);
    expect(calls('activity_export')).toEqual([
      { filter: { ...anything, agent: 'researcher' }, form: 'csv' },
      { filter: { ...anything, from: '2026-01-01', to: '2026-12-31' }, form: 'json' },
    ]);
    expect(await findings()).toEqual([]);
  });

  test('a file that could not be written is said', async () => {
    host.answers['activity_export'] = () => Promise.reject({ kind: 'failed', message: 'no space left' });
    open();
    await fireEvent.click(await screen.findByTestId('export'));
    await fireEvent.click(screen.getByTestId('export-go'));
    expect(await screen.findByText(/no space left/)).toBeTruthy();
  });
});

test('only encryption goes without saying', () => {
  expect(['https://a.example:8443', 'http://a.example', 'a.example', 'https://'].map(plain)).toEqual(['a.example:8443', 'http://a.example', 'a.example', 'https://']);
});
