/** What a filter is before anybody touched it, and the calendar it needs. */
import type { ActivityFilter, Span } from '../../ipc/types';

export const anything: ActivityFilter = { test: false, agent: '', payee: '', state: '', rail: '', min: '', max: '', from: '', to: '', text: '' };

/** The last day of the bar that begins on `first`. */
export function lastDay(first: string, span: Span): string {
  const day = new Date(`${first}T12:00:00Z`);
  if (span === 'weeks') day.setUTCDate(day.getUTCDate() + 6);
  if (span === 'months') day.setUTCMonth(day.getUTCMonth() + 1, 0);
  return day.toISOString().slice(0, 10);
}
