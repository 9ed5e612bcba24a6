/** Words of the Wallets page. */
import en from '../../messages/en/wallets.json';
import zh from '../../messages/zh-CN/wallets.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
