/** The three commands of the window of secrets. Whatever is typed there goes to the core and to no other window. */
import { invoke } from '@tauri-apps/api/core';
import type { SecretDone, SecretStep, SecretView } from './types';

export const view = (): Promise<SecretView> => invoke('secret_view');

export const step = (step: SecretStep): Promise<SecretDone> => invoke('secret_step', { step });

/** Closes the window; its page ends with it. */
export const end = (): Promise<void> => invoke('secret_end');
