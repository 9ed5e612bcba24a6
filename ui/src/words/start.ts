/** Words of the first steps. */
import en from '../../messages/en/start.json';
import zh from '../../messages/zh-CN/start.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
