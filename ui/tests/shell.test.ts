import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { status } from '../src/dev/scenes';
import { chosen } from '../src/dev/settings';
import type { MainStatus } from '../src/ipc/types';
import Shell from '../src/Shell.svelte';
import { pages } from '../src/pages';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

const soon = { timeout: 10_000 };
let host: Host;
beforeEach(() => {
  host = new Host();
  location.hash = '';
});
afterEach(() => speak('en'));

async function open(change: Partial<MainStatus> = {}) {
  host.answers['status'] = () => status(change);
  render(Shell);
  await screen.findByTestId('main');
}

const state = () => screen.getByTestId('main-state');
const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);

test.each([
  ['running', 'Running. Payments inside your limits go through.'],
  ['paused', 'Paused. Every new payment is refused until you resume.'],
  ['view_only', 'View only. You can look at everything; nothing can be paid.'],
  ['locked', 'Locked. Your keys are locked; nothing can be paid until you unlock them.'],
] as const)('%s is one plain sentence', async (name, sentence) => {
  await open({ state: name });
  await vi.waitFor(() => expect(state().textContent?.trim().replace(/\s+/g, ' ')).toBe(sentence), soon);
});

test('pausing sends its length, resuming nothing', async () => {
  await open();
  await fireEvent.click(await screen.findByTestId('pause-hour'));
  await vi.waitFor(() => expect(screen.getByTestId('pause-open').getAttribute('aria-disabled')).toBe('false'), soon);
  host.answers['status'] = () => status({ state: 'paused' });
  await fireEvent.click(screen.getByTestId('pause-open'));
  await fireEvent.click(await screen.findByTestId('resume'));
  await vi.waitFor(() => expect(called('resume')).toHaveLength(1), soon);
  expect(called('pause')).toEqual([{ minutes: 60 }, { minutes: null }]);
});

test('a pause that fails is said, not swallowed', async () => {
  host.answers['pause'] = () => Promise.reject({ kind: 'failed', message: 'the ledger is read-only' });
  await open();
  await fireEvent.click(await screen.findByTestId('pause-hour'));
  expect((await screen.findByRole('alert')).textContent).toContain('the ledger is read-only');
});

test('while resuming waits for a yes, it says where to give it', async () => {
  let confirm: (value: null) => void = () => undefined;
  host.answers['resume'] = () => new Promise((yes) => (confirm = yes));
  await open({ state: 'paused' });
  await fireEvent.click(await screen.findByTestId('resume'));
  expect(await screen.findByText('Confirm it in the approval window.')).toBeTruthy();
  confirm(null);
  await vi.waitFor(() => expect(screen.queryByText('Confirm it in the approval window.')).toBeNull(), soon);
});

test('an answer that stops coming replaces the word running', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await open();
  await vi.waitFor(() => expect(state().dataset['state']).toBe('running'), soon);
  host.answers['status'] = () => Promise.reject('gone');
  await vi.advanceTimersByTimeAsync(2000);
  expect(state().dataset['state']).toBe('lost');
  host.answers['status'] = () => status();
  await vi.advanceTimersByTimeAsync(2000);
  expect(state().dataset['state']).toBe('running');
});

test('questions that wait are counted and a test build shows its band', async () => {
  await open({ waiting: 2, red_band: true });
  expect((await screen.findByTestId('waiting')).textContent).toBe('2 questions wait for you');
  expect(screen.getByTestId('red-band')).toBeTruthy();
});

test('every page has one name, one address, and Ctrl with its number goes there', async () => {
  await open();
  expect(new Set(pages.map((page) => page.id)).size).toBe(pages.length);
  for (const [index, page] of pages.entries()) {
    await fireEvent.keyDown(window, { key: String(index + 1), ctrlKey: true });
    await vi.waitFor(() => expect(screen.getByTestId(`page-${page.id}`).getAttribute('aria-current')).toBe('page'), soon);
    expect(location.hash).toBe(`#${page.id}`);
    await vi.waitFor(() => expect(screen.getByRole('heading', { level: 1 }).textContent).toBe(page.name()), soon);
  }
}, 60_000);

test('a chosen language is spoken and kept at once', async () => {
  await open();
  await fireEvent.change(await screen.findByTestId('language'), { target: { value: 'zh-CN' } });
  expect(await screen.findByText('暂停 1 小时')).toBeTruthy();
  expect(called('set_preferences')).toEqual([{ preferences: chosen({ language: 'zh-CN' }) }]);
});

test('a question mark shows the keys, but not while somebody writes', async () => {
  await open();
  await fireEvent.keyDown(await screen.findByTestId('language'), { key: '?' });
  expect(screen.queryByText('Show this help')).toBeNull();
  await fireEvent.keyDown(window, { key: '?' });
  expect(screen.getByText('Show this help')).toBeTruthy();
});
