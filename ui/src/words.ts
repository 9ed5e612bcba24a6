/** All words of ours, by key. Foreign text never passes through here. */
import en from '../messages/en.json';

export type Key = keyof typeof en;

/** The words of `key`, with `{name}` filled in from `parts`. */
export function say(key: Key, parts: Record<string, string | number> = {}): string {
  return en[key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in parts ? String(parts[name]) : whole));
}
