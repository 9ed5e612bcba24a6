/** The commands of the Limits page. What loosens is confirmed in the approval window, whatever is called here. */
import { invoke } from '@tauri-apps/api/core';
import type { LimitsEdit, LimitsView, PreviewView, SavedView, VersionView } from './types';

/** A payee by all that makes it one. */
export type Payee = { agent: string | null; origin: string; account: string; asset: string };

export const limits = (): Promise<LimitsView> => invoke('limits');

/** What a change would do; changes nothing. */
export const preview = (edit: LimitsEdit): Promise<PreviewView> => invoke('limits_preview', { edit });

/** Saves what tightens; what loosens waits for its owner. */
export const save = (edit: LimitsEdit, base: string): Promise<SavedView> => invoke('limits_save', { edit, base });

export const confirm = (id: string, typed: string): Promise<void> => invoke('limits_confirm', { id, typed });

export const cancel = (): Promise<void> => invoke('limits_cancel');

export const versions = (): Promise<VersionView[]> => invoke('limits_versions');

export const forget = ({ agent, origin, account, asset }: Payee): Promise<SavedView> => invoke('payee_forget', { agent, origin, account, asset });

export const label = (origin: string, label: string | null): Promise<void> => invoke('payee_label', { origin, label });
