/** All words of ours, by key. Foreign text never passes through here. */
import en from '../messages/en.json';

export type Key = keyof typeof en;

/** The words for a state that the core may add to; the state itself where we have none. */
export function sayState(state: string): string {
  const key = `status.${state}`;
  return key in en ? say(key as Key) : state.replaceAll('_', ' ');
}

/** The words of `key`, with `{name}` filled in from `parts`. */
export function say(key: Key, parts: Record<string, string | number> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in parts ? String(parts[name]) : whole));
}
