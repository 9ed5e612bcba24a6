/** A made-up ledger for the dev server and the tests. */
import type { ActivityFilter, ActivityLine, ActivityPage, Bar, Overview, PaymentStory, Ranked } from '../ipc/types';
import { hostile } from './scenes';

const agents = ['researcher', 'travel-desk', 'code-review', 'a-very-long-agent-name-of-somebody'];
const payees = [
  'https://api.example.com', 'https://weather.example.org', 'https://maps.example.net', 'https://search.example.com:8443',
  'https://a-very-long-subdomain-that-goes-on-and-on.shop.example.net', 'https://models.example.dev', 'https://xn--exmple-cua.com',
];
const states = ['completed', 'completed', 'completed', 'completed', 'authorized', 'denied', 'pending_approval', 'expired', 'failed', 'unknown'];

/** The same figures every time. */
const mix = (n: number) => ((n * 2654435761) >>> 0) % 1000;
const money = (cents: number) => `${Math.floor(cents / 100).toLocaleString('en-US')}.${String(Math.floor(cents) % 100).padStart(2, '0')} USD`;

export function line(n: number): ActivityLine {
  const cents = n % 17 === 0 ? 1000 + mix(n) * 12 : 1 + (mix(n) % 90);
  return {
    id: `pay_${String(n).padStart(8, '0')}`,
    when: new Date(Date.UTC(2026, 4, 4, 14, 3) - n * 4_700_000).toISOString(),
    agent: agents[mix(n) % agents.length] ?? '',
    payee: payees[mix(n + 7) % payees.length] ?? '',
    amount: `${cents / 100} USDC`,
    value: money(cents),
    state: states[mix(n + 3) % states.length] ?? '',
    rule: 'small-known',
  };
}

export function page(all: number, filter: ActivityFilter, cursor: string | null): ActivityPage {
  const from = cursor === null ? 0 : Number(cursor);
  const fits = (one: ActivityLine) =>
    (!filter.agent || one.agent === filter.agent) && (!filter.state || one.state === filter.state) && (!filter.payee || one.payee === filter.payee) && one.payee.includes(filter.text);
  const payments: ActivityLine[] = [];
  let n = from;
  for (; n < all && payments.length < 100; n += 1) if (fits(line(n))) payments.push(line(n));
  return { payments, next: n < all ? String(n) : null };
}

const ranked = (name: string, cents: number, count: number, share: number): Ranked => ({ name, value: money(cents), count, share });

export function overview(change: Partial<Overview> = {}): Overview {
  const bars = Array.from({ length: 30 }, (_, at): Bar => {
    const cents = at % 7 === 5 ? 0 : 200 + mix(at) * 3;
    const heights = [cents * 0.5, cents * 0.3, cents * 0.2].map((part) => Math.floor((part * 1000) / 3200));
    let from = 0;
    const parts = heights.flatMap((height, part) => {
      const one = { part, from, height, value: money(height * 3) };
      from += height;
      return height > 0 ? [one] : [];
    });
    return { day: new Date(Date.UTC(2026, 3, 5 + at)).toISOString().slice(0, 10), value: money(cents), count: at, parts };
  });
  return {
    today: { value: '12.40 USD', count: 31, unknown: 0 },
    week: { value: '31.00 USD', count: 204, unknown: 1 },
    month: { value: '1,250.42 USD', count: 1888, unknown: 0 },
    span: { value: '1,402.17 USD', count: 2011, unknown: 1 },
    zone: 'Europe/Berlin',
    year: '2026',
    highest: '32.00 USD',
    bars,
    parts: [ranked('researcher', 62000, 800, 1000), ranked('travel-desk', 41000, 120, 661), ranked('code-review', 30000, 90, 483), ranked('', 7217, 1001, 116)],
    payees: payees.slice(0, 6).map((payee, at) => ranked(payee, 62000 / (at + 1), 800 - at * 100, Math.floor(1000 / (at + 1)))),
    behind: 0,
    agents,
    rails: ['x402'],
    states: [...new Set(states)],
    has_real: true,
    has_test: true,
    ...change,
  };
}

export function story(change: Partial<PaymentStory> = {}): PaymentStory {
  const when = (second: number) => new Date(Date.UTC(2026, 4, 4, 14, 3, second)).toISOString();
  const transaction = `0x${'7c3f9a12'.repeat(8)}`;
  return {
    line: { ...line(0), state: 'completed', value: '4.20 USD', amount: '4.2 USDC', payee: 'https://api.example.com', agent: 'researcher' },
    account: '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
    claimed: false,
    resource: 'GET https://api.example.com/v1/datasets/march',
    network: 'Base',
    test: false,
    wallet: '0x71C7656EC7ab88b098defB751B7401B5f6d8976F',
    rail: 'x402 exact',
    settlement: 'verified',
    transaction,
    explorer: `https://basescan.org/tx/${transaction}`,
    agent_says: 'March data set, needed for the report',
    seller_says: hostile[0] ?? null,
    receipt: [['status', '200'], ['content-type', 'application/json']],
    steps: [
      { kind: 'asked', when: when(0), what: 'researcher', also: [] },
      { kind: 'needs_person', when: when(0), what: 'first-payee', also: ['ask-above'] },
      { kind: 'approved_by_person', when: when(14), what: 'window', also: [] },
      { kind: 'signed', when: when(14), what: null, also: [] },
      { kind: 'delivered', when: when(14), what: null, also: [] },
      { kind: 'claimed', when: when(15), what: transaction, also: [] },
      { kind: 'settled', when: when(41), what: transaction, also: [] },
    ],
    page: null,
    ...change,
  };
}

/** A page where a buyer can still pay. */
export const openPage = (watched = true): PaymentStory =>
  story({
    line: { ...line(0), state: 'completed', value: '1.68 USD', amount: '12 CNY', payee: 'https://openapi.alipay.com', agent: 'clerk' },
    rail: 'alipay page.pay',
    network: '',
    transaction: null,
    explorer: null,
    settlement: 'none',
    page: { link: `https://openapi.alipay.com/gateway.do?app_id=2021000000000001&method=alipay.trade.page.pay&sign=${'a%2Fb'.repeat(70)}`, watched },
  });
