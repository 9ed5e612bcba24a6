/** Words that every window knows. */
import en from '../../messages/en/common.json';
import zh from '../../messages/zh-CN/common.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
