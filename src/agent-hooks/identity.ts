// Section 10: the identity of a context, a digest of exactly the members that the contract requires of it.
import { createHash } from 'node:crypto';
import { canonicalize } from '../step/canonical.ts';
import { toJson } from '../step/json.ts';
import type { JsonObject } from '../step/types.ts';
import { IDENTITY_MEMBERS } from './envelope.ts';
import type { AgentContext, IdentityProvider, Point } from './types.ts';

/** Says, without any of the content, why a context has no identity. */
export class NoIdentity extends Error {}

/** Section 12.3: of the canonical required members. */
export const CONTEXT_BYTES_MAX = 5 << 20;

const NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** @throws TypeError for a name that the contract reserves or forbids */
export function checkProvider(provider: IdentityProvider): void {
  if (provider === null || provider === 'jcs-sha256') return;
  if (typeof provider !== 'object' || !NAME.test(provider.name) || provider.name.startsWith('jcs'))
    throw new TypeError(
      'the name of an identity provider matches ^[a-z][a-z0-9_-]*$ and does not begin with jcs',
    );
}

export function providerName(provider: IdentityProvider): string | null {
  return typeof provider === 'object' ? (provider?.name ?? null) : provider;
}

/** @throws when the context has no identity, or the host's own provider throws */
export function identityOf(context: AgentContext, provider: IdentityProvider): string | null {
  if (provider === null) return null;
  if (provider === 'jcs-sha256') return contextIdentity(context);
  const identity: unknown = provider.identify(context);
  if (typeof identity !== 'string') throw new NoIdentity('the provider gave no string');
  return identity;
}

/** The `jcs-sha256` provider: `sha256:` and the hex digest of the canonical (RFC 8785) required members. */
export function contextIdentity(context: AgentContext): string {
  const members = IDENTITY_MEMBERS[context.interception_point as Point];
  if (members === undefined) throw new NoIdentity('$.interception_point');
  const { agent, session } = context;
  const projected: Record<string, unknown> = {
    spec: context.spec,
    interception_point: context.interception_point,
    timestamp: context.timestamp,
    sequence: context.sequence,
    agent: picked(agent as JsonObject, ['id', 'framework']),
    session: picked(session as JsonObject, ['id']),
    target: context.target,
  };
  for (const [name, inner] of Object.entries(members))
    projected[name] = inner === null ? context[name] : picked(context[name] as JsonObject, inner);
  // Refuses what two readers could read differently (RFC 7493): it is never rounded or mended.
  const exact = toJson(projected);
  if (!exact.ok) throw new NoIdentity(`${exact.problems[0]!.at}: expected ${exact.problems[0]!.expected}`);
  const text = canonicalize(exact.value);
  if (Buffer.byteLength(text) > CONTEXT_BYTES_MAX)
    throw new NoIdentity(`more than ${CONTEXT_BYTES_MAX} bytes`);
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function picked(object: JsonObject | undefined, keys: readonly string[]): object {
  return Object.fromEntries(keys.map((key) => [key, object?.[key]]));
}
