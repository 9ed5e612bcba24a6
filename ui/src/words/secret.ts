/** Words of the window of secrets. */
import en from '../../messages/en/secret.json';
import zh from '../../messages/zh-CN/secret.json';
import type { SecretError } from '../ipc/types';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);

/** Why a step was not taken. */
export function sayError(error: unknown): string {
  const told = error as Partial<SecretError> & { text?: string };
  const key = `secret.error.${told?.kind ?? ''}`;
  return key in en ? say(key as keyof typeof en, { text: told.text ?? '' }) : say('secret.error.nothing');
}
