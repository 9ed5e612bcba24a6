/** Words of the Agents page. */
import en from '../../messages/en/agents.json';
import zh from '../../messages/zh-CN/agents.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
