/** The main window's commands. None of them can answer a question or sign. */
import { invoke } from '@tauri-apps/api/core';
import type {
  ActivityFilter, ActivityPage, Exported, Form, MainStatus, Overview, OverviewAsked, PaymentStory, Preferences, QrView,
} from './types';

export const status = (): Promise<MainStatus> => invoke('status');

/** Refuses every new payment; `null` until resumed. */
export const pause = (minutes: number | null): Promise<void> => invoke('pause', { minutes });

export const resume = (): Promise<void> => invoke('resume');

export const preferences = (): Promise<Preferences> => invoke('preferences');

export const setPreferences = (preferences: Preferences): Promise<void> => invoke('set_preferences', { preferences });

export const activityOverview = (asked: OverviewAsked): Promise<Overview> => invoke('activity_overview', { asked });

/** A page of what fits; `cursor` is where the page before ended. */
export const activityList = (filter: ActivityFilter, cursor: string | null): Promise<ActivityPage> => invoke('activity_list', { filter, cursor });

export const activityPayment = (id: string): Promise<PaymentStory> => invoke('activity_payment', { id });

/** The address of an open page as a QR code. */
export const pageCode = (id: string): Promise<QrView> => invoke('page_code', { id });

/** Has Alipay asked about an open page no more, or again. */
export const pageWatch = (id: string, watched: boolean): Promise<void> => invoke('page_watch', { id, watched });

/** Writes a new file and says where. */
export const activityExport = (filter: ActivityFilter, form: Form): Promise<Exported> => invoke('activity_export', { filter, form });
