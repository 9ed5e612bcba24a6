/** How loud a state is. */
export function kindOf(state: string): 'plain' | 'good' | 'warn' | 'bad' | 'busy' {
  if (state === 'completed') return 'good';
  if (state === 'pending_approval' || state === 'unknown') return 'warn';
  if (state === 'failed') return 'bad';
  return state === 'authorized' ? 'busy' : 'plain';
}
