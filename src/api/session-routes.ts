// Sessions and their steps: open, propose, end, list, read. The proposal route is the hot path.
import type { IncomingMessage } from 'node:http';
import type { Engine } from '../engine/types.ts';
import { VERDICTS } from '../monitor/types.ts';
import type { Parsed } from '../step/json.ts';
import { parseCheckRequest, parseProposal, parseSessionInit } from '../step/parse.ts';
import type { Agent, SessionInit } from '../step/types.ts';
import type { Callers } from './callers.ts';
import { isProblem, type Problem, problem } from './problem.ts';
import { type Call, get, post, type Route } from './router.ts';

/** `callers` null: whoever reaches the port may open sessions. */
export function sessionRoutes(engine: Engine, callers: Callers | null): readonly Route[] {
  /** Whether the request may act in the session; null when it may. */
  async function refusal({ params, request }: Call<unknown>, acting?: Agent): Promise<Problem | null> {
    if (callers === null) return null;
    const caller = callers.of(request);
    return isProblem(caller) ? caller : callers.refuse(caller, params.id!, acting);
  }

  function admitted(request: IncomingMessage, init: SessionInit): SessionInit | Problem {
    if (callers === null) return init;
    const caller = callers.of(request);
    return isProblem(caller) ? caller : callers.admit(caller, init);
  }

  return [
    post('/v1/sessions/{id}/steps', parseProposal, async (call, proposal) => {
      const refused = callers === null ? null : await refusal(call, proposal.agent);
      return refused ?? { status: 200, body: await engine.decide(call.params.id!, proposal) };
    }),
    post('/v1/sessions', parseSessionInit, async ({ request }, given) => {
      const init = admitted(request, given);
      return isProblem(init)
        ? init
        : { status: 201, body: await engine.openSession({ ...init, door: 'api' }) };
    }),
    post('/v1/sessions/{id}/checks', parseCheckRequest, async (call, request) => {
      return (await refusal(call)) ?? { status: 200, body: await engine.check(call.params.id!, request) };
    }),
    post('/v1/sessions/{id}/end', parseNothing, async (call) => {
      return (await refusal(call)) ?? { status: 200, body: await engine.endSession(call.params.id!) };
    }),
    get(
      '/v1/sessions',
      {
        limit: { type: 'number', min: 1, max: 200, absent: 50 },
        cursor: { type: 'text' },
        text: { type: 'text' },
        verdict: { type: 'word', of: VERDICTS },
        agent: { type: 'text' },
      },
      async ({ query }) => {
        const { limit, cursor, text, verdict, agent } = query;
        const body = await engine.sessions({
          limit,
          ...(cursor === undefined ? {} : { cursor }),
          ...(text === undefined ? {} : { text }),
          ...(verdict === undefined ? {} : { verdict }),
          ...(agent === undefined ? {} : { agent }),
        });
        return { status: 200, body };
      },
    ),
    get('/v1/sessions/{id}', {}, async ({ params }) => {
      const session = await engine.session(params.id!);
      return session === null ? unknownSession(params.id!) : { status: 200, body: session };
    }),
    get(
      '/v1/sessions/{id}/steps',
      {
        from: { type: 'number', min: 0, max: Number.MAX_SAFE_INTEGER, absent: 0 },
        limit: { type: 'number', min: 1, max: 1000, absent: 200 },
      },
      async ({ params, query }) => {
        if ((await engine.session(params.id!)) === null) return unknownSession(params.id!);
        return { status: 200, body: await engine.steps(params.id!, query) };
      },
    ),
  ];
}

function unknownSession(id: string) {
  return problem('unknown-session', `there is no session ${JSON.stringify(id.slice(0, 200))}`);
}

/** For a route that takes no body, or `{}`. */
function parseNothing(value: unknown): Parsed<null> {
  const empty = value === undefined || JSON.stringify(value) === '{}';
  if (empty) return { ok: true, value: null };
  return { ok: false, problems: [{ at: '', expected: 'no body', found: 'a body' }] };
}
