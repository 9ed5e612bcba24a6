/** How a payment stands, in words. */
import en from '../../messages/en/states.json';
import zh from '../../messages/zh-CN/states.json';
import { speaker } from './speak.svelte';

const say = speaker(en, zh);

/** The words for a state that the core may add to; the state itself where we have none. */
export const sayState = (state: string): string => (state in en ? say(state as keyof typeof en) : state.replaceAll('_', ' '));
