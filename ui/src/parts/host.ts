/** An origin as it is read: that it is encrypted goes without saying, anything else is said. */
export function plain(origin: string): string {
  const [scheme, rest] = origin.split('://', 2);
  return scheme === 'https' && rest ? rest : origin;
}

/** Splits the shown payee so that its registrable domain can be stressed; the three pieces join to exactly the text given. */
export function stressed(host: string, registrable: string): [string, string, string] {
  const at = registrable === '' ? -1 : host.lastIndexOf(registrable);
  if (at < 0) return ['', host, ''];
  const end = at + registrable.length;
  const rest = host.slice(end);
  if (rest !== '' && !/^:\d+$/.test(rest)) return ['', host, ''];
  return [host.slice(0, at), registrable, rest];
}

/** An account in groups of four characters, `0x` in front of the first, or in its own words; every character is kept. */
export function groups(account: string): string[] {
  if (account.includes(' ')) return account.split(' ');
  const body = account.startsWith('0x') ? account.slice(2) : account;
  const fours = body.match(/[^]{1,4}/gu) ?? [];
  return account.startsWith('0x') ? [`0x${fours[0] ?? ''}`, ...fours.slice(1)] : fours;
}
