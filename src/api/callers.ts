// Who may open which sessions: keys of agents' programs, each bound to agents, principals and a tenant. A caller so cannot
// leave the history of its principal by naming another one, nor step into a session of somebody else.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Engine } from '../engine/types.ts';
import { globMatches } from '../spec/pattern.ts';
import { describe, type Parsed } from '../step/json.ts';
import { reader } from '../step/parse.ts';
import type { Agent, SessionInit } from '../step/types.ts';
import { type Problem, problem } from './problem.ts';

export interface Caller {
  readonly name: string;
  /** `sha256:<hex>` of its key. */
  readonly key: string;
  /** Globs over agent names. */
  readonly agents: readonly string[];
  /** Globs over principals; a caller that may speak for nobody opens sessions without one. */
  readonly principals: readonly string[];
  /** The tenant of all its sessions; null: none. */
  readonly tenant: string | null;
}

export interface Callers {
  /** The caller that the request's key shows, or a refusal. */
  of(request: Pick<IncomingMessage, 'headers'>): Caller | Problem;
  /** The session as the caller may open it, or a refusal. */
  admit(caller: Caller, init: SessionInit): SessionInit | Problem;
  /** Null when the session is one that the caller may have opened, and its step is of an agent that is the caller's. */
  refuse(caller: Caller, session: string, acting?: Agent): Promise<Problem | null>;
}

export const MAX_CALLERS = 1_000;
/** Sessions whose caller is remembered, so that a step costs no look-up. */
const MAX_KNOWN = 10_000;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** `[{ name, key, agents, principals, tenant }]`, as JSON or YAML gives it. */
export function parseCallers(value: unknown): Parsed<readonly Caller[]> {
  const read = reader();
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_CALLERS) {
    const problem = { at: '', expected: `a list of 1 to ${MAX_CALLERS} callers`, found: describe(value) };
    return { ok: false, problems: [problem] };
  }
  const callers = value.map((item: unknown, i): Caller => {
    const at = `/${i}`;
    const fields = read.object(item, at, ['name', 'key', 'agents', 'principals', 'tenant']) ?? {};
    const key = read.text(fields.key, `${at}/key`);
    if (key !== '' && !DIGEST.test(key)) {
      read.problems.push({
        at: `${at}/key`,
        expected: '"sha256:" and the hex digest of the key',
        found: 'something else',
        mend: 'Make one with `interlock callers new`.',
      });
    }
    return {
      name: read.text(fields.name, `${at}/name`),
      key,
      agents: read.labels(fields.agents, `${at}/agents`),
      principals: read.optional(fields.principals, `${at}/principals`, read.labels) ?? [],
      tenant: read.optional(fields.tenant, `${at}/tenant`, read.text) ?? null,
    };
  });
  for (const field of ['name', 'key'] as const) {
    const seen = new Set<string>();
    for (const [i, caller] of callers.entries()) {
      if (seen.has(caller[field]))
        read.problems.push({
          at: `/${i}/${field}`,
          expected: `a ${field} of its own`,
          found: 'one that another caller has',
        });
      seen.add(caller[field]);
    }
  }
  return read.problems.length === 0 ? { ok: true, value: callers } : { ok: false, problems: read.problems };
}

export function createCallers(callers: readonly Caller[], engine: Pick<Engine, 'session'>): Callers {
  const byKey = callers.map((caller) => ({ caller, digest: Buffer.from(caller.key.slice(7), 'hex') }));
  const known = new Map<string, Caller>();

  function remember(session: string, caller: Caller): void {
    if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value as string);
    known.set(session, caller);
  }

  return {
    of(request) {
      const [scheme, key] = (request.headers.authorization ?? '').split(' ', 2);
      if (scheme?.toLowerCase() !== 'bearer' || key === undefined || key === '') {
        return problem('unauthorized', 'this server asks agents for a key', {
          mend: 'Send `Authorization: Bearer KEY`.',
        });
      }
      const digest = createHash('sha256').update(key).digest();
      // Every key is compared, so that the time taken tells nothing.
      let found: Caller | null = null;
      for (const { caller, digest: expected } of byKey) if (timingSafeEqual(digest, expected)) found = caller;
      return found ?? problem('unauthorized', 'the key is not one that this server knows');
    },
    admit(caller, init) {
      const { agent, principal, tenant } = init;
      if (!caller.agents.some((glob) => globMatches(glob, agent.name)))
        return foreign(caller, 'agent', agent.name, caller.agents);
      if (principal !== undefined && !caller.principals.some((glob) => globMatches(glob, principal)))
        return foreign(caller, 'principal', principal, caller.principals);
      if (tenant !== undefined && tenant !== caller.tenant)
        return foreign(caller, 'tenant', tenant, caller.tenant === null ? [] : [caller.tenant]);
      return caller.tenant === null ? init : { ...init, tenant: caller.tenant };
    },
    async refuse(caller, id, acting) {
      if (acting !== undefined && !caller.agents.some((glob) => globMatches(glob, acting.name)))
        return foreign(caller, 'agent', acting.name, caller.agents);
      if (known.get(id) === caller) return null;
      const session = await engine.session(id);
      const isOwn =
        session !== null &&
        session.tenant === caller.tenant &&
        caller.agents.some((glob) => globMatches(glob, session.agent.name)) &&
        (session.principal === null ||
          caller.principals.some((glob) => globMatches(glob, session.principal!)));
      // A session that is somebody else's is not told from one that is not there.
      if (!isOwn)
        return problem('unknown-session', `there is no session ${JSON.stringify(id.slice(0, 200))}`);
      remember(id, caller);
      return null;
    },
  };
}

function foreign(caller: Caller, what: string, given: string, allowed: readonly string[]): Problem {
  return problem(
    'not-yours',
    `the key of ${caller.name} opens no session for the ${what} ${JSON.stringify(given)}`,
    {
      mend: allowed.length === 0 ? `Leave the ${what} out.` : `It may use: ${allowed.join(', ')}.`,
    },
  );
}
