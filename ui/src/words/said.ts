/** Sentences of the core, in the language on screen. */
import en from '../../messages/en/said.json';
import zh from '../../messages/zh-CN/said.json';
import type { Said } from '../ipc/types';
import { speaker } from './speak.svelte';

const say = speaker(en, zh);

/** What is filled in is set apart where its direction could reorder our words. */
export const sayIt = ({ id, parts }: Said): string =>
  say(id, Object.fromEntries(Object.entries<string>(parts).map(([name, part]) => [name, /^[ -~]*$/.test(part) ? part : `\u2068${part}\u2069`])));
