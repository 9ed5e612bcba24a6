/** Made-up views for the dev server and the tests. */
import type { ApprovalFrame, ApprovalView, MainStatus } from '../ipc/types';

export function view(change: Partial<ApprovalView> = {}): ApprovalView {
  const now = Date.UTC(2026, 4, 4, 14, 3);
  return {
    payment_id: 'pay_01JTSCENE',
    display_hash: 'a1'.repeat(32),
    agent: 'researcher · verified program: /usr/bin/node, started by /usr/bin/bash',
    payee_host: 'api.example.com',
    payee_origin: 'https://api.example.com',
    payee_registrable: 'example.com',
    payee_account: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    payee_history: 'first time',
    amount_fiat: '4.20 USD',
    amount_asset: '4.2 USDC',
    amount_terms: 'Base · no fee for you · cannot be taken back',
    pay_from: 'main · Base',
    agent_says: 'March data set, needed for the report',
    seller_says: null,
    resource: 'GET /v1/datasets/march',
    why_asked: 'first payment to this seller',
    rule: 'first-payee',
    also: ['ask-above'],
    warnings: [{ id: 'first-payee', text: 'First payment to this seller' }],
    bar: { id: 'week', spent: '31.00 USD', this: '4.20 USD', left: '24.80 USD', of: '60.00 USD', before_permille: 516, after_permille: 586, over: null },
    remember: [
      { scope: 'once', budget: null },
      { scope: 'session', budget: '42.00 USD' },
    ],
    act: 'Pay 4.20 USD',
    signs: [
      ['form', 'EIP-3009 TransferWithAuthorization'],
      ['token', 'USD Coin version 2'],
      ['contract', 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'],
      ['from', 'main'],
      ['to', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'],
      ['value', '4200000 (4.2 USDC)'],
      ['valid for', '60 seconds after your yes'],
      ['nonce', '32 random bytes, chosen after your yes'],
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
  question: [{ kind: 'question', view: view({ payee_history: 'paid 14 times before', warnings: [], why_asked: 'the amount is above what may be paid without asking', rule: 'ask-above', also: [] }) }, { kind: 'arming', armed: true }],
  first: [{ kind: 'question', view: view({ agent_says: hostile[2] ?? null, seller_says: hostile[0] ?? null }) }, { kind: 'queue', position: 1, waiting: 3, joined: 3 }],
  over: [
    {
      kind: 'question',
      view: view({
        payee_host: 'the agent says: data.xn--exmple-cua.com:8443',
        payee_registrable: 'xn--exmple-cua.com',
        agent: 'a-very-long-agent-name-of-somebody · self-declared, program not checked',
        agent_says: hostile[3] ?? null,
        seller_says: hostile[4] ?? null,
        amount_fiat: '1,250.00 USD',
        amount_asset: '1250.000001 USDC',
        act: 'Pay 1,250.00 USD',
        why_asked: 'this payment takes the budget week to 1281.00 of 60.00 USD',
        rule: 'budget:week',
        also: ['first-payee', 'ask-above', 'builtin:redirected'],
        warnings: [
          { id: 'payee-changed', text: 'This seller was paid at another account before' },
          { id: 'possible-duplicate', text: 'You may have paid for this already' },
          { id: 'lookalike-host', text: 'The name looks like a seller you know, but is another' },
          { id: 'seller-unverified', text: 'Countersign could not check that this seller asked' },
          { id: 'price-up', text: 'Dearer than the last time' },
          { id: 'first-payee', text: 'First payment to this seller' },
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
        amount_fiat: 'no known value',
        amount_asset: '115792089237316195423570985008687907853269984665640564039457.584007913129639935 TKN',
        act: 'Pay 115792089237316195423570985008687907853269984665640564039457.584007913129639935 TKN',
        warnings: [{ id: 'no-value', text: 'This token has no known value in your currency' }, { id: 'testnet', text: 'Test network: play money' }],
        bar: null,
      }),
    },
    { kind: 'arming', armed: true },
  ],
  change: [
    { kind: 'change', id: 'chg_01', display_hash: 'c4'.repeat(32), title: 'Raise the weekly budget', lines: ['budget week: 60.00 USD → 120.00 USD', 'ask-above: 1.00 USD → 5.00 USD', 'agent researcher may pay first-time sellers without asking'], red_band: false },
    { kind: 'arming', armed: true },
  ],
  blank: [{ kind: 'blank' }],
};

for (const state of ['signing', 'signed', 'settled', 'claimed', 'unknown', 'failed', 'denied', 'expired'] as const) {
  const text = {
    signing: '',
    signed: 'The signed payment is with api.example.com.',
    settled: '4.2 USDC went to api.example.com.',
    claimed: 'api.example.com says it took 4.2 USDC. Countersign has not seen it on the network yet.',
    unknown: 'The seller did not answer. 4.20 USD stay held until it is certain.',
    failed: 'The seller refused the payment: insufficient funds.',
    denied: 'Nothing was paid.',
    expired: 'You can ask the agent to try again.',
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
