// Held steps: list, read (waiting for the answer if asked to), answer.
import type { ServerResponse } from 'node:http';
import type { Answer, Engine, Hold } from '../engine/types.ts';
import type { Parsed } from '../step/json.ts';
import { reader } from '../step/parse.ts';
import { problem } from './problem.ts';
import { get, post, type Route } from './router.ts';

const HOLD_STATES = ['pending', 'approved', 'refused', 'expired', 'used'] as const;
export const WAIT_SECONDS_MAX = 60;

/** Requests that may wait for an answer at one time. */
export const WAITS_MAX = 1_000;

/** The routes, and what answers every waiting request when the server stops. */
export function holdRoutes(engine: Engine): { routes: readonly Route[]; close: () => void } {
  const waits = new Set<() => void>();
  const routes = [
    get(
      '/v1/holds',
      {
        state: { type: 'word', of: HOLD_STATES },
        session: { type: 'text' },
        limit: { type: 'number', min: 1, max: 1000, absent: 200 },
      },
      async ({ query }) => {
        const { state, session, limit } = query;
        const holds = await engine.holds({
          limit,
          ...(state === undefined ? {} : { state: state as Hold['state'] }),
          ...(session === undefined ? {} : { session }),
        });
        return { status: 200, body: { holds } };
      },
    ),
    get(
      '/v1/holds/{id}',
      { wait: { type: 'number', min: 0, max: WAIT_SECONDS_MAX, absent: 0 } },
      async ({ params, query, response }) => {
        if (query.wait > 0 && waits.size >= WAITS_MAX)
          return problem('overloaded', `${WAITS_MAX} requests wait already`);
        const hold = await waitForAnswer(engine, params.id!, query.wait * 1000, response, waits);
        if (hold === null)
          return problem('unknown-hold', `there is no hold ${JSON.stringify(params.id!.slice(0, 200))}`);
        return { status: 200, body: hold };
      },
    ),
    post('/v1/holds/{id}/answer', parseAnswer, async ({ params }, answer) => {
      return { status: 200, body: await engine.answerHold(params.id!, answer) };
    }),
  ];
  return {
    routes,
    close() {
      for (const end of waits) end();
    },
  };
}

/** A person's answer to a hold. */
export function parseAnswer(value: unknown): Parsed<Answer> {
  const read = reader();
  const fields = read.object(value, '', ['approve', 'by', 'role', 'reason']);
  if (fields === null) return { ok: false, problems: read.problems };
  const reason = read.optional(fields.reason, '/reason', read.content);
  const answer: Answer = {
    approve: read.boolean(fields.approve, '/approve'),
    by: read.text(fields.by, '/by'),
    role: read.text(fields.role, '/role'),
    ...(reason === undefined ? {} : { reason }),
  };
  return read.problems.length === 0 ? { ok: true, value: answer } : { ok: false, problems: read.problems };
}

/** The hold when it is no longer pending, or as it stands when the time is up, the caller has gone, or the server stops. */
async function waitForAnswer(
  engine: Engine,
  id: string,
  waitMs: number,
  response: ServerResponse,
  waits: Set<() => void>,
): Promise<Hold | null> {
  if (waitMs === 0) return engine.hold(id);
  const { promise: answered, resolve } = Promise.withResolvers<void>();
  const unsubscribe = engine.subscribe((event) => {
    if (event.type === 'hold' && event.hold === id && event.state !== 'pending') resolve();
  });
  const timer = setTimeout(resolve, waitMs);
  response.once('close', resolve);
  waits.add(resolve);
  try {
    const hold = await engine.hold(id);
    if (hold === null || hold.state !== 'pending') return hold;
    await answered;
    return await engine.hold(id);
  } finally {
    clearTimeout(timer);
    waits.delete(resolve);
    response.off('close', resolve);
    unsubscribe();
  }
}
