import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noWallets, wallets } from '../src/dev/people';
import { money } from '../src/dev/secret';
import Wallets from '../src/pages/Wallets.svelte';
import { lookAt } from '../src/parts/kind.svelte';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
  lookAt(true);
});
afterEach(() => speak('en'));

const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);
const first = async () => within((await screen.findAllByTestId('wallet'))[0] as HTMLElement);

test('what is secret opens the window of secrets and asks for nothing here', async () => {
  render(Wallets, { at: '' });
  const main = await first();
  for (const id of ['wallet-create', 'wallet-import', 'passphrase']) await fireEvent.click(screen.getByTestId(id));
  for (const id of ['export', 'remove']) await fireEvent.click(main.getByTestId(id));
  const address = wallets().wallets[0]?.address;
  expect(called('secret_open')).toEqual(
    [{ is: 'create' }, { is: 'import' }, { is: 'passphrase' }, { is: 'export', address }, { is: 'remove', address }].map((task) => ({ task })),
  );
  expect(document.querySelectorAll('input')).toHaveLength(0);
});

test('a window of secrets that does not open says why', async () => {
  host.answers['secret_open'] = () => Promise.reject({ kind: 'not_now' });
  render(Wallets, { at: '' });
  await fireEvent.click(await screen.findByTestId('wallet-create'));
  expect((await screen.findByRole('alert')).textContent).toContain('begin again on the page Wallets');
});

test('locked wallets say so and open the window that unlocks them; open ones can be locked', async () => {
  host.answers['wallets'] = () => wallets({ guarded: 'locked' });
  render(Wallets, { at: '' });
  await fireEvent.click(await screen.findByTestId('unlock'));
  expect(called('secret_open')).toEqual([{ task: { is: 'unlock' } }]);
  expect(screen.queryByTestId('lock')).toBeNull();
  document.body.replaceChildren();
  host.answers['wallets'] = () => wallets({ guarded: 'open' });
  render(Wallets, { at: '' });
  await fireEvent.click(await screen.findByTestId('lock'));
  expect(called('wallet_lock')).toHaveLength(1);
});

test('another wallet pays only after the approval window, and a no is told', async () => {
  host.answers['wallet_pays'] = () => Promise.reject({ kind: 'failed', message: 'It was not confirmed; the wallet that pays stays the same.' });
  render(Wallets, { at: '' });
  const main = await first();
  await fireEvent.change(main.getByTestId('pays-where'), { target: { value: 'eip155:84532' } });
  await fireEvent.click(main.getByTestId('pays'));
  expect(called('wallet_pays')).toEqual([{ address: wallets().wallets[0]?.address, network: 'eip155:84532' }]);
  expect((await screen.findByRole('alert')).textContent).toContain('stays the same');
});

test('adding money shows the address, what to send where, and what came', async () => {
  render(Wallets, { at: '' });
  await fireEvent.click((await first()).getByTestId('money'));
  expect((await screen.findByTestId('money-what')).textContent).toContain('USDC on Base Sepolia is test money');
  expect(screen.getByTestId('money-address').textContent?.replaceAll(' ', '')).toBe(money().address);
  expect(screen.getByTestId('money-has').textContent?.trim()).toBe('12.5 USDC');
  expect(screen.getByText('https://faucet.circle.com')).toBeTruthy();
  expect(screen.getByRole('img', { name: 'QR code of the address of main' }).querySelector('path')?.getAttribute('d')).toContain('h1v1h-1z');
  expect(called('wallet_money')).toEqual([{ address: money().address, afresh: true }]);
});

test('money that arrives is told', async () => {
  host.answers['wallet_money'] = () => money({ networks: money().networks.map((one, n) => (n === 0 ? { ...one, arrived: '20 USDC' } : one)) });
  render(Wallets, { at: '' });
  await fireEvent.click((await first()).getByTestId('money'));
  expect((await screen.findByTestId('arrived')).textContent).toBe('20 USDC arrived on Base Sepolia.');
});

test('without a wallet two buttons make one', async () => {
  host.answers['wallets'] = () => noWallets;
  render(Wallets, { at: '' });
  expect((await screen.findByTestId('wallets-empty')).textContent).toContain('goes straight to an encrypted file');
  await fireEvent.click(screen.getByTestId('wallet-create'));
  expect(called('secret_open')).toEqual([{ task: { is: 'create' } }]);
});
