import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { beforeEach, expect, test, vi } from 'vitest';
import { story } from '../src/dev/activity';
import Shell from '../src/Shell.svelte';
import { Host } from './host';

const soon = { timeout: 20_000 };
let host: Host;
beforeEach(() => {
  host = new Host();
  location.hash = `activity/${story().line.id}`;
});

const { agent, payee, value } = story().line;

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

test('a rule from a payment is a form that is filled in and not yet looked at', async () => {
  render(Shell);
  await fireEvent.click(await screen.findByTestId('make-rule', {}, soon));
  expect(((await screen.findByTestId('rule-payee', {}, soon)) as HTMLInputElement).value).toBe(payee);
  expect((screen.getByTestId('rule-up-to') as HTMLInputElement).value).toBe(value?.split(' ')[0]);
  expect((screen.getByTestId('rule-effect') as HTMLSelectElement).value).toBe('except');
  expect(host.calls.some((call) => call.command === 'limits_preview')).toBe(false);
});

test('an answer that is to hold for good opens its rule to be confirmed', async () => {
  location.hash = 'limits/payment:pay_1';
  render(Shell);
  expect(((await screen.findByTestId('rule-payee', {}, soon)) as HTMLInputElement).value).toBe(payee);
  expect(host.calls.filter((call) => call.command === 'activity_payment').map((call) => call.args)).toEqual([{ id: 'pay_1' }]);
});
