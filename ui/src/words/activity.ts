/** Words of the Activity page. */
import en from '../../messages/en/activity.json';
import zh from '../../messages/zh-CN/activity.json';
import type { StepView } from '../ipc/types';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);

/** `1 payment`, `12 payments`. */
export const payments = (n: number): string => (n === 1 ? say('activity.payments.one') : say('activity.payments', { n }));

/** What is known about the money; the core's own word where we have none. */
export function sayMoney(settlement: string): string {
  const key = `settlement.${settlement}`;
  return key in en ? say(key as keyof typeof en) : settlement;
}

/** A step of a payment as a sentence. */
export const sayStep = (step: StepView): string => say(`step.${step.kind}`, { what: step.what ?? '' });
