/** The commands of the Settings page. What could loosen a verdict is confirmed in the approval window, whatever is called here. */
import { invoke } from '@tauri-apps/api/core';
import type { Finding, SettingsEdit, SettingsSaved, SettingsView } from './types';

export const settings = (): Promise<SettingsView> => invoke('settings');

export const save = (edit: SettingsEdit, base: string): Promise<SettingsSaved> => invoke('settings_save', { edit, base });

export const confirm = (id: string, typed: string): Promise<void> => invoke('settings_confirm', { id, typed });

export const cancel = (): Promise<void> => invoke('settings_cancel');

export const autostart = (on: boolean): Promise<void> => invoke('settings_autostart', { on });

export const findings = (): Promise<Finding[]> => invoke('settings_findings');

/** Opens the folder of the logs. */
export const openLogs = (): Promise<void> => invoke('settings_logs');

/** Writes ledger and settings into a new file and says where. */
export const backup = (): Promise<string> => invoke('settings_backup');

/** The newest backups among the person's downloads. */
export const backups = (): Promise<string[]> => invoke('settings_backups');

/** Proves a backup; restoring it then waits for its owner. */
export const restore = (file: string): Promise<SettingsSaved> => invoke('settings_restore', { file });

/** What came of the last restore was seen. */
export const restoreSeen = (): Promise<void> => invoke('settings_restore_seen');

/** Writes a new file and says where. */
export const report = (): Promise<string> => invoke('settings_report');
