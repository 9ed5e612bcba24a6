/** One step after the other: a step that is being taken cannot be taken twice, and a refused one says why. */
import { step } from '../../ipc/secret';
import type { SecretDone, SecretStep } from '../../ipc/types';
import { sayError } from '../../words/secret';

export class Steps {
  busy = $state(false);
  refused = $state<string | null>(null);

  async take(wanted: SecretStep): Promise<SecretDone | null> {
    if (this.busy) return null;
    this.busy = true;
    this.refused = null;
    try {
      return await step(wanted);
    } catch (error) {
      this.refused = sayError(error);
      return null;
    } finally {
      this.busy = false;
    }
  }
}
