import { fireEvent, render, screen, within } from '@testing-library/svelte';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { agents, noAgents, noWallets, wallets } from '../src/dev/people';
import Agents from '../src/pages/Agents.svelte';
import Wallets from '../src/pages/Wallets.svelte';
import { speak } from '../src/words/speak.svelte';
import { moment } from '../src/words/when';
import { Host } from './host';

let host: Host;
beforeEach(() => {
  host = new Host();
});
afterEach(() => speak('en'));

const called = (name: string) => host.calls.filter((call) => call.command === name).map((call) => call.args);
const row = (name: string) => within(screen.getByTestId(`agent-${name}`));

async function open() {
  render(Agents, { at: '' });
  await screen.findByTestId('agent-researcher');
}

test('each agent says when it came, was seen and what it spent, and how it stands', async () => {
  await open();
  expect(screen.getByTestId('today-researcher').textContent).toBe('1.20 USD');
  expect(row('researcher').getByText(moment('2026-05-04T14:00:00Z'))).toBeTruthy();
  expect(row('researcher').getByText('the wallet that pays by default')).toBeTruthy();
  expect(row('coder').getByText('paused')).toBeTruthy();
  expect(row('coder').getByText('0.35 USD in play money')).toBeTruthy();
  expect(row('coder').getByText('trips')).toBeTruthy();
  expect(row('night-shift').getByText('never')).toBeTruthy();
  expect(row('night-shift').getByText('asks about everything')).toBeTruthy();
  expect(row('old-laptop').getByText('token ended')).toBeTruthy();
  expect(screen.getByTestId('gone').textContent).toContain('trial');
});

test('an agent whose own wallet was removed pays from none, and says so', async () => {
  const seen = agents();
  host.answers['agents'] = () => ({ ...seen, agents: seen.agents.map((agent) => ({ ...agent, wallet: { label: '', address: '' } })) });
  await open();
  expect(row('coder').getByText('no wallet: its own was removed')).toBeTruthy();
  expect(row('coder').queryByText('the wallet that pays by default')).toBeNull();
});

test('a pause is one press, and reads again', async () => {
  await open();
  await fireEvent.click(screen.getByTestId('pause-researcher'));
  expect((await screen.findByTestId('done')).textContent).toContain('researcher is paused.');
  expect(called('agent_pause')).toEqual([{ name: 'researcher' }]);
  expect(called('agents')).toHaveLength(2);
  expect(screen.queryByTestId('pause-coder')).toBeNull();
});

test('resuming says where to confirm it, stops nobody from pausing meanwhile, and a no is told', async () => {
  let no: (why: unknown) => void = () => undefined;
  host.answers['agent_resume'] = () => new Promise((_, refuse) => (no = refuse));
  await open();
  await fireEvent.click(screen.getByTestId('resume-coder'));
  expect(await screen.findByText('Confirm it in the approval window.')).toBeTruthy();
  await fireEvent.click(screen.getByTestId('resume-coder'));
  await fireEvent.click(screen.getByTestId('resume-night-shift'));
  await fireEvent.click(screen.getByTestId('pause-researcher'));
  expect((await screen.findByTestId('done')).textContent).toContain('researcher is paused.');
  no({ kind: 'failed', message: 'It was not confirmed; coder stays paused.' });
  expect((await screen.findByRole('alert')).textContent).toContain('coder stays paused');
  await vi.waitFor(() => expect(screen.queryByText('Confirm it in the approval window.')).toBeNull());
  expect(called('agent_resume')).toEqual([{ name: 'coder' }]);
});

test('the button that was pressed keeps the focus when it changes its word', async () => {
  await open();
  const button = screen.getByTestId('pause-researcher');
  button.focus();
  host.answers['agents'] = () => agents({ agents: agents().agents.map((one) => ({ ...one, pause: { is: 'open' } as const })) });
  await fireEvent.click(button);
  expect(await screen.findByTestId('resume-researcher')).toBe(button);
  expect(document.activeElement).toBe(button);
});

test('an agent is revoked only after a word about what happens', async () => {
  await open();
  await fireEvent.click(screen.getByTestId('revoke-coder'));
  expect(await screen.findByText(/Its token stops working at once/)).toBeTruthy();
  await fireEvent.click(screen.getByText('Keep it'));
  expect(called('agent_revoke')).toEqual([]);
  await fireEvent.click(screen.getByTestId('revoke-coder'));
  await fireEvent.click(await screen.findByTestId('revoke-confirm'));
  expect((await screen.findByTestId('done')).textContent).toBe('coder is revoked.');
  expect(called('agent_revoke')).toEqual([{ name: 'coder' }]);
  expect(screen.queryByTestId('revoke-confirm')).toBeNull();
});

test('how to connect is there to copy, with the addresses while the port is open', async () => {
  const writeText = vi.fn(() => Promise.resolve());
  Object.assign(navigator, { clipboard: { writeText } });
  host.answers['agents'] = () => noAgents;
  render(Agents, { at: '' });
  expect((await screen.findByTestId('agents-empty')).textContent).toContain('No agent yet');
  expect(screen.getByTestId('service-address').textContent).toBe('http://127.0.0.1:7402');
  for (const text of ['countersign connect CLIENT', 'countersign agent add NAME', 'http://127.0.0.1:7402/mcp']) {
    await fireEvent.click(screen.getByRole('button', { name: `Copy ${text}` }));
  }
  expect(writeText.mock.calls).toEqual([['countersign connect CLIENT'], ['countersign agent add NAME'], ['http://127.0.0.1:7402/mcp']]);
});

test('a closed port is said, and sums that lag behind are', async () => {
  host.answers['agents'] = () => agents({ address: null, mcp: null, behind: 41_200 });
  await open();
  expect(screen.queryByTestId('service-address')).toBeNull();
  expect(screen.getByText(/The port is closed/)).toBeTruthy();
  expect(screen.getByText(/41200 entries/)).toBeTruthy();
});

test('a wallet shows its whole address, whom it pays for and where its key is', async () => {
  render(Wallets, { at: '' });
  const [main, trips, spare] = (await screen.findAllByTestId('wallet')) as [HTMLElement, HTMLElement, HTMLElement];
  expect(within(main).getByTestId('wallet-address').textContent?.replaceAll(' ', '')).toBe(wallets().wallets[0]?.address);
  expect(within(main).getByText('pays by default')).toBeTruthy();
  expect(within(main).getByRole('button', { name: 'Copy the address of main' })).toBeTruthy();
  expect(within(trips).getByText('coder, on every network')).toBeTruthy();
  expect(within(trips).getByText('researcher, on Base')).toBeTruthy();
  expect(within(spare).getByText('nobody yet')).toBeTruthy();
  expect(screen.getByTestId('kept').textContent).toBe('The keyring of this system');
  expect(host.calls.map((call) => call.command)).toEqual(['wallets']);
});

test('agents and wallets lead to each other, and what the address names is brought into view', async () => {
  const seen: string[] = [];
  HTMLElement.prototype.scrollIntoView = function (this: HTMLElement) {
    seen.push(this.dataset['testid'] ?? '');
  };
  render(Agents, { at: 'coder' });
  const link = (await screen.findByText('trips')).closest('a');
  const address = wallets().wallets[1]?.address ?? '';
  expect(link?.getAttribute('href')).toBe(`#wallets/${address}`);
  expect(screen.getByTestId('agent-coder').classList.contains('named')).toBe(true);
  render(Wallets, { at: address });
  expect((await screen.findByText('coder, on every network')).getAttribute('href')).toBe('#agents/coder');
  expect(seen).toEqual(['agent-coder', 'wallet']);
});

test.each([
  ['agents', Agents, 'agents-empty', '还没有代理'],
  ['wallets', Wallets, 'wallets-empty', '还没有钱包'],
] as const)('%s: loading, an error that can be tried again, and Chinese', async (command, page, empty, words) => {
  speak('zh-CN');
  let fail: (why: unknown) => void = () => undefined;
  host.answers[command] = () => new Promise((_, refuse) => (fail = refuse));
  render(page, { at: '' });
  expect(await screen.findByTestId('loading')).toBeTruthy();
  fail({ kind: 'failed', message: 'disk full' });
  expect((await screen.findByRole('alert')).textContent).toContain('disk full');
  host.answers[command] = () => (command === 'agents' ? noAgents : noWallets);
  await fireEvent.click(screen.getByText('重试'));
  expect((await screen.findByTestId(empty)).textContent).toContain(words);
});

test('a client is connected by one press, after its change was shown', async () => {
  await open();
  const client = (id: string) => within(screen.getByTestId(`client-${id}`));
  await screen.findByTestId('client-cursor');
  expect(client('claude-code').getByText('connected')).toBeTruthy();
  expect(client('codex').getByText('needs a repair')).toBeTruthy();
  expect(client('zed').getByText(/Mend the file/)).toBeTruthy();
  expect(client('zed').queryByRole('button')).toBeNull();
  await fireEvent.click(screen.getByTestId('connect-cursor'));
  expect((await screen.findByTestId('diff')).textContent).toContain('+    "countersign"');
  expect(called('client_go')).toEqual([]);
  await fireEvent.click(screen.getByTestId('client-go'));
  expect((await screen.findByTestId('client-done')).textContent).toContain('Cursor is connected.');
  expect(called('client_change')).toEqual([{ id: 'cursor', undo: false }]);
  expect(called('client_go')).toEqual([{ id: 'cursor' }]);
  expect(called('clients')).toHaveLength(2);
  expect(called('agents').length).toBeGreaterThan(1);
});

test('a change that fails, or is not confirmed, is told', async () => {
  host.answers['client_go'] = () => Promise.reject({ kind: 'failed', message: 'It was not confirmed; nothing was changed.' });
  await open();
  await fireEvent.click(await screen.findByTestId('undo-codex'));
  await fireEvent.click(await screen.findByTestId('client-go'));
  expect((await screen.findByRole('alert')).textContent).toContain('nothing was changed');
});
