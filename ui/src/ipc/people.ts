/** The commands of the pages Agents and Wallets. To resume an agent, or to let another wallet pay, is confirmed in the approval window, whatever is called here. */
import { invoke } from '@tauri-apps/api/core';
import type { AgentsView, CheckedView, ClientChange, ClientView, MoneyView, SecretTask, WalletsView } from './types';

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

/** What it holds and how it gets more; `afresh` when somebody begins to look. */
export const walletMoney = (address: string, afresh: boolean): Promise<MoneyView> => invoke('wallet_money', { address, afresh });

/** Lets it pay for every agent without a wallet of its own; `null` for all networks. */
export const walletPays = (address: string, network: string | null): Promise<void> => invoke('wallet_pays', { address, network });

/** Nothing can be paid until the passphrase is typed again. */
export const lockWallets = (): Promise<void> => invoke('wallet_lock');

/** Checks the merchant's keys and asks the gateway about an order nobody has. */
export const checkMerchant = (): Promise<CheckedView> => invoke('merchant_check');

/** Forgets the merchant and its key, once that is confirmed in the approval window. */
export const removeMerchant = (): Promise<void> => invoke('merchant_remove');

/** Opens the window of secrets for one task; nothing of what happens there comes back here. */
export const openSecret = (task: SecretTask): Promise<void> => invoke('secret_open', { task });
