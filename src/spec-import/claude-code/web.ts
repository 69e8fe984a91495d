// WebFetch rules of Claude Code, `domain:HOST`, as conditions over an address. Pure.
import { matches, quote } from '../cel.ts';

/** The host of `domain:HOST`, in lower case; `*.` before it takes its subdomains. Null for anything else. */
export function parseDomain(specifier: string): string | null {
  const host = specifier.startsWith('domain:') ? specifier.slice(7).toLowerCase() : '';
  return /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(host) ? host : null;
}

function hostPattern(host: string): string {
  return host.startsWith('*.') ? `([a-z0-9-]+\\.)+${quote(host.slice(2))}` : quote(host);
}

/** The whole address is read: no user part, no backslash, nothing that two readers read differently. */
export function allowedAddress(url: string, host: string): string {
  return matches(url, `(?i)^https?://${hostPattern(host)}(:[0-9]{1,5})?([/?#][!-\\[\\]-~]*)?$`);
}

/** The host stands somewhere in the address, or the address could be read in two ways. */
export function deniedAddress(url: string, host: string): string {
  return matches(url, `(?i)(^|[^a-z0-9-])${hostPattern(host)}\\.?($|[^a-z0-9.-])|[%\\\\@\\s]|[^!-~]`);
}

export function exampleAddress(host: string): string {
  return `https://${host.replace('*', 'www')}/`;
}
