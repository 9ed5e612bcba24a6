/** Words around the pages of the main window. */
import en from '../../messages/en/shell.json';
import zh from '../../messages/zh-CN/shell.json';
import { speaker } from './speak.svelte';

export const say = speaker(en, zh);
