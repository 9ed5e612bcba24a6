/** One change of a setting: saved, or put to its owner first. Everything about it is decided by the core. */
import { cancel, confirm, restore, save, settings } from '../../ipc/settings';
import type { SettingsEdit, SettingsSaved, SettingsView } from '../../ipc/types';
import { sayError } from '../../words/limits';
import { Loading } from '../loading.svelte';

export type Owner = Extract<SettingsSaved, { is: 'owner' | 'restore' }>;

export class Saving {
  view = new Loading<SettingsView>(settings);
  owner = $state.raw<Owner | null>(null);
  failed = $state<string | null>(null);
  done = $state(false);
  busy = $state(false);
  /** The program starts again: nothing answers any more. */
  again = $state(false);

  save = (edit: SettingsEdit): Promise<void> =>
    this.run(async () => {
      const base = this.view.state.kind === 'ready' ? this.view.state.value.base : '';
      const saved = await save(edit, base);
      if (saved.is === 'owner' || saved.is === 'restore') this.owner = saved;
      else this.done = saved.is === 'saved';
    });

  restore = (file: string): Promise<void> =>
    this.run(async () => {
      const found = await restore(file);
      if (found.is === 'restore') this.owner = found;
    });

  /** Runs a command and reads the page again. */
  async run(command: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    [this.busy, this.failed, this.done] = [true, null, false];
    try {
      await command();
    } catch (error) {
      this.failed = sayError(error);
    }
    await this.view.read();
    this.busy = false;
  }

  /** Why not; null if it was made. */
  async confirm(typed: string): Promise<string | null> {
    if (!this.owner) return null;
    try {
      await confirm(this.owner.id, typed);
    } catch (error) {
      return sayError(error);
    }
    this.again = this.owner.is === 'restore';
    [this.owner, this.done] = [null, !this.again];
    if (this.again) return null;
    await this.view.read();
    return null;
  }

  drop(): void {
    if (this.owner) void cancel();
    this.owner = null;
  }
}
