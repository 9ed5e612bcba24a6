import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import { clients } from '../src/dev/people';
import { status } from '../src/dev/scenes';
import { chosen } from '../src/dev/settings';
import type { MainStatus } from '../src/ipc/types';
import Shell from '../src/Shell.svelte';
import { Host } from './host';

const soon = { timeout: 20_000 };
let host: Host;
beforeEach(async () => {
  host = new Host();
  location.hash = '';
  // The change of page is told later, and would leave the first steps.
  await new Promise((done) => setTimeout(done));
  host.answers['preferences'] = () => chosen({ welcomed: false });
});

const stands = (change: Partial<MainStatus>) => (host.answers['status'] = () => status(change));
const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);

test('whoever has no wallet and no agent is led from one step to the next', async () => {
  stands({ wallet: false, agent: false });
  render(Shell);
  await fireEvent.click(await screen.findByTestId('start-create', {}, soon));
  expect(called('secret_open')).toEqual([{ task: { is: 'create' } }]);
  stands({ wallet: true, agent: false, try_at: 'http://127.0.0.1:4021/report' });
  await fireEvent.click(screen.getByTestId('start-import'));
  expect(await screen.findByTestId('preset-careful', {}, soon)).toBeTruthy();
  await fireEvent.click(screen.getByTestId('start-keep'));
  expect(await screen.findByTestId(`client-${clients[0]?.id}`, {}, soon)).toBeTruthy();
  await fireEvent.input(await screen.findByTestId('start-name'), { target: { value: 'My Researcher!' } });
  expect(screen.getByTestId('start-add').textContent).toBe('countersign agent add my-researcher');
  stands({ try_at: 'http://127.0.0.1:4021/report' });
  await vi.waitFor(() => expect(screen.getByTestId('start').dataset['step']).toBe('4'), soon);
  expect(screen.getByTestId('start-fetch').textContent).toBe('countersign fetch http://127.0.0.1:4021/report');
  await fireEvent.click(screen.getByTestId('start-end'));
  await vi.waitFor(() => expect(screen.queryByTestId('start')).toBeNull(), soon);
  expect(called('set_preferences').at(-1)).toEqual({ preferences: chosen({ money: 'test' }) });
});

test('the first steps can be left, and do not come where there is everything', async () => {
  stands({ wallet: false, agent: false });
  const { unmount } = render(Shell);
  await fireEvent.click(await screen.findByTestId('start-leave', {}, soon));
  await vi.waitFor(() => expect(screen.queryByTestId('start')).toBeNull(), soon);
  unmount();
  stands({});
  render(Shell);
  await screen.findByRole('heading', { name: 'Activity' }, soon);
  expect(screen.queryByTestId('start')).toBeNull();
});

test('the switch between real and test money is there on every page and remembered', async () => {
  stands({});
  render(Shell);
  const kind = within(await screen.findByTestId('money-kind', {}, soon));
  await screen.findByTestId('language');
  expect(kind.getByTestId('money-real').getAttribute('aria-pressed')).toBe('true');
  await fireEvent.click(kind.getByTestId('money-test'));
  expect(kind.getByTestId('money-test').getAttribute('aria-pressed')).toBe('true');
  await vi.waitFor(() => expect(called('set_preferences').at(-1)).toEqual({ preferences: chosen({ money: 'test', welcomed: false }) }), soon);
  await vi.waitFor(() => expect((called('activity_overview').at(-1)?.['asked'] as { test: boolean }).test).toBe(true), soon);
});

test('wallets that are locked say so on every page, and open the window that unlocks them', async () => {
  stands({ state: 'locked', passphrase: true });
  render(Shell);
  await fireEvent.click(await screen.findByTestId('shell-unlock', {}, soon));
  expect(called('secret_open')).toEqual([{ task: { is: 'unlock' } }]);
});

test('a payment that failed for want of money leads to Add money, until it is put away', async () => {
  host.answers['preferences'] = () => chosen();
  stands({ short: { agent: 'researcher', address: '0x2222222222222222222222222222222222222222', at: '2026-05-04T15:00:00Z' } });
  render(Shell);
  expect((await screen.findByTestId('short', {}, soon)).textContent).toContain('researcher could not pay');
  await fireEvent.click(screen.getByTestId('short-add'));
  expect(location.hash).toBe('#wallets/money:0x2222222222222222222222222222222222222222');
  await fireEvent.click(within(screen.getByTestId('short').closest('.notice') as HTMLElement).getByRole('button', { name: 'Close' }));
  expect(screen.queryByTestId('short')).toBeNull();
});
