import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { empty, limits, loosens, owner } from '../src/dev/limits';
import Limits from '../src/pages/Limits.svelte';
import { sayCondition, sayError, sayRule } from '../src/words/limits';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
});
afterEach(() => speak('en'));

async function open(at = '') {
  render(Limits, { at });
  await screen.findByTestId('preset-careful');
}

const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);
const edits = () => called('limits_preview').map((args) => args['edit']);
const saved = () => called('limits_save').map((args) => args['edit']);

/** Looks at a change, then saves it. */
async function save() {
  await screen.findByText('This only tightens. It is saved at once.');
  await fireEvent.click(screen.getByTestId('save'));
  await screen.findByTestId('saved');
}

test('the page says which starting point is in force, in plain words', async () => {
  await open();
  expect(within(screen.getByTestId('preset-everyday')).getByText('in force')).toBeTruthy();
  expect(screen.getByTestId('preset-everyday').textContent).toContain('Never more than 60.00 USD in seven days in all');
  expect(screen.getByTestId('standing').textContent?.trim()).toBe('With 3 rules and budgets of your own');
  expect(screen.queryByTestId('choose-everyday')).toBeNull();
});

test('moving a slider sends the stop the core gave, shows what it would do and saves it with the base', async () => {
  await open();
  await fireEvent.input(screen.getByTestId('limit-week-slider'), { target: { value: '10' } });
  expect((screen.getByTestId('limit-week-amount') as HTMLInputElement).value).toBe('10.00');
  expect((await screen.findByTestId('after-asked')).textContent).toBe('57');
  await save();
  const edit = { kind: 'limit', limit: 'week', max: '10.00', over: 'deny' };
  expect(called('limits_save')).toEqual([{ edit, base: limits().base }]);
  expect(called('limits')).toHaveLength(2);
});

test('only the last of many movements is tried out', async () => {
  await open();
  for (const value of ['3', '2', '1']) await fireEvent.input(screen.getByTestId('ask-above-slider'), { target: { value } });
  await screen.findByTestId('after-asked');
  expect(edits()).toEqual([{ kind: 'ask_above', amount: '0.01' }]);
});

test('an exact amount is sent as typed, and left as it was when the change is dropped', async () => {
  await open();
  await fireEvent.input(screen.getByTestId('limit-payment-amount'), { target: { value: '12.345' } });
  await screen.findByTestId('after-asked');
  expect(edits()).toEqual([{ kind: 'limit', limit: 'payment', max: '12.345', over: null }]);
  await fireEvent.click(screen.getByTestId('leave'));
  await vi.waitFor(() => expect((screen.getByTestId('limit-payment-amount') as HTMLInputElement).value).toBe('50.00'));
  expect(saved()).toEqual([]);
});

test('what happens above a limit, setting one and taking one away are changes like any other', async () => {
  await open();
  await fireEvent.change(screen.getByTestId('limit-week-over'), { target: { value: 'ask' } });
  await screen.findByTestId('after-asked');
  await fireEvent.click(screen.getByTestId('limit-week-off'));
  await vi.waitFor(() => expect(edits()).toHaveLength(2));
  await fireEvent.click(screen.getByTestId('limit-day-set'));
  await vi.waitFor(() => expect(edits()).toHaveLength(3));
  expect(edits()).toEqual([
    { kind: 'limit', limit: 'week', max: '60.00', over: 'ask' },
    { kind: 'limit', limit: 'week', max: null, over: null },
    { kind: 'limit', limit: 'day', max: '20.00', over: 'deny' },
  ]);
  expect(screen.getByTestId('limit-month').textContent).toContain('Written by hand');
});

test('a loosening waits for its owner: the words, the wait, and then the other window', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  host.answers['limits_preview'] = () => loosens;
  host.answers['limits_save'] = () => owner;
  await open();
  await fireEvent.input(screen.getByTestId('limit-week-slider'), { target: { value: '14' } });
  await screen.findByText('The budget limit-week takes up to 100.00 USD instead of 60.00 USD');
  await fireEvent.click(screen.getByTestId('save'));
  const confirm = await screen.findByTestId('owner-confirm');
  await fireEvent.input(screen.getByTestId('owner-words'), { target: { value: '100.00' } });
  await fireEvent.click(confirm);
  expect(called('limits_confirm')).toEqual([]);
  expect(confirm.textContent).toBe('Wait 10 s');
  await vi.advanceTimersByTimeAsync(10_000);
  host.answers['limits_confirm'] = () => Promise.reject({ kind: 'not_typed' });
  await fireEvent.click(confirm);
  expect(await screen.findByText('That is not what has to be typed.')).toBeTruthy();
  host.answers['limits_confirm'] = () => null;
  await fireEvent.click(confirm);
  expect(await screen.findByTestId('saved')).toBeTruthy();
  expect(called('limits_confirm').at(-1)).toEqual({ id: 'chg_1', typed: '100.00' });
  expect(screen.queryByTestId('owner-words')).toBeNull();
});

test('a change that cannot be made says why, in the words of the person', async () => {
  host.answers['limits_preview'] = () => Promise.reject({ kind: 'amount', text: 'ten' });
  await open();
  await fireEvent.input(screen.getByTestId('limit-week-amount'), { target: { value: 'ten' } });
  expect((await screen.findByRole('alert')).textContent).toContain('“ten” is not an amount');
  speak('zh-CN');
  expect(sayError({ kind: 'amount', text: 'ten' })).toContain('不是有效金额');
  expect([sayError('gone'), sayError(undefined)]).toEqual(['操作失败：gone', '操作失败。']);
});

test('rules are sentences, and can be changed, switched off and on, and removed', async () => {
  await open();
  expect(screen.getByTestId('rule-micro').textContent).toContain('Let payments through over x402 or mpp, that are ordinary payments or openings of a session, up to 0.10 USD');
  await fireEvent.click(screen.getByTestId('disable-first-payee'));
  await vi.waitFor(() => expect(edits()).toHaveLength(1));
  await fireEvent.click(screen.getByTestId('enable-deny-coder'));
  await vi.waitFor(() => expect(edits()).toHaveLength(2));
  await fireEvent.click(screen.getByTestId('remove-deny-coder'));
  await vi.waitFor(() => expect(edits()).toHaveLength(3));
  await fireEvent.click(screen.getByTestId('edit-deny-coder'));
  await fireEvent.input(screen.getByTestId('rule-above'), { target: { value: '3' } });
  await fireEvent.click(screen.getByTestId('rule-look'));
  await vi.waitFor(() => expect(edits()).toHaveLength(4));
  expect(edits()).toEqual([
    { kind: 'disable', rule: 'first-payee' },
    { kind: 'enable', rule: 'deny-coder' },
    { kind: 'remove', rule: 'deny-coder' },
    { kind: 'rule', rule: 'deny-coder', form: { effect: 'deny', agent: 'coder', payee: null, network: null, above: '3', up_to: null, note: 'while it is being repaired', expires: null } },
  ]);
  expect(screen.queryByTestId('edit-micro')).toBeNull();
  expect(screen.queryByTestId('remove-micro')).toBeNull();
});

test('a rule and a budget are added from a form', async () => {
  await open();
  await fireEvent.click(screen.getByTestId('rule-add'));
  await fireEvent.change(screen.getByTestId('rule-effect'), { target: { value: 'deny' } });
  await fireEvent.input(screen.getByTestId('rule-payee'), { target: { value: 'https://a.example' } });
  await fireEvent.click(screen.getByTestId('rule-look'));
  await vi.waitFor(() => expect(edits()).toHaveLength(1));
  await fireEvent.click(screen.getByTestId('budget-add'));
  await fireEvent.input(screen.getByTestId('budget-max'), { target: { value: '4' } });
  await fireEvent.click(screen.getByTestId('budget-look'));
  await vi.waitFor(() => expect(edits()).toHaveLength(2));
  expect(edits()).toEqual([
    { kind: 'rule', rule: null, form: { effect: 'deny', agent: null, payee: 'https://a.example', network: null, above: null, up_to: null, note: null, expires: null } },
    { kind: 'budget', of: { whose: 'agent', name: 'coder' }, window: 'day', max: '4', over: 'ask' },
  ]);
});

test('payees are named, blocked and forgotten', async () => {
  host.answers['payee_forget'] = () => owner;
  await open();
  const [tiles] = screen.getAllByTestId('known-payee');
  await fireEvent.click(within(tiles as HTMLElement).getByText('Block'));
  await vi.waitFor(() => expect(edits()).toEqual([{ kind: 'block', origin: 'https://tiles.example' }]));
  await fireEvent.click(within(tiles as HTMLElement).getByText('Name'));
  await fireEvent.input(screen.getByTestId('payee-name'), { target: { value: 'Map tiles' } });
  await fireEvent.click(screen.getByTestId('payee-name-save'));
  await vi.waitFor(() => expect(called('payee_label')).toEqual([{ origin: 'https://tiles.example', label: 'Map tiles' }]));
  await fireEvent.click(within(tiles as HTMLElement).getByTestId('forget'));
  expect(await screen.findByTestId('owner-words')).toBeTruthy();
  expect(called('payee_forget')).toHaveLength(1);
});

test('the text shows the policy in force, takes another, and goes back to any version', async () => {
  await open();
  const expert = screen.getByTestId('expert') as HTMLDetailsElement;
  expert.open = true;
  await fireEvent(expert, new Event('toggle'));
  const text = (await screen.findByTestId('policy-text')) as HTMLTextAreaElement;
  expect(text.value).toContain('name = "everyday"');
  host.answers['limits_preview'] = () => Promise.reject({ kind: 'policy', says: [{ id: 'file.none_of', parts: { key: 'window', text: '"year"', names: 'day, month' } }] });
  await fireEvent.input(text, { target: { value: 'format = 1' } });
  await fireEvent.click(screen.getByTestId('text-look'));
  expect((await screen.findByRole('alert')).textContent).toContain('`window`: "year" is none of: day, month');
  await fireEvent.click(screen.getByTestId('restore-1'));
  await vi.waitFor(() => expect(edits()).toEqual([{ kind: 'text', toml: 'format = 1' }, { kind: 'restore', version: 1 }]));
});

test('nothing set is said plainly, and an error can be tried again', async () => {
  host.answers['limits'] = () => Promise.reject({ kind: 'failed', text: 'the ledger is gone' });
  render(Limits, { at: '' });
  expect((await screen.findByRole('alert')).textContent).toContain('the ledger is gone');
  host.answers['limits'] = () => empty;
  await fireEvent.click(screen.getByText('Try again'));
  expect((await screen.findByTestId('ask-above')).textContent).toContain('Every payment asks you.');
  expect(screen.getByText('No rules: every payment asks you.')).toBeTruthy();
});

test.each([
  ['first-payee', 'rule-first-payee'],
  ['budget:researcher-day', 'budget-researcher-day'],
  ['budget:limit-week', 'limit-week'],
  ['ask-above', 'ask-above'],
])('what a question named is brought into view once: %s', async (at, id) => {
  const seen: string[] = [];
  HTMLElement.prototype.scrollIntoView = function (this: HTMLElement) {
    seen.push(this.dataset['testid'] ?? '');
  };
  await open(at);
  await vi.waitFor(() => expect(seen).toEqual([id]));
  expect(screen.getByTestId(id).classList.contains('named')).toBe(true);
});

test('every typed message of the core has its words in both languages', () => {
  for (const language of ['en', 'zh-CN'] as const) {
    speak(language);
    expect(sayRule({ effect: 'deny', conditions: [] }, 'USD')).not.toContain('{');
    expect(sayCondition({ id: 'risk', values: ['price_up', 'new_one'] }, 'USD')).toContain('new_one');
    expect(sayCondition({ id: 'until_exit', program: 'node' }, 'USD')).toBe(language === 'en' ? 'until node exits' : '直到 node 退出');
    expect(sayCondition({ id: 'other', field: 'task', test: 'in', values: ['t'] }, 'USD')).not.toContain('{');
  }
});
