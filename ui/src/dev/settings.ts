/** Made-up settings for the mock and the tests. */
import type { Finding, Preferences, SettingsSaved, SettingsView } from '../ipc/types';

export const chosen = (change: Partial<Preferences> = {}): Preferences => ({
  language: 'en',
  theme: 'system',
  money: 'real',
  welcomed: true,
  notices: 'all',
  notices_from: '',
  sound: false,
  shortcut: '',
  ...change,
});

export const settings = (change: Partial<SettingsView> = {}): SettingsView => ({
  base: 'b1',
  file: '/home/me/.local/share/countersign/config.toml',
  restart: false,
  port: 7402,
  port_open: true,
  timeout: 120,
  keep_hours: 24,
  lock_after: 0,
  reference: 'USD',
  rates: [{ currency: 'CNY', rate: '0.14' }],
  nodes: [
    { network: 'eip155:8453', name: 'Base', testnet: false, urls: [], offered: 'https://mainnet.base.org' },
    { network: 'eip155:42161', name: 'Arbitrum', testnet: false, urls: ['https://node.example/rpc'], offered: 'https://arb1.arbitrum.io/rpc' },
    { network: 'eip155:84532', name: 'Base Sepolia', testnet: true, urls: [], offered: 'https://sepolia.base.org' },
  ],
  test_seller: null,
  autostart: false,
  version: '0.1.0',
  licence: 'MIT OR Apache-2.0',
  dir: '/home/me/.local/share/countersign',
  logs: '/home/me/.local/share/countersign/logs',
  restored: null,
  shortcuts: true,
  ...change,
});

export const owner: SettingsSaved = { is: 'owner', id: 'o1', lines: [{ id: 'setting.node_new', parts: { network: 'eip155:8453', url: 'https://mainnet.base.org/' } }], words: 'eip155:8453', wait_seconds: 0 };

export const backups = ['/home/me/Downloads/countersign-backup-2026-05-04.sqlite', '/home/me/Downloads/countersign-backup-2026-05-03.sqlite'];

export const found: SettingsSaved = {
  is: 'restore',
  id: 'r1',
  lines: [
    { id: 'restore.made', parts: { made: '2026-05-04 14:03 UTC' } },
    { id: 'restore.payments_until', parts: { n: '412', last: '2026-05-04 13:58 UTC' } },
    { id: 'restore.lost', parts: { n: '3' } },
    { id: 'restore.replaces', parts: { dir: '/home/me/.local/share/countersign' } },
    { id: 'restore.tokens', parts: {} },
    { id: 'restore.asks', parts: {} },
    { id: 'restore.full', parts: {} },
    { id: 'restore.twice', parts: {} },
  ],
  words: '2026-05-04',
  wait_seconds: 0,
};

export const findings: Finding[] = [
  { id: 'ledger', state: 'good', detail: '' },
  { id: 'keys', state: 'good', detail: 'os-keyring' },
  { id: 'passphrase', state: 'weak', detail: '' },
  { id: 'policy', state: 'good', detail: '' },
  { id: 'port', state: 'good', detail: 'http://127.0.0.1:7402' },
  { id: 'nodes', state: 'weak', detail: '0' },
  { id: 'display', state: 'good', detail: 'X11' },
  { id: 'directory', state: 'bad', detail: '/home/me/.local/share/countersign' },
  { id: 'swap', state: 'weak', detail: '' },
];
