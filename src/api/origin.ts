// Who may talk to a server without accounts: programs on this machine, and our own page. Not other web pages, neither by
// a name that was rebound to loopback (Host) nor by a cross-site request (Origin, Sec-Fetch-Site).
import type { IncomingMessage } from 'node:http';
import { type Problem, problem } from './problem.ts';

const LOOPBACK = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/i;

export function refuseForeign(request: IncomingMessage): Problem | null {
  const host = request.headers.host ?? '';
  if (host.length > 64 || !LOOPBACK.test(host)) {
    const mend = 'Call it as localhost, 127.0.0.1 or [::1].';
    return problem('host-not-allowed', `the Host header is ${JSON.stringify(host.slice(0, 64))}`, { mend });
  }
  const { origin, 'sec-fetch-site': site, 'sec-fetch-mode': mode } = request.headers;
  const reads = request.method === 'GET' || request.method === 'HEAD';
  // A link from another site may open our page; its scripts may not read or write through it.
  if (reads && mode === 'navigate') return null;
  const sameOrigin = reads || origin === undefined || origin.toLowerCase() === `http://${host.toLowerCase()}`;
  const sameSite = site === undefined || site === 'same-origin' || site === 'none';
  if (sameOrigin && sameSite) return null;
  const detail = `a page of ${JSON.stringify((origin ?? site ?? '').slice(0, 100))} made this request`;
  return problem('origin-not-allowed', detail, { mend: 'Call it from a program, or from its own page.' });
}
