// Sessions and their steps: open, propose, end, list, read. The proposal route is the hot path.
import type { Engine } from '../engine/types.ts';
import { VERDICTS } from '../monitor/types.ts';
import type { Parsed } from '../step/json.ts';
import { parseProposal, parseSessionInit } from '../step/parse.ts';
import { problem } from './problem.ts';
import { get, post, type Route } from './router.ts';

export function sessionRoutes(engine: Engine): readonly Route[] {
  return [
    post('/v1/sessions/{id}/steps', parseProposal, async ({ params }, proposal) => {
      return { status: 200, body: await engine.decide(params.id!, proposal) };
    }),
    post('/v1/sessions', parseSessionInit, async (_call, init) => {
      return { status: 201, body: await engine.openSession(init) };
    }),
    post('/v1/sessions/{id}/end', parseNothing, async ({ params }) => {
      return { status: 200, body: await engine.endSession(params.id!) };
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
