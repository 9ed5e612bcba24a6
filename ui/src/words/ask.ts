/** Words of the approval window. */
import en from '../../messages/en/ask.json';
import zh from '../../messages/zh-CN/ask.json';
import { reason } from '../ipc/reason';
import type { DecideError } from '../ipc/types';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
export type Key = keyof typeof en;

/** Why an answer was not taken; a failure of another shape says what it says. */
export function sayRefusal(error: unknown): string {
  const { kind } = (error ?? {}) as Partial<DecideError>;
  return kind && kind !== 'failed' ? say(`refused.${kind}`) : reason(error).text;
}
