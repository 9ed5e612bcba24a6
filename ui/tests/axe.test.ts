import { render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { tick } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import { empty, limits } from '../src/dev/limits';
import { scenes, status } from '../src/dev/scenes';
import Approve from '../src/pages/Approve.svelte';
import Shell from '../src/Shell.svelte';
import { speak } from '../src/words/speak.svelte';
import type { Language } from '../src/words/speak.svelte';
import { Host } from './host';

/** Without layout the colours cannot be measured here; contrast.test.ts does that from the tokens. */
async function findings() {
  document.documentElement.lang ||= 'en';
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

const both: Language[] = ['en', 'zh-CN'];
afterEach(() => speak('en'));

test.each((['running', 'paused', 'locked', 'view_only'] as const).flatMap((state) => both.map((language) => [state, language] as const)))(
  'main window, %s in %s: axe finds nothing',
  async (state, language) => {
    const host = new Host();
    host.answers = { ...host.answers, status: () => status({ state, waiting: 1, red_band: true }) };
    speak(language);
    render(Shell);
    await screen.findByTestId('main');
    await screen.findByTestId('language');
    expect(await findings()).toEqual([]);
  },
);

test.each(both.flatMap((language) => [limits(), empty].map((view) => [language, view.preset, view] as const)))(
  'Limits, in %s, %s: axe finds nothing',
  async (language, _, view) => {
    const host = new Host();
    host.answers['limits'] = () => view;
    speak(language);
    location.hash = 'limits';
    const { container } = render(Shell);
    await screen.findByTestId('preset-careful', {}, { timeout: 20_000 });
    container.querySelectorAll('details').forEach((one) => (one.open = true));
    await screen.findByTestId('policy-text');
    expect(await findings()).toEqual([]);
    location.hash = '';
  },
  60_000,
);
