/** Words of the Limits page: its own, and those for the core's typed messages. */
import en from '../../messages/en/limits.json';
import zh from '../../messages/zh-CN/limits.json';
import type { CardLine, Condition, LimitsError, RuleView, Said } from '../ipc/types';
import { sayIt } from './said';
import { language, speaker } from './speak.svelte';

export const say = speaker(en, zh);
type Key = keyof typeof en;

/** One of several, as the language lists them. */
export const oneOf = (values: string[]): string => new Intl.ListFormat(language(), { type: 'disjunction' }).format(values);

/** An amount of the core with its currency. */
export const sum = (amount: string, currency: string): string => `${amount} ${currency}`;

/** The word for one of the core's names; the name itself where we have none. */
const named = (kind: 'does' | 'risk', id: string): string => (`limits.${kind}.${id}` in en ? say(`limits.${kind}.${id}` as Key) : id);

export function sayCondition(condition: Condition, currency: string): string {
  switch (condition.id) {
    case 'amount_above':
    case 'amount_from':
    case 'amount_below':
    case 'amount_up_to':
      return say(`limits.when.${condition.id}`, { amount: sum(condition.amount, currency) });
    case 'op':
      return say('limits.when.op', { values: oneOf(condition.values.map((value) => named('does', value))) });
    case 'risk':
      return say('limits.when.risk', { values: oneOf(condition.values.map((value) => named('risk', value))) });
    case 'other':
      return say('limits.when.other', { field: condition.field, test: condition.test, values: condition.values.join(', ') });
    case 'host':
      return say('limits.when.host', { host: condition.host });
    case 'resource_under':
      return say('limits.when.resource_under', { prefix: condition.prefix });
    case 'until_exit':
      return say('limits.when.until_exit', { program: condition.program });
    case 'has':
    case 'lacks':
      return say(`limits.when.${condition.id}`, { field: condition.field });
    default:
      return say(`limits.when.${condition.id}`, 'values' in condition ? { values: oneOf(condition.values) } : {});
  }
}

/** A rule as one sentence. */
export function sayRule(rule: Pick<RuleView, 'effect' | 'conditions'>, currency: string): string {
  if (rule.conditions.length === 0) return say(`limits.every.${rule.effect}`);
  const what = rule.conditions.map((condition) => sayCondition(condition, currency)).join(say('limits.and'));
  return say(`limits.rule.${rule.effect}`, { what });
}

export function sayLine(line: CardLine, currency: string): string {
  switch (line.id) {
    case 'through':
      return say(line.known_only ? 'limits.card.through_known' : 'limits.card.through', { amount: sum(line.up_to, currency) });
    case 'play_money':
      return say('limits.card.play_money', { amount: sum(line.up_to, currency) });
    case 'refused_above':
      return say('limits.card.refused_above', { amount: sum(line.amount, currency) });
    case 'budget':
      return say(line.each_agent ? `limits.card.each.${line.over}` : `limits.card.all.${line.over}`, { amount: sum(line.amount, currency), window: say(`limits.window.${line.window}`) });
    default:
      return say(`limits.card.${line.id}`);
  }
}

/** Why a change was not made, in words; a failure of another shape says what it says. */
export function sayError(error: unknown): string {
  const told = error as (Partial<LimitsError> & { says?: Said[] }) | undefined;
  if (told?.kind === 'policy' || told?.kind === 'backup') return say(`limits.error.${told.kind}`, { text: (told.says ?? []).map(sayIt).join(say('limits.colon')) });
  const key = `limits.error.${told?.kind ?? ''}`;
  const { kind, ...parts } = told ?? {};
  if (kind !== undefined && key in en) return say(key as Key, parts as unknown as Record<string, string | number>);
  return typeof error === 'string' && error !== '' ? say('limits.error.failed', { text: error }) : say('limits.error.nothing');
}
