/** A rule that a person wants to make of a payment, on its way from one page to another. Looked at once. */
import type { LimitsEdit, PaymentStory } from '../../ipc/types';

let waiting = $state.raw<LimitsEdit | null>(null);

/** A yes to this payment, remembered for good or until a moment: the core makes its rule and its budget. */
export function remember(payment: string, until: string | null = null): void {
  waiting = { kind: 'remember', payment, until };
}

/** The same of a payment that is looked at. */
export const ruleFrom = ({ line }: PaymentStory): void => remember(line.id);

/** The same agent never pays this payee again. */
export function neverAgain({ line }: PaymentStory): void {
  const form = { effect: 'deny', agent: line.agent, payee: line.payee, network: null, above: null, up_to: null, note: null, expires: null } as const;
  waiting = { kind: 'rule', rule: null, form };
}

export function take(): LimitsEdit | null {
  const found = waiting;
  if (found) waiting = null;
  return found;
}
