/** A Chromium without a screen, spoken to over a pipe. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

type Reply = { id?: number; result?: unknown; error?: { message: string } };

export const installed = (): boolean => spawnSync('chromium', ['--version']).status === 0;

export class Chromium {
  readonly #profile = mkdtempSync(join(tmpdir(), 'pictures-'));
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { done: (result: never) => void; failed: (error: Error) => void }>();
  #last = 0;

  constructor() {
    // What is opened is our own: the sandbox, which root has not, is not needed.
    const quiet = ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-proxy-server', '--hide-scrollbars'];
    this.#process = spawn('chromium', [...quiet, `--user-data-dir=${this.#profile}`, '--remote-debugging-pipe'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
      env: { ...process.env, HOME: this.#profile },
    });
    let heard = '';
    (this.#process.stdio[4] as Readable).setEncoding('utf8').on('data', (text: string) => {
      const messages = (heard + text).split('\0');
      heard = messages.pop() ?? '';
      for (const message of messages) this.#take(JSON.parse(message) as Reply);
    });
  }

  #take({ id, result, error }: Reply) {
    const asked = this.#waiting.get(id ?? 0);
    this.#waiting.delete(id ?? 0);
    if (error) asked?.failed(new Error(error.message));
    else asked?.done(result as never);
  }

  send<T>(method: string, params: object = {}, sessionId?: string): Promise<T> {
    const id = ++this.#last;
    (this.#process.stdio[3] as Writable).write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    return new Promise<T>((done, failed) => this.#waiting.set(id, { done: done as (result: never) => void, failed }));
  }

  async page(): Promise<Page> {
    const { targetId } = await this.send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.send<{ sessionId: string }>('Target.attachToTarget', { targetId, flatten: true });
    return new Page(this, sessionId);
  }

  async end() {
    const ended = new Promise((done) => this.#process.once('exit', done));
    // It ends what it started itself; killed, it would leave that behind, still writing.
    void this.send('Browser.close').catch(() => this.#process.kill());
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20 });
  }
}

/** One tab. */
export class Page {
  readonly #chromium: Chromium;
  readonly #session: string;

  constructor(chromium: Chromium, session: string) {
    this.#chromium = chromium;
    this.#session = session;
  }

  send = <T>(method: string, params: object = {}): Promise<T> => this.#chromium.send<T>(method, params, this.#session);

  async run<T>(expression: string): Promise<T> {
    type Told = { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    const { result, exceptionDetails } = await this.send<Told>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw');
    return result.value;
  }

  /** Waits until the page finds it. */
  async until(condition: string, patience = 60_000) {
    for (const end = Date.now() + patience; ; await new Promise((done) => setTimeout(done, 50))) {
      // Between two documents there is nothing to ask.
      if (await this.run<boolean>(`Boolean(${condition})`).catch(() => false)) return;
      if (Date.now() > end) throw new Error(`nothing came: ${condition}`);
    }
  }

  look = (width: number, height: number, theme: string) =>
    Promise.all([
      this.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false }),
      this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }, { name: 'prefers-reduced-motion', value: 'reduce' }] }),
    ]);

  async picture(): Promise<Buffer> {
    const { data } = await this.send<{ data: string }>('Page.captureScreenshot', { format: 'png', captureBeyondViewport: false });
    return Buffer.from(data, 'base64');
  }
}
