/** The pages of the main window, in the order of their shortcuts: one file, one line here. */
import type { Component } from 'svelte';
import { say } from '../words/shell';

export type Page = {
  /** What stands after `#` in the address. */
  id: string;
  name: () => string;
  /** Outline on 24 × 24. */
  icon: string;
  /** `at`: what stands after `#ID/`. */
  load: () => Promise<{ default: Component<{ at: string }> }>;
};

export const pages: [Page, ...Page[]] = [
  { id: 'activity', name: () => say('page.activity'), icon: 'M4 20V11M10 20V4M16 20v-6M21 20H3', load: () => import('./Activity.svelte') },
  { id: 'limits', name: () => say('page.limits'), icon: 'M4 6h10M18 6h2M4 12h2M10 12h10M4 18h8M16 18h4M14 4v4M6 10v4M12 16v4', load: () => import('./Limits.svelte') },
  { id: 'agents', name: () => say('page.agents'), icon: 'M12 3v4M6 7h12a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2V9a2 2 0 0 1 2-2zM9 12v2M15 12v2', load: () => import('./Agents.svelte') },
  { id: 'wallets', name: () => say('page.wallets'), icon: 'M4 7h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2zM4 7a2 2 0 0 1 2-2h10v2M16 13h1', load: () => import('./Wallets.svelte') },
  { id: 'settings', name: () => say('page.settings'), icon: 'M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6M12 3v3M12 18v3M3 12h3M18 12h3M5.6 5.6l2.1 2.1M16.3 16.3l2.1 2.1M5.6 18.4l2.1-2.1M16.3 7.7l2.1-2.1', load: () => import('./Settings.svelte') },
];
