// Who a request is from: the session it belongs to, by the sources that the settings name.
import { createHash } from 'node:crypto';
import { parseSessionInit } from '../step/parse.ts';
import type { SessionInit } from '../step/types.ts';
import type { CallProblem, HttpCall } from './call.ts';
import type { Settings, Source } from './settings.ts';

/** Without an id in `init` the session is the lasting one. */
export type Who = { readonly init: SessionInit } | { readonly problem: CallProblem };

export function whoOf(call: Pick<HttpCall, 'headers' | 'extensions' | 'peer'>, settings: Settings): Who {
  const first = (sources: readonly Source[]) => firstOf(call, sources);
  return sessionOf({
    agent: first(settings.agent),
    principal: first(settings.principal),
    tenant: first(settings.tenant),
    session: first(settings.session),
  });
}

/** Null and empty are absent. */
export function sessionOf(given: {
  readonly agent: string | null;
  readonly principal: string | null;
  readonly tenant: string | null;
  readonly session: string | null;
}): Who {
  const { agent, principal, tenant, session } = given;
  if (agent === null)
    return {
      problem: {
        code: 'no-agent',
        message: 'nothing says which agent this request is from',
        mend: 'Name a source of the agent, or end its list with value:NAME.',
      },
    };
  const parsed = parseSessionInit({
    ...(session === null ? {} : { id: session }),
    agent: { name: agent },
    ...(principal === null ? {} : { principal }),
    ...(tenant === null ? {} : { tenant }),
  });
  if (parsed.ok) return { init: parsed.value };
  const { at, expected, found } = parsed.problems[0]!;
  return { problem: { code: 'who-invalid', message: `${at}: expected ${expected}, found ${found}` } };
}

/**
 * One session for each agent, principal and tenant, which a client cannot leave by leaving a header out. A session keeps
 * the spec it began under, so another `spec` (a digest) is another session.
 */
export function lastingId({ agent, principal, tenant }: SessionInit, spec: string | null): string {
  const parts = JSON.stringify([agent.name, principal ?? null, tenant ?? null, spec]);
  return `gateway-${createHash('sha256').update(parts).digest('hex').slice(0, 32)}`;
}

function firstOf(
  call: Pick<HttpCall, 'headers' | 'extensions' | 'peer'>,
  sources: readonly Source[],
): string | null {
  for (const source of sources) {
    const value = found(call, source);
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return null;
}

function found(
  { headers, extensions, peer }: Pick<HttpCall, 'headers' | 'extensions' | 'peer'>,
  source: Source,
) {
  switch (source.from) {
    case 'extension':
      return extensions.get(source.name);
    case 'header':
      return headers.get(source.name);
    case 'peer':
      return peer;
    case 'value':
      return source.value;
  }
}
