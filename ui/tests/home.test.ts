import { fireEvent, render, screen } from '@testing-library/svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import { payments, status } from '../src/dev/scenes';
import type { MainStatus } from '../src/ipc/types';
import Home from '../src/pages/Home.svelte';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
  host.answers['recent'] = () => payments;
});

async function open(change: Partial<MainStatus> = {}) {
  host.answers['status'] = () => status(change);
  render(Home);
  await screen.findByTestId('wallet');
}

const state = () => screen.getByTestId('main-state');
const commands = () => host.calls.map((call) => call.command).filter((command) => command !== 'status' && command !== 'recent');

test.each([
  ['running', 'Running. Payments inside your limits go through.'],
  ['paused', 'Paused. Every new payment is refused until you resume.'],
  ['view_only', 'View only. You can look at everything; nothing can be paid.'],
  ['locked', 'Locked. Your keys are locked; nothing can be paid until you unlock them.'],
] as const)('%s is one plain sentence', async (name, sentence) => {
  await open({ state: name });
  expect(state().textContent?.trim().replace(/\s+/g, ' ')).toBe(sentence);
});

test('pausing sends its length, resuming nothing', async () => {
  await open();
  await fireEvent.click(screen.getByTestId('pause-hour'));
  await vi.waitFor(() => expect(screen.getByTestId('pause-open').getAttribute('aria-disabled')).toBe('false'));
  host.answers['status'] = () => status({ state: 'paused' });
  await fireEvent.click(screen.getByTestId('pause-open'));
  await fireEvent.click(await screen.findByTestId('resume'));
  await vi.waitFor(() => expect(commands()).toEqual(['pause', 'pause', 'resume']));
  expect(host.calls.filter((call) => call.command === 'pause').map((call) => call.args)).toEqual([{ minutes: 60 }, { minutes: null }]);
});

test('a pause that fails is said, not swallowed', async () => {
  host.answers['pause'] = () => Promise.reject({ kind: 'failed', message: 'the ledger is read-only' });
  await open();
  await fireEvent.click(screen.getByTestId('pause-hour'));
  expect((await screen.findByRole('alert')).textContent).toContain('the ledger is read-only');
});

test('a service that does not answer is not called running', async () => {
  host.answers['status'] = () => Promise.reject('gone');
  render(Home);
  await vi.waitFor(() => expect(state().dataset['state']).toBe('lost'));
  expect(screen.queryByTestId('pause-hour')).toBeNull();
});

test('an answer that stops coming replaces the word running', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await open();
  expect(state().dataset['state']).toBe('running');
  host.answers['status'] = () => Promise.reject('gone');
  await vi.advanceTimersByTimeAsync(2000);
  expect(state().dataset['state']).toBe('lost');
  host.answers['status'] = () => status();
  await vi.advanceTimersByTimeAsync(2000);
  expect(state().dataset['state']).toBe('running');
});

test('no payments yet says how to connect an agent, and a wallet first if there is none', async () => {
  host.answers['recent'] = () => [];
  await open({ wallet: null, agents: 0 });
  expect([...screen.getByTestId('recent-empty').querySelectorAll('pre')].map((line) => line.textContent)).toEqual(['countersign wallet create', 'countersign agent add NAME']);
});

test('the list shows foreign names as text', async () => {
  await open();
  const list = screen.getByTestId('recent-list');
  expect(list.children).toHaveLength(3);
  expect(list.querySelector('img, script')).toBeNull();
  expect(list.textContent).toContain('<img src=x');
});

test('questions, unknown sums and a closed service are told in words', async () => {
  await open({ waiting: 2, spent_today: null, address: null, red_band: true });
  expect(screen.getByTestId('waiting').textContent).toBe('2 questions');
  expect(screen.getByTestId('spent-today').textContent).toBe('Not known');
  expect(screen.getByTestId('service-address').textContent).toContain('closed');
  expect(screen.getByTestId('red-band')).toBeTruthy();
});

test('a rule that a question named is shown with the way to read it', async () => {
  location.hash = '#rule=first-payee';
  await open();
  expect(screen.getByTestId('rule-note').textContent).toContain('first-payee');
  location.hash = '';
});

test('while resuming waits for a yes, it says where to give it', async () => {
  let confirm: (value: null) => void = () => undefined;
  host.answers['resume'] = () => new Promise((yes) => (confirm = yes));
  await open({ state: 'paused' });
  await fireEvent.click(screen.getByTestId('resume'));
  expect(await screen.findByText('Confirm it in the approval window.')).toBeTruthy();
  confirm(null);
  await vi.waitFor(() => expect(screen.queryByText('Confirm it in the approval window.')).toBeNull());
});

test('states are words, times are local, and what is unknown is shown as it came', async () => {
  host.answers['recent'] = () => [
    { ...payments[0], id: 'a', status: 'pending_approval', when: 'just now' },
    { ...payments[0], id: 'b', status: 'some_new_state', when: '2026-05-04T14:03:00Z' },
  ];
  await open();
  const text = screen.getByTestId('recent-list').textContent ?? '';
  expect(text).toContain('waiting for you');
  expect(text).toContain('some new state');
  expect(text).toContain('just now');
  expect(text).toMatch(/2026-05-0[345] \d\d:\d\d/);
});
