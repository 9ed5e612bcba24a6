import { render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { tick } from 'svelte';
import { expect, test } from 'vitest';
import { payments, scenes, status } from '../src/dev/scenes';
import Approve from '../src/pages/Approve.svelte';
import Home from '../src/pages/Home.svelte';
import { Host } from './host';

/** Without layout the colours cannot be measured here; contrast.test.ts does that from the tokens. */
async function findings() {
  document.documentElement.lang = 'en';
  document.title = 'Countersign';
  const found = await axe.run(document, { rules: { 'color-contrast': { enabled: false } } });
  expect(found.passes.length).toBeGreaterThan(5);
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(' ')}`);
}

test.each(Object.keys(scenes).filter((name) => name !== 'blank'))('approval window, %s: axe finds nothing', async (name) => {
  const host = new Host();
  render(Approve);
  host.send(...(scenes[name] ?? []));
  await tick();
  expect(await findings()).toEqual([]);
});

test.each(['running', 'paused', 'locked', 'view_only'] as const)('main window, %s: axe finds nothing', async (state) => {
  const host = new Host();
  host.answers = { status: () => status({ state, waiting: 1, red_band: true }), recent: () => (state === 'locked' ? [] : payments) };
  render(Home);
  await screen.findByTestId('wallet');
  expect(await findings()).toEqual([]);
});
