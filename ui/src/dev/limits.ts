/** Made-up limits for the mock and the tests. */
import type { LimitsView, PreviewView, RuleView, SavedView, VersionView } from '../ipc/types';

const stops = ['0.00', '0.01', '0.02', '0.05', '0.10', '0.20', '0.50', '1.00', '2.00', '5.00', '10.00', '20.00', '50.00', '60.00', '100.00', '200.00', '500.00', '1000.00'];
const usdc = 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913';
const account = '0x2222222222222222222222222222222222222222';

const rule = (change: Partial<RuleView>): RuleView => ({
  id: 'rule',
  effect: 'ask',
  conditions: [],
  state: 'on',
  expires: null,
  uses_left: null,
  note: null,
  source: 'preset',
  form: null,
  counted: false,
  ...change,
});

export const limits = (change: Partial<LimitsView> = {}): LimitsView => ({
  base: 'a'.repeat(64),
  currency: 'USD',
  timezone: 'Europe/Berlin',
  watching: false,
  unconfirmed: false,
  preset: 'everyday',
  own: 3,
  presets: [
    { name: 'careful', starter: true, in_force: false, lines: [{ id: 'everything_asks' }] },
    {
      name: 'everyday',
      starter: true,
      in_force: true,
      lines: [
        { id: 'through', up_to: '0.10', known_only: false },
        { id: 'new_payee_asks' },
        { id: 'budget', amount: '60.00', window: 'days7', each_agent: false, over: 'deny' },
        { id: 'budget', amount: '5.00', window: 'day', each_agent: true, over: 'ask' },
        { id: 'refused_above', amount: '50.00' },
      ],
    },
    {
      name: 'hands-off',
      starter: true,
      in_force: false,
      lines: [
        { id: 'through', up_to: '1.00', known_only: true },
        { id: 'new_payee_asks' },
        { id: 'budget', amount: '20.00', window: 'day', each_agent: false, over: 'ask' },
        { id: 'budget', amount: '60.00', window: 'days7', each_agent: false, over: 'deny' },
        { id: 'refused_above', amount: '20.00' },
      ],
    },
    { name: 'pinned-only', starter: false, in_force: false, lines: [{ id: 'through', up_to: '0.10', known_only: false }, { id: 'new_payee_refused' }] },
    { name: 'test-network', starter: false, in_force: false, lines: [{ id: 'play_money', up_to: '1.00' }] },
  ],
  ask: { everything: false, setting: { is: 'at', amount: '0.10', over: 'ask', stop: 4 }, stops },
  limits: [
    { limit: 'payment', window: 'once', setting: { is: 'at', amount: '50.00', over: 'deny', stop: 12 }, stops, spent: null },
    { limit: 'day', window: 'day', setting: { is: 'off' }, stops, spent: null },
    { limit: 'week', window: 'days7', setting: { is: 'at', amount: '60.00', over: 'deny', stop: 13 }, stops, spent: { spent: '31.00', left: '29.00', permille: 516 } },
    { limit: 'month', window: 'month', setting: { is: 'by_hand' }, stops, spent: null },
  ],
  budgets: [
    { id: 'researcher-day', of: { whose: 'agent', name: 'researcher' }, network: null, conditions: [{ id: 'agent', values: ['researcher'] }], rule: null, each: [], window: 'day', max: '3.00', count: null, over: 'ask', expires: null, spent: { spent: '1.20', left: '1.80', permille: 400 } },
    { id: 'base-week', of: { whose: 'network', name: 'eip155:8453' }, network: 'Base', conditions: [{ id: 'network', values: ['Base'] }], rule: null, each: [], window: 'week', max: '40.00', count: null, over: 'deny', expires: null, spent: null },
    { id: 'micro-burst', of: null, network: null, conditions: [], rule: 'micro', each: ['agent'], window: 'minutes10', max: '1.00', count: '3000', over: 'ask', expires: null, spent: null },
  ],
  rules: [
    rule({ id: 'first-payee', conditions: [{ id: 'payee_new' }], form: { effect: 'ask', agent: null, payee: null, network: null, above: null, up_to: null, note: null, expires: null } }),
    rule({ id: 'micro', effect: 'allow', counted: true, conditions: [{ id: 'rail', values: ['x402', 'mpp'] }, { id: 'op', values: ['pay', 'session_open'] }, { id: 'amount_up_to', amount: '0.10' }] }),
    rule({ id: 'money-back', conditions: [{ id: 'op', values: ['refund'] }] }),
    rule({ id: 'no-raw-sign', effect: 'deny', conditions: [{ id: 'op', values: ['sign'] }] }),
    rule({ id: 'tiles', effect: 'except', source: 'prompt', counted: true, expires: '2026-12-01T00:00:00Z', conditions: [{ id: 'agent', values: ['researcher'] }, { id: 'payee', values: ['https://tiles.example'] }, { id: 'amount_up_to', amount: '0.40' }] }),
    rule({ id: 'deny-coder', effect: 'deny', source: 'user', state: 'off', note: 'while it is being repaired', conditions: [{ id: 'agent', values: ['coder'] }, { id: 'amount_above', amount: '2.00' }], form: { effect: 'deny', agent: 'coder', payee: null, network: null, above: '2.00', up_to: null, note: 'while it is being repaired', expires: null } }),
  ],
  pinned: [{ origin: 'https://maps.example', label: 'Maps', account, asset: usdc, asset_name: 'USDC · Base' }],
  known: [
    { agent: null, origin: 'https://tiles.example', label: 'Tiles', account, asset: usdc, asset_name: 'USDC · Base', since: '2026-05-04T09:00:00Z', pinned: false, blocked: false },
    { agent: 'coder', origin: 'https://claimed.example', label: null, account, asset: usdc, asset_name: 'USDC · Base', since: '2026-05-02T09:00:00Z', pinned: false, blocked: false },
  ],
  blocked: [{ origin: 'https://shady.example', label: null }],
  agents: ['coder', 'researcher'],
  networks: [
    ['eip155:8453', 'Base'],
    ['eip155:84532', 'Base Sepolia'],
  ],
  warnings: [{ id: 'odd.excepts', parts: { rule: 'tiles', example: 'exposure = { le = "…" }' } }],
  ...change,
});

export const empty = limits({ preset: 'careful', own: 0, ask: { everything: true, setting: { is: 'off' }, stops }, limits: limits().limits.map((one) => ({ ...one, setting: { is: 'off' }, spent: null })), budgets: [], rules: [], pinned: [], known: [], blocked: [], agents: [], warnings: [] });

export const tightens: PreviewView = { same: false, looser: [], made: null, days: 30, payments: 412, whole: true, before: { allowed: 388, asked: 21, refused: 3, silent: '12.30' }, after: { allowed: 352, asked: 57, refused: 3, silent: '8.10' } };

export const loosens: PreviewView = { ...tightens, looser: [{ id: 'looser.budget_amount', parts: { budget: 'limit-week', was: '60.00 USD', now: '100.00 USD' } }], after: { allowed: 401, asked: 8, refused: 3, silent: '19.90' } };

export const remembers: PreviewView = {
  ...loosens,
  looser: [{ id: 'looser.rule_added', parts: { rule: 'pay-researcher-api-example' } }],
  made: {
    rule: rule({ id: 'pay-researcher-api-example', effect: 'except', source: 'prompt', counted: true, conditions: [{ id: 'agent', values: ['researcher'] }, { id: 'payee', values: ['https://api.example'] }, { id: 'amount_up_to', amount: '0.40' }] }),
    budget: { id: 'pay-researcher-api-example', of: null, network: null, conditions: [], rule: 'pay-researcher-api-example', each: [], window: 'hours24', max: '5.00', count: null, over: 'ask', expires: null, spent: null },
  },
};

export const owner: SavedView = { is: 'owner', id: 'chg_1', looser: loosens.looser, words: '100.00', wait_seconds: 10 };

export const versions: VersionView[] = [
  { version: 2, at: '2026-05-04T14:03:00Z', by: 'person', name: 'everyday', in_force: true, toml: 'format = 1\nname = "everyday"\nreference = "USD"\n' },
  { version: 1, at: '2026-05-01T08:00:00Z', by: 'first', name: 'everyday', in_force: false, toml: 'format = 1\nname = "everyday"\nreference = "USD"\nmode = "enforce"\n' },
];
