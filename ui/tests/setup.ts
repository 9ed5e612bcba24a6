/** What the test document lacks and the pages use. */
import { configure } from '@testing-library/svelte';
import { afterEach, vi } from 'vitest';
import { lookAt } from '../src/parts/kind.svelte';

// A loaded machine is slow, not wrong.
configure({ asyncUtilTimeout: 10_000 });

/** One test looks at a browser from outside. */
if (typeof window !== 'undefined') furnish();

function furnish() {
  class Pointer extends MouseEvent {
    readonly isPrimary: boolean;
    readonly pointerType: string;

    constructor(type: string, init: PointerEventInit = {}) {
      super(type, init);
      this.isPrimary = init.isPrimary ?? false;
      this.pointerType = init.pointerType ?? '';
    }
  }

  if (typeof PointerEvent === 'undefined') Object.assign(window, { PointerEvent: Pointer });

  class Sizes implements ResizeObserver {
    observe() {}
    unobserve() {}
    disconnect() {}
  }

  Object.assign(window, { ResizeObserver: Sizes });
  Object.assign(HTMLDialogElement.prototype, {
    showModal(this: HTMLDialogElement) {
      this.open = true;
    },
    close(this: HTMLDialogElement) {
      this.open = false;
      this.dispatchEvent(new Event('close'));
    },
  });
}

afterEach(() => {
  vi.useRealTimers();
  lookAt(false);
});
