import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { secretStep, secretView, tasks, words } from '../src/dev/secret';
import type { SecretStep } from '../src/ipc/types';
import Secret from '../src/pages/Secret.svelte';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
  host.answers['secret_step'] = (args) => secretStep(args['step'] as SecretStep);
});
afterEach(() => speak('en'));

const steps = () => host.calls.filter((call) => call.command === 'secret_step').map((call) => call.args['step']);

async function open(task: string, change = {}) {
  host.answers['secret_view'] = () => secretView(tasks[task]!, change);
  render(Secret);
  await screen.findByRole('heading', { level: 1 });
}

const type = (testid: string, value: string) => fireEvent.input(screen.getByTestId(testid), { target: { value } });

test('a wallet is made by writing words down and saying some of them back', async () => {
  await open('create');
  const shown = await screen.findByTestId('words');
  expect(within(shown).getAllByRole('listitem').map((one) => one.textContent?.trim().replace(/^\d+ /, ''))).toEqual(words);
  await fireEvent.click(screen.getByTestId('act'));
  await screen.findByTestId('word-5');
  expect(screen.queryByTestId('words')).toBeNull();
  expect(document.body.textContent).not.toContain('sausage');
  await type('word-2', 'winner');
  await type('word-5', 'waves');
  await type('word-12', 'yellow');
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('refused')).textContent).toContain('Look at the paper again');
  await type('word-5', 'wave');
  await type('label', 'savings');
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('done')).textContent).toContain('savings');
  expect(screen.getByTestId('made-address').textContent?.replaceAll(' ', '')).toBe('0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed');
});

test('a new wallet may be protected in the same window, once', async () => {
  await open('import');
  await fireEvent.click(screen.getByTestId('kind-key'));
  await type('key', '0xab');
  await fireEvent.click(screen.getByTestId('act'));
  await fireEvent.click(await screen.findByTestId('protect'));
  await type('new', 'correct horse');
  await type('new-again', 'correct horse');
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('done')).textContent).toContain('as you said');
  expect(screen.queryByTestId('protect')).toBeNull();
  expect(steps()).toEqual([
    { step: 'import_key', label: '', key: '0xab' },
    { step: 'passphrase', old: '', new: 'correct horse', again: 'correct horse' },
  ]);
  await fireEvent.click(screen.getByTestId('end'));
  expect(host.calls.at(-1)?.command).toBe('secret_end');
});

test('a phrase and a file are taken over by their own fields', async () => {
  await open('import');
  await type('phrase', words.join(' '));
  await fireEvent.click(screen.getByTestId('act'));
  await screen.findByTestId('done');
  expect(steps()).toEqual([{ step: 'import_phrase', label: '', phrase: words.join(' ') }]);
  document.body.replaceChildren();
  await open('import');
  await fireEvent.click(screen.getByTestId('kind-file'));
  await type('file-text', '{}');
  await type('file-passphrase', 'x');
  await fireEvent.click(screen.getByTestId('act'));
  await screen.findByTestId('done');
  expect(steps().at(-1)).toEqual({ step: 'import_file', label: '', file: '{}', passphrase: 'x' });
});

test('what is typed is hidden until it is asked to be seen', async () => {
  await open('unlock', { guarded: 'locked' });
  const field = screen.getByTestId('passphrase') as HTMLInputElement;
  expect(field.type).toBe('password');
  await fireEvent.click(screen.getByRole('button', { name: 'Show Passphrase' }));
  expect(field.type).toBe('text');
  host.answers['secret_step'] = () => Promise.reject({ kind: 'wrong_passphrase' });
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('refused')).textContent).toBe('That is not the passphrase.');
});

test('a passphrase that is set can be taken away, an export and a removal ask for what they need', async () => {
  await open('passphrase', { guarded: 'open' });
  await type('old', 'correct horse');
  await fireEvent.click(screen.getByTestId('away'));
  await screen.findByTestId('done');
  expect(steps()).toEqual([{ step: 'passphrase_away', old: 'correct horse' }]);
  document.body.replaceChildren();
  await open('export');
  expect(screen.queryByTestId('old')).toBeNull();
  await fireEvent.click(screen.getByTestId('act'));
  expect((await screen.findByTestId('done')).textContent).toContain('/home/me/Downloads/countersign-wallet-0x5aAeb605.json');
  document.body.replaceChildren();
  await open('remove');
  await type('typed', '0x5a');
  await fireEvent.click(screen.getByTestId('act'));
  expect(steps().at(-1)).toEqual({ step: 'remove', typed: '0x5a' });
});

test('nothing of a secret is put on the clipboard, and there is no button that would', async () => {
  const writeText = vi.fn();
  Object.assign(navigator, { clipboard: { writeText } });
  for (const task of Object.keys(tasks)) {
    document.body.replaceChildren();
    await open(task);
    expect(screen.queryByRole('button', { name: /copy/i }), task).toBeNull();
  }
  expect(writeText).not.toHaveBeenCalled();
});

test('a file that is no keystore file is refused as it is chosen', async () => {
  await open('import');
  await fireEvent.click(screen.getByTestId('kind-file'));
  const chosen = (size: number, text: () => Promise<string>) => fireEvent.change(screen.getByTestId('file'), { target: { files: [{ size, text }] } });
  const field = () => screen.getByTestId('file-text') as HTMLTextAreaElement;
  await chosen(2, async () => '{}');
  await vi.waitFor(() => expect(field().value).toBe('{}'));
  await chosen(65_536, async () => '{}');
  expect((await screen.findByTestId('refused')).textContent).toContain('not a keystore file');
  expect(field().value).toBe('');
  await chosen(2, () => Promise.reject(new Error('gone')));
  await screen.findByTestId('refused');
  await chosen(2, async () => '{}');
  await vi.waitFor(() => expect(screen.queryByTestId('refused')).toBeNull());
});

test('Escape that only leaves an input method leaves the window open', async () => {
  await open('unlock', { guarded: 'locked' });
  await fireEvent.keyDown(window, { key: 'Escape', isComposing: true });
  await fireEvent.keyDown(window, { key: 'Escape', keyCode: 229 });
  expect(host.calls.at(-1)?.command).not.toBe('secret_end');
});

test('Escape leaves, a sitting that is over says so, and Chinese is complete', async () => {
  await open('remove', { language: 'zh-CN' });
  expect(screen.getByRole('heading', { level: 1 }).textContent).toBe('移除钱包');
  await fireEvent.keyDown(window, { key: 'Escape' });
  expect(host.calls.at(-1)?.command).toBe('secret_end');
  document.body.replaceChildren();
  speak('en');
  host.answers['secret_view'] = () => Promise.reject({ kind: 'not_now' });
  render(Secret);
  expect((await screen.findByRole('alert')).textContent).toContain('nothing to do');
});
