// What else can be read: findings, specs by digest, health, the API's own description.
import type { Engine } from '../engine/types.ts';
import { OPENAPI } from './openapi.ts';
import { problem } from './problem.ts';
import { get, type Route } from './router.ts';

export interface Health {
  readonly ok: true;
  readonly version: string;
  /** Specs in force, in the order in which they are tried on a session. */
  readonly spec: readonly { readonly name: string; readonly digest: string }[];
  readonly dataDir: string;
  /** Other nodes whose stops are followed. */
  readonly peers?: readonly { readonly url: string; readonly state: string; readonly since: number }[];
}

export function recordRoutes(engine: Engine, health: () => Health): readonly Route[] {
  return [
    get(
      '/v1/findings',
      { session: { type: 'text' }, limit: { type: 'number', min: 1, max: 1000, absent: 200 } },
      async ({ query }) => {
        const { session, limit } = query;
        const findings = await engine.findings({ limit, ...(session === undefined ? {} : { session }) });
        return { status: 200, body: { findings } };
      },
    ),
    get(
      '/v1/coverage',
      { since: { type: 'number', min: 0, max: Number.MAX_SAFE_INTEGER, absent: 0 } },
      async ({ query }) => ({ status: 200, body: { agents: await engine.coverage(query.since) } }),
    ),
    get('/v1/specs/{digest}', {}, async ({ params }) => {
      const spec = await engine.spec(params.digest!);
      if (spec !== null) return { status: 200, body: spec };
      return problem('unknown-spec', `there is no spec ${JSON.stringify(params.digest!.slice(0, 100))}`);
    }),
    get('/v1/health', {}, async () => ({ status: 200, body: health() })),
    get('/openapi.json', {}, async () => ({ status: 200, body: OPENAPI })),
  ];
}
