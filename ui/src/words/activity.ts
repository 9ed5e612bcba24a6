/** Words of the Activity page. */
import en from '../../messages/en/activity.json';
import zh from '../../messages/zh-CN/activity.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
