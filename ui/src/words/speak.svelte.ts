/** The language on screen, and how words are said in it. Foreign text never passes through here. */
export const languages = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof languages;

let current = $state<Language>('en');

/** The language on screen. */
export const language = (): Language => current;

/** Speaks `wanted` from here on; `system` is the language the person chose for the whole computer, English if it is not ours. */
export function speak(wanted: Language | 'system') {
  current = wanted === 'system' ? (navigator.language.startsWith('zh') ? 'zh-CN' : 'en') : wanted;
  document.documentElement.lang = current;
}

/** Words by key, with `{name}` filled in from `parts`. A key that one language lacks does not compile. */
export function speaker<Words extends Record<string, string>>(en: Words, zh: Record<keyof Words, string>) {
  const all: Record<Language, Record<keyof Words, string>> = { en, 'zh-CN': zh };
  return (key: keyof Words, parts: Record<string, string | number> = {}): string =>
    all[current][key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in parts ? String(parts[name]) : whole));
}
