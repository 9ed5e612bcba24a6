/** What the approval window shows, as one tagged union, and how each frame of the core changes it. */
import type { ApprovalFrame, ApprovalView, Decision, OutcomeState, Said, Unkept, UnkeptView } from '../ipc/types';

type Change = Extract<ApprovalFrame, { kind: 'change' }>;

/** What is asked: a payment, or a change that loosens a limit. `showing` is new for every frame that asks. */
export type Ask = { showing: number; armed: boolean; sent: Decision | null; refused: string | null } & (
  | { of: 'payment'; view: ApprovalView }
  | { of: 'change'; change: Change }
);

export type Queue = { position: number; waiting: number; joined: number };

export type Screen =
  | { kind: 'blank' }
  | { kind: 'ask'; ask: Ask; queue: Queue }
  | { kind: 'outcome'; ask: Ask; state: OutcomeState; text: Said | null; unkept: Unkept | null }
  | { kind: 'unkept'; answers: UnkeptView[] }
  | { kind: 'lost'; text: string };

const alone: Queue = { position: 1, waiting: 1, joined: 1 };

/** The screen after `frame`. Every asking frame starts unarmed, unanswered and at the head of its queue. */
export function advance(screen: Screen, frame: ApprovalFrame, showing: number): Screen {
  const fresh = { showing, armed: false, sent: null, refused: null };
  switch (frame.kind) {
    case 'speak':
      return screen;
    case 'question':
      return { kind: 'ask', queue: alone, ask: { ...fresh, of: 'payment', view: frame.view } };
    case 'change':
      return { kind: 'ask', queue: alone, ask: { ...fresh, of: 'change', change: frame } };
    case 'arming':
      return screen.kind === 'ask' ? { ...screen, ask: { ...screen.ask, armed: frame.armed } } : screen;
    case 'queue':
      return screen.kind === 'ask' ? { ...screen, queue: { position: frame.position, waiting: frame.waiting, joined: frame.joined } } : screen;
    case 'outcome':
      return screen.kind === 'ask' || screen.kind === 'outcome' ? { kind: 'outcome', ask: screen.ask, state: frame.state, text: frame.text, unkept: frame.unkept } : screen;
    case 'unkept':
      return { kind: 'unkept', answers: frame.answers };
    case 'blank':
      return { kind: 'blank' };
  }
}

/** `data-state` of the window. */
export function stateOf(screen: Screen): string {
  if (screen.kind === 'outcome') return screen.state;
  if (screen.kind !== 'ask') return screen.kind;
  if (screen.ask.sent) return 'sent';
  return screen.ask.armed ? 'armed' : 'waiting';
}

/** `data-payment-id` of the window: the payment's id, or the change's. */
export function idOf(screen: Screen): string | undefined {
  if (screen.kind !== 'ask' && screen.kind !== 'outcome') return undefined;
  return screen.ask.of === 'payment' ? screen.ask.view.payment_id : screen.ask.change.id;
}
