/** The approval window's four commands. It can do nothing else: its capability file lists these and no more. */
import { Channel, invoke } from '@tauri-apps/api/core';
import type { ApprovalFrame, Decision, Remember, Said } from './types';

/** All that an answer carries: what is signed stays with the core. */
export type Answer = { payment_id: string; display_hash: string; decision: Decision; remember: Remember; until: string | null };

export function next(onframe: (frame: ApprovalFrame) => void): Promise<void> {
  const channel = new Channel<ApprovalFrame>();
  channel.onmessage = onframe;
  return invoke('next', { channel });
}

export const decide = (answer: Answer): Promise<void> => invoke('decide', answer);

export const raw = (payment_id: string): Promise<[Said, string][]> => invoke('raw', { payment_id });

export const openRule = (rule: string): Promise<void> => invoke('open_rule', { rule });
