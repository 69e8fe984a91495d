// Section 9: the approval seam. Whatever the resolver does wrong leaves the step denied, under the reason that the
// contract orders.
import type { Json } from '../step/types.ts';
import { identityOf, NoIdentity } from './identity.ts';
import { within } from './time.ts';
import {
  type AgentContext,
  type ApprovalResolver,
  hostError,
  type IdentityProvider,
  isHostMade,
  type Point,
  permits,
  type Verdict,
} from './types.ts';
import { isObject, parseVerdict } from './verdict.ts';

type Redact = (context: AgentContext) => AgentContext | Promise<AgentContext>;

export interface Seam {
  readonly resolver: ApprovalResolver | undefined;
  readonly redact: Redact | undefined;
  readonly identity: IdentityProvider;
  readonly resolverMs: number | null;
}

export interface Consulted {
  readonly isLifted: boolean;
  /** What takes the place of the deny, or the deny that stands. */
  readonly verdict: Verdict;
}

/** Null when nobody is asked: there is no resolver, or nothing left to approve (section 6.1a). */
export async function consult(
  seam: Seam,
  context: AgentContext,
  verdict: Verdict,
): Promise<Consulted | null> {
  const { resolver, redact } = seam;
  if (resolver === undefined || context.interception_point === 'agent_shutdown') return null;
  const stands = (error: Parameters<typeof hostError>[0], message?: string): Consulted => ({
    isLifted: false,
    verdict: hostError(error, message),
  });

  let presented: AgentContext;
  try {
    presented = redact === undefined ? structuredClone(context) : await redact(structuredClone(context));
  } catch {
    return stands('approval_resolver_failed', 'redaction');
  }
  let identity: string | null;
  try {
    identity = identityOf(presented, seam.identity);
  } catch (error) {
    return stands('context_invalid', error instanceof NoIdentity ? error.message : undefined);
  }

  let resolution: unknown;
  try {
    const answered = await within(seam.resolverMs, () =>
      resolver.resolve({
        context_identity: identity,
        interception_point: context.interception_point as Point,
        verdict,
        context: presented,
      }),
    );
    if (answered.isLate) return stands('approval_resolver_failed', 'timeout');
    resolution = answered.value;
  } catch (error) {
    return stands('approval_resolver_failed', error instanceof Error ? error.name : typeof error);
  }
  return checked(resolution, identity, stands);
}

/** In the order of the contract, so that every host gives the same reason for the same resolution. */
function checked(
  resolution: unknown,
  identity: string | null,
  stands: (error: Parameters<typeof hostError>[0], message?: string) => Consulted,
): Consulted {
  if (!isObject(resolution) || ((resolution.context_identity as Json | undefined) ?? null) !== identity)
    return stands('approval_identity_mismatch');
  const { outcome, verdict: carried } = resolution;
  const isNone = carried === undefined || carried === null;
  if (outcome !== 'approve' && outcome !== 'reject' && outcome !== 'unresolved')
    return stands('approval_resolver_failed', 'outcome');
  if (isNone !== (outcome === 'unresolved')) return stands('approval_resolver_failed', 'verdict');
  if (outcome === 'unresolved') return stands('approval_unresolved');
  const verdict = parseVerdict(carried);
  if (isHostMade(verdict)) return stands('verdict_invalid');
  if (permits(verdict) !== (outcome === 'approve')) return stands('verdict_invalid', outcome);
  return { isLifted: outcome === 'approve', verdict };
}
