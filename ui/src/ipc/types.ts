/** Shapes of the commands, until the generated ones in `bindings/` exist. */

export type WarningView = { id: string; text: string };

export type BarView = {
  id: string;
  spent: string;
  this: string;
  left: string;
  of: string;
  before_permille: number;
  after_permille: number;
  over: string | null;
};

export type ApprovalView = {
  payment_id: string;
  display_hash: string;
  agent: string;
  payee_host: string;
  payee_origin: string;
  payee_registrable: string;
  payee_account: string;
  payee_history: string;
  amount_fiat: string;
  amount_asset: string;
  amount_terms: string;
  pay_from: string;
  agent_says: string | null;
  seller_says: string | null;
  resource: string;
  why_asked: string;
  rule: string;
  also: string[];
  warnings: WarningView[];
  bar: BarView | null;
  act: string;
  signs: [string, string][];
  expires_at_ms: number;
  now_ms: number;
  red_band: boolean;
};

export type OutcomeState = 'signing' | 'signed' | 'settled' | 'claimed' | 'unknown' | 'failed' | 'denied' | 'expired';

export type ApprovalFrame =
  | { kind: 'question'; view: ApprovalView }
  | { kind: 'arming'; armed: boolean }
  | { kind: 'queue'; position: number; waiting: number; joined: number }
  | { kind: 'outcome'; state: OutcomeState; text: string }
  | { kind: 'change'; id: string; display_hash: string; title: string; lines: string[]; red_band: boolean }
  | { kind: 'blank' };

export type Decision = 'approve' | 'deny' | 'deny_and_pause';

export type Remember = 'once';

export type MainState = 'running' | 'paused' | 'view_only' | 'locked';

export type MainStatus = {
  state: MainState;
  address: string | null;
  waiting: number;
  wallet: string | null;
  agents: number;
  spent_today: string | null;
  version: string;
  red_band: boolean;
};

export type Recent = { id: string; when: string; agent: string; amount: string; payee: string; status: string };
