import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import { story } from '../src/dev/activity';
import { remembers } from '../src/dev/limits';
import Shell from '../src/Shell.svelte';
import { Host } from './host';

const soon = { timeout: 20_000 };
let host: Host;
beforeEach(() => {
  host = new Host();
  location.hash = `activity/${story().line.id}`;
});

const { agent, payee } = story().line;

test('never again goes to the limits, is shown there before it is saved, and is saved as every change', async () => {
  render(Shell);
  await fireEvent.click(await screen.findByTestId('never', {}, soon));
  const ahead = within(await screen.findByTestId('ahead', {}, soon));
  await vi.waitFor(() => expect(host.calls.some((call) => call.command === 'limits_preview')).toBe(true), soon);
  const edit = { kind: 'rule', rule: null, form: { effect: 'deny', agent, payee, network: null, above: null, up_to: null, note: null, expires: null } };
  expect(host.calls.find((call) => call.command === 'limits_preview')?.args).toEqual({ edit });
  await vi.waitFor(() => expect(ahead.getByTestId('save').getAttribute('aria-disabled')).toBe('false'), soon);
  await fireEvent.click(ahead.getByTestId('save'));
  await vi.waitFor(() => expect(host.calls.find((call) => call.command === 'limits_save')?.args['edit']).toEqual(edit), soon);
});

const remembered = { edit: { kind: 'remember', payment: story().line.id, until: null } };

test('a rule from a payment is made by the core, shown with its budget, and saved as it was shown', async () => {
  host.answers['limits_preview'] = () => remembers;
  render(Shell);
  await fireEvent.click(await screen.findByTestId('make-rule', {}, soon));
  const made = await screen.findByTestId('made', {}, soon);
  expect(made.textContent).toContain('api.example');
  expect(made.textContent).toContain('5.00 USD');
  expect(host.calls.find((call) => call.command === 'limits_preview')?.args).toEqual(remembered);
  await fireEvent.click(screen.getByTestId('save'));
  await vi.waitFor(() => expect(host.calls.find((call) => call.command === 'limits_save')?.args['edit']).toEqual(remembered.edit), soon);
});

test('an answer that is to hold for good opens its rule to be confirmed', async () => {
  location.hash = 'limits/payment:pay_1@2026-12-31T22:59:59Z';
  render(Shell);
  await screen.findByTestId('ahead', {}, soon);
  await vi.waitFor(() => expect(host.calls.find((call) => call.command === 'limits_preview')?.args).toEqual({ edit: { kind: 'remember', payment: 'pay_1', until: '2026-12-31T22:59:59Z' } }), soon);
  expect(screen.queryByTestId('rule-payee')).toBeNull();
});
