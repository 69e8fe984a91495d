// Interlock as an interceptor and as an approval resolver of any host of the contract. What it throws is the host's to turn
// into a deny (section 6.3); it never answers with a permit that no decision gave.
import { randomUUID } from 'node:crypto';
import type { Hold, Interlock, Proposal, Recorded, Session } from '../sdk/index.ts';
import { validateEnvelope } from './envelope.ts';
import { proposalOf, sessionOf, verdictOf } from './steps.ts';
import type {
  AgentContext,
  ApprovalRequest,
  ApprovalResolution,
  ApprovalResolver,
  Interceptor,
  Verdict,
} from './types.ts';
import { isObject } from './verdict.ts';

export interface InterlockHooks extends Interceptor, ApprovalResolver {
  intercept(context: AgentContext): Promise<Verdict>;
  /** Waits for people to answer the hold that a deny names, and has the step decided again once it is approved. */
  resolve(request: ApprovalRequest): Promise<ApprovalResolution>;
}

export interface InterlockHooksOptions {
  /** On whose behalf an agent runs whose contexts name no actor. */
  readonly principal?: string;
  /** How long `resolve` waits before it answers `unresolved`. By default as long as the hold lasts. */
  readonly approvalMs?: number;
}

/** Sessions kept open here; an older one is opened again at its next step. */
const SESSIONS_MAX = 10_000;
const WAIT_MS_MAX = 30_000;
/** Added to a hold's end, so that it is marked expired when it is read again. */
const EXPIRY_SLACK_MS = 100;

/**
 * @example
 * const interlock = await Interlock.open({ spec: 'shop.yaml', data: '.interlock' });
 * const hooks = interlockHooks(interlock);
 * const emitter = createEmitter({ interceptors: [{ interceptor: hooks, name: 'interlock' }], resolver: hooks });
 */
export function interlockHooks(
  interlock: Pick<Interlock, 'session' | 'holdChange'>,
  options: InterlockHooksOptions = {},
): InterlockHooks {
  const sessions = new Map<string, Promise<Session>>();

  function opened(context: AgentContext): Promise<Session> {
    const init = sessionOf(context, options.principal);
    const key = JSON.stringify([init.id, init.agent, init.principal, init.tenant]);
    const known = sessions.get(key);
    if (known !== undefined) return known;
    if (sessions.size >= SESSIONS_MAX) sessions.delete(sessions.keys().next().value as string);
    const opening = interlock.session(init);
    sessions.set(key, opening);
    opening.catch(() => sessions.delete(key));
    if (context.interception_point === 'agent_shutdown') sessions.delete(key);
    return opening;
  }

  async function decided(context: AgentContext): Promise<Recorded | null> {
    const wrong = validateEnvelope(context);
    if (wrong !== null) throw new TypeError(`the context has no valid ${wrong}`);
    const session = await opened(context);
    const proposal = proposalOf(context);
    // Parsed again by the session, as from any other caller.
    return proposal === null
      ? null
      : session.observe({ ...proposal, id: randomUUID() } as unknown as Proposal);
  }

  /** The hold once it is answered or over, or as it stands when the time is up. */
  async function answered(id: string): Promise<Hold | null> {
    const giveUpAt = Date.now() + (options.approvalMs ?? Number.POSITIVE_INFINITY);
    let waitMs = 0;
    for (;;) {
      const hold = await interlock.holdChange(id, waitMs, undefined);
      const now = Date.now();
      if (hold === null || hold.state !== 'pending' || now >= giveUpAt) return hold;
      waitMs = Math.min(WAIT_MS_MAX, giveUpAt - now, Math.max(0, hold.expiresAt - now) + EXPIRY_SLACK_MS);
    }
  }

  return {
    async intercept(context) {
      const recorded = await decided(context);
      return recorded === null ? { decision: 'allow' } : verdictOf(context, recorded);
    },

    async resolve({ context, context_identity, verdict }) {
      const unresolved: ApprovalResolution = { outcome: 'unresolved', context_identity };
      const id = isObject(verdict.approval) ? verdict.approval.hold : undefined;
      // Another interceptor's deny, or a conflict that the host made: not ours to lift.
      if (typeof id !== 'string') return unresolved;
      const hold = await answered(id);
      if (hold?.state === 'refused') {
        const refusal = hold.answers.findLast(({ approve }) => !approve);
        const message = `${refusal?.by ?? 'Somebody'} refused.`;
        return {
          outcome: 'reject',
          context_identity,
          verdict: { decision: 'deny', reason: 'interlock:refused', message },
        };
      }
      if (hold?.state !== 'approved') return unresolved;
      // The approval is of exactly these arguments and is used by deciding them again. A context that was cut for the
      // approver is another step, and is not what was approved.
      const recorded = await decided(context);
      const again = recorded === null ? null : verdictOf(context, recorded);
      if (again === null) return unresolved;
      return {
        outcome: again.decision === 'deny' ? 'reject' : 'approve',
        context_identity,
        verdict: bare(again),
      };
    },
  };
}

/** A rejection is no longer liftable. */
function bare({ approval: _, ...verdict }: Verdict): Verdict {
  return verdict;
}
