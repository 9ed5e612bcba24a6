/** The one change a person is about to make: what it would do, and how it is saved. Everything about it is decided by the core. */
import { cancel, confirm, forget, limits, preview, save } from '../../ipc/limits';
import type { Payee } from '../../ipc/limits';
import type { LimitsEdit, LimitsView, PreviewView, SavedView } from '../../ipc/types';
import { sayError } from '../../words/limits';
import { Loading } from '../loading.svelte';

export type Owner = Extract<SavedView, { is: 'owner' }>;

/** How long a control stands still before the core is asked. */
const STILL = 200;

export class Changing {
  view = new Loading<LimitsView>(limits);
  /** Which control it belongs to. */
  where = $state('');
  edit = $state.raw<LimitsEdit | null>(null);
  preview = $state.raw<PreviewView | null>(null);
  owner = $state.raw<Owner | null>(null);
  failed = $state('');
  done = $state(false);
  busy = $state(false);
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  base = (): string => (this.view.state.kind === 'ready' ? this.view.state.value.base : '');

  /** Looks at a change without making it. */
  consider(where: string, edit: LimitsEdit): void {
    [this.where, this.edit, this.preview, this.failed, this.done] = [where, edit, null, '', false];
    const turn = (this.#turn += 1);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#look(edit, turn), STILL);
  }

  async #look(edit: LimitsEdit, turn: number): Promise<void> {
    try {
      const found = await preview(edit);
      if (turn === this.#turn) this.preview = found;
    } catch (error) {
      if (turn === this.#turn) this.failed = sayError(error);
    }
  }

  /** Drops it. */
  leave(): void {
    this.#turn += 1;
    clearTimeout(this.#timer);
    [this.where, this.edit, this.preview, this.failed] = ['', null, null, ''];
  }

  save = (): Promise<void> => {
    const edit = this.edit;
    return edit ? this.#ask(() => save(edit, this.base())) : Promise.resolve();
  };

  forget(where: string, payee: Payee): Promise<void> {
    this.leave();
    this.where = where;
    return this.#ask(() => forget(payee));
  }

  /** The owner typed it; the rest is asked in the approval window. */
  async confirm(typed: string): Promise<string> {
    const owner = this.owner;
    if (!owner) return '';
    try {
      await confirm(owner.id, typed);
    } catch (error) {
      return sayError(error);
    }
    this.owner = null;
    await this.#saved();
    return '';
  }

  /** The owner thought better of it. */
  drop(): void {
    if (this.owner) void cancel().catch(() => undefined);
    this.owner = null;
  }

  async #ask(command: () => Promise<SavedView>): Promise<void> {
    if (this.busy) return;
    [this.busy, this.failed] = [true, ''];
    try {
      const saved = await command();
      if (saved.is === 'owner') this.owner = saved;
      else await this.#saved();
    } catch (error) {
      this.failed = sayError(error);
    }
    this.busy = false;
  }

  async #saved(): Promise<void> {
    this.leave();
    this.done = true;
    await this.view.read();
  }
}
