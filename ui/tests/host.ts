/** The Rust side as the tests see it: records every call and sends frames over the real Channel protocol. */
import { overview, page, story } from '../src/dev/activity';
import { limits, tightens, versions } from '../src/dev/limits';
import { agents, clientChange, clients, wallets } from '../src/dev/people';
import { money } from '../src/dev/secret';
import { backups, chosen, findings, settings } from '../src/dev/settings';
import { status } from '../src/dev/scenes';
import type { ActivityFilter, ApprovalFrame } from '../src/ipc/types';

export type Call = { command: string; args: Record<string, unknown> };

export class Host {
  calls: Call[] = [];
  /** What a command answers; a thrown value rejects it. */
  answers: Record<string, (args: Record<string, unknown>) => unknown> = {
    preferences: () => chosen(),
    status: () => status(),
    activity_overview: () => overview(),
    activity_list: (args) => page(10_000, args['filter'] as ActivityFilter, args['cursor'] as string | null),
    activity_payment: () => story(),
    limits: () => limits(),
    limits_preview: () => tightens,
    limits_save: () => ({ is: 'saved' }),
    limits_versions: () => versions,
    agents: () => agents(),
    clients: () => clients,
    client_change: () => clientChange(),
    wallets: () => wallets(),
    wallet_money: () => money(),
    settings: () => settings(),
    settings_save: () => ({ is: 'saved' }),
    settings_findings: () => findings,
    settings_backups: () => backups,
  };
  #callbacks = new Map<number, (message: unknown) => void>();
  #channel = 0;
  #sent = 0;

  constructor() {
    Object.assign(window, {
      __TAURI_INTERNALS__: {
        transformCallback: (callback: (message: unknown) => void) => {
          this.#callbacks.set(this.#callbacks.size + 1, callback);
          return this.#callbacks.size;
        },
        unregisterCallback: (id: number) => this.#callbacks.delete(id),
        invoke: async (command: string, args: Record<string, unknown>) => {
          this.calls.push({ command, args });
          if (command === 'next') [this.#channel, this.#sent] = [(args['channel'] as { id: number }).id, 0];
          return await this.answers[command]?.(args);
        },
      },
    });
  }

  send(...frames: ApprovalFrame[]) {
    for (const message of frames) this.#callbacks.get(this.#channel)?.({ index: this.#sent++, message });
  }

  decided(): Record<string, unknown>[] {
    return this.calls.filter((call) => call.command === 'decide').map((call) => call.args);
  }
}
