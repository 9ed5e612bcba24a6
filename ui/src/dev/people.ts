/** Made-up agents and wallets for the mock and the tests. */
import type { AgentsView, AgentView, ClientChange, ClientView, MerchantView, WalletsView } from '../ipc/types';

const own = '0x2222222222222222222222222222222222222222';
const main = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';

const agent = (change: Partial<AgentView>): AgentView => ({
  name: 'researcher',
  since: '2026-05-01T08:00:00Z',
  seen: '2026-05-04T14:00:00Z',
  ends: '2026-06-03T14:00:00Z',
  ended: false,
  wallet: null,
  pause: { is: 'no' },
  asks_always: false,
  unconfirmed: false,
  today: { value: '1.20 USD', count: 12, unknown: 0 },
  play: null,
  ...change,
});

export const agents = (change: Partial<AgentsView> = {}): AgentsView => ({
  agents: [
    agent({}),
    agent({ name: 'coder', wallet: { label: 'trips', address: own }, pause: { is: 'open' }, today: { value: '0.00 USD', count: 0, unknown: 0 }, play: { value: '0.35 USD', count: 7, unknown: 0 } }),
    agent({ name: 'night-shift', seen: null, asks_always: true, unconfirmed: true, pause: { is: 'until', time: '2026-05-05T06:00:00Z' }, today: { value: '0.00 USD', count: 0, unknown: 1 } }),
    agent({ name: 'old-laptop', seen: '2026-03-01T10:00:00Z', ends: '2026-03-31T10:00:00Z', ended: true, today: { value: '0.00 USD', count: 0, unknown: 0 } }),
  ],
  gone: [{ name: 'trial', at: '2026-04-20T09:00:00Z' }],
  address: 'http://127.0.0.1:7402',
  mcp: 'http://127.0.0.1:7402/mcp',
  behind: 0,
  ...change,
});

export const clients: ClientView[] = [
  { id: 'claude-code', name: 'Claude Code', stands: 'connected', why: null, files: ['/home/me/.claude.json'] },
  { id: 'cursor', name: 'Cursor', stands: 'not_set', why: null, files: ['/home/me/.cursor/mcp.json'] },
  { id: 'codex', name: 'Codex', stands: 'stale', why: '`command` is not that of this program', files: ['/home/me/.codex/config.toml'] },
  { id: 'zed', name: 'Zed', stands: 'broken', why: '/home/me/.config/zed/settings.json: line 4, column 1: Unexpected close brace', files: ['/home/me/.config/zed/settings.json'] },
];

export const clientChange = (change: Partial<ClientChange> = {}): ClientChange => ({
  diffs: ['--- /dev/null\n+++ /home/me/.cursor/mcp.json\n@@ -1 +1,10 @@\n+{\n+  "mcpServers": {\n+    "countersign": {\n+      "command": "/usr/bin/countersign",\n+      "args": ["mcp", "--agent", "cursor"]\n+    }\n+  }\n+}\n'],
  pairs: true,
  ...change,
});

export const noAgents = agents({ agents: [], gone: [] });

export const wallets = (change: Partial<WalletsView> = {}): WalletsView => ({
  wallets: [
    { label: 'main', address: main, since: '2026-05-01T08:00:00Z', pays: [{ agent: null, network: null }] },
    { label: 'trips', address: own, since: '2026-05-02T08:00:00Z', pays: [{ agent: 'coder', network: null }, { agent: 'researcher', network: 'Base' }] },
    { label: 'spare', address: '0x3333333333333333333333333333333333333333', since: '2026-05-03T08:00:00Z', pays: [] },
  ],
  kept: 'os_keyring',
  guarded: 'nothing',
  lock_after: 0,
  networks: [
    { id: 'eip155:8453', name: 'Base', testnet: false },
    { id: 'eip155:84532', name: 'Base Sepolia', testnet: true },
  ],
  merchant: null,
  merchant_locked: false,
  ...change,
});

export const merchant = (change: Partial<MerchantView> = {}): MerchantView => ({
  app_id: '2021000000000001',
  gateway: 'sandbox',
  at: 'https://openapi-sandbox.dl.alipaydev.com/gateway.do',
  test: true,
  public_key: `MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A${'MIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo'.repeat(11)}IDAQAB`,
  return_url: 'https://shop.example/thanks',
  notify_url: null,
  ...change,
});

export const noWallets = wallets({ wallets: [], kept: 'encrypted_file' });
