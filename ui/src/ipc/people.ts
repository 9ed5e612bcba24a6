/** The commands of the pages Agents and Wallets. To resume an agent is confirmed in the approval window, whatever is called here. */
import { invoke } from '@tauri-apps/api/core';
import type { AgentsView, ClientChange, ClientView, WalletsView } from './types';

export const agents = (): Promise<AgentsView> => invoke('agents');

/** Refuses every new payment of this agent until it is resumed. */
export const pauseAgent = (name: string): Promise<void> => invoke('agent_pause', { name });

export const resumeAgent = (name: string): Promise<void> => invoke('agent_resume', { name });

/** Ends its tokens for good. */
export const revokeAgent = (name: string): Promise<void> => invoke('agent_revoke', { name });

/** The MCP clients of this computer. */
export const clients = (): Promise<ClientView[]> => invoke('clients');

/** What connecting it, or taking our entry out, would change. */
export const clientChange = (id: string, undo: boolean): Promise<ClientChange> => invoke('client_change', { id, undo });

/** Does what was shown; an agent that is made is confirmed in the approval window. */
export const clientGo = (id: string): Promise<void> => invoke('client_go', { id });

export const wallets = (): Promise<WalletsView> => invoke('wallets');
