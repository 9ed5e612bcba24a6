import { fireEvent, render, screen, waitFor, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chosen, found, owner, settings } from '../src/dev/settings';
import { lookAt } from '../src/parts/kind.svelte';
import Settings from '../src/pages/Settings.svelte';
import { speak } from '../src/words/speak.svelte';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => speak('en'));

const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);
const type = (element: HTMLElement, value: string) => fireEvent.input(element, { target: { value } });

async function open() {
  render(Settings, { at: '' });
  await screen.findByTestId('port');
  await screen.findByTestId('notices');
}

test('a value is sent with the text that was on screen, and what was saved is said', async () => {
  await open();
  await type(screen.getByTestId('port'), '7500');
  await fireEvent.click(screen.getByTestId('port-save'));
  expect(await screen.findByTestId('settings-saved')).toBeTruthy();
  await type(screen.getByTestId('timeout'), '60');
  await fireEvent.click(screen.getByTestId('timeout-save'));
  expect(called('settings_save')).toEqual([
    { edit: { kind: 'port', port: 7500 }, base: 'b1' },
    { edit: { kind: 'timeout', seconds: 60 }, base: 'b1' },
  ]);
});

test('how long answers are kept and when wallets lock are numbers, and anything else is refused here', async () => {
  await open();
  await type(screen.getByTestId('keep'), '2');
  await fireEvent.click(screen.getByTestId('keep-save'));
  await screen.findByTestId('settings-saved');
  await type(screen.getByTestId('lock-after'), 'soon');
  await fireEvent.click(screen.getByTestId('lock-after-save'));
  expect((await screen.findByTestId('settings-failed')).textContent).toContain('whole number');
  await type(screen.getByTestId('lock-after'), '15');
  await fireEvent.click(screen.getByTestId('lock-after-save'));
  expect(called('settings_save').map((one) => one['edit'])).toEqual([{ kind: 'keep_hours', hours: 2 }, { kind: 'lock_after', minutes: 15 }]);
});

test('what is no port goes as none, which the core refuses', async () => {
  host.answers['settings_save'] = () => Promise.reject({ kind: 'port' });
  await open();
  for (const text of ['abc', '70000', '-1']) {
    await type(screen.getByTestId('port'), text);
    await fireEvent.click(screen.getByTestId('port-save'));
    expect((await screen.findByTestId('settings-failed')).textContent).toContain('from 1 to 65535');
  }
  expect(called('settings_save').map((args) => args['edit'])).toEqual([0, 0, 0].map((port) => ({ kind: 'port', port })));
});

test('what the core refuses is said in its words', async () => {
  host.answers['settings_save'] = () => Promise.reject({ kind: 'failed', text: 'approval.timeout_seconds must be between 30 and 600' });
  await open();
  await type(screen.getByTestId('timeout'), '5');
  await fireEvent.click(screen.getByTestId('timeout-save'));
  expect((await screen.findByTestId('settings-failed')).textContent).toContain('between 30 and 600');
});

test('a public node is offered with a word on privacy, and used only after the owner check', async () => {
  host.answers['settings_save'] = () => owner;
  await open();
  expect(screen.getByText(/Whoever runs it sees your addresses/)).toBeTruthy();
  expect(screen.queryByTestId('node-eip155:84532')).toBeNull();
  await fireEvent.click(within(screen.getByTestId('node-eip155:8453')).getByTestId('offered'));
  expect(called('settings_save')).toEqual([{ edit: { kind: 'nodes', network: 'eip155:8453', urls: ['https://mainnet.base.org'] }, base: 'b1' }]);
  expect((await screen.findByText(/eip155:8453 asks/)).textContent).toContain('mainnet.base.org');
  await type(screen.getByTestId('owner-words'), 'eip155:8453');
  host.answers['settings_confirm'] = () => Promise.reject({ kind: 'declined' });
  await fireEvent.click(screen.getByTestId('owner-confirm'));
  expect((await screen.findByRole('alert')).textContent).toBeTruthy();
  host.answers['settings_confirm'] = () => null;
  await fireEvent.click(screen.getByTestId('owner-confirm'));
  expect(await screen.findByTestId('settings-saved')).toBeTruthy();
  expect(called('settings_confirm').at(-1)).toEqual({ id: 'o1', typed: 'eip155:8453' });
});

test('test money shows the nodes of test networks', async () => {
  lookAt(true);
  await open();
  expect(screen.getByTestId('node-eip155:84532')).toBeTruthy();
  expect(screen.queryByTestId('node-eip155:8453')).toBeNull();
});

test('rates are set and forgotten', async () => {
  await open();
  await type(screen.getByTestId('rate-currency'), 'eur');
  await type(screen.getByTestId('rate'), '1.08');
  await fireEvent.click(screen.getByTestId('rate-save'));
  await screen.findByTestId('settings-saved');
  await fireEvent.click(screen.getByRole('button', { name: 'Forget the rate of CNY' }));
  expect(called('settings_save').map((one) => one['edit'])).toEqual([
    { kind: 'rate', currency: 'EUR', rate: '1.08' },
    { kind: 'rate', currency: 'CNY', rate: null },
  ]);
});

test('what concerns the person is kept apart from the file', async () => {
  await open();
  await fireEvent.change(screen.getByTestId('notices'), { target: { value: 'above' } });
  await screen.findByTestId('notices-from');
  await fireEvent.click(screen.getByTestId('sound'));
  expect(called('set_preferences')).toEqual([{ preferences: chosen({ notices: 'above', notices_from: '1.00' }) }, { preferences: chosen({ notices: 'above', notices_from: '1.00', sound: true }) }]);
  await fireEvent.click(screen.getByTestId('autostart'));
  expect(called('settings_autostart')).toEqual([{ on: true }]);
});

test('a backup is written on demand, and those that are there are offered', async () => {
  host.answers['settings_backup'] = () => '/home/me/Downloads/countersign-backup-2026-05-04.sqlite';
  await open();
  await fireEvent.click(screen.getByTestId('backup'));
  expect((await screen.findByTestId('backup-path')).textContent).toContain('countersign-backup-2026-05-04.sqlite');
  expect(within(await screen.findByTestId('backups')).getAllByTestId('restore-look')).toHaveLength(2);
  expect(screen.getByTestId('restore').textContent).toBe('countersign restore FILE');
});

test('a backup is looked at, shows what it does not know, and is restored by its owner after the typed day', async () => {
  host.answers['settings_restore'] = () => found;
  await open();
  await fireEvent.click((await screen.findAllByTestId('restore-look'))[1] as HTMLElement);
  const dialog = await screen.findByRole('dialog', { hidden: true });
  expect(dialog.textContent).toContain('Restore this backup?');
  expect(dialog.textContent).toContain('Payments made here that are missing from it: 3.');
  await type(screen.getByTestId('owner-words'), '2026-05-04');
  await fireEvent.click(screen.getByTestId('owner-confirm'));
  expect((await screen.findByTestId('settings-again')).textContent).toContain('starts again');
  expect(called('settings_restore')).toEqual([{ file: '/home/me/Downloads/countersign-backup-2026-05-03.sqlite' }]);
  expect(called('settings_confirm')).toEqual([{ id: 'r1', typed: '2026-05-04' }]);
});

test('why a file is not restored is said in words', async () => {
  host.answers['settings_restore'] = () => Promise.reject({ kind: 'backup', says: [{ id: 'backup.other', parts: {} }] });
  await open();
  await type(screen.getByTestId('restore-file'), ' /mnt/copy.sqlite ');
  await fireEvent.click(screen.getByTestId('restore-file-look'));
  expect((await screen.findByTestId('settings-failed')).textContent).toContain('made by another Countersign');
  expect(called('settings_restore')).toEqual([{ file: '/mnt/copy.sqlite' }]);
});

test('what came of a restore is told until it was seen', async () => {
  host.answers['settings'] = () => settings({ restored: { whole: false, lines: [{ id: 'restore.failed', parts: {} }, { id: 'told', parts: { text: 'the disk is full' } }] } });
  await open();
  const told = await screen.findByTestId('restored');
  expect(told.textContent).toMatch(/what was here before is in use:.*the disk is full/);
  host.answers['settings'] = () => settings();
  await fireEvent.click(within(told.closest('.notice') as HTMLElement).getByRole('button'));
  await waitFor(() => expect(screen.queryByTestId('restored')).toBeNull());
  expect(called('settings_restore_seen')).toHaveLength(1);
});

test('findings are told in words, and a report is written on demand', async () => {
  host.answers['settings_report'] = () => '/home/me/Downloads/countersign-report.json';
  await open();
  expect((await screen.findByTestId('finding-nodes')).textContent).toContain('cannot be proved');
  await fireEvent.click(screen.getByTestId('report'));
  expect((await screen.findByTestId('report-path')).textContent).toContain('countersign-report.json');
});

test('the folder of the logs is named and opened on demand', async () => {
  await open();
  expect(document.body.textContent).toContain('/home/me/.local/share/countersign/logs');
  await fireEvent.click(screen.getByTestId('logs'));
  expect(called('settings_logs')).toHaveLength(1);
});

test.each([
  ['en', 'no_shortcut', 'Take two of Ctrl, Alt, Shift and Super'],
  ['en', 'shortcut_taken', 'Another program'],
  ['zh-CN', 'shortcut_taken', '其他程序'],
] as const)('keys that raise a question are sent as typed, and what speaks against them is said, in %s: %s', async (language, kind, words) => {
  host.answers['set_preferences'] = () => Promise.reject({ kind });
  speak(language);
  await open();
  await fireEvent.input(await screen.findByTestId('shortcut'), { target: { value: 'Ctrl+Alt+Q' } });
  await fireEvent.click(screen.getByTestId('shortcut-save'));
  expect((await screen.findByRole('alert')).textContent).toContain(words);
  expect(called('set_preferences')).toEqual([{ preferences: chosen({ shortcut: 'Ctrl+Alt+Q' }) }]);
});

test('where a display has no such keys that is said', async () => {
  host.answers['settings'] = () => settings({ shortcuts: false });
  await open();
  expect((await screen.findByTestId('no-shortcuts')).textContent).toContain('Wayland');
  expect(screen.queryByTestId('shortcut')).toBeNull();
});

test('the work of others is listed with its licences', async () => {
  await open();
  const others = screen.getByTestId('others').closest('details') as HTMLDetailsElement;
  others.open = true;
  await fireEvent(others, new Event('toggle'));
  expect((await within(others).findByText(/^svelte 5/)).textContent).toContain('MIT');
  expect(within(others).getByText(/^tauri 2/)).toBeTruthy();
  expect(screen.queryByTestId('licence')).toBeNull();
  await fireEvent.click(within(others).getByText(/^svelte 5/));
  expect(screen.getByTestId('licence').textContent).toMatch(/Copyright.*Svelte[\s\S]*Permission is hereby granted/);
  await fireEvent.click(within(others).getByText(/^selectors /));
  expect(within(others).getByText(/standard text of MPL-2.0/)).toBeTruthy();
  expect(screen.getByTestId('licence').textContent).toContain('Mozilla Public License');
  await fireEvent.click(within(others).getByText(/^selectors /));
  expect(screen.queryByTestId('licence')).toBeNull();
});

test('what needs a restart says so, and Chinese is there', async () => {
  speak('zh-CN');
  host.answers['settings'] = () => settings({ restart: true });
  await open();
  expect(screen.getByTestId('settings-restart').textContent).toContain('重新启动');
});
