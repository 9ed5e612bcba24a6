/** A made-up window of secrets for the mock and the tests. The words are the ones that everybody knows. */
import type { MoneyView, SecretDone, SecretStep, SecretTask, SecretView } from '../ipc/types';

const address = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed';
export const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'.split(' ');

export const secretView = (task: SecretTask, change: Partial<SecretView> = {}): SecretView => ({
  task,
  wallet: 'address' in task ? { label: 'main', address } : null,
  guarded: 'nothing',
  kept: 'os_keyring',
  language: 'en',
  red_band: false,
  least: 10,
  merchant: null,
  ...change,
});

export function secretStep(step: SecretStep): SecretDone {
  switch (step.step) {
    case 'words':
      return { is: 'words', words };
    case 'written':
      return { is: 'places', places: [2, 5, 12] };
    case 'check':
      if (step.words.join(' ') !== 'winner wave yellow') throw { kind: 'wrong_words' };
      return { is: 'made', label: step.label || 'main', address };
    case 'import_key':
    case 'import_phrase':
    case 'import_file':
      return { is: 'made', label: step.label || 'main', address };
    case 'export':
      return { is: 'saved', path: '/home/me/Downloads/countersign-wallet-0x5aAeb605.json' };
    case 'merchant':
    case 'merchant_fresh':
      if (!/^\d+$/.test(step.said.app_id)) throw { kind: 'not_an_app' };
      return { is: 'merchant', app_id: step.said.app_id };
    default:
      return { is: 'done' };
  }
}

export const tasks: Record<string, SecretTask> = {
  create: { is: 'create' },
  import: { is: 'import' },
  passphrase: { is: 'passphrase' },
  unlock: { is: 'unlock' },
  export: { is: 'export', address },
  remove: { is: 'remove', address },
  merchant: { is: 'merchant' },
};

export const money = (change: Partial<MoneyView> = {}): MoneyView => ({
  address,
  qr: { size: 37, path: Array.from({ length: 29 * 29 }, (_, n) => n).filter((n) => (n * 7919) % 13 < 6).map((n) => `M${4 + (n % 29)} ${4 + Math.floor(n / 29)}h1v1h-1z`).join('') },
  networks: [
    { id: 'eip155:84532/erc20:0x036CbD53842c5426634e7929541eC2318f3dCF7e', network: 'Base Sepolia', symbol: 'USDC', token: '0x036CbD53842c5426634e7929541eC2318f3dCF7e', testnet: true, faucet: 'https://faucet.circle.com', has: { is: 'amount', amount: '12.5 USDC' }, arrived: null },
    { id: 'eip155:8453/erc20:0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', network: 'Base', symbol: 'USDC', token: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', testnet: false, faucet: null, has: { is: 'no_node' }, arrived: null },
    { id: 'eip155:421614/erc20:0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d', network: 'Arbitrum Sepolia', symbol: 'USDC', token: '0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d', testnet: true, faucet: 'https://faucet.circle.com', has: { is: 'silent' }, arrived: null },
  ],
  float: null,
  ...change,
});
