/** Words of the approval window. */
import en from '../../messages/en/ask.json';
import zh from '../../messages/zh-CN/ask.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
export type Key = keyof typeof en;
