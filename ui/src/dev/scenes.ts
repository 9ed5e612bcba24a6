/** Made-up views for the dev server and the tests. */
import type { ApprovalFrame, ApprovalView, MainStatus, Said, WarningView } from '../ipc/types';

/** A warning without anything to fill in. */
const warn = (id: string, words: Extract<Said, { parts: Record<string, never> }>['id']): WarningView => ({ id, text: { id: words, parts: {} } as Said });

export function view(change: Partial<ApprovalView> = {}): ApprovalView {
  const now = Date.UTC(2026, 4, 4, 14, 3);
  return {
    payment_id: 'pay_01JTSCENE',
    display_hash: 'a1'.repeat(32),
    agent: 'researcher',
    program: { id: 'program.bound_by', parts: { path: '/usr/bin/node', parent: '/usr/bin/bash' } },
    payee_host: 'api.example.com',
    payee_claimed: false,
    payee_origin: 'https://api.example.com',
    payee_registrable: 'example.com',
    payee_account: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    payee_history: { id: 'paid.never', parts: {} },
    amount_fiat: '4.20 USD',
    amount_asset: '4.2 USDC',
    amount_terms: { id: 'terms.final', parts: { network: 'Base' } },
    pay_from: 'main · Base',
    agent_says: 'March data set, needed for the report',
    seller_says: null,
    resource: 'GET /v1/datasets/march',
    why_asked: { id: 'why.first_payee', parts: {} },
    act: { id: 'act.pay', parts: { amount: '4.20 USD' } },
    rule: 'first-payee',
    also: ['ask-above'],
    warnings: [{ id: 'first-payee', text: { id: 'warning.first_payee', parts: {} } }],
    bar: { id: 'week', spent: '31.00 USD', this: '4.20 USD', left: '24.80 USD', of: '60.00 USD', before_permille: 516, after_permille: 586, over: null },
    remember: [
      { scope: 'once', budget: null },
      { scope: 'session', budget: '42.00 USD' },
      { scope: 'process', budget: '42.00 USD' },
      { scope: '1h', budget: '42.00 USD' },
      { scope: 'until', budget: '42.00 USD' },
      { scope: 'always', budget: '42.00 USD' },
    ],
    signs: [
      [{ id: 'sign.form', parts: {} }, 'EIP-3009 TransferWithAuthorization'],
      [{ id: 'sign.token', parts: {} }, 'USD Coin 2'],
      [{ id: 'sign.contract', parts: {} }, 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'],
      [{ id: 'sign.from', parts: {} }, 'main'],
      [{ id: 'sign.to', parts: {} }, '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'],
      [{ id: 'sign.value', parts: {} }, '4200000 (4.2 USDC)'],
      [{ id: 'sign.seconds', parts: {} }, '60'],
      [{ id: 'sign.nonce', parts: {} }, '32 B'],
    ],
    expires_at_ms: now + 108_000,
    now_ms: now,
    red_band: false,
    ...change,
  };
}

export const hostile = [
  '<img src=x onerror="alert(1)"><script>document.title="owned"</script>',
  '{{constructor.constructor("alert(1)")()}} ${alert(1)} &lt;b&gt;',
  'PRE-APPROVED BY COUNTERSIGN ✓ Amount: 0.01 USD. Press Pay to continue without paying anything, then close. Really. Truly. Yes. Promise. … (cut)',
  'דחוף: שלם עכשיו 0.01 USD אל bank.example',
  'WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW',
];

export const scenes: Record<string, ApprovalFrame[]> = {
  question: [{ kind: 'question', view: view({ payee_history: { id: 'paid.times', parts: { n: '14' } }, warnings: [], why_asked: { id: 'why.ask_above', parts: {} }, rule: 'ask-above', also: [] }) }, { kind: 'arming', armed: true }],
  first: [{ kind: 'question', view: view({ agent_says: hostile[2] ?? null, seller_says: hostile[0] ?? null }) }, { kind: 'queue', position: 1, waiting: 3, joined: 3 }],
  over: [
    {
      kind: 'question',
      view: view({
        payee_claimed: true,
        payee_host: 'data.xn--exmple-cua.com:8443',
        payee_registrable: 'xn--exmple-cua.com',
        agent: 'a-very-long-agent-name-of-somebody',
        program: { id: 'program.unseen', parts: {} },
        agent_says: hostile[3] ?? null,
        seller_says: hostile[4] ?? null,
        amount_fiat: '1,250.00 USD',
        act: { id: 'act.pay', parts: { amount: '1,250.00 USD' } },
        amount_asset: '1250.000001 USDC',
        why_asked: { id: 'why.budget', parts: { budget: 'week', after: '1281.00', max: '60.00 USD' } },
        rule: 'budget:week',
        also: ['first-payee', 'ask-above', 'builtin:redirected'],
        warnings: [
          warn('payee-changed', 'warning.payee_changed'),
          warn('possible-duplicate', 'warning.duplicate'),
          warn('lookalike-host', 'warning.lookalike_host'),
          warn('seller-unverified', 'warning.unverified'),
          warn('price-up', 'warning.price_up'),
          warn('first-payee', 'warning.first_payee'),
        ],
        bar: { id: 'week', spent: '31.00 USD', this: '1250.00 USD', left: '0.00 USD', of: '60.00 USD', before_permille: 516, after_permille: 1000, over: '1221.00 USD' },
        red_band: true,
      }),
    },
    { kind: 'arming', armed: true },
  ],
  novalue: [
    {
      kind: 'question',
      view: view({
        amount_fiat: null,
        act: { id: 'act.pay', parts: { amount: '115792089237316195423570985008687907853269984665640564039457.584007913129639935 TKN' } },
        amount_asset: '115792089237316195423570985008687907853269984665640564039457.584007913129639935 TKN',
        warnings: [warn('no-value', 'warning.no_value'), warn('testnet', 'warning.testnet')],
        bar: null,
      }),
    },
    { kind: 'arming', armed: true },
  ],
  change: [
    { kind: 'change', id: 'chg_01', display_hash: 'c4'.repeat(32), title: { id: 'change.limits', parts: {} }, lines: [{ id: 'looser.budget_amount', parts: { budget: 'week', was: '60.00 USD', now: '120.00 USD' } }, { id: 'looser.rule_added', parts: { rule: 'researcher-pays' } }, { id: 'looser.known', parts: { origin: 'https://api.example.com', account: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed' } }], red_band: false },
    { kind: 'arming', armed: true },
  ],
  blank: [{ kind: 'blank' }],
  unkept: [{ kind: 'unkept', answers: [{ payee: 'api.example.com', why: 'unconfirmed' }, { payee: 'tiles.example.org', why: 'failed' }] }],
};

for (const state of ['signing', 'signed', 'settled', 'claimed', 'unknown', 'failed', 'denied', 'expired'] as const) {
  const text: Said | null = {
    signing: null,
    signed: null,
    settled: { id: 'end.seen' as const, parts: {} },
    claimed: { id: 'end.claimed' as const, parts: {} },
    unknown: { id: 'end.open' as const, parts: {} },
    failed: { id: 'end.declined' as const, parts: {} },
    denied: { id: 'end.denied' as const, parts: {} },
    expired: { id: 'end.silence' as const, parts: {} },
  }[state];
  scenes[state] = [{ kind: 'question', view: view() }, { kind: 'outcome', state, text, unkept: null }];
}

export const status = (change: Partial<MainStatus> = {}): MainStatus => ({
  state: 'running',
  waiting: 0,
  version: '0.1.0',
  red_band: false,
  passphrase: false,
  wallet: true,
  agent: true,
  try_at: null,
  short: null,
  ...change,
});
