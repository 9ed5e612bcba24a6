/** Words of the Settings page. */
import en from '../../messages/en/settings.json';
import zh from '../../messages/zh-CN/settings.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
