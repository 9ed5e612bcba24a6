import { fireEvent, render, screen } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openPage, story } from '../src/dev/activity';
import { merchant, wallets } from '../src/dev/people';
import { money, secretStep, secretView } from '../src/dev/secret';
import type { CheckedView, MerchantView, SecretStep } from '../src/ipc/types';
import Wallets from '../src/pages/Wallets.svelte';
import Secret from '../src/pages/Secret.svelte';
import Payment from '../src/parts/activity/Payment.svelte';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

const both = ['en', 'zh-CN'] as const;
let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => speak('en'));

const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);

async function open(one: MerchantView | null) {
  host.answers['wallets'] = () => wallets({ merchant: one });
  render(Wallets, { at: '' });
  await screen.findByTestId('merchant');
}

test.each(both)('without a merchant the page says what one is for and opens the window of secrets, in %s', async (language) => {
  speak(language);
  await open(null);
  expect(screen.getByTestId('merchant-none').textContent).toMatch(language === 'en' ? /refunds/ : /退款/);
  expect(screen.queryByTestId('merchant-check')).toBeNull();
  await fireEvent.click(screen.getByTestId('merchant-setup'));
  expect(called('secret_open')).toEqual([{ task: { is: 'merchant' } }]);
  expect(document.querySelectorAll('input, textarea')).toHaveLength(0);
});

test.each(both)('behind a locked key store the page says so and offers no other merchant, in %s', async (language) => {
  speak(language);
  host.answers['wallets'] = () => wallets({ merchant_locked: true });
  render(Wallets, { at: '' });
  expect((await screen.findByTestId('merchant-locked')).textContent).toMatch(language === 'en' ? /key store is locked/ : /密钥库已锁定/);
  expect([screen.queryByTestId('merchant-none'), screen.queryByTestId('merchant-setup')]).toEqual([null, null]);
});

test.each([
  ['production', 'en', 'Alipay'],
  ['sandbox', 'en', "Alipay's test environment"],
  ['custom', 'en', 'An address of your own'],
  ['production', 'zh-CN', '支付宝'],
  ['sandbox', 'zh-CN', '支付宝测试环境'],
  ['custom', 'zh-CN', '自定义地址'],
] as const)('a merchant at %s is shown with its key and what was never tried, in %s', async (gateway, language, name) => {
  speak(language);
  await open(merchant({ gateway, test: gateway === 'sandbox' }));
  expect(screen.getByTestId('merchant-app').textContent).toBe('2021000000000001');
  const at = screen.getByTestId('merchant-gateway').textContent ?? '';
  expect(at).toContain(name);
  expect(at.includes(language === 'en' ? 'play money' : '测试币')).toBe(gateway === 'sandbox');
  expect(screen.getByTestId('merchant-key').textContent).toBe(merchant().public_key);
  expect(screen.getByTestId('merchant-untested').textContent).toMatch(language === 'en' ? /untested against the live service/ : /未在真实服务上测试/);
});

const found: [CheckedView, string, string][] = [
  [{ is: 'works' }, 'It works', '可以使用'],
  [{ is: 'no_merchant' }, 'no merchant any more', '不存在'],
  [{ is: 'wrong_key' }, 'not that of the public key', '不匹配'],
  [{ is: 'locked' }, 'Unlock them', '解锁'],
  [{ is: 'refused', text: 'isv.invalid-signature' }, 'refuses: isv.invalid-signature', '拒绝：isv.invalid-signature'],
  [{ is: 'fault' }, 'has a fault', '故障'],
  [{ is: 'unreachable', text: 'timed out' }, 'signed: timed out', '响应：timed out'],
  [{ is: 'failed', text: 'disk full' }, 'checked: disk full', '无法检查：disk full'],
];

test.each(both.flatMap((language) => found.map(([one, en, zh]) => [one.is, language, one, language === 'en' ? en : zh] as const)))(
  'a check that says %s is told in words, in %s',
  async (_, language, one, words) => {
    speak(language);
    host.answers['merchant_check'] = () => one;
    await open(merchant());
    await fireEvent.click(screen.getByTestId('merchant-check'));
    const told = await screen.findByTestId('merchant-checked');
    expect(told.textContent).toContain(words);
    expect(told.closest('.notice')?.classList.contains(one.is === 'works' ? 'good' : 'bad')).toBe(true);
  },
);

test('a check runs once at a time, and one that cannot be asked for says so', async () => {
  let refuse: (why: unknown) => void = () => undefined;
  host.answers['merchant_check'] = () => new Promise((_, no) => (refuse = no));
  await open(merchant());
  await fireEvent.click(screen.getByTestId('merchant-check'));
  await fireEvent.click(screen.getByTestId('merchant-check'));
  expect(called('merchant_check')).toHaveLength(1);
  refuse({ kind: 'failed', message: 'no desk' });
  expect((await screen.findByTestId('merchant-checked')).textContent).toContain('no desk');
});

test('removing says where to confirm it, and a no is told', async () => {
  let no: (why: unknown) => void = () => undefined;
  host.answers['merchant_remove'] = () => new Promise((_, refuse) => (no = refuse));
  await open(merchant());
  await fireEvent.click(screen.getByTestId('merchant-remove'));
  expect(await screen.findByText('Confirm it in the approval window.')).toBeTruthy();
  await fireEvent.click(screen.getByTestId('merchant-remove'));
  expect(called('merchant_remove')).toHaveLength(1);
  no({ kind: 'failed', message: 'It was not confirmed; the merchant stays.' });
  expect((await screen.findByRole('alert')).textContent).toContain('the merchant stays');
});

const type = (testid: string, value: string) => fireEvent.input(screen.getByTestId(testid), { target: { value } });
const steps = () => called('secret_step').map((args) => args['step']);

test.each(both)('a merchant is set up in the window of secrets, with a key that is made or taken over, in %s', async (language) => {
  host.answers['secret_step'] = (args) => secretStep(args['step'] as SecretStep);
  host.answers['secret_view'] = () => secretView({ is: 'merchant' }, { language, merchant: '2021000000000009' });
  render(Secret);
  expect((await screen.findByTestId('replaces')).textContent).toContain('2021000000000009');
  await type('app', 'shop');
  await type('alipay-key', ' MIIB ');
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('refused')).textContent).toContain(language === 'en' ? '1 to 32 digits' : '1 到 32 位数字');
  await type('app', ' 2021000000000001 ');
  await fireEvent.change(screen.getByTestId('gateway'), { target: { value: 'custom' } });
  await type('gateway-address', 'https://gateway.example/');
  await fireEvent.click(screen.getByTestId('kind-own'));
  await type('rsa-key', 'MIIEv');
  await type('returns', 'https://shop.example/thanks');
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('done')).textContent).toContain('2021000000000001');
  const said = { app_id: '2021000000000001', gateway: 'https://gateway.example/', alipay_key: 'MIIB', return_url: 'https://shop.example/thanks', notify_url: null };
  expect(steps()).toEqual([
    { step: 'merchant_fresh', said: { ...said, app_id: 'shop', gateway: 'prod', return_url: null } },
    { step: 'merchant', said, key: 'MIIEv' },
  ]);
  expect(document.body.textContent).not.toContain('MIIEv');
});

test.each(both)('an open page shows its address, a code on a press, and can be looked for no more, in %s', async (language) => {
  speak(language);
  let watched = true;
  host.answers['activity_payment'] = () => openPage(watched);
  host.answers['page_code'] = () => money().qr;
  host.answers['page_watch'] = (args) => void (watched = args['watched'] as boolean);
  render(Payment, { id: 'pay_1', onclose: () => undefined });
  expect((await screen.findByTestId('page-link')).textContent).toContain('gateway.do?app_id=');
  expect(called('page_code')).toHaveLength(0);
  await fireEvent.click(screen.getByTestId('page-code'));
  expect(await screen.findByTestId('qr')).toBeTruthy();
  expect(called('page_code')).toEqual([{ id: 'pay_1' }]);
  await fireEvent.click(screen.getByTestId('page-code'));
  expect(screen.queryByTestId('qr')).toBeNull();
  const button = () => screen.getByTestId('page-watch');
  expect(button().textContent).toBe(language === 'en' ? 'Stop looking' : '停止查询');
  await fireEvent.click(button());
  await vi.waitFor(() => expect(button().textContent).toBe(language === 'en' ? 'Look again' : '重新查询'));
  await fireEvent.click(button());
  await vi.waitFor(() => expect(screen.getByTestId('page-watched').textContent).toMatch(language === 'en' ? /now and then/ : /不时/));
  expect(called('page_watch')).toEqual([{ id: 'pay_1', watched: false }, { id: 'pay_1', watched: true }]);
});

test('an address that is not kept any more says so, a refusal is told, and what is no open page has none of this', async () => {
  host.answers['activity_payment'] = () => ({ ...openPage(false), page: { link: null, watched: false } });
  host.answers['page_watch'] = () => Promise.reject({ kind: 'failed', message: 'it has its end' });
  render(Payment, { id: 'pay_1', onclose: () => undefined });
  expect(await screen.findByTestId('page-gone')).toBeTruthy();
  expect(screen.queryByTestId('page-code')).toBeNull();
  await fireEvent.click(screen.getByTestId('page-watch'));
  expect((await screen.findByRole('alert')).textContent).toContain('it has its end');
  document.body.replaceChildren();
  host.answers['activity_payment'] = () => story();
  render(Payment, { id: 'pay_2', onclose: () => undefined });
  await screen.findByTestId('payment');
  expect(screen.queryByTestId('page')).toBeNull();
});
