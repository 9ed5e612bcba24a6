import { svelte } from '@sveltejs/vite-plugin-svelte';
import { svelteTesting } from '@testing-library/svelte/vite';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/** Feeds the pages made-up frames in the dev server and in `--mode mock`; a normal build never sees the file. */
const mock = (on: boolean): Plugin => ({
  name: 'countersign-mock',
  transformIndexHtml: {
    order: 'pre',
    handler: () => (on ? [{ tag: 'script', attrs: { type: 'module', src: '/src/dev/mock.ts' }, injectTo: 'head-prepend' }] : []),
  },
});

export default defineConfig(({ command, mode }) => ({
  plugins: [svelte(), svelteTesting(), mock(mode === 'mock' || (command === 'serve' && mode === 'development'))],
  build: {
    target: ['safari16', 'chrome110'],
    outDir: mode === 'mock' ? 'dist-mock' : 'dist',
    emptyOutDir: true,
    // The content policy has no data: addresses and no inline script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: 'index.html' },
  },
  // The approval window and the window of secrets are built by themselves, so that their scripts hold nothing that only others need.
  environments: {
    secret: {
      consumer: 'client',
      build: {
        emptyOutDir: false,
        rolldownOptions: { input: 'secret.html', output: { codeSplitting: { groups: [{ name: 'secret-words', test: /\/messages\// }] } } },
      },
    },
    approve: {
      consumer: 'client',
      build: {
        emptyOutDir: false,
        rolldownOptions: { input: 'approve.html', output: { codeSplitting: { groups: [{ name: 'approve-words', test: /\/messages\// }] } } },
      },
    },
  },
  builder: {
    async buildApp(builder) {
      for (const name of ['client', 'approve', 'secret']) await builder.build(builder.environments[name]!);
    },
  },
  test: { environment: 'jsdom', include: ['tests/**/*.test.ts'], setupFiles: ['tests/setup.ts'], testTimeout: 30_000 },
}));
