/** The main window's commands. None of them can answer a question or sign. */
import { invoke } from '@tauri-apps/api/core';
import type { MainStatus, Preferences, Recent } from './types';

export const status = (): Promise<MainStatus> => invoke('status');

export const recent = (): Promise<Recent[]> => invoke('recent');

/** Refuses every new payment; `null` until resumed. */
export const pause = (minutes: number | null): Promise<void> => invoke('pause', { minutes });

export const resume = (): Promise<void> => invoke('resume');

export const preferences = (): Promise<Preferences> => invoke('preferences');

export const setPreferences = (preferences: Preferences): Promise<void> => invoke('set_preferences', { preferences });
