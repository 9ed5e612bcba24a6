/**
 * The list of payments, of any length: pages are read when they come into view, and those far away are dropped again. Only where
 * each page starts is kept, so memory does not grow with what was scrolled past.
 */
import { activityList } from '../../ipc/main';
import { reason } from '../../ipc/reason';
import type { ActivityFilter, ActivityLine } from '../../ipc/types';

export const PAGE = 100;
/** Pages on either side of what is in view that stay in memory. */
const NEAR = 3;

export class Lines {
  /** Lines known of so far; more may follow unless `done`. */
  count = $state(0);
  done = $state(false);
  /** Why the last page could not be read. */
  failed = $state<string | null>(null);
  #pages = $state.raw(new Map<number, ActivityLine[]>());
  #starts: (string | null)[] = [null];
  #reading = new Set<number>();
  #turn = 0;
  #first = 0;

  #filter: () => ActivityFilter;

  constructor(filter: () => ActivityFilter) {
    this.#filter = filter;
  }

  /** The line at this place; none while its page is not in memory. */
  at(place: number): ActivityLine | undefined {
    return this.#pages.get(Math.floor(place / PAGE))?.[place % PAGE];
  }

  /** How many pages are in memory. */
  get held(): number {
    return this.#pages.size;
  }

  /** Starts over; what is on screen stays until the first page is there. */
  async begin(): Promise<void> {
    this.#turn += 1;
    this.#reading.clear();
    await this.#read(0, true);
  }

  /** Reads the first page again where nothing but it is in view. */
  async refresh(): Promise<void> {
    if (this.#first === 0 && this.#pages.size <= 1) await this.#read(0, true);
  }

  /** Has the lines from `first` to `last` in memory, soon. */
  need(first: number, last: number) {
    this.#first = first;
    const [from, to] = [Math.floor(first / PAGE), Math.floor(last / PAGE)];
    for (let page = from; page <= to; page += 1) if (!this.#pages.has(page) && page < this.#starts.length) void this.#read(page, false);
    if ([...this.#pages.keys()].some((page) => page < from - NEAR || page > to + NEAR)) {
      this.#pages = new Map([...this.#pages].filter(([page]) => page >= from - NEAR && page <= to + NEAR));
    }
  }

  async #read(page: number, fresh: boolean) {
    if (this.#reading.has(page)) return;
    this.#reading.add(page);
    const turn = this.#turn;
    try {
      const found = await activityList(this.#filter(), this.#starts[page] ?? null);
      if (turn !== this.#turn) return;
      if (fresh) [this.#pages, this.#starts] = [new Map(), [null]];
      this.#pages = new Map(this.#pages).set(page, found.payments);
      if (found.next !== null && page === this.#starts.length - 1) this.#starts.push(found.next);
      if (page >= this.#starts.length - 2) {
        this.done = found.next === null;
        this.count = page * PAGE + found.payments.length;
      }
      this.failed = null;
    } catch (error) {
      if (turn === this.#turn) this.failed = reason(error).text;
    } finally {
      if (turn === this.#turn) this.#reading.delete(page);
    }
  }
}
