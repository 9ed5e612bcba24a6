import { render, screen } from '@testing-library/svelte';
import axe from 'axe-core';
import { tick } from 'svelte';
import { afterEach, expect, test } from 'vitest';
import { empty, limits } from '../src/dev/limits';
import { agents, merchant, noAgents, noWallets, wallets } from '../src/dev/people';
import { scenes, status } from '../src/dev/scenes';
import { secretStep, secretView, tasks } from '../src/dev/secret';
import { chosen } from '../src/dev/settings';
import type { SecretStep } from '../src/ipc/types';
import Approve from '../src/pages/Approve.svelte';
import Secret from '../src/pages/Secret.svelte';
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

const people = [
  ['agents', 'normal', agents()],
  ['agents', 'empty', noAgents],
  ['wallets', 'normal', wallets()],
  ['wallets', 'empty', noWallets],
  ['wallets', 'with a merchant', wallets({ merchant: merchant() })],
  ['agents', 'failed', null],
  ['wallets', 'failed', null],
] as const;

test.each(both.flatMap((language) => people.map(([page, name, view]) => [page, name, language, view] as const)))(
  '%s, %s in %s: axe finds nothing',
  async (page, _, language, view) => {
    const host = new Host();
    host.answers[page] = () => view ?? Promise.reject({ kind: 'failed', message: 'the storage failed' });
    speak(language);
    location.hash = page;
    const { container } = render(Shell);
    if (view) await screen.findByTestId(page === 'agents' ? 'connect-add' : 'kept', {}, { timeout: 20_000 });
    else await screen.findByRole('alert', {}, { timeout: 20_000 });
    container.querySelectorAll('details').forEach((one) => (one.open = true));
    expect(await findings()).toEqual([]);
    location.hash = '';
  },
  60_000,
);

test.each(both.flatMap((language) => Object.keys(tasks).flatMap((task) => (['nothing', 'open'] as const).map((guarded) => [task, language, guarded] as const))))(
  'window of secrets, %s in %s with %s before it: axe finds nothing',
  async (task, language, guarded) => {
    const host = new Host();
    host.answers['secret_view'] = () => secretView(tasks[task]!, { language, guarded });
    host.answers['secret_step'] = (args) => secretStep(args['step'] as SecretStep);
    render(Secret);
    await screen.findByTestId('act');
    expect(await findings()).toEqual([]);
  },
);

test.each(both)('Settings, in %s: axe finds nothing', async (language) => {
  new Host();
  speak(language);
  location.hash = 'settings';
  render(Shell);
  await screen.findByTestId('port', {}, { timeout: 20_000 });
  await screen.findByTestId('finding-swap', {}, { timeout: 20_000 });
  expect(await findings()).toEqual([]);
  location.hash = '';
});

test.each(both)('the first steps, in %s: axe finds nothing', async (language) => {
  const host = new Host();
  host.answers['preferences'] = () => chosen({ welcomed: false, language });
  host.answers['status'] = () => status({ wallet: true, agent: false });
  speak(language);
  // A change of page that an earlier test left behind would leave the first steps.
  await new Promise((done) => setTimeout(done));
  render(Shell);
  await screen.findByTestId('start-keep', {}, { timeout: 20_000 });
  expect(await findings()).toEqual([]);
});
