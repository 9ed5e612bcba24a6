/** The pages as they are built, with a made-up core before them, at an address of this machine. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };

export class Pages {
  readonly #folder: string;
  readonly #server: Server;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#server = createServer(({ url = '' }, answer) => {
      const name = join(folder, new URL(url, 'http://page').pathname);
      try {
        answer.setHeader('content-type', types[extname(name)] ?? 'application/octet-stream').end(readFileSync(name));
      } catch {
        answer.writeHead(404).end();
      }
    });
  }

  static async built(): Promise<Pages> {
    const folder = mkdtempSync(join(tmpdir(), 'pages-'));
    // Nothing of a test's surroundings gets into them.
    const { PATH, HOME } = process.env;
    const made = spawnSync(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--mode', 'mock', '--outDir', folder, '--logLevel', 'error'], { env: { PATH, HOME }, encoding: 'utf8' });
    if (made.status !== 0) throw new Error(made.stderr);
    const pages = new Pages(folder);
    await new Promise<void>((done) => pages.#server.listen(0, '127.0.0.1', done));
    return pages;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  end() {
    this.#server.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
