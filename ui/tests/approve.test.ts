import { fireEvent, render, screen } from '@testing-library/svelte';
import { tick } from 'svelte';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { hostile, view } from '../src/dev/scenes';
import type { ApprovalFrame, Said } from '../src/ipc/types';
import Approve from '../src/pages/Approve.svelte';
import { Host } from './host';

const names = [
  'approval-window', 'payee-origin', 'payee-address', 'amount-fiat', 'amount-asset', 'pay-from', 'agent-name', 'agent-says', 'why-asked',
  'budget-bar', 'warning-list', 'countdown', 'queue-count', 'raw-payload-toggle', 'remember-select', 'deny-button', 'approve-button',
];
const armed: ApprovalFrame = { kind: 'arming', armed: true };
/** A sentence that is only what is filled in. */
const told = (text: string): Said => ({ id: 'told', parts: { text } });
const ask = (change = {}): ApprovalFrame => ({ kind: 'question', view: view(change) });

let host: Host;
beforeEach(() => {
  host = new Host();
});

async function open(...frames: ApprovalFrame[]) {
  const page = render(Approve);
  await send(...frames);
  return page;
}

async function send(...frames: ApprovalFrame[]) {
  host.send(...frames);
  await tick();
}

const by = (name: string) => screen.getByTestId(name);
/** The name a screen reader says for the window. */
const named = () => (root().getAttribute('aria-labelledby') ?? '').split(' ').map((id) => document.getElementById(id)?.textContent);
const root = () => by('approval-window');
const mouse = { pointerId: 1, isPrimary: true, button: 0, buttons: 1, pointerType: 'mouse' };

/** A click as the browser makes it; `detail` counts presses and is 0 for keys and scripts. */
const click = (element: HTMLElement, detail = 1) => fireEvent(element, new MouseEvent('click', { bubbles: true, cancelable: true, detail }));

async function press(name: string) {
  await fireEvent.pointerDown(by(name), mouse);
  await fireEvent.pointerUp(by(name), { ...mouse, buttons: 0 });
  await click(by(name));
}

describe('what the window shows', () => {
  test('every agreed name is there, once', async () => {
    await open(ask(), armed);
    for (const name of [...names, 'pause-button']) expect(screen.getAllByTestId(name), name).toHaveLength(1);
  });

  test('the root names the payment and its state', async () => {
    await open(ask());
    expect(root().dataset).toMatchObject({ paymentId: 'pay_01JTSCENE', state: 'waiting' });
    await send(armed);
    expect(root().dataset['state']).toBe('armed');
    await send({ kind: 'arming', armed: false });
    expect(root().dataset['state']).toBe('waiting');
  });

  test('the account is whole, in groups of four', async () => {
    await open(ask());
    const text = by('payee-address').textContent ?? '';
    expect(text).toBe('0x5aAe b605 3F3E 94C9 b9A0 9f33 6694 35E7 Ef1B eAed');
    expect(text.replaceAll(' ', '')).toBe(view().payee_account);
  });

  test('an account in words of its own keeps them', async () => {
    await open(ask({ payee_account: 'buyer of A1-long-number' }));
    expect(by('payee-address').textContent).toBe('buyer of A1-long-number');
  });

  test('the registrable domain alone is stressed and the host reads as sent', async () => {
    await open(ask({ payee_claimed: true })).then((page) => {
      expect(by('payee-origin').textContent).toBe('the agent says: api.example.com');
      page.unmount();
    });
    for (const [payee_host, registrable] of [
      ['example.com.evil.test:8443', 'evil.test'],
      ['10.0.0.1', ''],
    ] as const) {
      const page = await open(ask({ payee_host, payee_registrable: registrable }));
      expect(by('payee-origin').textContent).toBe(payee_host);
      expect(by('payee-origin').querySelector('strong')?.textContent).toBe(registrable || payee_host);
      page.unmount();
    }
  });

  test('it is an alert dialog named by payee and amount', async () => {
    await open(ask());
    expect(screen.getByRole('alertdialog')).toBe(root());
    expect(named()).toEqual(['api.example.com', '4.20 USD']);
  });

  test('a token without value is named and shown by its exact amount', async () => {
    await open(ask({ amount_fiat: null }));
    expect(named()).toEqual(['api.example.com', '4.2 USDC']);
    expect(by('amount-asset').className).toContain('first');
    expect(by('amount-fiat').className).not.toContain('first');
  });

  test('warnings keep their order and ids, the fifth is behind a fold', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    await open(ask({ warnings: ids.map((id) => ({ id, text: told(id) })) }));
    expect([...document.querySelectorAll<HTMLElement>('[data-warning]')].map((one) => one.dataset['warning'])).toEqual(ids);
    expect(by('warning-list').children).toHaveLength(4);
    expect(screen.getByText('2 more warnings')).toBeTruthy();
  });

  test('the focus is on the heading of every fresh question', async () => {
    await open(ask());
    expect(document.activeElement?.textContent).toBe('Approve a payment?');
    by('deny-button').focus();
    await send({ kind: 'blank' }, ask({ payment_id: 'pay_2' }));
    expect(document.activeElement?.tagName).toBe('H1');
  });

  test('yes is the last thing the tab key reaches', async () => {
    await open(ask(), armed);
    const stops = [...root().querySelectorAll<HTMLElement>('button, select, summary, a[href], input')];
    expect(stops.slice(-4).map((stop) => stop.dataset['testid'])).toEqual(['remember-select', 'deny-button', 'pause-button', 'approve-button']);
    expect(root().querySelector('form, [type=submit], [autofocus]')).toBeNull();
  });

  test('the queue counts itself and joined requests', async () => {
    await open(ask(), { kind: 'queue', position: 1, waiting: 3, joined: 3 });
    expect(by('queue-count').textContent).toContain('3 identical requests, one payment');
    expect(by('queue-count').textContent).toContain('1 of 3');
  });

  test('blank hides the view', async () => {
    await open(ask(), armed, { kind: 'blank' });
    expect(root().dataset['state']).toBe('blank');
    expect(root().dataset['paymentId']).toBeUndefined();
    expect(root().textContent?.trim()).toBe('');
    expect(root().getAttribute('role')).toBeNull();
  });

  test('the red band shows if and only if the core says so', async () => {
    await open(ask());
    expect(screen.queryByTestId('red-band')).toBeNull();
    await send(ask({ red_band: true }));
    expect(by('red-band').textContent).toBe('Test build: automation can press these buttons');
  });

  test('the stored form is asked for when it is opened, once', async () => {
    host.answers['raw'] = () => [[{ id: 'sign.contract', parts: {} }, '0xabcd']];
    await open(ask());
    expect(host.calls.some((call) => call.command === 'raw')).toBe(false);
    const details = by('raw-payload-toggle').parentElement as HTMLDetailsElement;
    for (const open of [true, false, true]) {
      details.open = open;
      await fireEvent(details, new Event('toggle'));
    }
    expect(await screen.findByText('0xabcd')).toBeTruthy();
    expect(host.calls.filter((call) => call.command === 'raw')).toEqual([{ command: 'raw', args: { payment_id: 'pay_01JTSCENE' } }]);
  });

  test('the rule opens elsewhere and answers nothing', async () => {
    await open(ask(), armed);
    await fireEvent.click(screen.getByRole('button', { name: /first-payee/ }));
    expect(host.calls.at(-1)).toEqual({ command: 'open_rule', args: { rule: 'first-payee' } });
    expect(host.decided()).toEqual([]);
  });
});

describe('foreign text', () => {
  test.each(hostile)('is a text node and nothing else: %s', async (text) => {
    const page = await open(ask());
    const plain = root().querySelectorAll('*').length;
    page.unmount();
    await open(ask({ agent_says: text, resource: text, agent: text, pay_from: text, program: told(text), payee_history: told(text), signs: view().signs.map(([label]) => [label, text]) }));
    for (const name of ['agent-says', 'agent-name', 'pay-from']) {
      const node = by(name);
      expect(node.textContent).toContain(text);
      expect(node.querySelector('bdi')?.childNodes).toHaveLength(1);
    }
    expect(root().querySelectorAll('*')).toHaveLength(plain);
    expect(root().querySelector('img, script, a, iframe')).toBeNull();
    expect(by('amount-fiat').textContent).toBe('4.20 USD');
    expect(document.title).not.toBe('owned');
  });

  test('words of agent and seller are fenced, labelled, and absent when there are none', async () => {
    await open(ask({ seller_says: 'cheap' }));
    expect(by('agent-says').closest('figure')?.textContent).toContain('The agent says');
    expect(by('seller-says').closest('figure')?.textContent).toContain('The seller says');
    await send(ask({ agent_says: null }));
    expect(screen.queryByTestId('agent-says')).toBeNull();
    expect(screen.queryByTestId('seller-says')).toBeNull();
  });
});

describe('answers', () => {
  const yes = { payment_id: 'pay_01JTSCENE', display_hash: 'a1'.repeat(32), decision: 'approve', remember: 'once', until: null };

  test('a whole press on the armed button is a yes for this showing', async () => {
    await open(ask(), armed);
    await press('approve-button');
    expect(host.decided()).toEqual([yes]);
  });

  test('a press before the button is armed does nothing, and is not kept', async () => {
    await open(ask());
    expect(by('approve-button').getAttribute('aria-disabled')).toBe('true');
    await press('approve-button');
    await send(armed);
    expect(host.decided()).toEqual([]);
    expect(by('approve-button').getAttribute('aria-disabled')).toBe('false');
  });

  test('a press begun before and ended after arming does nothing', async () => {
    await open(ask());
    await fireEvent.pointerDown(by('approve-button'), mouse);
    await send(armed);
    await click(by('approve-button'));
    expect(host.decided()).toEqual([]);
  });

  test('a press across disarming does nothing', async () => {
    await open(ask(), armed);
    await fireEvent.pointerDown(by('approve-button'), mouse);
    await send({ kind: 'arming', armed: false });
    await send(armed);
    await click(by('approve-button'));
    expect(host.decided()).toEqual([]);
  });

  test('a press across two questions does nothing', async () => {
    await open(ask(), armed);
    await fireEvent.pointerDown(by('approve-button'), mouse);
    await send(ask({ payment_id: 'pay_2' }), armed);
    await click(by('approve-button'));
    expect(host.decided()).toEqual([]);
  });

  test.each(['mouse dragged off', 'window left', 'second finger', 'other button'])('%s: no yes', async (how) => {
    await open(ask(), armed);
    const button = by('approve-button');
    await fireEvent.pointerDown(button, how === 'second finger' ? { ...mouse, isPrimary: false } : how === 'other button' ? { ...mouse, button: 2 } : mouse);
    if (how === 'mouse dragged off') await fireEvent.pointerLeave(button, mouse);
    if (how === 'window left') await fireEvent.blur(window);
    await click(button);
    expect(host.decided()).toEqual([]);
  });

  test('Enter and Space never pay', async () => {
    await open(ask(), armed);
    const button = by('approve-button');
    button.focus();
    for (const key of ['Enter', ' ']) {
      for (const type of ['keydown', 'keyup'] as const) {
        const event = new KeyboardEvent(type, { key, bubbles: true, cancelable: true });
        button.dispatchEvent(event);
        expect(event.defaultPrevented).toBe(true);
      }
    }
    await click(button, 0);
    await fireEvent.pointerDown(button, mouse);
    await click(button, 0);
    button.click();
    expect(host.decided()).toEqual([]);
  });

  test('Escape denies once, however long it is held', async () => {
    await open(ask(), armed);
    await fireEvent.keyDown(window, { key: 'Escape' });
    await fireEvent.keyDown(window, { key: 'Escape', repeat: true });
    await fireEvent.keyDown(window, { key: 'Escape' });
    expect(host.decided()).toEqual([{ ...yes, decision: 'deny' }]);
  });

  test('a held Escape does not deny the next question', async () => {
    await open(ask());
    await fireEvent.keyDown(window, { key: 'Escape' });
    await send({ kind: 'blank' }, ask({ payment_id: 'pay_2' }));
    await fireEvent.keyDown(window, { key: 'Escape', repeat: true });
    expect(host.decided()).toHaveLength(1);
  });

  test('deny and deny-and-pause are live before arming', async () => {
    const page = await open(ask());
    await press('deny-button');
    page.unmount();
    await open(ask());
    await press('pause-button');
    expect(host.decided().map((one) => one['decision'])).toEqual(['deny', 'deny_and_pause']);
  });

  test('after an answer nothing answers again', async () => {
    await open(ask(), armed);
    await press('approve-button');
    await press('approve-button');
    await press('deny-button');
    await press('pause-button');
    await fireEvent.keyDown(window, { key: 'Escape' });
    expect(host.decided()).toEqual([yes]);
    expect(root().dataset['state']).toBe('sent');
  });

  test('a refused answer says why and can be given again', async () => {
    host.answers['decide'] = () => Promise.reject({ kind: 'not_armed', message: 'The window moved.' });
    await open(ask(), armed);
    await press('approve-button');
    expect((await screen.findByRole('alert')).textContent).toContain('the window must stand still');
    expect(root().dataset['state']).toBe('armed');
    await press('deny-button');
    expect(host.decided().map((one) => one['decision'])).toEqual(['approve', 'deny']);
  });

  test('a refusal that comes after the next question touches it not', async () => {
    let refuse: (reason: unknown) => void = () => undefined;
    host.answers['decide'] = () => new Promise((_, no) => (refuse = no));
    await open(ask(), armed);
    await press('approve-button');
    await send(ask({ payment_id: 'pay_2' }));
    refuse({ kind: 'expired', message: 'Too late.' });
    await new Promise((settled) => setImmediate(settled));
    expect(screen.queryByRole('alert')).toBeNull();
    expect(root().dataset).toMatchObject({ paymentId: 'pay_2', state: 'waiting' });
  });

  test('a change is answered under its own id and showing', async () => {
    await open({ kind: 'change', id: 'chg_1', display_hash: 'c4', title: told('Raise a budget'), lines: [told('60 → 120'), told('<b>x</b>')], red_band: false }, armed);
    expect(root().dataset['paymentId']).toBe('chg_1');
    expect(named()).toEqual(['Raise a budget']);
    expect(screen.getByText('<b>x</b>')).toBeTruthy();
    await press('approve-button');
    expect(host.decided()).toEqual([{ payment_id: 'chg_1', display_hash: 'c4', decision: 'approve', remember: 'once', until: null }]);
  });

  test('a window whose connection is refused says so and has no buttons', async () => {
    host.answers['next'] = () => Promise.reject('not allowed');
    await open();
    expect((await screen.findByRole('alert')).textContent).toContain('not allowed');
    expect(screen.queryByTestId('approve-button')).toBeNull();
  });
});

describe('time and outcome', () => {
  test('the countdown uses the core clock, warns under 15 s and ends with the button off', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
    vi.setSystemTime(0);
    const now = view().now_ms;
    await open(ask({ expires_at_ms: now + 62_000 }), armed);
    expect(by('countdown').textContent?.trim()).toBe('1:02 left');
    for (const [passed, shown] of [[2_000, '1:00 left'], [46_000, '0:14 left, then it ends unpaid'], [14_000, 'Time is up']] as const) {
      await vi.advanceTimersByTimeAsync(passed);
      expect(by('countdown').textContent?.trim()).toBe(shown);
    }
    await press('approve-button');
    expect(host.decided()).toEqual([]);
  });

  test.each([60, 30, 15])('%i seconds left is announced', async (left) => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance', 'Date'] });
    await open(ask({ expires_at_ms: view().now_ms + (left + 1) * 1000 }));
    expect(screen.queryByText(`${left} seconds left to answer`)).toBeNull();
    await vi.advanceTimersByTimeAsync(1000);
    expect(screen.getByText(`${left} seconds left to answer`).getAttribute('role')).toBe('status');
  });

  test.each(['signing', 'signed', 'settled', 'claimed', 'unknown', 'failed', 'denied', 'expired'] as const)('%s replaces the buttons', async (state) => {
    await open(ask(), armed, { kind: 'outcome', state, text: told('<i>why</i>'), unkept: null });
    expect(root().dataset).toMatchObject({ state, paymentId: 'pay_01JTSCENE' });
    expect(by('outcome').textContent).toContain('<i>why</i>');
    expect(screen.queryByTestId('approve-button')).toBeNull();
    expect(by('payee-origin').textContent).toBe('api.example.com');
    await fireEvent.keyDown(window, { key: 'Escape' });
    expect(host.decided()).toEqual([]);
  });

  test('an answer that could not be remembered says so beside the outcome', async () => {
    await open(ask(), armed, { kind: 'outcome', state: 'settled', text: null, unkept: null });
    expect(screen.queryByTestId('unkept')).toBeNull();
    await send({ kind: 'outcome', state: 'settled', text: null, unkept: 'unconfirmed' });
    expect(by('unkept').textContent).toContain('it is not remembered: limits or settings were changed');
    expect(by('outcome').textContent).toContain('You can close this window.');
  });

  test('a budget that is exceeded says by how much', async () => {
    await open(ask({ bar: { id: 'week', spent: '31.00 USD', this: '40.00 USD', left: '0.00 USD', of: '60.00 USD', before_permille: 516, after_permille: 1000, over: '11.00 USD' } }));
    expect(by('budget-bar').textContent).toContain('11.00 USD over the limit of 60.00 USD');
    await send(ask({ bar: null }));
    expect(by('budget-bar').textContent).toContain('No budget limits this payment.');
  });
});

test('an answer until a date names the last moment of that day, and no day that is over', async () => {
  await open(ask({ remember: [{ scope: 'once', budget: null }, { scope: 'until', budget: '42.00 USD' }] }), armed);
  await fireEvent.change(screen.getByTestId('remember-select'), { target: { value: 'until' } });
  const date = by('remember-date') as HTMLInputElement;
  expect(date.value).toBe('2026-05-11');
  expect(by('remember-rule').textContent).toContain('until 2026-05-11');
  for (const [day, can] of [['2026-05-01', false], ['', false], ['2026-06-30', true]] as const) {
    await fireEvent.input(date, { target: { value: day } });
    expect(by('approve-button').getAttribute('aria-disabled'), day).toBe(String(!can));
  }
  await press('approve-button');
  expect(host.decided().at(-1)).toMatchObject({ decision: 'approve', remember: 'until', until: new Date('2026-06-30T23:59:59').toISOString() });
});

test('answers that were not remembered are told by their payee, with nothing to press', async () => {
  await open({ kind: 'unkept', answers: [{ payee: 'api.example.com', why: 'by_hand' }, { payee: 'tiles.example', why: 'failed' }] });
  const told = by('unkept-list').textContent;
  for (const words of ['api.example.com', 'written by hand', 'tiles.example', 'could not be saved']) expect(told).toContain(words);
  expect(screen.getByRole('heading').textContent).toBe('Not remembered. You can close this window.');
  expect(root().dataset['state']).toBe('unkept');
  expect(root().querySelector('button')).toBeNull();
  await send(ask());
  expect(screen.queryByTestId('unkept-list')).toBeNull();
});

test('until the program exits says that Countersign ends it, too', async () => {
  await open(ask({ remember: [{ scope: 'once', budget: null }, { scope: 'process', budget: '42.00 USD' }] }), armed);
  await fireEvent.change(screen.getByTestId('remember-select'), { target: { value: 'process' } });
  expect(by('remember-rule').textContent).toContain('at most 42.00 USD in 24 hours, until it or Countersign exits');
  expect(screen.getByText('until this program or Countersign exits, 7 days at most')).toBeTruthy();
  by('deny-button').click();
  expect(host.decided().at(-1)).toMatchObject({ decision: 'deny', remember: 'process' });
});

test('what is remembered is chosen anew for every question, and shows its rule before it counts', async () => {
  const remember = [{ scope: 'once', budget: null }, { scope: 'session', budget: '42.00 USD' }, { scope: '1h', budget: '42.00 USD' }];
  await open(ask({ remember }), armed);
  const select = screen.getByTestId('remember-select') as HTMLSelectElement;
  expect([...select.options].map((one) => one.value)).toEqual(['once', 'session', '1h']);
  expect(screen.queryByTestId('remember-rule')).toBeNull();
  await fireEvent.change(select, { target: { value: '1h' } });
  expect(screen.getByTestId('remember-rule').textContent).toContain('up to 4.20 USD each time without asking, at most 42.00 USD in 24 hours');
  await fireEvent.click(screen.getByTestId('deny-button'));
  expect(host.decided().at(-1)).toMatchObject({ decision: 'deny', remember: '1h' });
  await send(ask({ remember, payment_id: 'pay_2' }));
  expect((screen.getByTestId('remember-select') as HTMLSelectElement).value).toBe('once');
});
