/** Stands in for the Rust side: `?scene=NAME` picks what is fed. Never part of a normal build. */
import type { ActivityFilter, ApprovalFrame, Language, SecretStep } from '../ipc/types';
import { openPage, overview, page, story } from './activity';
import { empty, limits, loosens, owner, tightens, versions } from './limits';
import { agents, clientChange, clients, merchant, noAgents, noWallets, wallets } from './people';
import { scenes, status, view } from './scenes';
import { backups, chosen, findings, found, owner as settingsOwner, settings } from './settings';
import { money, secretStep, secretView, tasks } from './secret';

const asked = new URLSearchParams(location.search);
const scene = asked.get('scene') ?? 'question';
const callbacks = new Map<number, (message: { index: number; message: ApprovalFrame }) => void>();

let listening = 0;
let told = 0;

/** Tells the approval window something; a test does so from outside, by `window.tell`. */
function tell(message: ApprovalFrame) {
  callbacks.get(listening)?.({ index: told, message });
  told += 1;
}

function feed(channel: { id: number }) {
  listening = channel.id;
  const language = (asked.get('lang') ?? 'en') as Language;
  const frames: ApprovalFrame[] = [{ kind: 'speak', language }, ...(scenes[scene] ?? [])];
  frames.forEach(tell);
}

const main: ReturnType<typeof status> | undefined = {
  running: status(),
  paused: status({ state: 'paused', waiting: 2, red_band: true }),
  locked: status({ state: 'locked' }),
  view_only: status({ state: 'view_only' }),
  empty: status(),
  many: status(),
  failing: status(),
  loading: status(),
  failed: status(),
  first: status({ wallet: asked.has('wallet'), agent: asked.has('agent') }),
}[scene];

const broken = { kind: 'failed', message: 'the storage failed: disk full' };

const answers: Record<string, (args: Record<string, unknown>) => unknown> = {
  next: (args) => feed(args['channel'] as { id: number }),
  decide: (args) => void document.body.setAttribute('data-decided', JSON.stringify(args)),
  raw: () => view().signs,
  open_rule: () => null,
  status: () => main ?? Promise.reject(new Error('not running')),
  activity_overview: () => (scene === 'failing' ? Promise.reject(broken) : overview(scene === 'empty' ? { has_real: false, has_test: false } : { behind: scene === 'many' ? 41_200 : 0 })),
  activity_list: (args) => page(scene === 'empty' ? 0 : scene === 'many' ? 1_000_000 : 10_000, args['filter'] as ActivityFilter, args['cursor'] as string | null),
  activity_payment: () => (asked.has('page') ? openPage() : story()),
  page_code: () => money().qr,
  page_watch: () => null,
  merchant_check: () => ({ is: 'works' }),
  merchant_remove: () => new Promise(() => undefined),
  activity_export: () => ({ path: '/home/me/Downloads/countersign-2026-05-04.csv', count: '10000' }),
  pause: () => null,
  resume: () => null,
  preferences: () => chosen({ language: (asked.get('lang') ?? 'en') as Language, money: asked.has('test') ? 'test' : 'real', welcomed: scene !== 'first' }),
  set_preferences: () => null,
  limits: () => (scene === 'empty' ? empty : scene === 'failed' ? Promise.reject({ kind: 'failed', text: 'the ledger cannot be read' }) : scene === 'loading' ? new Promise(() => undefined) : limits()),
  limits_preview: () => (asked.has('loosen') ? loosens : tightens),
  limits_save: () => (asked.has('loosen') ? owner : { is: 'saved' }),
  limits_confirm: () => null,
  limits_cancel: () => null,
  limits_versions: () => versions,
  payee_forget: () => owner,
  payee_label: () => null,
  agents: () => (scene === 'empty' ? noAgents : scene === 'failed' ? Promise.reject(broken) : scene === 'loading' ? new Promise(() => undefined) : agents()),
  wallet_money: () => money(asked.has('arrived') ? { networks: money().networks.map((one, n) => ({ ...one, arrived: n === 0 ? '20 USDC' : null })) } : {}),
  settings: () => (scene === 'failed' ? Promise.reject({ kind: 'failed', text: 'the file cannot be read' }) : settings({ restart: asked.has('restart') })),
  settings_save: () => (asked.has('loosen') ? settingsOwner : { is: 'saved' }),
  settings_confirm: () => null,
  settings_cancel: () => null,
  settings_autostart: () => null,
  settings_findings: () => findings,
  settings_backups: () => backups,
  settings_restore: () => found,
  settings_restore_seen: () => null,
  settings_report: () => '/home/me/Downloads/countersign-report.json',
  wallet_pays: () => new Promise(() => undefined),
  wallet_lock: () => null,
  secret_open: () => null,
  secret_view: () => (tasks[scene] ? secretView(tasks[scene], { language: (asked.get('lang') ?? 'en') as Language, guarded: asked.has('guarded') ? 'open' : 'nothing' }) : Promise.reject({ kind: 'not_now' })),
  secret_step: (args) => secretStep(args['step'] as SecretStep),
  secret_end: () => null,
  agent_pause: () => null,
  agent_resume: () => new Promise(() => undefined),
  agent_revoke: () => null,
  clients: () => (scene === 'empty' ? [] : clients),
  client_change: () => clientChange(),
  client_go: () => null,
  wallets: () => (scene === 'empty' ? noWallets : scene === 'failed' ? Promise.reject(broken) : scene === 'loading' ? new Promise(() => undefined) : wallets({ merchant: asked.has('merchant') ? merchant() : null })),
};

/** `?press=A,B` presses the parts of these test ids, one after the other: for pictures of what only shows after a press. */
const press = (asked.get('press') ?? '').split(',').filter((id) => id !== '');
const timer = setInterval(() => {
  const found = press[0] === undefined ? null : document.querySelector<HTMLElement>(`[data-testid="${press[0]}"]`);
  if (found && found.getAttribute('aria-disabled') !== 'true') {
    found.click();
    press.shift();
  }
  if (press.length === 0) clearInterval(timer);
}, 100);

Object.assign(window, {
  tell,
  view,
  __TAURI_INTERNALS__: {
    transformCallback(callback: (message: { index: number; message: ApprovalFrame }) => void) {
      callbacks.set(callbacks.size + 1, callback);
      return callbacks.size;
    },
    unregisterCallback: (id: number) => callbacks.delete(id),
    invoke: async (command: string, args: Record<string, unknown>) => answers[command]?.(args),
  },
});
