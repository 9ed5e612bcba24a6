/** One thing read from the core, as a tagged union. A later answer replaces an earlier one, and never the other way round. */
import { reason } from '../ipc/reason';

export type State<T> = { kind: 'loading' } | { kind: 'ready'; value: T } | { kind: 'failed'; text: string };

export class Loading<T> {
  state = $state.raw<State<T>>({ kind: 'loading' });
  #ask: () => Promise<T>;
  #turn = 0;

  constructor(ask: () => Promise<T>) {
    this.#ask = ask;
  }

  /** Reads again; what is on screen stays there until the answer. */
  async read(): Promise<void> {
    const turn = (this.#turn += 1);
    if (this.state.kind === 'failed') this.state = { kind: 'loading' };
    let next: State<T>;
    try {
      next = { kind: 'ready', value: await this.#ask() };
    } catch (error) {
      next = { kind: 'failed', text: reason(error).text };
    }
    if (turn === this.#turn) this.state = next;
  }
}
