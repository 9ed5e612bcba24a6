/** What a refused command says, whatever its shape: the core sends tagged errors with a text, Tauri itself plain strings. */
export function reason(error: unknown): { code: string; text: string } {
  if (typeof error === 'string') return { code: '', text: error };
  const { code, kind, text, message, detail } = (error ?? {}) as Record<string, unknown>;
  const first = (...all: unknown[]): string => all.find((one): one is string => typeof one === 'string' && one !== '') ?? '';
  return { code: first(code, kind), text: first(text, detail, message) };
}
