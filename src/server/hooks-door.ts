// agent-hooks over HTTP, for hosts in other languages: a context is posted, a verdict is answered; a deny that may be lifted
// is posted with its context, a resolution is answered. What fails is an error status, which a host turns into a deny.
import {
  type AgentContext,
  type ApprovalRequest,
  contextProblem,
  interlockHooks,
  sessionOf,
} from '../agent-hooks/index.ts';
import type { Engine } from '../engine/types.ts';
import type { Admit } from '../pdp/decide.ts';
import type { Answerer } from '../pdp/door.ts';
import { InvalidProposal, RequestRefused } from '../sdk/errors.ts';
import { overTransport } from '../sdk/interlock.ts';
import { localTransport } from '../sdk/local.ts';

export const INTERCEPT_PATH = '/agent-hooks/v0.1/intercept';
export const RESOLVE_PATH = '/agent-hooks/v0.1/resolve';

/** How long one request may wait for people; a host asks again, or takes `unresolved` for a deny. */
const RESOLVE_MS = 55_000;
const STATUS: Readonly<Record<string, number>> = { unauthorized: 401, 'not-yours': 403 };

type Admitted =
  | { readonly ok: true; readonly context: AgentContext }
  | { readonly ok: false; readonly answer: { readonly status: number; readonly body: object } };

function refused(status: number, error: string): Admitted {
  return { ok: false, answer: { status, body: { error } } };
}

export function hooksDoors(
  engine: Engine,
  admit: Admit,
  onFailure: (error: unknown) => void,
): Readonly<Record<string, Answerer>> {
  const hooks = interlockHooks(overTransport(localTransport(engine, 'agent-hooks')), {
    approvalMs: RESOLVE_MS,
  });

  /** The context with the tenant that the key stands for, or why it is not taken. */
  function admitted(context: unknown, key: string | null): Admitted {
    const wrong = contextProblem(context);
    if (wrong !== null) return refused(400, `the context has no valid ${wrong}`);
    const init = admit(key, sessionOf(context as AgentContext));
    if (!('agent' in init)) return refused(STATUS[init.code] ?? 403, init.message);
    const tenant = init.tenant === undefined ? {} : { tenant: { id: init.tenant } };
    return { ok: true, context: { ...(context as AgentContext), ...tenant } };
  }

  async function answered(work: () => Promise<object>) {
    try {
      return { status: 200, body: await work() };
    } catch (error) {
      // The host's own mistake, e.g. a session that has ended; it denies all the same.
      if (error instanceof RequestRefused || error instanceof InvalidProposal)
        return { status: 409, body: { error: error.message } };
      onFailure(error);
      return { status: 503, body: { error: 'no decision could be had' } };
    }
  }

  return {
    [INTERCEPT_PATH]: async (body, { key }) => {
      const found = admitted(body, key);
      return found.ok ? answered(() => hooks.intercept(found.context)) : found.answer;
    },
    [RESOLVE_PATH]: async (body, { key }) => {
      const request = body as Partial<ApprovalRequest> | null;
      const found = admitted(request?.context, key);
      if (!found.ok) return found.answer;
      const verdict =
        typeof request?.verdict === 'object' && request.verdict !== null
          ? request.verdict
          : { decision: 'deny' as const };
      const identity = typeof request?.context_identity === 'string' ? request.context_identity : null;
      const point = found.context.interception_point as ApprovalRequest['interception_point'];
      return answered(() =>
        hooks.resolve({
          context: found.context,
          context_identity: identity,
          interception_point: point,
          verdict,
        }),
      );
    },
  };
}
