/** What the test document lacks and the pages use. */
import { afterEach, vi } from 'vitest';

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

afterEach(() => {
  vi.useRealTimers();
});
