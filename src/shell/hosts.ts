// The host that a word names: a URL, `user@host:path`, `host:port`, a bare name. Pure.

const SCHEME = /^[a-z][a-z0-9+.-]{0,20}:\/\//i;

/** Of `https://user@host:8080/x`; null when it is no URL of a host. `file:` has none. */
export function hostOfUrl(word: string): string | null {
  const scheme = SCHEME.exec(word)?.[0];
  if (scheme === undefined || scheme.toLowerCase() === 'file://') return null;
  const rest = word.slice(scheme.length);
  let end = 0;
  while (end < rest.length && !'/?#\\'.includes(rest[end]!)) end++;
  return hostOfAuthority(rest.slice(0, end));
}

/** Of `user@host:22`, lower-cased, without user, port and the brackets of IPv6. */
export function hostOfAuthority(authority: string): string | null {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  if (host.startsWith('[')) return host.slice(1, Math.max(1, host.indexOf(']'))).toLowerCase() || null;
  const colon = host.indexOf(':');
  const name = (colon >= 0 && colon === host.lastIndexOf(':') ? host.slice(0, colon) : host).toLowerCase();
  const plain = name.endsWith('.') ? name.slice(0, -1) : name;
  return plain === '' ? null : plain;
}

/** `host:path` or `user@host:path` as ssh, scp, rsync and git take it; null for a local path. */
export function hostOfRemote(word: string): string | null {
  if (SCHEME.test(word)) return hostOfUrl(word);
  const colon = word.startsWith('[') ? word.indexOf(']:') + 1 : word.indexOf(':');
  const slash = word.indexOf('/');
  if (colon <= 0 || (slash >= 0 && slash < colon)) return null;
  return hostOfAuthority(word.slice(0, colon));
}
