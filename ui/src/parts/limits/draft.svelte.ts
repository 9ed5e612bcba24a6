/** A rule that a person wants to make of a payment, on its way from one page to another. Looked at once. */
import type { FormView, PaymentStory } from '../../ipc/types';

export type Draft = {
  /** Looked at at once, or filled in by the person first. */
  ready: boolean;
  form: FormView;
};

let waiting = $state.raw<Draft | null>(null);

const about = ({ line }: PaymentStory): FormView => ({ effect: 'ask', agent: line.agent, payee: line.payee, network: null, above: null, up_to: null, note: null, expires: null });

/** A rule about the same agent and payee. */
export function ruleFrom(story: PaymentStory): void {
  const upTo = story.line.value?.split(' ')[0] ?? null;
  waiting = { ready: false, form: { ...about(story), effect: 'except', up_to: upTo } };
}

/** The same agent never pays this payee again. */
export function neverAgain(story: PaymentStory): void {
  waiting = { ready: true, form: { ...about(story), effect: 'deny' } };
}

export function take(): Draft | null {
  const found = waiting;
  if (found) waiting = null;
  return found;
}
