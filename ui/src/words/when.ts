/** Times of the core, in this computer's zone and the language on screen. What is not a time is shown as it came. */
import { language } from './speak.svelte';

function format(when: string | number, how: Intl.DateTimeFormatOptions): string {
  const time = new Date(when);
  return Number.isNaN(time.getTime()) ? String(when) : new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'zh-CN', how).format(time);
}

/** 4 May 2026 · 2026年5月4日 */
export const day = (when: string | number): string => format(when, { dateStyle: 'long' });

/** A calendar day of the core (`2026-05-04`), which has no zone: 4 May · 5月4日 */
export const dayOnly = (date: string): string => format(`${date}T12:00:00Z`, { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** 14:03 */
export const clock = (when: string | number): string => format(when, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

/** 4 May 2026, 14:03:07 */
export const precise = (when: string | number): string => format(when, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' });

/** 4 May 2026, 14:03 · 2026年5月4日 14:03 */
export const moment = (when: string | number): string => format(when, { dateStyle: 'medium', timeStyle: 'short', hourCycle: 'h23' });
